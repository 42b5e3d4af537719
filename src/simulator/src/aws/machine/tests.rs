use base64::Engine as _;
use clusterctl_core::bootstrap::{PhaseReport, PhaseState, console};

use super::script::{packed, plain};
use super::*;
use crate::aws::ec2::compute::tests::{RUN, machine_with};
use crate::aws::ec2::ground::{VPC, ZONE, ground, ground_in};
use crate::aws::table::text;
use crate::aws::testing::Desk;
use crate::weather::Weather;
use crate::world::Thing;

fn node(desk: &mut Desk, role: &str, volume: &str) -> String {
    let data = packed(role, volume);
    machine_with(desk, &[&RUN[..], &[("UserData", data.as_str())]].concat())
}

fn reports(desk: &mut Desk, id: &str) -> Vec<PhaseReport> {
    let output = text(&desk.ok("GetConsoleOutput", &[("InstanceId", id)])["output"]);
    let bytes = base64::engine::general_purpose::STANDARD.decode(output).expect("base64");
    console::parse(&String::from_utf8(bytes).expect("text"))
}

fn last(desk: &mut Desk, id: &str) -> (String, PhaseState) {
    reports(desk, id).pop().map(|report| (report.phase, report.state)).expect("a report")
}

fn done() -> (String, PhaseState) {
    ("bootstrap".to_owned(), PhaseState::Ok)
}

fn parameters(desk: &Desk) -> Vec<String> {
    desk.world.all("parameter").map(|parameter| parameter.id.clone()).collect()
}

fn balancer(desk: &mut Desk) {
    let mut balancer = Thing::new("load-balancer", "lb");
    balancer.set("VpcId", VPC);
    desk.world.add(balancer);
}

#[test]
fn the_first_control_plane_node_initialises_and_the_others_join() {
    let mut desk = ground();
    let nodes: Vec<String> = (0..3).map(|_| node(&mut desk, "control-plane", "")).collect();
    desk.wait(900_000);
    for id in &nodes {
        assert_eq!(last(&mut desk, id), done());
    }
    let names = [
        "control-plane/cluster",
        "control-plane/etcd",
        "control-plane/key",
        "control-plane/lock/1",
        "control-plane/lock/2",
        "control-plane/lock/3",
        "control-plane/pki/ca",
        "control-plane/pki/encryption",
        "control-plane/pki/etcd-ca",
        "control-plane/pki/front-proxy-ca",
        "control-plane/pki/sa",
        "join/material",
    ];
    assert_eq!(parameters(&desk), names.map(|name| format!("/clusterctl/0011/{name}")));
    let mut from: Vec<u64> =
        nodes.iter().filter_map(|id| desk.world.get(KIND, id)?.attrs.get("_api_from")?.as_u64()).collect();
    from.sort_unstable();
    assert!(
        from.len() == 3 && from[1] - from[0] >= 15_000 && from[2] - from[1] >= 15_000,
        "one after another: {from:?}"
    );
}

#[test]
fn a_worker_joins_when_the_api_can_be_reached() {
    let mut desk = ground();
    balancer(&mut desk);
    let worker = node(&mut desk, "worker", "");
    desk.wait(400_000);
    let phase = |phase: &str, state| (phase.to_owned(), state);
    assert_eq!(last(&mut desk, &worker), phase("join-material", PhaseState::Wait));
    node(&mut desk, "control-plane", "");
    desk.wait(400_000);
    assert_eq!(last(&mut desk, &worker), phase("api", PhaseState::Wait), "the load balancer has no healthy target");
    desk.world.remove("load-balancer", "lb");
    desk.wait(200_000);
    assert_eq!(last(&mut desk, &worker), done());
    let waited = reports(&mut desk, &worker).into_iter().find(|report| report.state == PhaseState::Wait);
    assert_eq!(waited.and_then(|report| report.message).as_deref(), Some("join material from the control plane"));
}

#[test]
fn a_machine_that_never_joins_says_why_on_its_console() {
    let mut desk = ground_in(Weather { never_joins: 1.0, ..Weather::calm() });
    let id = node(&mut desk, "control-plane", "");
    desk.wait(1_800_000);
    let failed = reports(&mut desk, &id).pop().expect("a report");
    assert!(failed.state == PhaseState::Failed && failed.line.is_some() && failed.message.is_some(), "{failed:?}");
    assert_eq!(desk.world.next_due(), None, "it does not try for ever");
}

