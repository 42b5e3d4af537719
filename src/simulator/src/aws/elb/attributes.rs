//! Attributes of target groups: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>.

use serde_json::{Map, Value, json};

use super::{TARGET_GROUP, needs, validation};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, text};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "attributes_have_defaults_by_the_type_of_targets",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html",
    },
    Behaviour {
        name: "an_attribute_that_is_none_is_refused",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("DescribeTargetGroupAttributes", describe),
    Action::special("ModifyTargetGroupAttributes", modify),
];

/// Those of a group for TCP. Addresses of clients are kept for instances, and not for targets by address.
pub(super) fn defaults(target_type: &str) -> Value {
    json!({
        "deregistration_delay.timeout_seconds": "300",
        "deregistration_delay.connection_termination.enabled": "false",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "preserve_client_ip.enabled": if target_type == "ip" { "false" } else { "true" },
        "proxy_protocol_v2.enabled": "false",
        "stickiness.enabled": "false",
        "stickiness.type": "source_ip",
        "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
        "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
        "target_health_state.unhealthy.connection_termination.enabled": "true",
        "target_health_state.unhealthy.draining_interval_seconds": "0",
    })
}

fn allowed(key: &str, value: &str) -> bool {
    match key {
        "deregistration_delay.timeout_seconds" => value.parse().is_ok_and(|seconds: u32| seconds <= 3600),
        "load_balancing.cross_zone.enabled" => matches!(value, "true" | "false" | "use_load_balancer_configuration"),
        key if key.ends_with(".enabled") => matches!(value, "true" | "false"),
        _ => !value.is_empty(),
    }
}

fn answer(attributes: &Map<String, Value>) -> Answer {
    let list: Vec<Value> = attributes.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(object([("Attributes", list.into())]))
}

fn describe(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "TargetGroupArn")?;
    let group = TARGET_GROUP.find(call.world, &arn)?;
    answer(group.attrs.get("_attributes").and_then(Value::as_object).unwrap_or(&Map::new()))
}

fn modify(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "TargetGroupArn")?;
    let group = TARGET_GROUP.find(call.world, &arn)?;
    let mut attributes = group.attrs.get("_attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    for attribute in call.list("Attributes") {
        let (key, value) = (text(&attribute["Key"]), text(&attribute["Value"]));
        if !attributes.contains_key(&key) {
            return Err(validation(format!("Target group attribute key '{key}' is not recognized")));
        }
        if !allowed(&key, &value) {
            return Err(invalid(&key, &value));
        }
        attributes.insert(key, value.into());
    }
    if let Some(there) = call.world.get_mut(TARGET_GROUP.name, &arn) {
        there.set("_attributes", attributes.clone());
    }
    answer(&attributes)
}

fn invalid(key: &str, value: &str) -> Refused {
    let message = format!("The value '{value}' is not valid for the target group attribute '{key}'");
    Refused::bad("InvalidConfigurationRequest", message)
}

#[cfg(test)]
mod tests {
    use super::super::balancer::tests::desk;
    use super::super::group::tests::{GROUP, group};
    use super::*;

    fn value(answer: &Value, key: &str) -> String {
        let list = answer["Attributes"].as_array().cloned().unwrap_or_default();
        list.iter().find(|a| a["Key"] == key).map(|a| text(&a["Value"])).unwrap_or_default()
    }

    #[test]
    fn attributes_have_defaults_by_the_type_of_targets() {
        let mut desk = desk();
        let of_addresses = group(&mut desk);
        let mut instances = GROUP;
        (instances[0].1, instances[3].1) = ("demo-http", "instance");
        let of_instances = text(&desk.ok("CreateTargetGroup", &instances)["TargetGroups"][0]["TargetGroupArn"]);
        for (arn, kept) in [(of_addresses, "false"), (of_instances, "true")] {
            let answer = desk.ok("DescribeTargetGroupAttributes", &[("TargetGroupArn", &arn)]);
            assert_eq!(value(&answer, "preserve_client_ip.enabled"), kept);
            assert_eq!(value(&answer, "deregistration_delay.timeout_seconds"), "300");
        }
    }

    #[test]
    fn an_attribute_that_is_none_is_refused() {
        let mut desk = desk();
        let arn = group(&mut desk);
        let mut set = |key: &str, value: &str| {
            let field = [
                ("TargetGroupArn", arn.as_str()),
                ("Attributes.member.1.Key", key),
                ("Attributes.member.1.Value", value),
            ];
            desk.ask("ModifyTargetGroupAttributes", &field)
        };
        assert_eq!(set("idle_timeout", "3").expect_err("refused"), "ValidationError");
        assert_eq!(set("proxy_protocol_v2.enabled", "yes").expect_err("refused"), "InvalidConfigurationRequest");
        let answer = set("deregistration_delay.timeout_seconds", "30").expect("an answer");
        assert_eq!(value(&answer, "deregistration_delay.timeout_seconds"), "30");
    }
}
