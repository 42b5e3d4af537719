//! What is registered in target groups.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::{TARGET_GROUP, health, needs};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, text};
use crate::world::{Ms, World};

const REGISTER: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour { name: "what_cannot_be_a_target_is_not_registered", source: REGISTER },
    Behaviour { name: "a_target_drains_before_it_is_gone", source: REGISTER },
    Behaviour {
        name: "deregistering_what_is_not_registered_succeeds",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("RegisterTargets", register),
    Action::special("DeregisterTargets", deregister),
    Action::special("DescribeTargetHealth", describe),
];

/// Something registered: `_targets` of a group holds a list of these.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub id: String,
    pub port: i64,
    pub since: Ms,
    /// What the first checks take from when everything is there.
    pub takes: Ms,
    /// It is deregistered, and drains until then.
    pub until: Option<Ms>,
}

impl Target {
    fn value(&self) -> Value {
        json!({ "id": self.id, "port": self.port, "since": self.since, "takes": self.takes, "until": self.until })
    }

    fn read(value: &Value) -> Self {
        Self {
            id: text(&value["id"]),
            port: value["port"].as_i64().unwrap_or_default(),
            since: value["since"].as_u64().unwrap_or_default(),
            takes: value["takes"].as_u64().unwrap_or_default(),
            until: value["until"].as_u64(),
        }
    }
}

/// What is registered or drains now.
pub(super) fn of(world: &World, group: &str) -> Vec<Target> {
    let Some(group) = world.get(TARGET_GROUP.name, group) else { return Vec::new() };
    let all = group.at("_targets").into_iter().map(Target::read);
    all.filter(|target| target.until.is_none_or(|until| until > world.now())).collect()
}

fn keep(world: &mut World, group: &str, targets: &[Target]) {
    if let Some(group) = world.get_mut(TARGET_GROUP.name, group) {
        group.set("_targets", targets.iter().map(Target::value).collect::<Vec<_>>());
    }
}

/// Registers a target, as RegisterTargets and Auto Scaling do. What drains is registered anew.
pub(in crate::aws) fn put(world: &mut World, group: &str, id: &str, port: Option<i64>) {
    let of_group = |world: &World| world.get(TARGET_GROUP.name, group)?.attrs.get("Port")?.as_i64();
    let port = port.or_else(|| of_group(world)).unwrap_or_default();
    let mut targets = of(world, group);
    if targets.iter().any(|target| target.id == id && target.port == port && target.until.is_none()) {
        return;
    }
    targets.retain(|target| target.id != id || target.port != port);
    let takes = world.takes("aws.NLB.targetHealthy");
    targets.push(Target { id: id.to_owned(), port, since: world.now(), takes, until: None });
    keep(world, group, &targets);
}

/// Deregisters a target, at every port where none is said, as DeregisterTargets and Auto Scaling do.
pub(in crate::aws) fn take(world: &mut World, group: &str, id: &str, port: Option<i64>) {
    let delay = world.get(TARGET_GROUP.name, group).and_then(|group| {
        text(&group.attrs.get("_attributes")?["deregistration_delay.timeout_seconds"]).parse::<Ms>().ok()
    });
    let until = world.now() + delay.unwrap_or(300) * 1000;
    let mut targets = of(world, group);
    // A target that nobody sends anything to has nothing to drain.
    let in_use = health::in_use(world, group);
    for target in targets.iter_mut().filter(|t| t.id == id && port.is_none_or(|port| port == t.port)) {
        target.until = target.until.or(Some(if in_use { until } else { 0 }));
    }
    targets.retain(|target| target.until != Some(0));
    keep(world, group, &targets);
}

/// The targets that a request names.
fn named(call: &Call<'_>) -> Vec<(String, Option<i64>)> {
    let one = |target: &Value| (text(&target["Id"]), text(&target["Port"]).parse().ok());
    call.list("Targets").iter().map(one).collect()
}

/// Whether something may be a target at all.
fn check(world: &mut World, target_type: &str, id: &str) -> Result<(), Refused> {
    let invalid = |message: String| Err(Refused::bad("InvalidTarget", message));
    if target_type == "ip" {
        return match id.parse::<Ipv4Addr>() {
            Err(_) => invalid(format!("The IP address '{id}' is not a valid IPv4 address")),
            Ok(address) if !is_inside(address) => {
                invalid(format!("The IP address '{id}' is not within a private range that can be registered"))
            }
            Ok(_) => Ok(()),
        };
    }
    if !world.knows("instance", id) {
        return invalid(format!("Instance ids '{id}' are not registered with AWS"));
    }
    match health::state_of(world.get("instance", id)).as_str() {
        "running" => Ok(()),
        _ => invalid(format!("The following targets are not in a running state and cannot be registered: '{id}'")),
    }
}

