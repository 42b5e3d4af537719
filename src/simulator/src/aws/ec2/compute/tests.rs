use base64::Engine as _;
use serde_json::{Value, json};

use super::*;
use crate::aws::ec2::ground::{GROUP, PROFILE, SUBNET, ZONE, ground, ground_in};
use crate::aws::ec2::images::{image_id, image_parameter};
use crate::aws::testing::Desk;
use crate::weather::Weather;

pub(in crate::aws) const RUN: [(&str, &str); 5] = [
    ("MinCount", "1"),
    ("MaxCount", "1"),
    ("InstanceType", "m7i.large"),
    ("SubnetId", SUBNET),
    ("SecurityGroupId.1", GROUP),
];

/// Starts machines, and gives the id of the first.
pub(in crate::aws) fn machine_with(desk: &mut Desk, ask: &[(&str, &str)]) -> String {
    text(&run(desk, ask).unwrap_or_else(|code| panic!("refused: {code}"))["instancesSet"][0]["instanceId"])
}

pub(in crate::aws) fn machine(desk: &mut Desk) -> String {
    machine_with(desk, &RUN)
}

fn run(desk: &mut Desk, ask: &[(&str, &str)]) -> Result<Value, String> {
    let image = image_id(&image_parameter("amd64"));
    let mut ask = ask.to_vec();
    ask.push(("ImageId", &image));
    desk.ask("RunInstances", &ask)
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let other = |(name, _): &&(&str, &str)| !more.iter().any(|(own, _)| own == name);
    RUN.iter().filter(other).copied().chain(more.iter().copied()).collect()
}

fn seen(desk: &mut Desk, id: &str) -> Value {
    desk.ok("DescribeInstances", &[("InstanceId.1", id)])["reservationSet"][0]["instancesSet"][0].clone()
}

fn state_now(desk: &mut Desk, id: &str) -> String {
    text(&seen(desk, id)["instanceState"]["name"])
}

#[test]
fn a_machine_is_pending_and_then_running() {
    let mut desk = ground();
    let id = machine(&mut desk);
    assert_eq!(state_now(&mut desk, &id), "pending");
    desk.wait(60_000);
    let now = seen(&mut desk, &id);
    assert_eq!(now["instanceState"], json!({ "code": 16, "name": "running" }));
    assert_eq!(now["placement"]["availabilityZone"], ZONE);
    assert_eq!(now["networkInterfaceSet"][0]["groupSet"][0]["groupId"], GROUP);
    assert_eq!(now["networkInterfaceSet"][0]["attachment"]["deviceIndex"], 0);
    assert_eq!(now["blockDeviceMapping"][0]["ebs"]["status"], "attached");
    assert!(now.as_object().is_some_and(|attrs| attrs.keys().all(|name| !name.starts_with('_'))));
    let running = [("Filter.1.Name", "instance-state-name"), ("Filter.1.Value.1", "running")];
    assert_eq!(desk.ok("DescribeInstances", &running)["reservationSet"].as_array().map(Vec::len), Some(1));
    assert_eq!(run(&mut desk, &with(&[("InstanceType", "m7i")])), Err("InvalidParameterValue".to_owned()));
    assert_eq!(run(&mut desk, &with(&[("KeyName", "none")])), Err("InvalidKeyPair.NotFound".to_owned()));
}

#[test]
fn a_machine_that_ended_is_described_for_an_hour() {
    let mut desk = ground();
    let id = machine(&mut desk);
    desk.wait(60_000);
    let told = desk.ok("TerminateInstances", &[("InstanceId.1", &id)]);
    let told = &told["instancesSet"][0];
    assert_eq!((&told["previousState"]["code"], &told["currentState"]["code"]), (&json!(16), &json!(32)));
    desk.wait(200_000);
    let now = seen(&mut desk, &id);
    assert_eq!((&now["instanceState"]["name"], now.get("subnetId")), (&json!("terminated"), None));
    assert!(desk.world.inventory().is_empty(), "{:?}", desk.world.inventory());
    desk.ok("TerminateInstances", &[("InstanceId.1", &id)]);
    desk.wait(LINGERS);
    assert_eq!(desk.refused("DescribeInstances", &[("InstanceId.1", &id)]), "InvalidInstanceID.NotFound");
    assert_eq!(desk.refused("TerminateInstances", &[("InstanceId.1", &id)]), "InvalidInstanceID.NotFound");
}

