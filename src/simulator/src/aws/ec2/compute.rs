//! Machines: started, described, stopped, changed, ended.
//!
//! ```text
//! pending ─▶ running ─▶ stopping ─▶ stopped ─▶ pending
//!    └──────────┴─▶ shutting-down ─▶ terminated ─▶ (an hour) not described any more
//! ```
//! What a machine does while it runs is in `machine`.

mod change;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{interface, launch, storage};
use crate::aws::call::{Answer, Call, Refused, object, timestamp};
use crate::aws::table::{Action, Behaviour, Row, page, shown, text};
use crate::aws::{autoscaling, machine, throttle};
use crate::world::{Change, Ms, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_machine_is_pending_and_then_running",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html",
    },
    Behaviour {
        name: "a_machine_that_was_stopped_says_why",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html",
    },
    Behaviour {
        name: "a_machine_that_ended_is_described_for_an_hour",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html",
    },
    Behaviour {
        name: "disks_and_interfaces_go_with_their_machine_or_stay",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html",
    },
    Behaviour {
        name: "the_token_of_a_machine_that_ended_is_refused",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
    },
    Behaviour {
        name: "a_young_instance_profile_is_not_known_to_ec2",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html",
    },
    Behaviour {
        name: "user_data_has_sixteen_kibibytes",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html",
    },
    Behaviour {
        name: "a_zone_without_capacity_gives_what_it_has_above_the_minimum",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html",
    },
    Behaviour {
        name: "quotas_count_machines_and_their_cpus",
        source: "https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html",
    },
    Behaviour {
        name: "a_launch_template_is_honoured_and_the_request_comes_before_it",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instances-from-launch-template.html",
    },
    Behaviour {
        name: "a_machine_stops_and_starts_again",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html",
    },
    Behaviour {
        name: "a_machine_that_ends_is_not_changed",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
    },
    Behaviour {
        name: "an_accepted_machine_may_end_before_it_runs",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("RunInstances", run).once("ClientToken"),
    Action::special("DescribeInstances", describe),
    Action::special("TerminateInstances", terminate),
    Action::special("StopInstances", stop),
    Action::special("StartInstances", start),
    Action::special("ModifyInstanceAttribute", change::modify),
    Action::special("ModifyInstanceMetadataOptions", change::modify_options),
    Action::special("GetConsoleOutput", change::console),
];

const KIND: &str = "instance";
/// How long one that has ended is still described.
const LINGERS: Ms = 60 * 60 * 1000;
pub(super) static INSTANCE: Row = Row {
    id: "instanceId",
    id_param: "InstanceId",
    set: "instancesSet",
    missing: "InvalidInstanceID.NotFound",
    filters: &[
        ("instance-id", "instanceId"),
        ("instance-state-name", "instanceState.name"),
        ("instance-state-code", "instanceState.code"),
        ("instance-type", "instanceType"),
        ("instance-lifecycle", "instanceLifecycle"),
        ("instance.group-id", "groupSet.groupId"),
        ("image-id", "imageId"),
        ("key-name", "keyName"),
        ("vpc-id", "vpcId"),
        ("subnet-id", "subnetId"),
        ("availability-zone", "placement.availabilityZone"),
        ("placement-group-name", "placement.groupName"),
        ("private-ip-address", "privateIpAddress"),
        ("private-dns-name", "privateDnsName"),
        ("client-token", "clientToken"),
        ("iam-instance-profile.arn", "iamInstanceProfile.arn"),
        ("reservation-id", "_reservation"),
        ("network-interface.network-interface-id", "networkInterfaceSet.networkInterfaceId"),
        ("block-device-mapping.volume-id", "blockDeviceMapping.ebs.volumeId"),
    ],
    ..Row::new(KIND, "i")
};

pub(in crate::aws) fn state(instance: &Thing) -> &str {
    instance.attrs.get("instanceState").and_then(|state| state["name"].as_str()).unwrap_or_default()
}

/// Whether it counts for quotas and capacity.
pub(in crate::aws) fn is_alive(instance: &Thing) -> bool {
    matches!(state(instance), "pending" | "running" | "stopping" | "stopped")
}

pub(in crate::aws) fn zone(instance: &Thing) -> &str {
    instance.attrs.get("placement").and_then(|at| at["availabilityZone"].as_str()).unwrap_or_default()
}

/// The states and their codes (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html>).
fn state_of(name: &str) -> Value {
    let code = match name {
        "pending" => 0,
        "running" => 16,
        "shutting-down" => 32,
        "terminated" => 48,
        "stopping" => 64,
        _ => 80,
    };
    json!({ "code": code, "name": name })
}

/// Puts a machine into a state; gives the one it was in.
fn becomes(world: &mut World, id: &str, name: &str) -> Option<String> {
    let instance = world.get_mut(KIND, id)?;
    let before = state(instance).to_owned();
    instance.set("instanceState", state_of(name));
    autoscaling::noticed(world, id, name);
    Some(before)
}