#[test]
fn machines_of_groups_die_as_the_weather_has_it() {
    let mut desk = ground_in(Weather { machine_deaths: 1.0, ..Weather::calm() });
    let grouped = [
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "group"),
        ("TagSpecification.1.Tag.1.Value", "g"),
    ];
    let id = machine_with(&mut desk, &[&RUN[..], &grouped[..]].concat());
    let alone = machine_with(&mut desk, &RUN);
    let instance = desk.world.get_mut(KIND, &id).expect("a machine");
    instance.tags.insert("aws:autoscaling:groupName".to_owned(), "g".to_owned());
    desk.wait(HOUR + 60_000);
    let state = |id: &String| desk.world.get(KIND, id).map(compute::state).unwrap_or_default();
    assert!(["shutting-down", "terminated"].contains(&state(&id)), "{}", state(&id));
    assert_eq!(state(&alone), "running");
}

#[test]
fn a_machine_without_our_script_only_boots() {
    let mut desk = ground();
    let data = plain("#!/bin/sh\necho hello\n");
    let id = machine_with(&mut desk, &[&RUN[..], &[("UserData", data.as_str())]].concat());
    desk.wait(600_000);
    assert_eq!(reports(&mut desk, &id), []);
    let output = text(&desk.ok("GetConsoleOutput", &[("InstanceId", &id)])["output"]);
    assert!(!output.is_empty());
}

/// A new machine goes on with the disk of the old one, and asks nobody.
#[test]
fn a_disk_that_has_served_rejoins() {
    let mut desk = ground();
    balancer(&mut desk);
    let volume = desk.ok("CreateVolume", &[("AvailabilityZone", ZONE), ("Size", "20"), ("VolumeType", "gp3")]);
    let volume = text(&volume["volumeId"]);
    let attach = |desk: &mut Desk, id: &str| {
        desk.wait(60_000);
        let tie = [("VolumeId", volume.as_str()), ("InstanceId", id), ("Device", "/dev/sdf")];
        desk.ok("AttachVolume", &tie);
    };
    let first = node(&mut desk, "control-plane", &volume);
    desk.wait(300_000);
    assert_eq!(last(&mut desk, &first), ("etcd-disk".to_owned(), PhaseState::Wait));
    attach(&mut desk, &first);
    desk.wait(400_000);
    assert_eq!(last(&mut desk, &first), done());
    let tie = [("VolumeId", volume.as_str()), ("InstanceId", first.as_str())];
    assert_eq!(desk.ok("DetachVolume", &tie)["status"], "busy", "it is mounted");
    desk.ok("TerminateInstances", &[("InstanceId.1", &first)]);
    desk.wait(200_000);
    let second = node(&mut desk, "control-plane", &volume);
    attach(&mut desk, &second);
    desk.wait(400_000);
    assert_eq!(last(&mut desk, &second), done());
    assert!(desk.world.get(KIND, &second).is_some_and(|i| i.attrs.contains_key("_api_from")));
    assert!(reports(&mut desk, &second).iter().any(|report| report.phase == "rejoin"));
    assert!(!parameters(&desk).iter().any(|name| name.ends_with("lock/2")), "no lock was taken");
}

/// A started machine has no script to run again, but serves again.
#[test]
fn a_machine_that_was_stopped_serves_again() {
    let mut desk = ground();
    let id = node(&mut desk, "control-plane", "");
    desk.wait(600_000);
    let serves = |desk: &Desk| desk.world.get(KIND, &id).is_some_and(|i| i.attrs.contains_key("_api_from"));
    assert!(serves(&desk));
    desk.ok("StopInstances", &[("InstanceId.1", &id)]);
    assert!(!serves(&desk));
    desk.wait(200_000);
    desk.ok("StartInstances", &[("InstanceId.1", &id)]);
    desk.wait(200_000);
    assert!(serves(&desk));
}

/// One that dies with the lock holds nobody up for longer than its lease.
#[test]
fn a_lock_is_free_when_its_holder_is_dead_for_the_lease() {
    let mut desk = ground();
    let first = node(&mut desk, "control-plane", "");
    let lock = "/clusterctl/0011/control-plane/lock/1";
    while desk.world.get("parameter", lock).is_none() {
        desk.wait(1000);
    }
    desk.ok("TerminateInstances", &[("InstanceId.1", &first)]);
    // The disk of its member went with it, so that what it had begun has to be forgotten by hand.
    desk.world.remove("parameter", "/clusterctl/0011/control-plane/etcd");
    let second = node(&mut desk, "control-plane", "");
    desk.wait(800_000);
    assert_eq!(last(&mut desk, &second), done());
    assert!(desk.world.get("parameter", "/clusterctl/0011/control-plane/lock/2").is_some());
}