#[test]
fn disks_and_interfaces_go_with_their_machine_or_stay() {
    let mut desk = ground();
    let made = desk.ok("CreateNetworkInterface", &[("SubnetId", SUBNET)]);
    let interface = text(&made["networkInterface"]["networkInterfaceId"]);
    let ask = [
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("InstanceType", "m7i.large"),
        ("NetworkInterface.1.DeviceIndex", "0"),
        ("NetworkInterface.1.NetworkInterfaceId", interface.as_str()),
        ("BlockDeviceMapping.1.DeviceName", "/dev/sda1"),
        ("BlockDeviceMapping.1.Ebs.VolumeSize", "50"),
        ("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true"),
        ("BlockDeviceMapping.2.DeviceName", "/dev/sdb"),
        ("BlockDeviceMapping.2.Ebs.VolumeSize", "100"),
        ("BlockDeviceMapping.2.Ebs.DeleteOnTermination", "false"),
        ("TagSpecification.1.ResourceType", "volume"),
        ("TagSpecification.1.Tag.1.Key", "a"),
        ("TagSpecification.1.Tag.1.Value", "b"),
    ];
    let id = machine_with(&mut desk, &ask);
    assert_eq!(run(&mut desk, &ask), Err("InvalidNetworkInterface.InUse".to_owned()));
    let tagged = [("Filter.1.Name", "tag:a"), ("Filter.1.Value.1", "b")];
    assert_eq!(desk.ok("DescribeVolumes", &tagged)["volumeSet"].as_array().map(Vec::len), Some(2));
    desk.wait(60_000);
    desk.ok("TerminateInstances", &[("InstanceId.1", &id)]);
    desk.wait(200_000);
    let left = desk.ok("DescribeVolumes", &[])["volumeSet"].clone();
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    assert_eq!((&left[0]["size"], &left[0]["status"]), (&json!(100), &json!("available")));
    let left = desk.ok("DescribeNetworkInterfaces", &[])["networkInterfaceSet"].clone();
    assert_eq!((&left[0]["networkInterfaceId"], &left[0]["status"]), (&json!(interface), &json!("available")));
}

#[test]
fn the_token_of_a_machine_that_ended_is_refused() {
    let mut desk = ground();
    let ask = with(&[("ClientToken", "t")]);
    let id = machine_with(&mut desk, &ask);
    assert_eq!(machine_with(&mut desk, &ask), id);
    assert_eq!(desk.world.all("instance").count(), 1);
    let other = with(&[("ClientToken", "t"), ("InstanceType", "m7i.xlarge")]);
    assert_eq!(run(&mut desk, &other), Err("IdempotentParameterMismatch".to_owned()));
    desk.ok("TerminateInstances", &[("InstanceId.1", &id)]);
    assert_eq!(run(&mut desk, &ask), Err("IdempotentInstanceTerminated".to_owned()));
}

#[test]
fn a_young_instance_profile_is_not_known_to_ec2() {
    let mut desk = ground_in(Weather { lag_max_ms: 1, lag_p50_ms: 1, throttle: false, ..Weather::default() });
    desk.wait(10);
    let ask = with(&[("IamInstanceProfile.Name", PROFILE)]);
    desk.world.get_mut("instance-profile", PROFILE).expect("a profile").foreign = false;
    assert_eq!(run(&mut desk, &ask), Err("InvalidParameterValue".to_owned()));
    desk.wait(60_000);
    let id = machine_with(&mut desk, &ask);
    desk.wait(10);
    assert!(text(&seen(&mut desk, &id)["iamInstanceProfile"]["arn"]).ends_with("/nodes"));
    let unknown = with(&[("IamInstanceProfile.Name", "none")]);
    assert_eq!(run(&mut desk, &unknown), Err("InvalidParameterValue".to_owned()));
}

#[test]
fn user_data_has_sixteen_kibibytes() {
    let mut desk = ground();
    let packed = |size: usize| base64::engine::general_purpose::STANDARD.encode(vec![b'#'; size]);
    assert_eq!(run(&mut desk, &with(&[("UserData", &packed(16_385))])), Err("InvalidParameterValue".to_owned()));
    assert_eq!(run(&mut desk, &with(&[("UserData", "#!")])), Err("InvalidUserData.Malformed".to_owned()));
    machine_with(&mut desk, &with(&[("UserData", &packed(16_384))]));
}

#[test]
fn a_zone_without_capacity_gives_what_it_has_above_the_minimum() {
    let mut desk = ground();
    let gpu = [("InstanceType", "p5.48xlarge"), ("MinCount", "2"), ("MaxCount", "9")];
    desk.world.weather.capacity.insert(format!("p5.48xlarge/{ZONE}"), 3);
    let made = run(&mut desk, &with(&gpu)).expect("three");
    assert_eq!(made["instancesSet"].as_array().map(Vec::len), Some(3));
    assert_eq!(run(&mut desk, &with(&gpu)), Err("InsufficientInstanceCapacity".to_owned()));
    machine(&mut desk);
}

#[test]
fn quotas_count_machines_and_their_cpus() {
    let mut desk = ground();
    desk.world.weather.quotas.insert("vcpu".to_owned(), 4);
    let first = machine(&mut desk);
    machine(&mut desk);
    assert_eq!(run(&mut desk, &RUN), Err("VcpuLimitExceeded".to_owned()));
    machine_with(&mut desk, &with(&[("InstanceType", "g6.xlarge")]));
    desk.ok("TerminateInstances", &[("InstanceId.1", &first)]);
    machine(&mut desk);
    desk.world.weather.quotas.insert("instance".to_owned(), 3);
    assert_eq!(run(&mut desk, &with(&[("InstanceType", "g6.xlarge")])), Err("InstanceLimitExceeded".to_owned()));
}

