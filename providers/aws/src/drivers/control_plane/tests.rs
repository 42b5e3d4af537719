//! What is sent, and what is made of the answers.

use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{AnyDriver, Call, Fault, Live, Owner, Progress};
use expect_test::expect;
use serde_json::{Value, json};

use super::drivers;
use crate::client::Client;
use crate::client::testing::{Answer, Recorder, block_on};
use crate::names;
use crate::observe::control_plane::attachment_of;

fn call(addr: &str) -> Call {
    let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
    Call { addr: addr.parse().expect("an address"), owner, token: "t0ken".to_owned() }
}

fn driver(client: &Client, addr: &str) -> Box<dyn AnyDriver> {
    let addr: Addr = addr.parse().expect("an address");
    drivers(client).into_iter().find(|(kind, _)| *kind == addr.kind).expect("a driver").1
}

fn tags(addr: &str) -> Value {
    let addr = addr.parse().expect("an address");
    serde_json::to_value(names::tags("demo", "0011", &addr, &BTreeMap::new())).expect("data")
}

fn machine(addr: &str) -> Value {
    json!({
        "ami": "ami-1",
        "instance_type": "m7i.large",
        "root_block_device": {"volume_size": 30, "volume_type": "gp3", "encrypted": true},
        "metadata_options": {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        "tags": tags(addr),
    })
}

const IMAGES: &str = "<DescribeImagesResponse><imagesSet><item><imageId>ami-1</imageId><rootDeviceName>/dev/xvda</rootDeviceName>\
                      </item></imagesSet></DescribeImagesResponse>";
const STARTED: &str = "<RunInstancesResponse><instancesSet><item><instanceId>i-1</instanceId></item></instancesSet></RunInstancesResponse>";

#[test]
fn a_machine_keeps_its_interface_and_its_disks_carry_the_owner() {
    let (client, recorder) = Recorder::client([Answer::new(200, IMAGES), Answer::new(200, STARTED)]);
    let mut want = machine("aws_instance.cp-0");
    want["primary_network_interface"] = json!({"network_interface_id": "eni-1"});
    want["iam_instance_profile"] = json!("cp");
    want["user_data_base64"] = json!("IyEvYmluL3No");
    let addr = "aws_instance.cp-0";
    let live = block_on(driver(&client, addr).create(&call(addr), &want)).expect("made");
    assert_eq!(live.id, "i-1");
    assert_eq!(recorder.actions(), ["DescribeImages", "RunInstances"]);
    expect![[r#"
        BlockDeviceMapping.1.DeviceName=/dev/xvda
        BlockDeviceMapping.1.Ebs.DeleteOnTermination=true
        BlockDeviceMapping.1.Ebs.Encrypted=true
        BlockDeviceMapping.1.Ebs.VolumeSize=30
        BlockDeviceMapping.1.Ebs.VolumeType=gp3
        ClientToken=t0ken
        IamInstanceProfile.Name=cp
        ImageId=ami-1
        InstanceType=m7i.large
        MaxCount=1
        MetadataOptions.HttpEndpoint=enabled
        MetadataOptions.HttpPutResponseHopLimit=1
        MetadataOptions.HttpTokens=required
        MinCount=1
        NetworkInterface.1.DeviceIndex=0
        NetworkInterface.1.NetworkInterfaceId=eni-1
        TagSpecification.1.ResourceType=instance
        TagSpecification.2.ResourceType=volume
        UserData=IyEvYmluL3No"#]]
    .assert_eq(&without_tags(&recorder, 1));
}

fn without_tags(recorder: &Recorder, index: usize) -> String {
    let line = recorder.line(index);
    let fields: Vec<&str> = line.split(' ').filter(|field| !field.contains(".Tag.")).collect();
    fields.join("\n")
}

#[test]
fn a_bastion_gets_an_interface_that_goes_with_it() {
    let (client, recorder) = Recorder::client([Answer::new(200, IMAGES), Answer::new(200, STARTED)]);
    let addr = "aws_instance.bastion";
    let mut want = machine(addr);
    want["subnet_id"] = json!("subnet-1");
    want["vpc_security_group_ids"] = json!(["sg-1"]);
    want["associate_public_ip_address"] = json!(true);
    block_on(driver(&client, addr).create(&call(addr), &want)).expect("made");
    let sent = without_tags(&recorder, 1);
    let about: Vec<&str> =
        sent.lines().filter(|l| l.starts_with("NetworkInterface") || l.ends_with("network-interface")).collect();
    assert_eq!(
        about,
        [
            "NetworkInterface.1.AssociatePublicIpAddress=true",
            "NetworkInterface.1.DeleteOnTermination=true",
            "NetworkInterface.1.DeviceIndex=0",
            "NetworkInterface.1.SecurityGroupId.1=sg-1",
            "NetworkInterface.1.SubnetId=subnet-1",
            "TagSpecification.3.ResourceType=network-interface",
        ]
    );
}

#[test]
fn the_image_is_asked_for_its_root_device_once() {
    let answers = [("DescribeImages", Answer::new(200, IMAGES)), ("RunInstances", Answer::new(200, STARTED))];
    let (client, recorder) = Recorder::by_action(answers);
    let driver = driver(&client, "aws_instance.cp-0");
    let (one, two) = (machine("aws_instance.cp-0"), machine("aws_instance.cp-1"));
    let both = block_on(async {
        let calls = (call("aws_instance.cp-0"), call("aws_instance.cp-1"));
        futures::join!(driver.create(&calls.0, &one), driver.create(&calls.1, &two))
    });
    assert!(both.0.is_ok() && both.1.is_ok());
    let asked = recorder.actions().iter().filter(|action| *action == "DescribeImages").count();
    assert_eq!(asked, 1);
}

#[test]
fn a_machine_that_ended_by_itself_says_why() {
    let ended = |code: &str| {
        let body = format!(
            "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>\
             <instanceState><name>terminated</name></instanceState>\
             <stateReason><code>{code}</code><message>words</message></stateReason>\
             </item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
        );
        let (client, _) = Recorder::client([Answer::new(200, &body)]);
        let addr = "aws_instance.cp-0";
        let ready = block_on(driver(&client, addr).ready(&call(addr), &Live::new("i-1"), &machine(addr)));
        ready.expect_err("ended").fault
    };
    assert_eq!(ended("Server.InsufficientInstanceCapacity"), Fault::Capacity);
    assert_eq!(ended("Client.VolumeLimitExceeded"), Fault::Quota);
    assert_eq!(ended("Client.InternalError"), Fault::Permanent);
}

#[test]
fn an_interface_in_use_is_waited_for() {
    let delete = |answer| {
        let (client, _) = Recorder::client([answer]);
        let addr = "aws_network_interface.cp-0";
        block_on(driver(&client, addr).delete(&call(addr), &Live::new("eni-1")))
    };
    let used = Answer::error(400, "InvalidParameterValue", "Network interface 'eni-1' is currently in use.");
    assert_eq!(delete(used).expect_err("in use").fault, Fault::NotReady);
    assert_eq!(delete(Answer::error(400, "InvalidNetworkInterfaceID.NotFound", "")), Ok(()));
    let wrong = Answer::error(400, "InvalidParameterValue", "Value (x) for parameter y is invalid");
    assert_eq!(delete(wrong).expect_err("wrong").fault, Fault::Permanent);
}

#[test]
fn the_source_check_is_put_right_when_the_interface_is_there() {
    let interface = |status: &str, check: bool| {
        format!(
            "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><status>{status}</status>\
             <sourceDestCheck>{check}</sourceDestCheck></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>"
        )
    };
    let addr = "aws_network_interface.cp-0";
    let want = json!({
        "subnet_id": "subnet-1", "description": "d", "private_ips": ["10.0.0.10"], "security_groups": ["sg-1"],
        "source_dest_check": false, "tags": tags(addr),
    });
    let ready = |answers: Vec<Answer>| {
        let (client, recorder) = Recorder::client(answers);
        let progress = block_on(driver(&client, addr).ready(&call(addr), &Live::new("eni-1"), &want)).expect("read");
        (matches!(progress, Progress::Done(_)), recorder.actions())
    };
    let (describe, modify) = ("DescribeNetworkInterfaces".to_owned(), "ModifyNetworkInterfaceAttribute".to_owned());
    let pending = vec![Answer::new(200, &interface("pending", true))];
    assert_eq!(ready(pending), (false, vec![describe.clone()]));
    let unseen = vec![Answer::error(400, "InvalidNetworkInterfaceID.NotFound", "")];
    assert_eq!(ready(unseen), (false, vec![describe.clone()]), "an id is visible only after a while");
    let on = vec![
        Answer::new(200, &interface("available", true)),
        Answer::new(
            200,
            "<ModifyNetworkInterfaceAttributeResponse><return>true</return></ModifyNetworkInterfaceAttributeResponse>",
        ),
    ];
    assert_eq!(ready(on), (true, vec![describe.clone(), modify]));
    let off = vec![Answer::new(200, &interface("available", false))];
    assert_eq!(ready(off), (true, vec![describe]));
}

const TIE: &str = "aws_volume_attachment.cp-0";

fn detach(answers: Vec<Answer>) -> (Result<(), Fault>, Vec<String>) {
    let (client, recorder) = Recorder::client(answers);
    let live = attachment_of("vol-1", "i-1", "/dev/sdf");
    let result = block_on(driver(&client, TIE).delete(&call(TIE), &live));
    (result.map_err(|error| error.fault), recorder.actions())
}

#[test]
fn a_disk_is_detached_only_from_a_machine_that_has_stopped() {
    let change = |before: &str, now: &str| {
        let change = format!(
            "<StopInstancesResponse><instancesSet><item><instanceId>i-1</instanceId><currentState><name>{now}</name></currentState>\
             <previousState><name>{before}</name></previousState></item></instancesSet></StopInstancesResponse>"
        );
        Answer::new(200, &change)
    };
    let detached = || Answer::new(200, "<DetachVolumeResponse><status>detaching</status></DetachVolumeResponse>");
    let both = vec!["StopInstances".to_owned(), "DetachVolume".to_owned()];
    assert_eq!(detach(vec![change("running", "stopping")]), (Err(Fault::NotReady), vec!["StopInstances".to_owned()]));
    assert_eq!(detach(vec![change("stopped", "stopped"), detached()]), (Ok(()), both.clone()));
    for gone in ["IncorrectInstanceState", "InvalidInstanceID.NotFound"] {
        assert_eq!(detach(vec![Answer::error(400, gone, ""), detached()]), (Ok(()), both.clone()));
    }
    let available = Answer::error(400, "IncorrectState", "Volume 'vol-1' is in the 'available' state.");
    assert_eq!(detach(vec![change("stopped", "stopped"), available]).0, Ok(()));
    let denied = Answer::error(403, "UnauthorizedOperation", "");
    assert_eq!(detach(vec![denied]), (Err(Fault::Auth), vec!["StopInstances".to_owned()]));
}

#[test]
fn a_disk_that_is_attached_already_is_adopted_when_it_is_ours() {
    let attach = |machine: &str| {
        let disk = format!(
            "<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><attachmentSet><item><instanceId>{machine}</instanceId>\
             <device>/dev/sdf</device><status>attached</status></item></attachmentSet></item></volumeSet></DescribeVolumesResponse>"
        );
        let used = Answer::error(400, "VolumeInUse", "vol-1 is already attached to an instance");
        let (client, _) = Recorder::client([used, Answer::new(200, &disk)]);
        let want = json!({"device_name": "/dev/sdf", "instance_id": "i-1", "volume_id": "vol-1"});
        block_on(driver(&client, TIE).create(&call(TIE), &want))
    };
    assert_eq!(attach("i-1").expect("adopted").id, "vol-1:i-1");
    assert_eq!(attach("i-2").expect_err("another machine has it").code, "VolumeInUse");
}
