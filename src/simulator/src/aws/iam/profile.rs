//! Instance profiles.

use serde_json::{Map, Value};

use super::{PROFILE, ROLE, arn, exceeded, named, path, role, tag_list, tags, unique};
use crate::aws::call::{Answer, Call, Refused, object, timestamp};
use crate::aws::table::{Action, Behaviour, text};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "an_instance_profile_holds_one_role",
        source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html",
    },
    Behaviour {
        name: "an_instance_profile_with_a_role_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html",
    },
    Behaviour {
        name: "other_services_know_an_instance_profile_later",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("CreateInstanceProfile", create),
    Action::special("GetInstanceProfile", get),
    Action::special("ListInstanceProfiles", list),
    Action::special("AddRoleToInstanceProfile", add),
    Action::special("RemoveRoleFromInstanceProfile", remove),
    Action::special("DeleteInstanceProfile", delete),
];

fn create(call: &mut Call<'_>) -> Answer {
    let name = named(call, "InstanceProfileName", 128)?;
    let path = path(call)?;
    PROFILE.admits(call.world, &name)?;
    let mut profile = Thing::new(PROFILE.name, &name);
    profile.tags = tags(call);
    profile.set("Path", path.as_str());
    profile.set("InstanceProfileName", name.as_str());
    profile.set("InstanceProfileId", unique(call.world, "AIPA"));
    profile.set("Arn", arn("instance-profile", &path, &name));
    profile.set("CreateDate", timestamp(call.now()));
    profile.set("Roles", Vec::<Value>::new());
    let answer = shown(call.world, &profile);
    call.world.add(profile);
    renewed(call.world, &name);
    Ok(object([("InstanceProfile", answer)]))
}

/// A profile with its role, as that is now.
fn shown(world: &World, profile: &Thing) -> Value {
    let own = profile.attrs.iter().filter(|(name, _)| !name.starts_with('_'));
    let mut shown: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    let roles = profile.at("Roles.RoleName").into_iter().filter_map(|name| world.get(ROLE.name, &text(name)));
    shown.insert("Roles".to_owned(), roles.map(|found| role::shown(world, found)).collect());
    if !profile.tags.is_empty() {
        shown.insert("Tags".to_owned(), tag_list(&profile.tags));
    }
    Value::Object(shown)
}

/// Draws when other services know what was just changed.
fn renewed(world: &mut World, name: &str) {
    let is_lagging = world.weather.lag_max_ms > 0;
    let known = world.now() + if is_lagging { world.takes("aws.IAM.instanceProfile") } else { 0 };
    if let Some(profile) = world.get_mut(PROFILE.name, name) {
        profile.set("_known_from", known);
    }
}

fn get(call: &mut Call<'_>) -> Answer {
    let name = named(call, "InstanceProfileName", 128)?;
    let profile = PROFILE.find(call.world, &name)?;
    Ok(object([("InstanceProfile", shown(call.world, &profile))]))
}

fn list(call: &mut Call<'_>) -> Answer {
    PROFILE.page(call, "InstanceProfiles", shown)
}

fn add(call: &mut Call<'_>) -> Answer {
    let (name, role) = (named(call, "InstanceProfileName", 128)?, named(call, "RoleName", 64)?);
    let profile = PROFILE.find(call.world, &name)?;
    let role = ROLE.find(call.world, &role)?;
    // Also when it is this role that it holds.
    if !profile.at("Roles").is_empty() {
        return Err(exceeded("InstanceSessionsPerInstanceProfile", 1));
    }
    let held = role::shown(call.world, &role);
    set_role(call.world, &name, vec![held]);
    renewed(call.world, &name);
    Ok(Map::new())
}

fn remove(call: &mut Call<'_>) -> Answer {
    let (name, role) = (named(call, "InstanceProfileName", 128)?, named(call, "RoleName", 64)?);
    let Some(profile) = call.world.get(PROFILE.name, &name) else { return Err(PROFILE.unknown(&name)) };
    if !profile.at("Roles.RoleName").iter().any(|held| **held == role) {
        return Err(ROLE.unknown(&role));
    }
    set_role(call.world, &name, Vec::new());
    Ok(Map::new())
}

fn set_role(world: &mut World, name: &str, roles: Vec<Value>) {
    if let Some(profile) = world.get_mut(PROFILE.name, name) {
        profile.set("Roles", roles);
    }
}

fn delete(call: &mut Call<'_>) -> Answer {
    let name = named(call, "InstanceProfileName", 128)?;
    let Some(profile) = call.world.get(PROFILE.name, &name) else { return Err(PROFILE.unknown(&name)) };
    if !profile.at("Roles").is_empty() {
        let message = "Cannot delete entity, must remove roles from instance profile first.";
        return Err(Refused::new(409, "DeleteConflict", message));
    }
    call.world.delete(PROFILE.name, &name);
    Ok(Map::new())
}

#[cfg(test)]
mod tests {
    use super::super::role::tests::role;
    use crate::aws::testing::Desk;
    use crate::weather::Weather;

    const HELD: [(&str, &str); 3] = [("InstanceProfileName", "i"), ("RoleName", "r"), ("Path", "/clusterctl/0011/i/")];

    #[test]
    fn an_instance_profile_holds_one_role() {
        let mut desk = Desk::calm();
        desk.ok("CreateInstanceProfile", &HELD);
        assert_eq!(desk.refused("CreateInstanceProfile", &HELD), "EntityAlreadyExists");
        assert_eq!(desk.refused("AddRoleToInstanceProfile", &HELD), "NoSuchEntity");
        role(&mut desk, "r", "/");
        desk.ok("AddRoleToInstanceProfile", &HELD);
        assert_eq!(desk.refused("AddRoleToInstanceProfile", &HELD), "LimitExceeded", "also for the role it holds");
        let shown = desk.ok("ListInstanceProfiles", &[("PathPrefix", "/clusterctl/0011/")]);
        assert_eq!(shown["InstanceProfiles"][0]["Roles"][0]["RoleName"], "r");
    }

    #[test]
    fn an_instance_profile_with_a_role_cannot_be_deleted() {
        let mut desk = Desk::calm();
        role(&mut desk, "r", "/");
        desk.ok("CreateInstanceProfile", &HELD);
        desk.ok("AddRoleToInstanceProfile", &HELD);
        assert_eq!(desk.refused("DeleteInstanceProfile", &HELD), "DeleteConflict");
        desk.ok("RemoveRoleFromInstanceProfile", &HELD);
        assert_eq!(desk.refused("RemoveRoleFromInstanceProfile", &HELD), "NoSuchEntity");
        desk.ok("DeleteInstanceProfile", &HELD);
        assert_eq!(desk.refused("GetInstanceProfile", &HELD), "NoSuchEntity");
        assert_eq!(desk.world.inventory().len(), 1);
    }

    #[test]
    fn other_services_know_an_instance_profile_later() {
        let mut desk = Desk::with(Weather { lag_p50_ms: 1, lag_max_ms: 1, throttle: false, ..Weather::default() });
        desk.ok("CreateInstanceProfile", &HELD);
        let usable = |desk: &Desk| {
            let profile = desk.world.get("instance-profile", "i").expect("a profile");
            profile.attrs["_known_from"].as_u64().unwrap_or_default()
        };
        let made = usable(&desk);
        assert!(made >= 2000, "{made}");
        role(&mut desk, "r", "/");
        desk.wait(60_000);
        desk.ok("AddRoleToInstanceProfile", &HELD);
        assert!(usable(&desk) >= 62_000, "its role counts too");
    }
}
