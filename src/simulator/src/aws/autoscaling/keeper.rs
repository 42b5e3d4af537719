//! Keeps as many machines as a group wants.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::activity::{self, News};
use super::{KIND, is_leaving, kept, request};
use crate::aws::call::Refused;
use crate::aws::ec2::{compute, launch, template};
use crate::aws::table::text;
use crate::world::{Change, Thing, World};

/// A group looks at its machines, and starts and ends what it must.
pub(super) fn tick(world: &mut World, name: &str) {
    let Some(mut group) = world.get(KIND, name).cloned().filter(|group| !is_leaving(group)) else { return };
    look(world, &mut group);
    let wanted = group.attrs["DesiredCapacity"].as_u64().unwrap_or(0) as usize;
    let has = kept(&group, "_members").len();
    let failed = if has < wanted { grow(world, &mut group, wanted, wanted - has) } else { false };
    for _ in wanted..has {
        shrink(world, &mut group, wanted);
    }
    let failures = if failed { group.attrs.get("_failures").and_then(Value::as_u64).unwrap_or(0) + 1 } else { 0 };
    group.set("_failures", failures);
    if let Some(there) = world.get_mut(KIND, name) {
        there.attrs = group.attrs;
    }
    if failed {
        // It goes on trying, ever more slowly.
        let pause = (20_000_u64 << (failures - 1).min(5)).min(600_000);
        world.later(pause, KIND, name, Change::Named("tick".to_owned()));
    }
}

/// What has become of its machines.
fn look(world: &mut World, group: &mut Thing) {
    let mut members = kept(group, "_members");
    let mut lost = Vec::new();
    members.retain_mut(|member| {
        let id = text(&member["id"]);
        let state = world.get("instance", &id).map(|i| compute::state(i).to_owned()).unwrap_or_default();
        match state.as_str() {
            "running" if member["state"] == "Pending" => {
                member["state"] = "InService".into();
                activity::ended(world, group, &id, None);
            }
            "running" | "pending" => {}
            _ => {
                lost.push((id, member["state"] == "Pending"));
                return false;
            }
        }
        true
    });
    group.set("_members", members);
    for (id, young) in lost {
        let reason = world.get("instance", &id).map(|i| text(&i.attrs["stateReason"]["message"])).unwrap_or_default();
        if young {
            let words = format!(
                "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: {reason}"
            );
            activity::ended(world, group, &id, Some(&words));
        }
        let news = News {
            description: format!("Terminating EC2 instance: {id}"),
            cause: "an instance was taken out of service in response to an EC2 health check indicating it has been \
                    terminated or stopped."
                .to_owned(),
            machine: &id,
            failed: None,
        };
        activity::begun(world, group, news);
        // One that was only stopped is ended.
        compute::end(world, &id, "Server.InternalError", "Terminated by Auto Scaling");
    }
    for id in activity::open(group) {
        if world.get("instance", &id).is_none_or(|i| compute::state(i) == "terminated") {
            activity::ended(world, group, &id, None);
        }
    }
}

/// Starts machines; tells whether one could not be started.
fn grow(world: &mut World, group: &mut Thing, wanted: usize, missing: usize) -> bool {
    for _ in 0..missing {
        let has = kept(group, "_members").len();
        let cause = format!(
            "an instance was started in response to a difference between desired and actual capacity, increasing the \
             capacity from {has} to {wanted}."
        );
        let spot = next_is_spot(group);
        let short = has + 1 == wanted && group.attrs.shift_remove("_short").is_some_and(|short| short == true);
        match start(world, group, spot, short) {
            Ok(id) => {
                let description = format!("Launching a new EC2 instance: {id}");
                activity::begun(world, group, News { description, cause, machine: &id, failed: None });
            }
            Err(refused) => {
                let words = words(group, &refused, spot);
                let description = format!("Launching a new EC2 instance.  Status Reason: {words}");
                activity::begun(world, group, News { description, cause, machine: "", failed: Some(words) });
                return true;
            }
        }
    }
    false
}

/// How a failed launch is told
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-instancelaunchfailure.html>).
fn words(group: &Thing, refused: &Refused, spot: bool) -> String {
    let message = refused.message.trim_end_matches('.');
    if !group.attrs.contains_key("MixedInstancesPolicy") {
        return format!("{message}. Launching EC2 instance failed.");
    }
    let market = if spot { "Spot" } else { "On-Demand" };
    format!("Could not launch {market} Instances. {} - {message}. Launching EC2 instance failed.", refused.code)
}

