//! Machines are changed while they are there, and their consoles read.

use base64::Engine as _;

use super::{INSTANCE, KIND, state, wrong_state};
use crate::aws::call::{Answer, Call, Refused, object, timestamp};
use crate::aws::ec2::interface;
use crate::aws::table::text;
use crate::world::Thing;

/// As much of a console as EC2 keeps
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html>).
const CONSOLE: usize = 64 * 1024;

/// The machine that a request is about, in one of these states.
fn one_in(call: &mut Call<'_>, states: &[&str]) -> Result<Thing, Refused> {
    let id = call.needs("InstanceId")?;
    let instance = INSTANCE.find(call.world, &id)?;
    if states.contains(&state(&instance)) { Ok(instance) } else { Err(wrong_state(&id, "changed")) }
}

pub(super) fn modify(call: &mut Call<'_>) -> Answer {
    let resting = call.at("UserData").is_some() || call.at("InstanceType").is_some();
    let states: &[&str] = if resting { &["stopped"] } else { &["pending", "running", "stopping", "stopped"] };
    let instance = one_in(call, states)?;
    let first = instance.at("networkInterfaceSet.networkInterfaceId").first().map(|id| text(id)).unwrap_or_default();
    let groups = call.texts("GroupId");
    if !groups.is_empty() {
        let subnet = instance.text("subnetId").to_owned();
        let groups = interface::checked(call.world, &interface::Wish { subnet, groups, ..Default::default() })?;
        interface::set_groups(call.world, &first, &groups);
    }
    let check = call.flag("SourceDestCheck.Value");
    let (machine, data) =
        (call.text("InstanceType.Value").map(str::to_owned), call.text("UserData.Value").map(str::to_owned));
    if let Some(nic) = call.world.get_mut("network-interface", &first)
        && let Some(on) = check
    {
        nic.set("sourceDestCheck", on);
    }
    if let Some(instance) = call.world.get_mut(KIND, &instance.id) {
        if let Some(on) = check {
            instance.set("sourceDestCheck", on);
        }
        if let Some(machine) = machine {
            instance.set("instanceType", machine);
        }
        if let Some(data) = data {
            instance.set("_userData", data);
        }
    }
    Ok(object([("return", true.into())]))
}

pub(super) fn modify_options(call: &mut Call<'_>) -> Answer {
    let instance = one_in(call, &["pending", "running", "stopping", "stopped"])?;
    let mut options = instance.attrs["metadataOptions"].clone();
    for (param, name) in [("HttpTokens", "httpTokens"), ("HttpEndpoint", "httpEndpoint")] {
        if let Some(value) = call.text(param) {
            options[name] = value.into();
        }
    }
    if let Some(hops) = call.number("HttpPutResponseHopLimit") {
        if !(1..=64).contains(&hops) {
            let message = "The hop limit must be between 1 and 64";
            return Err(Refused::bad("InvalidParameterValue", message));
        }
        options["httpPutResponseHopLimit"] = hops.into();
    }
    if let Some(instance) = call.world.get_mut(KIND, &instance.id) {
        instance.set("metadataOptions", options.clone());
    }
    options["state"] = "pending".into();
    Ok(object([("instanceId", instance.id.into()), ("instanceMetadataOptions", options)]))
}

pub(super) fn console(call: &mut Call<'_>) -> Answer {
    let id = call.needs("InstanceId")?;
    let instance = INSTANCE.find(call.world, &id)?;
    let whole = instance.text("_console").as_bytes();
    let kept = &whole[whole.len().saturating_sub(CONSOLE)..];
    Ok(object([
        ("instanceId", id.into()),
        ("timestamp", timestamp(call.now()).into()),
        ("output", base64::engine::general_purpose::STANDARD.encode(kept).into()),
    ]))
}
