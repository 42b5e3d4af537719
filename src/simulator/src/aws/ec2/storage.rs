//! Volumes: made, attached, detached, changed, deleted.

use serde_json::{Value, json};

use crate::aws::call::{Answer, Call, Fate, Refused, fate, object, timestamp};
use crate::aws::ec2::facts;
use crate::aws::table::{Action, Behaviour, Row, page};
use crate::world::{Change, Ms, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_volume_is_creating_and_then_available",
        source: "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-describing-volumes.html",
    },
    Behaviour {
        name: "a_volume_is_attached_once_and_in_its_zone",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html",
    },
    Behaviour {
        name: "a_volume_in_use_is_not_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html",
    },
    Behaviour {
        name: "a_mounted_volume_hangs_in_busy_until_its_machine_stops",
        source: "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-detaching-volume.html",
    },
    Behaviour {
        name: "a_volume_grows_and_then_rests_for_six_hours",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateVolume", &VOLUME).once("ClientToken"),
    Action::lists("DescribeVolumes", &VOLUME),
    Action::deletes("DeleteVolume", &VOLUME),
    Action::special("AttachVolume", attach),
    Action::special("DetachVolume", detach),
    Action::special("ModifyVolume", modify),
    Action::special("DescribeVolumesModifications", modifications),
];

const KIND: &str = "volume";
const REST: Ms = 6 * 60 * 60 * 1000;

pub(super) static VOLUME: Row = Row {
    id: "volumeId",
    id_param: "VolumeId",
    set: "volumeSet",
    missing: "InvalidVolume.NotFound",
    filters: &[
        ("volume-id", "volumeId"),
        ("status", "status"),
        ("availability-zone", "availabilityZone"),
        ("attachment.instance-id", "attachmentSet.instanceId"),
        ("attachment.status", "attachmentSet.status"),
        ("attachment.device", "attachmentSet.device"),
        ("volume-type", "volumeType"),
        ("encrypted", "encrypted"),
        ("size", "size"),
    ],
    limit: (5000, "VolumeLimitExceeded"),
    born: Some(born),
    after: Some(after),
    dying: Some(dying),
    ..Row::new(KIND, "vol")
};

/// The sizes that a type of volume has, in GiB
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>).
fn sizes(kind: &str) -> Option<(i64, i64)> {
    Some(match kind {
        "gp2" => (1, 16_384),
        "gp3" => (1, 65_536),
        "io1" => (4, 16_384),
        "io2" => (4, 65_536),
        "st1" | "sc1" => (125, 16_384),
        "standard" => (1, 1024),
        _ => return None,
    })
}

pub(super) fn sized(kind: &str, size: i64) -> Result<(), Refused> {
    let message = match sizes(kind) {
        None => format!("Unknown volume type '{kind}'"),
        Some((least, _)) if size < least => {
            format!("Volume of {size}GiB is too small; minimum is {least}GiB for volume type {kind}.")
        }
        Some((_, most)) if size > most => {
            format!("Volume of {size}GiB is too large for volume type {kind}; maximum is {most}GiB.")
        }
        Some(_) => return Ok(()),
    };
    Err(Refused::bad("InvalidParameterValue", message))
}

fn born(call: &mut Call<'_>, volume: &mut Thing) -> Result<(), Refused> {
    let zone = call.needs("AvailabilityZone")?;
    if !facts::zones(&call.world.region).contains(&zone) {
        return Err(Refused::bad("InvalidZone.NotFound", format!("The zone '{zone}' does not exist.")));
    }
    let Some(size) = call.number("Size") else {
        return Err(Refused::bad("MissingParameter", "The request must contain the parameter size/snapshot"));
    };
    let kind = call.text("VolumeType").unwrap_or("gp2").to_owned();
    sized(&kind, size)?;
    shape(volume, &zone, size, &kind, call.flag("Encrypted").unwrap_or(false), call.now());
    volume.set("status", "creating");
    Ok(())
}

