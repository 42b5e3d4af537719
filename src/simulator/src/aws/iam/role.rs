//! Roles.

use serde_json::{Map, Value, json};

use super::{PROFILE, ROLE, arn, named, path, policy, tag_list, tags, unique};
use crate::aws::call::{Answer, Call, Refused, object, timestamp};
use crate::aws::table::{Action, Behaviour};
use crate::wire::form::encoded;
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_role_name_is_taken_whatever_its_path",
        source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
    },
    Behaviour {
        name: "a_role_is_held_by_its_policies_and_profiles",
        source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html",
    },
    Behaviour {
        name: "roles_are_listed_by_path",
        source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html",
    },
    Behaviour {
        name: "a_new_role_may_not_be_known_at_once",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("CreateRole", create),
    Action::special("GetRole", get),
    Action::special("ListRoles", list),
    Action::special("UpdateAssumeRolePolicy", trust),
    Action::special("TagRole", tag),
    Action::special("UntagRole", untag),
    Action::special("DeleteRole", delete),
];

fn create(call: &mut Call<'_>) -> Answer {
    let name = named(call, "RoleName", 64)?;
    let path = path(call)?;
    let trust = policy::trust(call, "AssumeRolePolicyDocument")?;
    ROLE.admits(call.world, &name)?;
    let mut role = Thing::new(ROLE.name, &name);
    role.tags = tags(call);
    role.set("Path", path.as_str());
    role.set("RoleName", name.as_str());
    role.set("RoleId", unique(call.world, "AROA"));
    role.set("Arn", arn("role", &path, &name));
    role.set("CreateDate", timestamp(call.now()));
    role.set("AssumeRolePolicyDocument", encoded(&trust));
    if let Some(description) = call.text("Description") {
        role.set("Description", description);
    }
    role.set("MaxSessionDuration", call.number("MaxSessionDuration").unwrap_or(3600));
    role.set("_policies", json!({}));
    let answer = whole(&role);
    call.world.add(role);
    Ok(object([("Role", answer)]))
}