#[test]
fn a_launch_template_is_honoured_and_the_request_comes_before_it() {
    let mut desk = ground();
    let template = [
        ("LaunchTemplateName", "demo"),
        ("LaunchTemplateData.InstanceType", "m7i.2xlarge"),
        ("LaunchTemplateData.MetadataOptions.HttpTokens", "required"),
        ("LaunchTemplateData.NetworkInterface.1.DeviceIndex", "0"),
        ("LaunchTemplateData.NetworkInterface.1.SubnetId", SUBNET),
        ("LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1", GROUP),
        ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "of"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Value", "template"),
    ];
    desk.ok("CreateLaunchTemplate", &template);
    let ask = [("MinCount", "1"), ("MaxCount", "1"), ("LaunchTemplate.LaunchTemplateName", "demo")];
    let id = machine_with(&mut desk, &ask);
    let now = seen(&mut desk, &id);
    assert_eq!(
        (&now["instanceType"], &now["metadataOptions"]["httpTokens"]),
        (&json!("m7i.2xlarge"), &json!("required"))
    );
    assert_eq!((&now["groupSet"][0]["groupId"], &now["tagSet"][0]["value"]), (&json!(GROUP), &json!("template")));
    let id = machine_with(&mut desk, &[&ask[..], &[("InstanceType", "m7i.large")]].concat());
    assert_eq!(seen(&mut desk, &id)["instanceType"], "m7i.large");
    let none = [("MinCount", "1"), ("MaxCount", "1"), ("LaunchTemplate.LaunchTemplateId", "lt-1")];
    assert_eq!(run(&mut desk, &none), Err("InvalidLaunchTemplateId.NotFound".to_owned()));
}

#[test]
fn a_machine_that_was_stopped_says_why() {
    let mut desk = ground();
    let id = machine(&mut desk);
    let it = [("InstanceId.1", id.as_str())];
    desk.wait(60_000);
    assert_eq!(seen(&mut desk, &id).get("stateReason"), None);
    desk.ok("StopInstances", &it);
    desk.wait(600_000);
    assert_eq!(seen(&mut desk, &id)["stateReason"]["code"], "Client.UserInitiatedShutdown");
    desk.ok("StartInstances", &it);
    assert_eq!(seen(&mut desk, &id).get("stateReason"), None);
}

#[test]
fn a_machine_stops_and_starts_again() {
    let mut desk = ground();
    let id = machine(&mut desk);
    let it = [("InstanceId.1", id.as_str())];
    assert_eq!(desk.refused("StopInstances", &it), "IncorrectInstanceState", "it is pending");
    desk.wait(60_000);
    assert_eq!(desk.ok("StopInstances", &it)["instancesSet"][0]["currentState"]["name"], "stopping");
    assert_eq!(desk.refused("StartInstances", &it), "IncorrectInstanceState");
    desk.wait(200_000);
    assert_eq!(desk.ok("StopInstances", &it)["instancesSet"][0]["currentState"]["name"], "stopped");
    desk.ok("StartInstances", &it);
    assert_eq!(state_now(&mut desk, &id), "pending");
    desk.wait(60_000);
    assert_eq!(state_now(&mut desk, &id), "running");
}

#[test]
fn a_machine_that_ends_is_not_changed() {
    let mut desk = ground();
    let id = machine(&mut desk);
    let groups = [("InstanceId", id.as_str()), ("GroupId.1", GROUP)];
    let options = [("InstanceId", id.as_str()), ("HttpTokens", "required"), ("HttpPutResponseHopLimit", "2")];
    desk.ok("ModifyInstanceAttribute", &groups);
    desk.ok("ModifyInstanceMetadataOptions", &options);
    let now = seen(&mut desk, &id);
    assert_eq!(now["metadataOptions"]["httpPutResponseHopLimit"], 2);
    desk.ok("TerminateInstances", &[("InstanceId.1", &id)]);
    assert_eq!(desk.refused("ModifyInstanceAttribute", &groups), "IncorrectInstanceState");
    assert_eq!(desk.refused("ModifyInstanceMetadataOptions", &options), "IncorrectInstanceState");
}

#[test]
fn an_accepted_machine_may_end_before_it_runs() {
    let mut desk = ground();
    desk.world.weather.accepted_then_failed = 1.0;
    let id = machine(&mut desk);
    desk.wait(60_000);
    let now = seen(&mut desk, &id);
    assert_eq!(now["instanceState"]["name"], "terminated");
    assert_eq!(now["stateReason"]["code"], "Server.InternalError");
    assert!(desk.world.inventory().is_empty());
}