fn shape(volume: &mut Thing, zone: &str, size: i64, kind: &str, encrypted: bool, now: Ms) {
    volume.set("size", size);
    volume.set("snapshotId", "");
    volume.set("availabilityZone", zone);
    volume.set("status", "available");
    volume.set("createTime", timestamp(now));
    volume.set("attachmentSet", json!([]));
    volume.set("volumeType", kind);
    volume.set("encrypted", encrypted);
    volume.set("multiAttachEnabled", false);
    if kind == "gp3" {
        volume.set("iops", 3000);
        volume.set("throughput", 125);
    }
}

/// When a volume that comes to nothing is given up: as long as it is `creating` nobody can delete it.
const GIVEN_UP: Ms = 20 * 60_000;

fn after(world: &mut World, id: &str) {
    let usual = world.takes("aws.EBS.createAttach") / 2;
    let (ends, after) = match fate(world, KIND) {
        Fate::Usual => ("made", usual),
        Fate::Fails => ("broken", usual),
        Fate::NeverEnds => ("broken", GIVEN_UP),
    };
    world.later(after, KIND, id, Change::Named(ends.to_owned()));
}

/// What happens to a volume by name.
pub(super) fn happened(world: &mut World, id: &str, name: &str) {
    let Some(volume) = world.get_mut(KIND, id) else { return };
    match (name, volume.text("status").to_owned().as_str()) {
        ("made", "creating") => volume.set("status", "available"),
        ("broken", "creating") => volume.set("status", "error"),
        ("attached", _) => tie(volume, "attaching", "attached"),
        ("detached", "in-use") if has(volume, "detaching") => free(volume),
        ("optimizing", _) => modified(volume, "optimizing", 50),
        ("modified", _) => modified(volume, "completed", 100),
        _ => {}
    }
}

/// The state of its attachment, if that is `from`, becomes `to`.
fn tie(volume: &mut Thing, from: &str, to: &str) {
    if has(volume, from) {
        volume.attrs["attachmentSet"][0]["status"] = to.into();
    }
}

fn has(volume: &Thing, state: &str) -> bool {
    volume.at("attachmentSet.status").first().is_some_and(|is| **is == state)
}

fn free(volume: &mut Thing) {
    volume.set("attachmentSet", json!([]));
    volume.set("status", "available");
    volume.attrs.shift_remove("_mounted");
}

fn modified(volume: &mut Thing, state: &str, progress: i64) {
    if let Some(modification) = volume.attrs.get_mut("_modification") {
        modification["modificationState"] = state.into();
        modification["progress"] = progress.into();
    }
}

/// The machine that has a volume, or had it last.
fn machine_of(volume: &Thing) -> Option<String> {
    volume.at("attachmentSet.instanceId").first().and_then(|id| id.as_str()).map(str::to_owned)
}

/// A volume that comes with a machine.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) device: String,
    pub(super) size: i64,
    pub(super) kind: String,
    pub(super) encrypted: bool,
    pub(super) ends_with_machine: bool,
}

/// Makes it, attached to that machine as soon as this runs.
pub(super) fn made(world: &mut World, disk: &Disk, zone: &str, machine: &str) -> Thing {
    let id = world.id(VOLUME.prefix);
    let mut volume = Thing::new(KIND, &id);
    volume.set(VOLUME.id, id.as_str());
    shape(&mut volume, zone, disk.size, &disk.kind, disk.encrypted, world.now());
    volume.set("status", "in-use");
    let tie = attachment(&id, machine, &disk.device, world.now(), disk.ends_with_machine);
    volume.set("attachmentSet", json!([tie]));
    world.add(volume.clone());
    volume
}

fn attachment(volume: &str, machine: &str, device: &str, now: Ms, ends_with_machine: bool) -> Value {
    json!({
        "volumeId": volume, "instanceId": machine, "device": device, "status": "attaching",
        "attachTime": timestamp(now), "deleteOnTermination": ends_with_machine,
    })
}

/// The volumes that a machine has.
fn held(world: &World, machine: &str) -> Vec<String> {
    let of = |volume: &&Thing| machine_of(volume).as_deref() == Some(machine);
    world.all(KIND).filter(of).map(|volume| volume.id.clone()).collect()
}

/// The machine runs: what came with it is attached.
pub(super) fn started(world: &mut World, machine: &str) {
    for id in held(world, machine) {
        if let Some(volume) = world.get_mut(KIND, &id) {
            tie(volume, "attaching", "attached");
        }
    }
}

