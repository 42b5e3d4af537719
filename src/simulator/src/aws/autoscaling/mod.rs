//! EC2 Auto Scaling: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/Welcome.html>.
//!
//! - `request` what a group is asked to be: checks, and the attributes it is answered with
//! - `keeper` keeps as many machines as are wanted: starts, replaces, ends them; `activity` what it says about that
//!
//! A group is a thing of kind `auto-scaling-group` whose id is its name. Its machines are in `_members`, its activities,
//! newest first, in `_activities`, whether a tag goes on to machines in `_propagate`.

mod activity;
mod keeper;
mod request;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Refused, object};
use super::ec2::compute;
use super::table::{Action, Behaviour, Protocol, Service, like, text};
use crate::world::{Change, Thing, World};

const KIND: &str = "auto-scaling-group";

pub(super) static SERVICE: Service = Service {
    name: "autoscaling",
    namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/",
    protocol: Protocol::Query,
    actions: &[ACTIONS],
    behaviours: &[BEHAVIOURS],
};

const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_group_starts_machines_until_it_has_what_it_wants",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html",
    },
    Behaviour {
        name: "the_name_of_a_group_is_taken_once",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
    },
    Behaviour {
        name: "a_group_checks_subnets_and_template_when_it_is_made",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-asg-launch-template.html",
    },
    Behaviour {
        name: "tags_go_on_to_machines_where_they_are_told_to",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html",
    },
    Behaviour {
        name: "a_mixed_group_keeps_its_share_of_spot",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html",
    },
    Behaviour {
        name: "missing_capacity_is_a_failed_activity_and_is_tried_again",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html",
    },
    Behaviour {
        name: "another_zone_or_type_is_tried_before_an_activity_fails",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html",
    },
    Behaviour {
        name: "a_machine_that_dies_is_replaced",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html",
    },
    Behaviour {
        name: "a_group_with_machines_is_deleted_by_force_alone",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html",
    },
    Behaviour {
        name: "a_group_that_shrinks_has_a_scaling_activity_in_progress",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html",
    },
];

const ACTIONS: &[Action] = &[
    Action::special("CreateAutoScalingGroup", request::create),
    Action::special("UpdateAutoScalingGroup", request::update),
    Action::special("SetDesiredCapacity", request::set_desired),
    Action::special("DeleteAutoScalingGroup", delete),
    Action::special("DescribeAutoScalingGroups", describe),
    Action::special("DescribeScalingActivities", activity::describe),
    Action::special("CreateOrUpdateTags", tag),
    Action::special("DeleteTags", untag),
];

/// What happens to a group by name.
pub(super) fn happened(world: &mut World, id: &str, name: &str) {
    match name {
        "tick" => keeper::tick(world, id),
        "gone" => world.delete(KIND, id),
        _ => {}
    }
}

/// The state of a machine has changed: its group sees a start at once, and an end at its next health check.
pub(super) fn noticed(world: &mut World, machine: &str, state: &str) {
    let group = world.get("instance", machine).and_then(|i| i.tags.get("aws:autoscaling:groupName").cloned());
    let Some(group) = group.filter(|group| world.get(KIND, group).is_some()) else { return };
    let after = match state {
        "running" => 1000,
        _ => 5000 + world.chance.number("group/check") % 25_000,
    };
    world.later(after, KIND, &group, Change::Named("tick".to_owned()));
}

fn missing(name: &str) -> Refused {
    let message = format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found");
    Refused::bad("ValidationError", message)
}

/// The group that a request names.
fn named(call: &Call<'_>, name: &str) -> Result<Thing, Refused> {
    call.world.get(KIND, name).cloned().ok_or_else(|| missing(name))
}

/// A required parameter, in the words of this service.
fn needs(call: &Call<'_>, param: &str) -> Result<String, Refused> {
    call.text(param).map(str::to_owned).ok_or_else(|| {
        let message = format!("1 validation error detected: Value null at '{param}' failed to satisfy constraint");
        Refused::bad("ValidationError", message)
    })
}

fn is_leaving(group: &Thing) -> bool {
    group.attrs.contains_key("Status")
}