/// A role as lists show it: without its tags.
pub(super) fn shown(_: &World, role: &Thing) -> Value {
    role.attrs
        .iter()
        .filter(|(name, _)| !name.starts_with('_'))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn whole(role: &Thing) -> Value {
    let mut whole: Map<String, Value> = role.attrs.clone();
    if !role.tags.is_empty() {
        whole.insert("Tags".to_owned(), tag_list(&role.tags));
    }
    whole.insert("RoleLastUsed".to_owned(), json!({}));
    whole.retain(|name, _| !name.starts_with('_'));
    Value::Object(whole)
}

fn get(call: &mut Call<'_>) -> Answer {
    let name = named(call, "RoleName", 64)?;
    Ok(object([("Role", whole(&ROLE.find(call.world, &name)?))]))
}

fn list(call: &mut Call<'_>) -> Answer {
    ROLE.page(call, "Roles", shown)
}

fn trust(call: &mut Call<'_>) -> Answer {
    let name = named(call, "RoleName", 64)?;
    let trust = policy::trust(call, "PolicyDocument")?;
    ROLE.find(call.world, &name)?;
    if let Some(role) = call.world.get_mut(ROLE.name, &name) {
        role.set("AssumeRolePolicyDocument", encoded(&trust));
    }
    Ok(Map::new())
}

fn tag(call: &mut Call<'_>) -> Answer {
    let name = named(call, "RoleName", 64)?;
    ROLE.find(call.world, &name)?;
    let added = tags(call);
    call.world.retag(ROLE.name, &name, |tags| tags.extend(added));
    Ok(Map::new())
}

fn untag(call: &mut Call<'_>) -> Answer {
    let name = named(call, "RoleName", 64)?;
    ROLE.find(call.world, &name)?;
    let keys = call.texts("TagKeys");
    call.world.retag(ROLE.name, &name, |tags| tags.retain(|key, _| !keys.contains(key)));
    Ok(Map::new())
}

fn delete(call: &mut Call<'_>) -> Answer {
    let name = named(call, "RoleName", 64)?;
    let Some(role) = call.world.get(ROLE.name, &name) else { return Err(ROLE.unknown(&name)) };
    let conflict =
        |what: &str| Err(Refused::new(409, "DeleteConflict", format!("Cannot delete entity, must {what} first.")));
    if call.world.all(PROFILE.name).any(|profile| profile.at("Roles.RoleName").iter().any(|role| **role == name)) {
        return conflict("remove roles from instance profile");
    }
    if role.attrs.get("_policies").and_then(Value::as_object).is_some_and(|policies| !policies.is_empty()) {
        return conflict("delete policies");
    }
    call.world.delete(ROLE.name, &name);
    Ok(Map::new())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::aws::testing::Desk;
    use crate::weather::Weather;
    use crate::wire::form;

    pub(in crate::aws) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

    pub(in crate::aws) fn role(desk: &mut Desk, name: &str, path: &str) -> Value {
        desk.ok("CreateRole", &[("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", TRUST)])["Role"]
            .clone()
    }

    #[test]
    fn a_role_name_is_taken_whatever_its_path() {
        let mut desk = Desk::calm();
        let made = role(&mut desk, "demo-node", "/clusterctl/0011/node/");
        assert_eq!(made["Arn"], "arn:aws:iam::123456789012:role/clusterctl/0011/node/demo-node");
        let id = made["RoleId"].as_str().unwrap_or_default();
        assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
        let again = [("RoleName", "demo-node"), ("Path", "/"), ("AssumeRolePolicyDocument", TRUST)];
        assert_eq!(desk.refused("CreateRole", &again), "EntityAlreadyExists");
        let found = desk.ok("GetRole", &[("RoleName", "demo-node")])["Role"].clone();
        assert_eq!(form::plain(found["AssumeRolePolicyDocument"].as_str().unwrap_or_default()), TRUST);
    }

    #[test]
    fn a_role_is_held_by_its_policies_and_profiles() {
        let mut desk = Desk::calm();
        role(&mut desk, "r", "/");
        let delete = [("RoleName", "r"), ("PolicyName", "p")];
        desk.ok("PutRolePolicy", &[("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", policy::tests::POLICY)]);
        assert_eq!(desk.refused("DeleteRole", &delete), "DeleteConflict");
        desk.ok("DeleteRolePolicy", &delete);
        let held = [("InstanceProfileName", "i"), ("RoleName", "r")];
        desk.ok("CreateInstanceProfile", &held);
        desk.ok("AddRoleToInstanceProfile", &held);
        assert_eq!(desk.refused("DeleteRole", &delete), "DeleteConflict");
        desk.ok("RemoveRoleFromInstanceProfile", &held);
        desk.ok("DeleteRole", &delete);
        assert_eq!(desk.refused("DeleteRole", &delete), "NoSuchEntity");
    }

    #[test]
    fn roles_are_listed_by_path() {
        let mut desk = Desk::calm();
        role(&mut desk, "a", "/clusterctl/0011/a/");
        role(&mut desk, "b", "/clusterctl/0022/b/");
        role(&mut desk, "c", "/clusterctl/0011/c/");
        let list = [("PathPrefix", "/clusterctl/0011/"), ("MaxItems", "1")];
        let first = desk.ok("ListRoles", &list);
        assert_eq!((&first["Roles"][0]["RoleName"], &first["IsTruncated"]), (&json!("a"), &json!(true)));
        let marker = first["Marker"].as_str().unwrap_or_default().to_owned();
        let second = desk.ok("ListRoles", &[list[0], ("Marker", &marker)]);
        assert_eq!((&second["Roles"][0]["RoleName"], &second["IsTruncated"]), (&json!("c"), &json!(false)));
        let wrong = [("RoleName", "d"), ("Path", "clusterctl"), ("AssumeRolePolicyDocument", TRUST)];
        assert_eq!(desk.refused("CreateRole", &wrong), "ValidationError");
    }

    #[test]
    fn a_new_role_may_not_be_known_at_once() {
        let mut desk = Desk::with(Weather { lag_p50_ms: 4000, lag_max_ms: 8000, flap: 0.0, ..Weather::calm() });
        role(&mut desk, "r", "/");
        desk.world.get_mut("role", "r").expect("it is there").seen_from = 3000;
        assert_eq!(desk.refused("GetRole", &[("RoleName", "r")]), "NoSuchEntity");
        let again = [("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)];
        assert_eq!(desk.refused("CreateRole", &again), "EntityAlreadyExists", "its name is taken at once");
        desk.wait(3000);
        desk.ok("GetRole", &[("RoleName", "r")]);
    }
}
