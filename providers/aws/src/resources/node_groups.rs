//! Launch templates and autoscaling groups.

use std::collections::BTreeSet;

use clusterctl_core::graph::{Kind, Ownership, Resource};
use clusterctl_core::value::{Input, Text};
use serde::{Deserialize, Serialize};

use super::control_plane::MetadataOptions;
use super::{
    CapacityReservationId, GroupName, ImageId, KeyName, LaunchTemplateId, PlacementGroupName, ProfileName,
    SecurityGroupId, SubnetId, Tags, outputs,
};

pub static PLACEMENT_GROUP: Kind =
    Kind { forces_new: &["name", "strategy"], identity: &["id"], ..Kind::new("aws_placement_group") };

/// Its id is its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlacementGroup {
    pub name: String,
    pub strategy: String,
    pub tags: Tags,
}

outputs!(PlacementGroupOut { name: PlacementGroupName });
impl Resource for PlacementGroup {
    const KIND: &'static Kind = &PLACEMENT_GROUP;
    type Out = PlacementGroupOut;
}

pub static LAUNCH_TEMPLATE: Kind = Kind {
    sets: &["security_groups", "tag_specifications"],
    forces_new: &["name"],
    blocks: &[
        "iam_instance_profile",
        "network_interfaces",
        "block_device_mappings",
        "ebs",
        "metadata_options",
        "placement",
        "capacity_reservation_specification",
        "capacity_reservation_target",
        "tag_specifications",
    ],
    seconds: (1.0, 1.0),
    ..Kind::new("aws_launch_template")
};

/// What a machine of a group is. A change is a new version, which becomes the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    pub name: String,
    pub image_id: Input<ImageId>,
    pub instance_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<Input<KeyName>>,
    pub user_data: Text,
    pub iam_instance_profile: ProfileRef,
    pub network_interfaces: Vec<LaunchInterface>,
    pub block_device_mappings: Vec<BlockDeviceMapping>,
    pub metadata_options: MetadataOptions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_reservation_specification: Option<CapacityReservationSpecification>,
    pub tag_specifications: Vec<TagSpecification>,
    pub update_default_version: bool,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileRef {
    pub name: Input<ProfileName>,
}

/// An interface that is made with the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchInterface {
    pub device_index: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_card_index: Option<i32>,
    /// `efa` or `efa-only`; absent is an ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_type: Option<String>,
    /// `"true"` or `"false"`, as the provider spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associate_public_ip_address: Option<String>,
    pub delete_on_termination: String,
    pub security_groups: BTreeSet<Input<SecurityGroupId>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockDeviceMapping {
    pub device_name: String,
    pub ebs: LaunchDisk,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchDisk {
    /// GiB.
    pub volume_size: i32,
    pub volume_type: String,
    /// `"true"` or `"false"`, as the provider spells it.
    pub encrypted: String,
    pub delete_on_termination: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    pub group_name: Input<PlacementGroupName>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityReservationSpecification {
    pub capacity_reservation_target: CapacityReservationTarget,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityReservationTarget {
    pub capacity_reservation_id: Input<CapacityReservationId>,
}

/// Tags of what the template launches: `instance`, `volume`, `network-interface`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagSpecification {
    pub resource_type: String,
    pub tags: Tags,
}

outputs!(LaunchTemplateOut { id: LaunchTemplateId });
impl Resource for LaunchTemplate {
    const KIND: &'static Kind = &LAUNCH_TEMPLATE;
    type Out = LaunchTemplateOut;
}

pub static AUTOSCALING_GROUP: Kind = Kind {
    sets: &["vpc_zone_identifier", "tag"],
    machines: true,
    forces_new: &["name"],
    blocks: &[
        "mixed_instances_policy",
        "launch_template",
        "launch_template_specification",
        "override",
        "instances_distribution",
        "tag",
    ],
    write_only: &["force_delete", "wait_for_capacity_timeout"],
    awaited: true,
    persists: true,
    seconds: (60.0, 120.0),
    ..Kind::new("aws_autoscaling_group")
};

/// A node group. How many machines it has between the bounds is the autoscaler's business and not managed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AutoscalingGroup {
    pub name: String,
    pub min_size: i32,
    pub max_size: i32,
    pub vpc_zone_identifier: BTreeSet<Input<SubnetId>>,
    pub capacity_rebalance: bool,
    pub mixed_instances_policy: MixedInstancesPolicy,
    /// Sorted by key.
    pub tag: Vec<GroupTag>,
    pub force_delete: bool,
    /// `"0"`: Terraform does not wait either.
    pub wait_for_capacity_timeout: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixedInstancesPolicy {
    pub launch_template: MixedLaunchTemplate,
    pub instances_distribution: InstancesDistribution,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixedLaunchTemplate {
    pub launch_template_specification: LaunchTemplateSpecification,
    /// In order of preference.
    pub r#override: Vec<Override>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchTemplateSpecification {
    pub launch_template_id: Input<LaunchTemplateId>,
    /// `$Latest`, so that a new version of the template is no change of the group.
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Override {
    pub instance_type: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstancesDistribution {
    pub on_demand_base_capacity: i32,
    /// 0 is all spot, 100 all on-demand.
    pub on_demand_percentage_above_base_capacity: i32,
    pub on_demand_allocation_strategy: String,
    pub spot_allocation_strategy: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupTag {
    pub key: String,
    pub value: String,
    pub propagate_at_launch: bool,
}

outputs!(AutoscalingGroupOut { name: GroupName });
impl Resource for AutoscalingGroup {
    const KIND: &'static Kind = &AUTOSCALING_GROUP;
    type Out = AutoscalingGroupOut;
}

/// The newest image of a publisher, looked up by Terraform where no account was asked.
pub static IMAGE: Kind = Kind { ownership: Ownership::Child, blocks: &["filter"], ..Kind::new("data.aws_ami") };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    pub most_recent: bool,
    pub owners: Vec<String>,
    pub filter: Vec<ImageFilter>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageFilter {
    pub name: String,
    pub values: BTreeSet<String>,
}

outputs!(ImageOut { id: ImageId });
impl Resource for Image {
    const KIND: &'static Kind = &IMAGE;
    type Out = ImageOut;
}