/// A list kept in an attribute of ours.
fn kept(group: &Thing, attr: &str) -> Vec<Value> {
    group.attrs.get(attr).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// One page of a list, as this service pages.
fn page(call: &Call<'_>, set: &str, mut items: Vec<Value>, most: usize) -> Answer {
    let from: usize = call.text("NextToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let wanted = call.number("MaxRecords").and_then(|wanted| usize::try_from(wanted).ok());
    let most = wanted.filter(|wanted| *wanted > 0).unwrap_or(most).min(100);
    let rest = items.split_off(from.min(items.len()));
    let more = rest.len() > most;
    let mut answer = object([(set, rest.into_iter().take(most).collect())]);
    if more {
        answer.insert("NextToken".to_owned(), (from + most).to_string().into());
    }
    Ok(answer)
}

fn delete(call: &mut Call<'_>) -> Answer {
    let name = needs(call, "AutoScalingGroupName")?;
    let group = named(call, &name)?;
    let members = kept(&group, "_members");
    if call.flag("ForceDelete") != Some(true) {
        if !members.is_empty() {
            let message = "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance \
                           request(s) still in the group.";
            return Err(Refused::bad("ResourceInUse", message));
        }
        if activity::under_way(&group) {
            let message = "You cannot delete an AutoScalingGroup while there are scaling activities in progress for \
                           that group.";
            return Err(Refused::bad("ScalingActivityInProgress", message));
        }
    }
    if is_leaving(&group) {
        return Ok(Map::new());
    }
    if let Some(group) = call.world.get_mut(KIND, &name) {
        group.set("Status", "Delete in progress");
        for size in ["MinSize", "MaxSize", "DesiredCapacity"] {
            group.set(size, 0);
        }
    }
    let mut gone = 1000;
    if !members.is_empty() {
        // The group is deleted without waiting for its machines to end, often sooner than these.
        gone += call.world.takes("aws.Instance.terminate") / 2;
        for member in &members {
            compute::end(call.world, &text(&member["id"]), "Client.UserInitiatedShutdown", "User initiated shutdown");
        }
    }
    call.world.later(gone, KIND, &name, Change::Named("gone".to_owned()));
    Ok(Map::new())
}

fn describe(call: &mut Call<'_>) -> Answer {
    let names = call.texts("AutoScalingGroupNames");
    let mut found = call.world.listed(KIND);
    // Names that there are not are left out.
    found.retain(|group| names.is_empty() || names.contains(&group.id));
    for filter in call.list("Filters") {
        let name = text(&filter["Name"]);
        let wanted: Vec<String> = match &filter["Values"] {
            Value::Array(values) => values.iter().map(text).collect(),
            other => vec![text(other)],
        };
        let fits = |value: &String| wanted.iter().any(|pattern| like(pattern, value));
        match (name.strip_prefix("tag:"), name.as_str()) {
            (Some(key), _) => found.retain(|group| group.tags.get(key).is_some_and(fits)),
            (None, "tag-key") => found.retain(|group| group.tags.keys().any(fits)),
            (None, "tag-value") => found.retain(|group| group.tags.values().any(fits)),
            _ => {
                let message = format!("The specified filter name {name} is not valid.");
                return Err(Refused::bad("ValidationError", message));
            }
        }
    }
    let all = found.iter().map(|group| told(call.world, group)).collect();
    page(call, "AutoScalingGroups", all, 50)
}

fn told(world: &World, group: &Thing) -> Value {
    let own = group.attrs.iter().filter(|(name, _)| !name.starts_with('_'));
    let mut told: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    let members: Vec<Value> = kept(group, "_members").iter().map(|member| told_member(world, member)).collect();
    told.insert("Instances".to_owned(), members.into());
    let tags = group.tags.iter().map(|(key, value)| {
        let goes_on = group.attrs["_propagate"].get(key).cloned().unwrap_or(false.into());
        json!({ "ResourceId": group.id, "ResourceType": KIND, "Key": key, "Value": value, "PropagateAtLaunch": goes_on })
    });
    told.insert("Tags".to_owned(), tags.collect());
    Value::Object(told)
}

fn told_member(world: &World, member: &Value) -> Value {
    let healthy =
        world.get("instance", &text(&member["id"])).is_some_and(|i| matches!(compute::state(i), "pending" | "running"));
    json!({
        "InstanceId": member["id"], "InstanceType": member["type"], "AvailabilityZone": member["zone"],
        "LifecycleState": member["state"], "HealthStatus": if healthy { "Healthy" } else { "Unhealthy" },
        "LaunchTemplate": member["template"], "ProtectedFromScaleIn": false,
    })
}

/// Tags of a request by the group they are for.
fn tags_of(call: &Call<'_>) -> Result<Vec<(Thing, Value)>, Refused> {
    let tags = call.list("Tags");
    tags.into_iter().map(|tag| Ok((named(call, &text(&tag["ResourceId"]))?, tag))).collect()
}

fn tag(call: &mut Call<'_>) -> Answer {
    for (group, tag) in tags_of(call)? {
        request::tag_allowed(&tag)?;
        let (key, value) = (text(&tag["Key"]), text(&tag["Value"]));
        call.world.retag(KIND, &group.id, |tags| {
            tags.insert(key.clone(), value);
        });
        if let Some(group) = call.world.get_mut(KIND, &group.id) {
            group.attrs["_propagate"][&key] = (text(&tag["PropagateAtLaunch"]) == "true").into();
        }
    }
    Ok(Map::new())
}

fn untag(call: &mut Call<'_>) -> Answer {
    for (group, tag) in tags_of(call)? {
        let key = text(&tag["Key"]);
        call.world.retag(KIND, &group.id, |tags| {
            tags.remove(&key);
        });
    }
    Ok(Map::new())
}