/// The ranges that targets may lie in: RFC 1918 and RFC 6598.
fn is_inside(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private() || (first == 100 && (64..128).contains(&second))
}

fn register(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "TargetGroupArn")?;
    let group = TARGET_GROUP.find(call.world, &arn)?;
    let named = named(call);
    for (id, _) in &named {
        check(call.world, group.text("TargetType"), id)?;
    }
    let limit = call.world.weather.quotas.get("target").copied().unwrap_or(1000) as usize;
    if of(call.world, &arn).len() + named.len() > limit {
        return Err(Refused::bad("TooManyTargets", "The maximum number of targets has been reached"));
    }
    for (id, port) in named {
        put(call.world, &arn, &id, port);
    }
    Ok(Map::new())
}

fn deregister(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "TargetGroupArn")?;
    let group = TARGET_GROUP.find(call.world, &arn)?;
    for (id, port) in named(call) {
        if group.text("TargetType") == "ip" {
            check(call.world, "ip", &id)?;
        }
        take(call.world, &arn, &id, port);
    }
    Ok(Map::new())
}

fn describe(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "TargetGroupArn")?;
    let group = TARGET_GROUP.find(call.world, &arn)?;
    let registered = of(call.world, &arn);
    let wanted = named(call);
    let mut found = Vec::new();
    for target in &registered {
        if wanted.is_empty()
            || wanted.iter().any(|(id, port)| *id == target.id && port.is_none_or(|p| p == target.port))
        {
            found.push(described(&target.id, target.port, health::of(call.world, &group, target)));
        }
    }
    for (id, port) in &wanted {
        if registered.iter().any(|target| target.id == *id && port.is_none_or(|port| port == target.port)) {
            continue;
        }
        if group.text("TargetType") == "ip" {
            check(call.world, "ip", id)?;
        }
        let port = port.or(group.attrs.get("Port").and_then(Value::as_i64)).unwrap_or_default();
        found.push(described(id, port, health::NOT_REGISTERED));
    }
    Ok(object([("TargetHealthDescriptions", found.into())]))
}

fn described(id: &str, port: i64, health: health::Health) -> Value {
    json!({
        "Target": { "Id": id, "Port": port },
        "HealthCheckPort": port.to_string(),
        "TargetHealth": health.value(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::health::tests::{Stand, stand};
    use super::*;

    #[test]
    fn what_cannot_be_a_target_is_not_registered() {
        let Stand { mut desk, group, .. } = stand();
        for id in ["8.8.8.8", "i-1", "10.0.0.256"] {
            let fields = [("TargetGroupArn", group.as_str()), ("Targets.member.1.Id", id)];
            assert_eq!(desk.refused("RegisterTargets", &fields), "InvalidTarget", "{id}");
        }
        let none = [("TargetGroupArn", "arn:none"), ("Targets.member.1.Id", "10.0.0.9")];
        assert_eq!(desk.refused("RegisterTargets", &none), "TargetGroupNotFound");
    }

    #[test]
    fn a_target_drains_before_it_is_gone() {
        let mut stand = stand();
        stand.register();
        stand.desk.wait(900_000);
        let group = stand.group.clone();
        let fields = [
            ("TargetGroupArn", group.as_str()),
            ("Targets.member.1.Id", "10.0.0.9"),
            ("Targets.member.1.Port", "6443"),
        ];
        stand.desk.ok("DeregisterTargets", &fields);
        assert_eq!(stand.state(), "draining");
        stand.desk.wait(299_000);
        assert_eq!(stand.state(), "draining");
        stand.desk.wait(2_000);
        assert_eq!(stand.state(), "");
        stand.register();
        assert_eq!(stand.state(), "initial");
    }

    #[test]
    fn deregistering_what_is_not_registered_succeeds() {
        let Stand { mut desk, group, .. } = stand();
        let fields = [("TargetGroupArn", group.as_str()), ("Targets.member.1.Id", "10.0.0.77")];
        desk.ok("DeregisterTargets", &fields);
        let health = desk.ok("DescribeTargetHealth", &fields)["TargetHealthDescriptions"][0]["TargetHealth"].clone();
        assert_eq!((&health["State"], &health["Reason"]), (&json!("unused"), &json!("Target.NotRegistered")));
    }
}
