//! The parameters that control-plane nodes put into SSM under `/clusterctl/UID/`, the lock among them.
//!
//! `templates/node/lib/lock.sh` and `pki.sh` say what they are for.

use serde_json::json;

use super::Progress;
use super::script::Script;
use crate::aws::ec2::compute;
use crate::world::{Ms, Thing, World};

const KIND: &str = "parameter";
/// A lock without a beat for so long is free.
const LEASE: Ms = 180_000;
/// Worlds begin at this second of Unix time.
const BEGIN: f64 = 1_767_225_600.0;

const UNITS: [&str; 5] = ["ca", "front-proxy-ca", "etcd-ca", "sa", "encryption"];

pub(super) fn path(script: &Script, name: &str) -> String {
    format!("/clusterctl/{}/{name}", script.uid)
}

pub(super) fn get(world: &World, script: &Script, name: &str) -> Option<String> {
    world.get(KIND, &path(script, name)).map(|parameter| parameter.text("Value").to_owned())
}

/// Puts a parameter, whether it is there or not.
pub(super) fn put(world: &mut World, script: &Script, name: &str, value: &str) {
    let name = path(script, name);
    let at = BEGIN + world.now() as f64 / 1000.0;
    if let Some(there) = world.get_mut(KIND, &name) {
        let version = there.attrs["Version"].as_u64().unwrap_or(0) + 1;
        there.set("Value", value);
        there.set("Version", version);
        there.set("LastModifiedDate", at);
        return;
    }
    let mut parameter = Thing::new(KIND, &name);
    let attrs = json!({
        "Name": name, "Type": "SecureString", "Value": value, "Version": 1, "LastModifiedDate": at,
    });
    parameter.attrs = attrs.as_object().cloned().unwrap_or_default();
    world.add(parameter);
}

/// Makes the cluster's keys where they are not there yet.
pub(super) fn keys(world: &mut World, script: &Script) {
    let names = UNITS.iter().map(|unit| format!("control-plane/pki/{unit}"));
    for name in std::iter::once("control-plane/key".to_owned()).chain(names) {
        if get(world, script, &name).is_none() {
            let value = format!("{:016x}{:016x}", world.number(), world.number());
            put(world, script, &name, &value);
        }
    }
}

/// What joins need: a token and the digest of the authority's key.
pub(super) fn material(world: &mut World, script: &Script) {
    let (token, hash) = (world.number(), world.number());
    let expires = BEGIN as u64 + world.now() / 1000 + 900;
    let token = format!("{:06x}.{token:016x}", token & 0xff_ffff);
    put(world, script, "join/material", &format!("{token} sha256:{} {expires}", format!("{hash:016x}").repeat(4)));
}

/// Takes the lock, or tells who has it.
pub(super) fn lock(world: &mut World, id: &str, at: &mut Progress) -> Result<(), String> {
    if at.lock.is_some() {
        return Ok(());
    }
    let script = at.script.clone();
    let mut newest = 0;
    while get(world, &script, &format!("control-plane/lock/{}", newest + 1)).is_some() {
        newest += 1;
    }
    let value = get(world, &script, &format!("control-plane/lock/{newest}")).unwrap_or_else(|| "free".to_owned());
    let holder = value.split(' ').next().unwrap_or_default().to_owned();
    if value != "free" && holder != at.name {
        let by_name = |i: &&Thing| i.text("privateDnsName") == holder && compute::state(i) == "running";
        let alive = world.all("instance").any(|i| by_name(&i));
        let now = world.now();
        let since = *at.dead_since.get_or_insert(now);
        if alive {
            at.dead_since = None;
        }
        if alive || now - since < LEASE {
            return Err(holder);
        }
    }
    at.lock = Some(newest + 1);
    put(world, &script, &format!("control-plane/lock/{}", newest + 1), &format!("{} {id} 0", at.name));
    Ok(())
}

pub(super) fn unlock(world: &mut World, at: &mut Progress) {
    if let Some(lock) = at.lock.take() {
        let script = at.script.clone();
        put(world, &script, &format!("control-plane/lock/{lock}"), "free");
    }
}
