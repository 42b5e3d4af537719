//! Target groups.

use serde_json::{Map, Value, json};

use super::{LISTENER, TARGET_GROUP, admits, attributes, check_name, hex, needs, page, shown, tags, validation};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, text};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_target_group_asked_for_twice_with_the_same_settings_is_one",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html",
    },
    Behaviour {
        name: "a_target_group_is_held_by_its_listener",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("CreateTargetGroup", create),
    Action::special("DescribeTargetGroups", describe),
    Action::special("ModifyTargetGroup", modify),
    Action::special("DeleteTargetGroup", delete),
];

fn create(call: &mut Call<'_>) -> Answer {
    let name = needs(call, "Name")?;
    check_name(&name, "Target group")?;
    let vpc = needs(call, "VpcId")?;
    if !call.world.knows("vpc", &vpc) {
        return Err(validation(format!("The VPC ID '{vpc}' is not found")));
    }
    let mut group = Thing::new(TARGET_GROUP.name, "");
    group.tags = tags::given(call)?;
    group.set("TargetGroupName", name.as_str());
    group.set("Protocol", needs(call, "Protocol")?);
    group.set("Port", port(call, "Port")?);
    group.set("VpcId", vpc);
    group.set("TargetType", call.text("TargetType").unwrap_or("instance").to_owned());
    group.set("IpAddressType", "ipv4");
    group.set("HealthCheckEnabled", true);
    for (name, value) in [
        ("HealthCheckProtocol", json!("TCP")),
        ("HealthCheckPort", json!("traffic-port")),
        ("HealthCheckIntervalSeconds", json!(30)),
        ("HealthCheckTimeoutSeconds", json!(10)),
        ("HealthyThresholdCount", json!(5)),
        ("UnhealthyThresholdCount", json!(2)),
    ] {
        group.set(name, value);
    }
    check(call, &mut group)?;
    group.set("_attributes", attributes::defaults(group.text("TargetType")));
    group.set("_targets", json!([]));
    group.set("_check", settings_of_check(&group));
    if let Some(there) = call.world.all(TARGET_GROUP.name).find(|there| there.text("TargetGroupName") == name) {
        if settings(there) == settings(&group) {
            let answer = described(call.world, there);
            return Ok(object([("TargetGroups", vec![answer].into())]));
        }
        let message = format!("A target group with the same name '{name}' exists, but with different settings");
        return Err(Refused::bad("DuplicateTargetGroupName", message));
    }
    admits(call.world, TARGET_GROUP, 3000, "TooManyTargetGroups")?;
    let number = hex(call.world);
    let arn = TARGET_GROUP.arn(call.world, &format!("{name}/{number}"));
    group.id.clone_from(&arn);
    group.set("TargetGroupArn", arn);
    let answer = described(call.world, &group);
    call.world.add(group);
    Ok(object([("TargetGroups", vec![answer].into())]))
}

/// Takes over what a request says about the health check.
fn check(call: &Call<'_>, group: &mut Thing) -> Result<(), Refused> {
    for name in ["HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath"] {
        if let Some(value) = call.text(name) {
            group.set(name, value);
        }
    }
    if let Some(codes) = call.text("Matcher.HttpCode") {
        group.set("Matcher", json!({ "HttpCode": codes }));
    }
    for (name, least, most) in [
        ("HealthCheckIntervalSeconds", 5, 300),
        ("HealthCheckTimeoutSeconds", 2, 120),
        ("HealthyThresholdCount", 2, 10),
        ("UnhealthyThresholdCount", 2, 10),
    ] {
        match call.number(name) {
            None => {}
            Some(value) if (least..=most).contains(&value) => group.set(name, value),
            Some(value) => return Err(validation(format!("{name} '{value}' must be between {least} and {most}"))),
        }
    }
    let number = |name: &str| group.attrs.get(name).and_then(Value::as_i64).unwrap_or_default();
    if number("HealthCheckTimeoutSeconds") > number("HealthCheckIntervalSeconds") {
        return Err(validation("Health check timeout must be less than or equal to the health check interval"));
    }
    let is_http = group.text("HealthCheckProtocol").starts_with("HTTP");
    if is_http {
        for (name, default) in [("HealthCheckPath", json!("/")), ("Matcher", json!({ "HttpCode": "200-399" }))] {
            group.attrs.entry(name).or_insert(default);
        }
    } else if call.text("HealthCheckPath").is_some() || call.text("Matcher.HttpCode").is_some() {
        return Err(validation("Health check paths and matchers are not supported for health checks of protocol TCP"));
    } else {
        group.attrs.remove("HealthCheckPath");
        group.attrs.remove("Matcher");
    }
    Ok(())
}

pub(super) fn port(call: &Call<'_>, path: &str) -> Result<i64, Refused> {
    let port = needs(call, path)?;
    port.parse()
        .ok()
        .filter(|port| (1..=65535).contains(port))
        .ok_or_else(|| validation(format!("{path} '{port}' must be between 1 and 65535")))
}

/// What makes two requests the same: as it was asked for, not as it was modified since.
fn settings(group: &Thing) -> Value {
    let of = |name: &str| group.attrs.get(name).cloned();
    json!([of("Protocol"), of("Port"), of("VpcId"), of("TargetType"), of("_check"), group.tags])
}

