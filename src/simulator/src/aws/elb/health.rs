//! How registered targets fare, told from times: when each of what must be there was there.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html#target-health-states>

use serde_json::{Value, json};

use super::targets::Target;
use super::{LOAD_BALANCER, TARGET_GROUP, group, targets};
use crate::aws::table::{Behaviour, text};
use crate::world::{Ms, Thing, World};

const STATES: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html#target-health-states";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_target_is_healthy_minutes_after_everything_is_there",
        source: "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1834",
    },
    Behaviour { name: "a_target_that_does_not_answer_is_unhealthy", source: STATES },
    Behaviour { name: "a_target_without_a_listener_is_unused", source: STATES },
];

/// A state of a target, its reason and the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Health {
    pub state: &'static str,
    reason: &'static str,
    words: &'static str,
}

const fn health(state: &'static str, reason: &'static str, words: &'static str) -> Health {
    Health { state, reason, words }
}

const HEALTHY: Health = health("healthy", "", "");
const REGISTERING: Health = health("initial", "Elb.RegistrationInProgress", "Target registration is in progress");
const CHECKING: Health = health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress");
const FAILED: Health = health("unhealthy", "Target.FailedHealthChecks", "Health checks failed");
const DRAINING: Health = health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
const NOT_IN_USE: Health =
    health("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer");
const STOPPED: Health = health("unused", "Target.InvalidState", "Target is in the stopped state");
pub(super) const NOT_REGISTERED: Health =
    health("unused", "Target.NotRegistered", "Target is not registered to the target group");

impl Health {
    pub(super) fn value(self) -> Value {
        match self.reason {
            "" => json!({ "State": self.state }),
            reason => json!({ "State": self.state, "Reason": reason, "Description": self.words }),
        }
    }
}

/// Whether an active network load balancer of that VPC has a healthy target.
pub(in crate::aws) fn serves(world: &World, vpc: &str) -> bool {
    world
        .all(TARGET_GROUP.name)
        .filter(|group| group.text("VpcId") == vpc)
        .any(|group| targets::of(world, &group.id).iter().any(|target| of(world, group, target) == HEALTHY))
}

/// Whether a listener forwards to a group.
pub(super) fn in_use(world: &World, arn: &str) -> bool {
    !group::listeners(world, arn).is_empty()
}

/// When a load balancer first sent something to a group; `None` until it does.
fn in_service(world: &World, arn: &str) -> Option<Ms> {
    let ready = |listener: &&Thing| {
        let lb = world.get(LOAD_BALANCER.name, listener.text("LoadBalancerArn"))?;
        Some(lb.attrs.get("_active_from")?.as_u64()?.max(listener.born))
    };
    group::listeners(world, arn).iter().filter_map(ready).min()
}

/// How a target fares now.
pub(super) fn of(world: &World, group: &Thing, target: &Target) -> Health {
    if target.until.is_some() {
        return DRAINING;
    }
    if !in_use(world, &group.id) {
        return NOT_IN_USE;
    }
    let machine = machine(world, group.text("TargetType"), &target.id);
    if group.text("TargetType") == "instance" && state_of(machine) != "running" {
        return STOPPED;
    }
    let Some(in_service) = in_service(world, &group.id) else { return REGISTERING };
    let checked = in_service.max(target.since) + target.takes;
    let number = |name: &str| group.attrs.get(name).and_then(Value::as_u64).unwrap_or_default();
    let passes = number("HealthyThresholdCount") * number("HealthCheckIntervalSeconds") * 1000;
    let answers = machine.filter(|machine| state_of(Some(machine)) == "running").and_then(answers_from);
    match answers {
        Some(from) if checked.max(from + passes) <= world.now() => HEALTHY,
        _ if checked > world.now() => CHECKING,
        _ => FAILED,
    }
}

/// When the API of a machine answers.
fn answers_from(machine: &Thing) -> Option<Ms> {
    machine.attrs.get("_api_from")?.as_u64()
}

/// The state of an instance, empty when there is none.
pub(super) fn state_of(machine: Option<&Thing>) -> String {
    machine
        .map(|machine| machine.at("instanceState.name"))
        .and_then(|found| found.first().copied().map(text))
        .unwrap_or_default()
}