fn run(call: &mut Call<'_>) -> Answer {
    let (min, max) = (call.needs("MinCount")?, call.needs("MaxCount")?);
    let counts = min.parse::<u32>().ok().zip(max.parse::<u32>().ok()).filter(|(min, max)| 0 < *min && min <= max);
    let Some((min, max)) = counts else {
        let message = format!("Invalid count: minimum {min}, maximum {max}");
        return Err(Refused::bad("InvalidParameterValue", message));
    };
    throttle::machines(call.world, "ec2:RunInstances", f64::from(min))?;
    let asked = call.params.clone();
    let launch = launch::checked(call)?;
    call.params = asked;
    let count = launch::room(call.world, &launch, min, max)?;
    let (reservation, ids) = launch::made(call.world, &launch, count)?;
    let disks = disks(call.world);
    let machines: Vec<Value> =
        ids.iter().filter_map(|id| call.world.get(KIND, id)).map(|i| told(call.world, i, &disks)).collect();
    Ok(object([
        ("reservationId", reservation.into()),
        ("ownerId", crate::aws::ACCOUNT.into()),
        ("groupSet", json!([])),
        ("instancesSet", machines.into()),
    ]))
}

/// Whether the machine that a stored answer of RunInstances tells of has ended since.
pub(in crate::aws) fn ended(world: &World, answer: &Value) -> bool {
    let ids = answer["instancesSet"].as_array().into_iter().flatten().map(|machine| text(&machine["instanceId"]));
    let gone = |id: String| world.get(KIND, &id).is_none_or(|i| matches!(state(i), "terminated" | "shutting-down"));
    let mut ids = ids.peekable();
    ids.peek().is_some() && ids.all(gone)
}

/// The disks of all machines, as these tell them.
fn disks(world: &World) -> BTreeMap<String, Vec<Value>> {
    let mut disks: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for volume in world.all("volume") {
        let Some(tie) = volume.attrs["attachmentSet"].get(0) else { continue };
        let told = json!({ "deviceName": tie["device"], "ebs": {
            "volumeId": volume.id, "status": tie["status"], "attachTime": tie["attachTime"],
            "deleteOnTermination": tie["deleteOnTermination"] } });
        disks.entry(text(&tie["instanceId"])).or_default().push(told);
    }
    disks
}

/// A machine as it is answered: its interfaces and disks are what they are now.
fn told(world: &World, instance: &Thing, disks: &BTreeMap<String, Vec<Value>>) -> Value {
    let mut told = shown(instance);
    let nics: Vec<Value> = instance
        .at("networkInterfaceSet.networkInterfaceId")
        .iter()
        .filter_map(|id| world.get("network-interface", id.as_str()?))
        .map(interface::of_machine)
        .collect();
    if let Some(association) = nics.first().and_then(|nic| nic.get("association")) {
        told.insert("ipAddress".to_owned(), association["publicIp"].clone());
        told.insert("dnsName".to_owned(), association["publicDnsName"].clone());
    }
    told.insert("networkInterfaceSet".to_owned(), nics.into());
    told.insert("blockDeviceMapping".to_owned(), disks.get(&instance.id).cloned().unwrap_or_default().into());
    Value::Object(told)
}

/// Machines by their reservations, in the order of their ids.
fn describe(call: &mut Call<'_>) -> Answer {
    let found = INSTANCE.select(call)?;
    let disks = disks(call.world);
    let mut reservations: Vec<(String, Vec<Value>)> = Vec::new();
    for instance in &found {
        let of = instance.text("_reservation");
        let told = told(call.world, instance, &disks);
        match reservations.iter_mut().find(|(id, _)| id == of) {
            Some((_, machines)) => machines.push(told),
            None => reservations.push((of.to_owned(), vec![told])),
        }
    }
    let all = reservations.into_iter().map(|(id, machines)| {
        json!({ "reservationId": id, "ownerId": crate::aws::ACCOUNT, "groupSet": [], "instancesSet": machines })
    });
    let all = all.collect();
    page(call, "reservationSet", all)
}

/// The machines that a request names, all of them or none.
fn all_of(call: &Call<'_>) -> Result<Vec<Thing>, Refused> {
    let ids = call.texts("InstanceId");
    if ids.is_empty() {
        return Err(Refused::bad("MissingParameter", "The request must contain the parameter InstanceId"));
    }
    let find = |id: &String| {
        call.world
            .get(KIND, id)
            .cloned()
            .ok_or_else(|| Refused::bad("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist")))
    };
    ids.iter().map(find).collect()
}

/// What a change of states answers.
fn changes(world: &World, before: &[Thing]) -> Answer {
    let told = before.iter().map(|instance| {
        let now =
            world.get(KIND, &instance.id).map_or_else(|| state_of("terminated"), |i| i.attrs["instanceState"].clone());
        json!({ "instanceId": instance.id, "currentState": now, "previousState": instance.attrs["instanceState"] })
    });
    Ok(object([("instancesSet", told.collect())]))
}

fn wrong_state(id: &str, what: &str) -> Refused {
    Refused::bad(
        "IncorrectInstanceState",
        format!("The instance '{id}' is not in a state from which it can be {what}."),
    )
}