fn settings_of_check(group: &Thing) -> Value {
    let is_check = |name: &str| ["Health", "Unhealthy", "Matcher"].iter().any(|start| name.starts_with(start));
    group.attrs.iter().filter(|(name, _)| is_check(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A group with the load balancers that use it.
fn described(world: &World, group: &Thing) -> Value {
    let mut shown = shown(group);
    let used = listeners(world, &group.id);
    let mut balancers: Vec<&str> = used.iter().map(|listener| listener.text("LoadBalancerArn")).collect();
    balancers.dedup();
    shown.insert("LoadBalancerArns".to_owned(), balancers.into());
    Value::Object(shown)
}

/// The listeners that forward to a group.
pub(super) fn listeners<'a>(world: &'a World, group: &str) -> Vec<&'a Thing> {
    world.all(LISTENER.name).filter(|listener| forwards(listener, group)).collect()
}

fn forwards(listener: &Thing, group: &str) -> bool {
    listener.at("DefaultActions.TargetGroupArn").iter().any(|arn| *arn == group)
}

fn describe(call: &mut Call<'_>) -> Answer {
    let mut found = TARGET_GROUP.select(call, "TargetGroupArns", "Names", "TargetGroupName")?;
    if let Some(lb) = call.text("LoadBalancerArn") {
        let uses = |group: &Thing| listeners(call.world, &group.id).iter().any(|l| l.text("LoadBalancerArn") == lb);
        found.retain(uses);
    }
    page(call, "TargetGroups", found.iter().map(|group| described(call.world, group)).collect())
}

fn modify(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "TargetGroupArn")?;
    let mut group = TARGET_GROUP.find(call.world, &arn)?;
    check(call, &mut group)?;
    if let Some(there) = call.world.get_mut(TARGET_GROUP.name, &arn) {
        there.attrs.clone_from(&group.attrs);
    }
    Ok(object([("TargetGroups", vec![described(call.world, &group)].into())]))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "TargetGroupArn")?;
    // A listener that was just deleted may still hold it.
    let held = !listeners(call.world, &arn).is_empty()
        || call.world.listed(LISTENER.name).iter().any(|listener| forwards(listener, &arn));
    if held {
        let message = format!("Target group '{}' is currently in use by a listener or a rule", text(&json!(arn)));
        return Err(Refused::bad("ResourceInUse", message));
    }
    call.world.delete(TARGET_GROUP.name, &arn);
    Ok(Map::new())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::balancer::tests::{desk, made};
    use super::*;
    use crate::aws::testing::Desk;

    pub(in crate::aws) const GROUP: [(&str, &str); 12] = [
        ("Name", "demo-api"),
        ("Port", "6443"),
        ("Protocol", "TCP"),
        ("TargetType", "ip"),
        ("VpcId", "vpc-1"),
        ("HealthCheckProtocol", "HTTPS"),
        ("HealthCheckPort", "traffic-port"),
        ("HealthCheckPath", "/readyz"),
        ("Matcher.HttpCode", "200"),
        ("HealthCheckIntervalSeconds", "10"),
        ("HealthyThresholdCount", "2"),
        ("HealthCheckTimeoutSeconds", "5"),
    ];

    pub(in crate::aws) fn group(desk: &mut Desk) -> String {
        text(&desk.ok("CreateTargetGroup", &GROUP)["TargetGroups"][0]["TargetGroupArn"])
    }

    #[test]
    fn a_target_group_asked_for_twice_with_the_same_settings_is_one() {
        let mut desk = desk();
        let one = group(&mut desk);
        let modified = [("TargetGroupArn", one.as_str()), ("HealthCheckIntervalSeconds", "20")];
        let modified = desk.ok("ModifyTargetGroup", &modified)["TargetGroups"][0].clone();
        assert_eq!(
            (&modified["HealthCheckIntervalSeconds"], &modified["Matcher"]["HttpCode"]),
            (&json!(20), &json!("200"))
        );
        assert_eq!(group(&mut desk), one);
        let mut other = GROUP;
        other[1].1 = "443";
        assert_eq!(desk.refused("CreateTargetGroup", &other), "DuplicateTargetGroupName");
        other[0].1 = "other";
        other[4].1 = "vpc-none";
        assert_eq!(desk.refused("CreateTargetGroup", &other), "ValidationError");
    }

    #[test]
    fn a_target_group_is_held_by_its_listener() {
        let mut desk = desk();
        let (lb, group) = (made(&mut desk), group(&mut desk));
        super::super::listener::tests::listener(&mut desk, &lb, &group);
        assert_eq!(desk.refused("DeleteTargetGroup", &[("TargetGroupArn", &group)]), "ResourceInUse");
        let shown = desk.ok("DescribeTargetGroups", &[("Names.member.1", "demo-api")]);
        assert_eq!(shown["TargetGroups"][0]["LoadBalancerArns"], json!([lb]));
        desk.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &lb)]);
        desk.ok("DeleteTargetGroup", &[("TargetGroupArn", &group)]);
        assert_eq!(
            desk.refused("DescribeTargetGroups", &[("TargetGroupArns.member.1", &group)]),
            "TargetGroupNotFound"
        );
    }
}
