use aws_sdk_ec2::types::{
    EbsInstanceBlockDevice, GroupIdentifier, IamInstanceProfile, InstanceBlockDeviceMapping,
    InstanceMetadataOptionsResponse, InstanceNetworkInterfaceAttachment, Tag, VolumeAttachment as Attached,
};
use clusterctl_core::value::{same, sha256_hex};
use expect_test::expect;

use super::*;
use crate::client::testing::{Answer, Recorder, block_on};

fn owner() -> Owner {
    Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() }
}

fn tags(addr: &str) -> Vec<Tag> {
    let pairs = [(names::UID, "0011"), (names::ADDRESS, addr)];
    pairs.map(|(key, value)| Tag::builder().key(key).value(value).build()).into()
}

fn disk(id: &str, addr: &str, size: i32) -> Volume {
    let disk = Volume::builder().volume_id(id).size(size).volume_type("gp3".into()).encrypted(true);
    disk.availability_zone("eu-central-1a").set_tags(Some(tags(addr))).build()
}

fn mapping(device: &str, disk: &str) -> InstanceBlockDeviceMapping {
    let ebs = EbsInstanceBlockDevice::builder().volume_id(disk).delete_on_termination(disk != "vol-etcd").build();
    InstanceBlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
}

fn machine() -> Instance {
    let attachment = InstanceNetworkInterfaceAttachment::builder().device_index(0).build();
    let group = GroupIdentifier::builder().group_id("sg-1").build();
    let nic = InstanceNetworkInterface::builder().network_interface_id("eni-1").attachment(attachment).groups(group);
    let options = InstanceMetadataOptionsResponse::builder()
        .http_endpoint("enabled".into())
        .http_tokens("required".into())
        .http_put_response_hop_limit(1);
    let digest = Tag::builder().key(names::USER_DATA).value(sha256_hex(b"#!/bin/sh")).build();
    Instance::builder()
        .instance_id("i-1")
        .image_id("ami-1")
        .instance_type("m7i.large".into())
        .subnet_id("subnet-1")
        .iam_instance_profile(IamInstanceProfile::builder().arn("arn:aws:iam::1:instance-profile/a/b/cp").build())
        .network_interfaces(nic.build())
        .root_device_name("/dev/sda1")
        .block_device_mappings(mapping("/dev/sdf", "vol-etcd"))
        .block_device_mappings(mapping("/dev/sdb", "vol-data"))
        .block_device_mappings(mapping("/dev/sda1", "vol-root"))
        .metadata_options(options.build())
        .set_tags(Some(tags("aws_instance.cp-0")))
        .tags(digest)
        .build()
}

#[test]
fn a_machine_has_its_own_disks_and_not_the_one_that_outlives_it() {
    let disks = [
        disk("vol-etcd", "aws_ebs_volume.cp-0", 20),
        disk("vol-data", "aws_instance.cp-0", 50),
        disk("vol-root", "aws_instance.cp-0", 30),
    ];
    let live = live_instance(&machine(), &by_id(&disks));
    let want = json!({
        "ami": "ami-1",
        "instance_type": "m7i.large",
        "primary_network_interface": {"network_interface_id": "eni-1"},
        "subnet_id": "subnet-1",
        "vpc_security_group_ids": ["sg-1"],
        "associate_public_ip_address": false,
        "iam_instance_profile": "cp",
        "user_data_base64": {"$text": ["#!/bin/sh"], "$encoding": "gzip+base64"},
        "root_block_device": {"volume_size": 30, "volume_type": "gp3", "encrypted": true},
        "ebs_block_device": [{"device_name": "/dev/sdb", "volume_size": 50, "volume_type": "gp3", "encrypted": true}],
        "metadata_options": MetadataOptions::strict(),
        "tags": {"clusterctl.dev/uid": "0011"},
    });
    assert!(same(&want, &live.args), "{}", live.args);
    assert_eq!(live.id, "i-1");
}