/// The machine behind a target: by its id, or by an address that it or an interface of it has.
fn machine<'a>(world: &'a World, target_type: &str, id: &str) -> Option<&'a Thing> {
    if target_type != "ip" {
        return world.get("instance", id);
    }
    let alive = |machine: &&Thing| !matches!(state_of(Some(machine)).as_str(), "terminated" | "shutting-down");
    let own = world.all("instance").filter(alive).find(|machine| machine.text("privateIpAddress") == id);
    own.or_else(|| {
        let interface = world.all("network-interface").find(|interface| interface.text("privateIpAddress") == id)?;
        let instance = interface.at("attachment.instanceId").first().copied().map(text)?;
        world.get("instance", &instance).filter(alive)
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::balancer::tests::{desk, made};
    use super::super::group::tests::group;
    use super::super::listener::tests::listener;
    use super::*;
    use crate::aws::testing::Desk;

    /// A load balancer in front of a machine at 10.0.0.9 whose API has answered since the beginning.
    pub(in crate::aws) struct Stand {
        pub desk: Desk,
        pub lb: String,
        pub group: String,
        pub listener: String,
    }

    pub(in crate::aws) fn stand() -> Stand {
        let mut desk = desk();
        let mut machine = Thing::new("instance", "i-1");
        machine.set("privateIpAddress", "10.0.0.9");
        machine.set("instanceState", json!({ "code": 16, "name": "running" }));
        machine.set("_api_from", 0);
        desk.world.put(machine);
        let (lb, group) = (made(&mut desk), group(&mut desk));
        let listener = listener(&mut desk, &lb, &group);
        Stand { desk, lb, group, listener }
    }

    impl Stand {
        pub(in crate::aws) fn register(&mut self) {
            let fields = [("Targets.member.1.Id", "10.0.0.9"), ("Targets.member.1.Port", "6443")];
            let fields = [&[("TargetGroupArn", self.group.as_str())][..], &fields].concat();
            self.desk.ok("RegisterTargets", &fields);
        }

        pub(in crate::aws) fn state(&mut self) -> String {
            let answer = self.desk.ok("DescribeTargetHealth", &[("TargetGroupArn", &self.group)]);
            text(&answer["TargetHealthDescriptions"][0]["TargetHealth"]["State"])
        }
    }

    #[test]
    fn a_target_is_healthy_minutes_after_everything_is_there() {
        let mut stand = stand();
        stand.register();
        assert_eq!(stand.state(), "initial");
        stand.desk.wait(180_000);
        assert_eq!(stand.state(), "initial", "it counts from when the load balancer is there");
        assert!(!serves(&stand.desk.world, "vpc-1"));
        stand.desk.wait(600_000);
        assert_eq!(stand.state(), "healthy");
        assert!(serves(&stand.desk.world, "vpc-1") && !serves(&stand.desk.world, "vpc-2"));
        assert!(crate::aws::serves(&stand.desk.world, "vpc-1"));
    }

    #[test]
    fn a_target_that_does_not_answer_is_unhealthy() {
        let mut stand = stand();
        stand.desk.world.get_mut("instance", "i-1").expect("a machine").attrs.remove("_api_from");
        stand.register();
        stand.desk.wait(700_000);
        assert_eq!(stand.state(), "unhealthy");
        let now = stand.desk.world.now();
        stand.desk.world.get_mut("instance", "i-1").expect("a machine").set("_api_from", now);
        assert_eq!(stand.state(), "unhealthy");
        stand.desk.wait(20_000);
        assert_eq!(stand.state(), "healthy", "two checks, ten seconds apart");
    }

    #[test]
    fn a_target_without_a_listener_is_unused() {
        let mut stand = stand();
        stand.register();
        stand.desk.wait(900_000);
        assert_eq!(stand.state(), "healthy");
        let listener = stand.listener.clone();
        stand.desk.ok("DeleteListener", &[("ListenerArn", &listener)]);
        assert_eq!(stand.state(), "unused");
        assert!(stand.lb.contains("net/demo-api"));
    }
}