/// The machine runs no more: nothing is mounted, and what waited for that is detached.
pub(super) fn stopped(world: &mut World, machine: &str) {
    for id in held(world, machine) {
        let Some(volume) = world.get_mut(KIND, &id) else { continue };
        volume.attrs.shift_remove("_mounted");
        if has(volume, "busy") {
            tie(volume, "busy", "detaching");
            world.later(2000, KIND, &id, Change::Named("detached".to_owned()));
        }
    }
}

/// The machine has ended: what came with it goes, the others are free again.
pub(super) fn release(world: &mut World, machine: &str) {
    for id in held(world, machine) {
        let Some(volume) = world.get_mut(KIND, &id) else { continue };
        if volume.at("attachmentSet.deleteOnTermination").first().is_some_and(|on| **on == true) {
            world.delete(KIND, &id);
        } else {
            free(volume);
        }
    }
}

fn attach(call: &mut Call<'_>) -> Answer {
    let (id, machine, device) = (call.needs("VolumeId")?, call.needs("InstanceId")?, call.needs("Device")?);
    let volume = VOLUME.find(call.world, &id)?;
    let instance = super::compute::INSTANCE.find(call.world, &machine)?;
    if !["running", "stopped"].contains(&super::compute::state(&instance)) {
        return Err(Refused::bad("IncorrectState", format!("Instance '{machine}' is not 'running'.")));
    }
    match volume.text("status") {
        "available" => {}
        "in-use" => {
            return Err(Refused::bad("VolumeInUse", format!("{id} is already attached to an instance")));
        }
        _ => return Err(Refused::bad("IncorrectState", format!("{id} is not 'available'."))),
    }
    let zone = instance.at("placement.availabilityZone").first().and_then(|zone| zone.as_str()).unwrap_or_default();
    if volume.text("availabilityZone") != zone {
        let message = format!("The volume '{id}' is not in the same availability zone as instance '{machine}'");
        return Err(Refused::bad("InvalidVolume.ZoneMismatch", message));
    }
    let there = |id: &String| {
        call.world.get(KIND, id).is_some_and(|other| other.at("attachmentSet.device").iter().any(|at| **at == *device))
    };
    if held(call.world, &machine).iter().any(there) {
        let message = format!("Invalid value '{device}' for unixDevice. Attachment point {device} is already in use");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    let tie = attachment(&id, &machine, &device, call.now(), false);
    if let Some(volume) = call.world.get_mut(KIND, &id) {
        volume.set("status", "in-use");
        volume.set("attachmentSet", json!([tie]));
    }
    let takes = call.world.takes("aws.EBS.createAttach") / 2;
    call.world.later(takes, KIND, &id, Change::Named("attached".to_owned()));
    Ok(tie.as_object().cloned().unwrap_or_default())
}

fn detach(call: &mut Call<'_>) -> Answer {
    let id = call.needs("VolumeId")?;
    let volume = VOLUME.find(call.world, &id)?;
    let Some(machine) = machine_of(&volume) else {
        let message = format!("Volume '{id}' is in the '{}' state.", volume.text("status"));
        return Err(Refused::bad("IncorrectState", message));
    };
    let device = volume.at("attachmentSet.device").first().and_then(|d| d.as_str()).unwrap_or_default().to_owned();
    let other = |param: &str, is: &str| call.text(param).is_some_and(|named| named != is);
    if other("InstanceId", &machine) || other("Device", &device) {
        let message = format!("The volume '{id}' is not attached to that instance as that device.");
        return Err(Refused::bad("InvalidAttachment.NotFound", message));
    }
    let running = call.world.get("instance", &machine).filter(|i| super::compute::state(i) == "running");
    if running.is_some_and(|machine| machine.text("rootDeviceName") == device) {
        let message = format!("Unable to detach root volume '{id}' from instance '{machine}'");
        return Err(Refused::bad("OperationNotPermitted", message));
    }
    let mounted = running.is_some() && volume.attrs.contains_key("_mounted") && call.flag("Force") != Some(true);
    let takes = call.world.takes("aws.EBS.createAttach") / 2;
    if let Some(volume) = call.world.get_mut(KIND, &id)
        && !has(volume, "detaching")
    {
        volume.attrs["attachmentSet"][0]["status"] = if mounted { "busy" } else { "detaching" }.into();
        if !mounted {
            call.world.later(takes, KIND, &id, Change::Named("detached".to_owned()));
        }
    }
    let told = call.world.get(KIND, &id).and_then(|volume| volume.attrs["attachmentSet"][0].as_object().cloned());
    Ok(told.unwrap_or_default())
}

fn modify(call: &mut Call<'_>) -> Answer {
    let id = call.needs("VolumeId")?;
    let volume = VOLUME.find(call.world, &id)?;
    if !["available", "in-use"].contains(&volume.text("status")) {
        let message = format!("Volume '{id}' is in the '{}' state.", volume.text("status"));
        return Err(Refused::bad("IncorrectState", message));
    }
    if let Some(before) = volume.attrs.get("_modification") {
        let state = before["modificationState"].as_str().unwrap_or_default();
        if state != "completed" {
            let message = format!("Volume {id} cannot be modified in modification state {}", state.to_uppercase());
            return Err(Refused::bad("IncorrectModificationState", message));
        }
        if before["_began"].as_u64().unwrap_or(0) + REST > call.now() {
            let message = "You've reached the maximum modification rate per volume limit. Wait at least 6 hours \
                           between modifications per EBS volume.";
            return Err(Refused::bad("VolumeModificationRateExceeded", message));
        }
    }
    let old = volume.attrs.get("size").and_then(Value::as_i64).unwrap_or_default();
    let size = call.number("Size").unwrap_or(old);
    let kind = call.text("VolumeType").unwrap_or(volume.text("volumeType")).to_owned();
    if size < old {
        let message = "New size cannot be smaller than existing size";
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    sized(&kind, size)?;
    let now = call.now();
    let modification = json!({
        "volumeId": id, "modificationState": "modifying", "targetSize": size, "targetVolumeType": kind,
        "originalSize": old, "originalVolumeType": volume.text("volumeType"), "progress": 0,
        "startTime": timestamp(now), "_began": now,
    });
    let answer = modification.clone();
    if let Some(volume) = call.world.get_mut(KIND, &id) {
        volume.set("size", size);
        volume.set("volumeType", kind);
        volume.set("_modification", modification);
    }
    let takes = call.world.takes("aws.EBS.createAttach");
    call.world.later(takes, KIND, &id, Change::Named("optimizing".to_owned()));
    // A GiB is moved in half a second or so; small volumes take minutes all the same.
    let moves = 60_000 + u64::try_from(size).unwrap_or_default() * 500;
    call.world.later(takes + moves, KIND, &id, Change::Named("modified".to_owned()));
    Ok(object([("volumeModification", answer)]))
}

fn modifications(call: &mut Call<'_>) -> Answer {
    let ids = call.texts("VolumeId");
    let volumes = call.world.listed(KIND);
    let wanted = volumes.iter().filter(|volume| ids.is_empty() || ids.contains(&volume.id));
    let all = wanted.filter_map(|volume| volume.attrs.get("_modification").cloned()).collect();
    page(call, "volumeModificationSet", all)
}

fn dying(call: &mut Call<'_>, id: &str) -> Result<bool, Refused> {
    let volume = call.world.get(KIND, id).cloned().ok_or_else(|| VOLUME.unknown(id))?;
    match volume.text("status") {
        "deleting" => return Ok(true),
        "creating" => {
            return Err(Refused::bad("IncorrectState", format!("Volume '{id}' is in the 'creating' state.")));
        }
        _ => {}
    }
    if let Some(machine) = machine_of(&volume) {
        return Err(Refused::bad("VolumeInUse", format!("Volume {id} is currently attached to {machine}")));
    }
    if let Some(volume) = call.world.get_mut(KIND, id) {
        volume.set("status", "deleting");
    }
    let takes = 1000 + call.world.chance.number("volume/delete") % 4000;
    call.world.later(takes, KIND, id, Change::Remove);
    Ok(true)
}

#[cfg(test)]
mod tests;