#[test]
fn nothing_is_said_of_disks_that_are_not_listed_yet() {
    let unseen = |machine: &Instance, disks: &[Volume]| {
        live_instance(machine, &by_id(disks)).unseen.into_iter().collect::<Vec<_>>().join(" ")
    };
    let (root, data) = (disk("vol-root", "aws_instance.cp-0", 30), disk("vol-data", "aws_instance.cp-0", 50));
    assert_eq!(unseen(&machine(), &[root.clone(), data.clone()]), "", "the one that outlives it is none of them");
    assert_eq!(unseen(&machine(), &[root]), "ebs_block_device");
    assert_eq!(unseen(&machine(), &[data]), "root_block_device");
    let state = aws_sdk_ec2::types::InstanceState::builder().name(InstanceStateName::Pending).build();
    let starting = Instance::builder().instance_id("i-1").root_device_name("/dev/sda1").state(state).build();
    assert_eq!(unseen(&starting, &[]), "ebs_block_device root_block_device");
}

#[test]
fn a_disk_tells_its_attachment_until_it_is_let_go() {
    let tie = |state: VolumeAttachmentState| {
        let tie = Attached::builder().instance_id("i-1").device("/dev/sdf").state(state).build();
        live_attachment(&Volume::builder().volume_id("vol-1").attachments(tie).build())
    };
    let live = tie(VolumeAttachmentState::Attaching).expect("attached");
    assert_eq!((live.id.as_str(), live.outputs.get("volume_id")), ("vol-1:i-1", Some(&json!("vol-1"))));
    assert_eq!(tie(VolumeAttachmentState::Detaching), None);
    assert_eq!(live_attachment(&disk("vol-1", "aws_ebs_volume.cp-0", 20)), None);
}

/// Nothing of anything.
fn empty() -> (Client, std::sync::Arc<Recorder>) {
    let nothing = |call| (call, Answer::new(200, &format!("<{call}Response/>")));
    Recorder::by_action(["DescribeNetworkInterfaces", "DescribeInstances", "DescribeVolumes"].map(nothing))
}

fn asked(scope: &Scope) -> Vec<String> {
    let (client, recorder) = empty();
    assert_eq!(block_on(observe(&client, &owner(), scope)).expect("observed"), Found::new());
    let mut actions = recorder.actions();
    actions.sort();
    actions
}

#[test]
fn only_what_was_intended_is_read() {
    let kinds = |kinds: &[&str]| Scope::Kinds(kinds.iter().map(|kind| (*kind).to_owned()).collect());
    assert_eq!(asked(&kinds(&["aws_vpc"])), [""; 0]);
    assert_eq!(asked(&kinds(&["aws_ebs_volume"])), ["DescribeVolumes"]);
    assert_eq!(asked(&kinds(&["aws_instance"])), ["DescribeInstances", "DescribeVolumes"]);
    assert_eq!(asked(&Scope::Everything), ["DescribeInstances", "DescribeNetworkInterfaces", "DescribeVolumes"]);
}

#[test]
fn machines_and_disks_of_node_groups_are_not_read() {
    let (client, recorder) = empty();
    block_on(observe(&client, &owner(), &Scope::Everything)).expect("observed");
    let mut lines: Vec<String> = (0..3).map(|index| recorder.line(index)).collect();
    lines.sort();
    expect![[r#"
        Filter.1.Name=tag:clusterctl.dev/uid Filter.1.Value.1=0011 Filter.2.Name=tag:clusterctl.dev/address Filter.2.Value.1=aws_ebs_volume.* Filter.2.Value.2=aws_instance.* MaxResults=1000
        Filter.1.Name=tag:clusterctl.dev/uid Filter.1.Value.1=0011 Filter.2.Name=tag:clusterctl.dev/address Filter.2.Value.1=aws_instance.* Filter.3.Name=instance-state-name Filter.3.Value.1=pending Filter.3.Value.2=running Filter.3.Value.3=stopping Filter.3.Value.4=stopped MaxResults=1000
        Filter.1.Name=tag:clusterctl.dev/uid Filter.1.Value.1=0011 Filter.2.Name=tag:clusterctl.dev/address Filter.2.Value.1=aws_network_interface.* MaxResults=1000"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_carries_our_tags_but_another_kind_is_not_ours() {
    let body = "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><tagSet>\
                <item><key>clusterctl.dev/uid</key><value>0011</value></item>\
                <item><key>clusterctl.dev/address</key><value>aws_instance.bastion</value></item>\
                </tagSet></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>";
    let (client, _) = Recorder::by_action([("DescribeNetworkInterfaces", Answer::new(200, body))]);
    let scope = Scope::Kinds(["aws_network_interface".to_owned()].into());
    assert_eq!(block_on(observe(&client, &owner(), &scope)).expect("observed"), Found::new());
}
