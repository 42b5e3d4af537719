//! Inline policies of roles, and what makes a document a policy.

use serde_json::{Map, Value, json};

use super::{ROLE, exceeded, named, validation};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, text};
use crate::wire::form::encoded;

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_policy_is_put_over_one_of_its_name_and_given_back_encoded",
        source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html",
    },
    Behaviour {
        name: "what_is_no_policy_is_malformed",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
    },
    Behaviour {
        name: "the_inline_policies_of_a_role_have_a_limit",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("PutRolePolicy", put),
    Action::special("GetRolePolicy", get),
    Action::special("ListRolePolicies", list),
    Action::special("DeleteRolePolicy", delete),
];

fn malformed(message: &str) -> Refused {
    Refused::bad("MalformedPolicyDocument", message)
}

/// A document of a request: JSON with statements that have an effect and an action.
fn document(call: &Call<'_>, param: &str) -> Result<(String, Vec<Value>), Refused> {
    let text = call.needs(param).map_err(|refused| validation(refused.message))?;
    let parsed: Value = serde_json::from_str(&text).map_err(|_| malformed("This policy contains invalid Json"))?;
    let statements = match &parsed["Statement"] {
        Value::Array(statements) if !statements.is_empty() => statements.clone(),
        one @ Value::Object(_) => vec![one.clone()],
        _ => return Err(malformed("Syntax errors in policy.")),
    };
    let is_version = matches!(parsed["Version"].as_str(), None | Some("2012-10-17" | "2008-10-17"));
    let is_whole = |statement: &Value| {
        matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"))
            && (statement.get("Action").is_some() || statement.get("NotAction").is_some())
    };
    if !is_version || !statements.iter().all(is_whole) {
        return Err(malformed("Syntax errors in policy."));
    }
    Ok((text, statements))
}

/// Who may assume a role: principals and no resources, up to 2048 characters without white space.
pub(super) fn trust(call: &Call<'_>, param: &str) -> Result<String, Refused> {
    let (text, statements) = document(call, param)?;
    if statements.iter().any(|statement| statement.get("Principal").is_none()) {
        return Err(malformed("AssumeRole policy must contain principals"));
    }
    if statements.iter().any(|statement| statement.get("Resource").is_some()) {
        return Err(malformed("Has prohibited field Resource"));
    }
    if size(&text) > 2048 {
        return Err(exceeded("ACLSizePerRole", 2048));
    }
    Ok(text)
}

/// White space does not count.
fn size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

fn put(call: &mut Call<'_>) -> Answer {
    let (name, policy) = (named(call, "RoleName", 64)?, named(call, "PolicyName", 128)?);
    let (document, statements) = document(call, "PolicyDocument")?;
    if statements.iter().any(|s| s.get("Resource").is_none() && s.get("NotResource").is_none()) {
        return Err(malformed("Policy statement must contain resources."));
    }
    if statements.iter().any(|statement| statement.get("Principal").is_some()) {
        return Err(malformed("Policy document should not specify a principal."));
    }
    let mut policies = ROLE.find(call.world, &name)?.attrs.get("_policies").cloned().unwrap_or_default();
    policies[&policy] = document.into();
    let all: usize = policies.as_object().map_or(0, |all| all.values().map(|document| size(&text(document))).sum());
    if all > 10_240 {
        let message = format!("Maximum policy size of 10240 bytes exceeded for role {name}");
        return Err(Refused { message, ..exceeded("", 0) });
    }
    if let Some(role) = call.world.get_mut(ROLE.name, &name) {
        role.set("_policies", policies);
    }
    Ok(Map::new())
}

fn get(call: &mut Call<'_>) -> Answer {
    let (name, policy) = (named(call, "RoleName", 64)?, named(call, "PolicyName", 128)?);
    let role = ROLE.find(call.world, &name)?;
    let document = role.attrs.get("_policies").and_then(|policies| policies.get(&policy)?.as_str());
    let document = document.ok_or_else(|| unknown(&policy))?;
    Ok(object([("RoleName", name.into()), ("PolicyName", policy.into()), ("PolicyDocument", encoded(document).into())]))
}

fn unknown(policy: &str) -> Refused {
    Refused::new(404, "NoSuchEntity", format!("The role policy with name {policy} cannot be found."))
}

fn list(call: &mut Call<'_>) -> Answer {
    let name = named(call, "RoleName", 64)?;
    let role = ROLE.find(call.world, &name)?;
    let policies = role.attrs.get("_policies").and_then(Value::as_object);
    let names: Vec<&String> = policies.map(|policies| policies.keys().collect()).unwrap_or_default();
    Ok(object([("PolicyNames", json!(names)), ("IsTruncated", false.into())]))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (name, policy) = (named(call, "RoleName", 64)?, named(call, "PolicyName", 128)?);
    let Some(role) = call.world.get_mut(ROLE.name, &name) else { return Err(ROLE.unknown(&name)) };
    let policies = role.attrs.get_mut("_policies").and_then(Value::as_object_mut);
    match policies.and_then(|policies| policies.remove(&policy)) {
        Some(_) => Ok(Map::new()),
        None => Err(unknown(&policy)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::role::tests::role;
    use super::*;
    use crate::aws::testing::Desk;
    use crate::wire::form;

    pub(in crate::aws) const POLICY: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*"],"Resource":"*"}]}"#;

    fn fields(document: &str) -> [(&str, &str); 3] {
        [("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", document)]
    }

    #[test]
    fn a_policy_is_put_over_one_of_its_name_and_given_back_encoded() {
        let mut desk = Desk::calm();
        assert_eq!(desk.refused("PutRolePolicy", &fields(POLICY)), "NoSuchEntity");
        role(&mut desk, "r", "/");
        desk.ok("PutRolePolicy", &fields(&POLICY.replace("ec2", "ssm")));
        desk.ok("PutRolePolicy", &fields(POLICY));
        let got = text(&desk.ok("GetRolePolicy", &fields("")[..2])["PolicyDocument"]);
        assert!(got.starts_with("%7B%22Version%22%3A%222012-10-17%22"), "{got}");
        assert_eq!(form::plain(&got), POLICY);
        assert_eq!(desk.ok("ListRolePolicies", &[("RoleName", "r")])["PolicyNames"], json!(["p"]));
        desk.ok("DeleteRolePolicy", &fields("")[..2]);
        assert_eq!(desk.refused("GetRolePolicy", &fields("")[..2]), "NoSuchEntity");
    }

    #[test]
    fn what_is_no_policy_is_malformed() {
        let mut desk = Desk::calm();
        role(&mut desk, "r", "/");
        for document in [
            "junk",
            "{}",
            r#"{"Version":"2027-01-01","Statement":[{"Effect":"Allow","Action":"a:B","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Maybe","Action":"a:B","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"a:B"}]}"#,
        ] {
            assert_eq!(desk.refused("PutRolePolicy", &fields(document)), "MalformedPolicyDocument", "{document}");
        }
        let trust = [("RoleName", "r"), ("PolicyDocument", POLICY)];
        assert_eq!(desk.refused("UpdateAssumeRolePolicy", &trust), "MalformedPolicyDocument", "nobody may assume it");
    }

    #[test]
    fn the_inline_policies_of_a_role_have_a_limit() {
        let mut desk = Desk::calm();
        role(&mut desk, "r", "/");
        let long = POLICY.replace("ec2:*", &format!("ec2:{}", "A".repeat(6000)));
        desk.ok("PutRolePolicy", &fields(&long));
        let mut second = fields(&long);
        second[1].1 = "q";
        assert_eq!(desk.refused("PutRolePolicy", &second), "LimitExceeded");
    }
}