/// What the next machine is, so that the shares are as wanted
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/allocation-strategies.html>).
fn next_is_spot(group: &Thing) -> bool {
    let Some(policy) = group.attrs.get("MixedInstancesPolicy") else { return false };
    let figure =
        |name: &str, otherwise: u64| text(&policy["InstancesDistribution"][name]).parse::<u64>().unwrap_or(otherwise);
    let members = kept(group, "_members");
    let on_demand = members.iter().filter(|member| member["spot"] != true).count() as u64;
    let base = figure("OnDemandBaseCapacity", 0);
    let above = (members.len() as u64 + 1).saturating_sub(base);
    let share = (above * figure("OnDemandPercentageAboveBaseCapacity", 100)).div_ceil(100);
    on_demand >= base + share
}

/// Whether another zone or another type may do.
fn elsewhere(refused: &Refused) -> bool {
    matches!(
        refused.code.as_str(),
        "InsufficientInstanceCapacity" | "Unsupported" | "InsufficientFreeAddressesInSubnet"
    )
}

/// Starts one machine: the preferred type first, in the zone with the fewest machines first. There is room for none of them
/// if it is `short`.
fn start(world: &mut World, group: &mut Thing, spot: bool, short: bool) -> Result<String, Refused> {
    let chosen = template::chosen(world, request::specification(group))?;
    let mut members = kept(group, "_members");
    let mut in_zone: BTreeMap<String, usize> = BTreeMap::new();
    for member in &members {
        *in_zone.entry(text(&member["zone"])).or_default() += 1;
    }
    let mut subnets = request::subnets(group);
    let zone = |id: &String| world.get("subnet", id).map(|s| s.text("availabilityZone").to_owned()).unwrap_or_default();
    subnets.sort_by_cached_key(|id| in_zone.get(&zone(id)).copied().unwrap_or(0));
    let mut last = Refused::bad("ValidationError", "The group has no subnet");
    for machine in request::types(group, &chosen.data) {
        for subnet in &subnets {
            let mut launch = launch::of_group(world, chosen.data.clone(), subnet, &machine, spot)?;
            let tags = launch.tags.entry("instance").or_default();
            let goes_on = |key: &str| group.attrs["_propagate"].get(key).is_some_and(|on| *on == true);
            let own = group.tags.iter().filter(|(key, _)| goes_on(key));
            tags.extend(own.map(|(key, value)| (key.clone(), value.clone())));
            tags.insert("aws:autoscaling:groupName".to_owned(), group.id.clone());
            tags.insert("aws:ec2launchtemplate:id".to_owned(), chosen.id.clone());
            tags.insert("aws:ec2launchtemplate:version".to_owned(), chosen.version.to_string());
            let room = if short { Err(launch::no_capacity(&launch)) } else { launch::room(world, &launch, 1, 1) };
            let made = room.and_then(|_| launch::made(world, &launch, 1));
            match made {
                Ok((_, ids)) => {
                    let id = ids.into_iter().next().unwrap_or_default();
                    let template = json!({
                        "LaunchTemplateId": chosen.id, "LaunchTemplateName": chosen.name,
                        "Version": chosen.version.to_string(),
                    });
                    members.push(json!({
                        "id": id, "type": machine, "zone": launch.zone, "state": "Pending", "spot": spot,
                        "template": template,
                    }));
                    group.set("_members", members);
                    return Ok(id);
                }
                Err(refused) if elsewhere(&refused) => last = refused,
                Err(refused) => return Err(refused),
            }
        }
    }
    Err(last)
}

/// Ends the oldest machine of the zone that has the most.
fn shrink(world: &mut World, group: &mut Thing, wanted: usize) {
    let mut members = kept(group, "_members");
    let mut in_zone: BTreeMap<String, usize> = BTreeMap::new();
    for member in &members {
        *in_zone.entry(text(&member["zone"])).or_default() += 1;
    }
    let Some(most) = in_zone.values().max().copied() else { return };
    let Some(at) = members.iter().position(|member| in_zone.get(&text(&member["zone"])) == Some(&most)) else { return };
    let id = text(&members.remove(at)["id"]);
    let cause = format!(
        "an instance was taken out of service in response to a difference between desired and actual capacity, \
         shrinking the capacity from {} to {wanted}.",
        members.len() + 1
    );
    group.set("_members", members);
    activity::ended(world, group, &id, Some("Instance terminated before it was in service"));
    let description = format!("Terminating EC2 instance: {id}");
    activity::begun(world, group, News { description, cause, machine: &id, failed: None });
    compute::end(world, &id, "Client.UserInitiatedShutdown", "User initiated shutdown");
}
