//! A machine with a fixed address and a disk that outlives it.

use std::collections::BTreeSet;

use clusterctl_core::graph::{Kind, Ownership, Resource};
use clusterctl_core::value::{Input, Text};
use serde::{Deserialize, Serialize};

use super::{
    ImageId, InstanceId, IpAddress, KeyName, NetworkInterfaceId, ProfileName, SecurityGroupId, SubnetId, Tags,
    VolumeId, outputs,
};

pub static NETWORK_INTERFACE: Kind = Kind {
    sets: &["private_ips", "security_groups"],
    forces_new: &["subnet_id", "private_ips"],
    awaited: true,
    seconds: (1.0, 1.0),
    ..Kind::new("aws_network_interface")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkInterface {
    pub subnet_id: Input<SubnetId>,
    pub description: String,
    /// Exactly one, the fixed address; without it AWS picks one that is free, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ips: Option<BTreeSet<String>>,
    pub security_groups: BTreeSet<Input<SecurityGroupId>>,
    pub source_dest_check: bool,
    pub tags: Tags,
}

outputs!(NetworkInterfaceOut { id: NetworkInterfaceId, private_ip: IpAddress });
impl Resource for NetworkInterface {
    const KIND: &'static Kind = &NETWORK_INTERFACE;
    type Out = NetworkInterfaceOut;
}

/// Its id is good for user-data as soon as it is asked for; attaching waits by itself.
pub static EBS_VOLUME: Kind = Kind {
    forces_new: &["availability_zone", "encrypted"],
    early: &["id"],
    holds_data: true,
    awaited: true,
    seconds: (8.0, 2.0),
    ..Kind::new("aws_ebs_volume")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EbsVolume {
    pub availability_zone: String,
    /// GiB.
    pub size: i32,
    pub r#type: String,
    pub encrypted: bool,
    pub tags: Tags,
}

outputs!(EbsVolumeOut { id: VolumeId });
impl Resource for EbsVolume {
    const KIND: &'static Kind = &EBS_VOLUME;
    type Out = EbsVolumeOut;
}

pub static INSTANCE: Kind = Kind {
    sets: &["vpc_security_group_ids", "ebs_block_device"],
    machines: true,
    forces_new: &[
        "ami",
        "instance_type",
        "primary_network_interface",
        "subnet_id",
        "associate_public_ip_address",
        "iam_instance_profile",
        "key_name",
        "user_data_base64",
        "root_block_device",
        "ebs_block_device",
    ],
    blocks: &["primary_network_interface", "root_block_device", "ebs_block_device", "metadata_options"],
    write_only: &["user_data_replace_on_change"],
    awaited: true,
    seconds: (14.0, 40.0),
    ..Kind::new("aws_instance")
};

/// A machine: with an interface of its own, or in a subnet with security groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub ami: Input<ImageId>,
    pub instance_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_network_interface: Option<PrimaryNetworkInterface>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<Input<SubnetId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_security_group_ids: Option<BTreeSet<Input<SecurityGroupId>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associate_public_ip_address: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam_instance_profile: Option<Input<ProfileName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<Input<KeyName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data_base64: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data_replace_on_change: Option<bool>,
    pub root_block_device: RootBlockDevice,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ebs_block_device: Vec<EbsBlockDevice>,
    pub metadata_options: MetadataOptions,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrimaryNetworkInterface {
    pub network_interface_id: Input<NetworkInterfaceId>,
}

/// The disk the image is on. It goes with the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RootBlockDevice {
    /// GiB.
    pub volume_size: i32,
    pub volume_type: String,
    pub encrypted: bool,
}

/// A further, empty disk that goes with the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EbsBlockDevice {
    pub device_name: String,
    /// GiB.
    pub volume_size: i32,
    pub volume_type: String,
    pub encrypted: bool,
}

/// IMDSv2 only, one hop: pods do not reach it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetadataOptions {
    pub http_endpoint: String,
    pub http_tokens: String,
    pub http_put_response_hop_limit: i32,
}

impl MetadataOptions {
    #[must_use]
    pub fn strict() -> Self {
        Self { http_endpoint: "enabled".into(), http_tokens: "required".into(), http_put_response_hop_limit: 1 }
    }
}

outputs!(InstanceOut { id: InstanceId });
impl Resource for Instance {
    const KIND: &'static Kind = &INSTANCE;
    type Out = InstanceOut;
}

pub static VOLUME_ATTACHMENT: Kind = Kind {
    machines: true,
    ownership: Ownership::Child,
    forces_new: &["device_name", "instance_id", "volume_id"],
    write_only: &["stop_instance_before_detaching"],
    awaited: true,
    seconds: (5.0, 5.0),
    ..Kind::new("aws_volume_attachment")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeAttachment {
    /// A mounted disk would not come off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_instance_before_detaching: Option<bool>,
    pub device_name: String,
    pub instance_id: Input<InstanceId>,
    pub volume_id: Input<VolumeId>,
}

outputs!(VolumeAttachmentOut { volume_id: VolumeId });
impl Resource for VolumeAttachment {
    const KIND: &'static Kind = &VOLUME_ATTACHMENT;
    type Out = VolumeAttachmentOut;
}