fn terminate(call: &mut Call<'_>) -> Answer {
    throttle::machines(call.world, "ec2:TerminateInstances", call.texts("InstanceId").len() as f64)?;
    let all = all_of(call)?;
    for instance in &all {
        end(call.world, &instance.id, "Client.UserInitiatedShutdown", "User initiated shutdown");
    }
    changes(call.world, &all)
}

/// A machine ends, for this reason.
pub(in crate::aws) fn end(world: &mut World, id: &str, code: &str, words: &str) {
    let Some(instance) = world.get_mut(KIND, id) else { return };
    if matches!(state(instance), "shutting-down" | "terminated") {
        return;
    }
    becomes(world, id, "shutting-down");
    because(world, id, code, words);
    let takes = world.takes("aws.Instance.terminate");
    world.later(takes, KIND, id, Change::Named("terminated".to_owned()));
}

/// Says why a machine goes down; from now on it serves nothing.
fn because(world: &mut World, id: &str, code: &str, words: &str) {
    let at = timestamp(world.now());
    let Some(instance) = world.get_mut(KIND, id) else { return };
    instance.set("stateReason", json!({ "code": code, "message": format!("{code}: {words}") }));
    instance.set("reason", format!("{words} ({at})"));
    instance.attrs.shift_remove("_api_from");
}

fn stop(call: &mut Call<'_>) -> Answer {
    let all = all_of(call)?;
    if let Some(wrong) = all.iter().find(|i| !matches!(state(i), "running" | "stopping" | "stopped")) {
        return Err(wrong_state(&wrong.id, "stopped"));
    }
    for instance in all.iter().filter(|i| state(i) == "running") {
        becomes(call.world, &instance.id, "stopping");
        because(call.world, &instance.id, "Client.UserInitiatedShutdown", "User initiated shutdown");
        let takes = call.world.takes("aws.Instance.terminate");
        call.world.later(takes, KIND, &instance.id, Change::Named("stopped".to_owned()));
    }
    changes(call.world, &all)
}

fn start(call: &mut Call<'_>) -> Answer {
    let all = all_of(call)?;
    if let Some(wrong) = all.iter().find(|i| !matches!(state(i), "pending" | "running" | "stopped")) {
        return Err(wrong_state(&wrong.id, "started"));
    }
    for instance in all.iter().filter(|i| state(i) == "stopped") {
        if let Some(instance) = call.world.get_mut(KIND, &instance.id) {
            instance.attrs.shift_remove("stateReason");
            instance.attrs.shift_remove("reason");
        }
        becomes(call.world, &instance.id, "pending");
        let takes = call.world.takes("aws.Instance.running");
        call.world.later(takes, KIND, &instance.id, Change::Named("running".to_owned()));
    }
    changes(call.world, &all)
}

/// What happens to a machine by name; `false` for what is not about its state.
pub(in crate::aws) fn happened(world: &mut World, id: &str, name: &str) -> bool {
    let now = world.get(KIND, id).map(|instance| state(instance).to_owned()).unwrap_or_default();
    match (name, now.as_str()) {
        ("running", "pending") => {
            storage::started(world, id);
            if let Some(options) = world.get_mut(KIND, id).and_then(|i| i.attrs.get_mut("metadataOptions")) {
                options["state"] = "applied".into();
            }
            becomes(world, id, "running");
            machine::began(world, id);
        }
        ("stopped", "stopping") => {
            storage::stopped(world, id);
            becomes(world, id, "stopped");
        }
        ("failed", "pending") => {
            if let Some(instance) = world.get_mut(KIND, id) {
                let words = "Server.InternalError: Internal error on launch";
                instance.set("stateReason", json!({ "code": "Server.InternalError", "message": words }));
                instance.set("reason", "Server.InternalError");
            }
            terminated(world, id);
        }
        ("terminated", "shutting-down") => terminated(world, id),
        ("lost", "running") => end(world, id, "Server.InternalError", "The machine under it failed"),
        ("running" | "stopped" | "failed" | "terminated" | "lost", _) => {}
        _ => return false,
    }
    true
}

/// It has ended: what came with it goes, what it used is free, and for an hour it is still told of.
fn terminated(world: &mut World, id: &str) {
    storage::stopped(world, id);
    storage::release(world, id);
    interface::release(world, id);
    if let Some(instance) = world.get_mut(KIND, id) {
        let gone =
            ["subnetId", "vpcId", "privateIpAddress", "groupSet", "sourceDestCheck", "iamInstanceProfile", "_machine"];
        for attr in gone {
            instance.attrs.shift_remove(attr);
        }
        for attr in ["networkInterfaceSet", "blockDeviceMapping"] {
            instance.set(attr, json!([]));
        }
        if let Some(placement) = instance.attrs.get_mut("placement").and_then(Value::as_object_mut) {
            placement.shift_remove("groupName");
        }
        instance.set("privateDnsName", "");
        instance.set("_lingers", true);
    }
    becomes(world, id, "terminated");
    world.later(LINGERS, KIND, id, Change::Remove);
}

#[cfg(test)]
pub(in crate::aws) mod tests;
