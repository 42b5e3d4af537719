//! A node group is a launch template and an autoscaling group.

use std::collections::{BTreeMap, BTreeSet};

use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Efa, Group, IdentityRole, Machine, Market, Placement, Role, Size, Visibility};
use clusterctl_core::bootstrap::TaintEffect;
use clusterctl_core::graph::{Concern, Resource as _, Rung};
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::Input;
use serde_json::json;

use super::control_plane::{DATA_DEVICE, DISK_TYPE, Surroundings};
use super::load_balancer::number;
use super::{Lowering, user_data};
use crate::names;
use crate::resources::control_plane::MetadataOptions;
use crate::resources::node_groups::{
    AutoscalingGroup, BlockDeviceMapping, CapacityReservationSpecification, CapacityReservationTarget, GroupTag,
    InstancesDistribution, LaunchDisk, LaunchInterface, LaunchTemplate, LaunchTemplateSpecification,
    MixedInstancesPolicy, MixedLaunchTemplate, Override, Placement as LaunchPlacement, PlacementGroup, ProfileRef,
    TagSpecification,
};
use crate::resources::{PlacementGroupName, TagValue};

/// The root device of Canonical's images.
const ROOT_DEVICE: &str = "/dev/sda1";

pub(super) fn lower(to: &mut Lowering<'_>, groups: &[Group], among: &Surroundings<'_>) -> Result<(), LowerError> {
    for group in groups {
        one(to, group, among)?;
    }
    Ok(())
}

fn one(to: &mut Lowering<'_>, group: &Group, among: &Surroundings<'_>) -> Result<(), LowerError> {
    let Group {
        name,
        machine,
        alternatives,
        zones,
        min,
        max,
        ladder,
        rung,
        config: _,
        size: _,
        placement,
        efa: _,
        reservation: _,
    } = group;
    let placed = placement.map(|placement| placement_group(to, name, placement)).transpose()?;
    let template = template(to, group, among, placed)?;
    let template = to.add(Concern::NodeGroups, name, &template)?.id;
    let market = ladder.get(*rung).copied().unwrap_or(Market::OnDemand);
    let autoscaling = AutoscalingGroup {
        name: to.fit::<AutoscalingGroup>(name, 255),
        min_size: number(*min),
        max_size: number(*max),
        vpc_zone_identifier: zones.iter().filter_map(|zone| among.net.nodes.get(zone).cloned()).collect(),
        capacity_rebalance: ladder.contains(&Market::Spot),
        mixed_instances_policy: MixedInstancesPolicy {
            launch_template: MixedLaunchTemplate {
                launch_template_specification: LaunchTemplateSpecification {
                    launch_template_id: template,
                    version: "$Latest".into(),
                },
                r#override: std::iter::once(&machine.r#type)
                    .chain(alternatives)
                    .map(|r#type| Override { instance_type: r#type.clone() })
                    .collect(),
            },
            instances_distribution: InstancesDistribution {
                on_demand_base_capacity: 0,
                on_demand_percentage_above_base_capacity: on_demand(market),
                on_demand_allocation_strategy: "prioritized".into(),
                spot_allocation_strategy: "price-capacity-optimized".into(),
            },
        },
        tag: group_tags(to, group),
        force_delete: true,
        wait_for_capacity_timeout: "0".into(),
    };
    let addr = to.add(Concern::NodeGroups, name, &autoscaling)?.addr;
    if let Some(node) = to.graph.node_mut(&addr) {
        node.ladder = ladder.iter().skip(rung + 1).map(|market| lower_rung(*market)).collect();
    }
    Ok(())
}

fn on_demand(market: Market) -> i32 {
    match market {
        Market::Spot => 0,
        Market::OnDemand => 100,
    }
}

fn lower_rung(market: Market) -> Rung {
    let percentage = on_demand(market);
    let patch = json!({
        "mixed_instances_policy": {
            "instances_distribution": {"on_demand_percentage_above_base_capacity": percentage},
        },
    });
    Rung { name: market.name().to_owned(), patch }
}

fn placement_group(
    to: &mut Lowering<'_>,
    group: &str,
    placement: Placement,
) -> Result<Input<PlacementGroupName>, LowerError> {
    let strategy = match placement {
        Placement::Cluster => "cluster",
        Placement::Partition => "partition",
        Placement::Spread => "spread",
    };
    let made = PlacementGroup {
        name: to.fit::<PlacementGroup>(group, 255),
        strategy: strategy.into(),
        tags: to.tags::<PlacementGroup>(group),
    };
    Ok(to.add(Concern::NodeGroups, group, &made)?.name)
}

fn template(
    to: &mut Lowering<'_>,
    group: &Group,
    among: &Surroundings<'_>,
    placed: Option<Input<PlacementGroupName>>,
) -> Result<LaunchTemplate, LowerError> {
    let Group { name, machine, config, efa, reservation, .. } = group;
    let Machine { r#type, arch, root_disk, data_disk, image, address } = machine;
    let disk = |device: &str, size: u32| BlockDeviceMapping {
        device_name: device.to_owned(),
        ebs: LaunchDisk {
            volume_size: number(size),
            volume_type: DISK_TYPE.into(),
            encrypted: "true".into(),
            delete_on_termination: "true".into(),
        },
    };
    // What the template launches belongs to the group.
    let mut launched =
        names::tags(&to.owner.cluster, &to.owner.uid, &Addr::new(AutoscalingGroup::KIND.name, name), &BTreeMap::new());
    launched.insert(format!("kubernetes.io/cluster/{}", to.owner.cluster), TagValue::from("owned"));
    Ok(LaunchTemplate {
        name: to.fit::<LaunchTemplate>(name, 128),
        image_id: to.image(arch, image.as_deref())?,
        instance_type: r#type.clone(),
        key_name: among.key.cloned(),
        user_data: user_data(config, among.endpoint, None)?,
        iam_instance_profile: ProfileRef { name: among.profiles[&IdentityRole::Worker].clone() },
        network_interfaces: vec![LaunchInterface {
            device_index: 0,
            network_card_index: None,
            interface_type: match efa {
                Efa::Yes => Some("efa".into()),
                Efa::No => None,
            },
            associate_public_ip_address: Some(match address {
                Visibility::Public => "true".into(),
                Visibility::Private => "false".into(),
            }),
            delete_on_termination: "true".into(),
            security_groups: BTreeSet::from([among.roles[&Role::Node].clone()]),
        }],
        block_device_mappings: std::iter::once(disk(ROOT_DEVICE, *root_disk))
            .chain(data_disk.map(|size| disk(DATA_DEVICE, size)))
            .collect(),
        metadata_options: MetadataOptions::strict(),
        placement: placed.map(|group_name| LaunchPlacement { group_name }),
        capacity_reservation_specification: reservation.as_ref().map(|id| CapacityReservationSpecification {
            capacity_reservation_target: CapacityReservationTarget {
                capacity_reservation_id: Input::known(id.clone()),
            },
        }),
        tag_specifications: ["instance", "network-interface", "volume"]
            .map(|resource_type| TagSpecification { resource_type: resource_type.into(), tags: launched.clone() })
            .into(),
        update_default_version: true,
        tags: to.tags::<LaunchTemplate>(name),
    })
}

/// Ours, the user's, and what tells cluster-autoscaler of a group without nodes what a node would be:
/// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md>.
fn group_tags(to: &Lowering<'_>, group: &Group) -> Vec<GroupTag> {
    const AUTOSCALER: &str = "k8s.io/cluster-autoscaler";
    let Size { cpu: _, memory_mib: _, gpu } = &group.size;
    let mut tags: BTreeMap<String, String> = to
        .tags::<AutoscalingGroup>(&group.name)
        .into_iter()
        .filter_map(|(key, value)| if let TagValue::Plain(value) = value { Some((key, value)) } else { None })
        .collect();
    tags.insert(format!("{AUTOSCALER}/enabled"), "true".into());
    tags.insert(format!("{AUTOSCALER}/{}", to.owner.cluster), "owned".into());
    for (label, value) in &group.config.labels {
        tags.insert(format!("{AUTOSCALER}/node-template/label/{label}"), value.clone());
    }
    for taint in &group.config.taints {
        let effect = match taint.effect {
            TaintEffect::NoSchedule => "NoSchedule",
            TaintEffect::PreferNoSchedule => "PreferNoSchedule",
            TaintEffect::NoExecute => "NoExecute",
        };
        tags.insert(format!("{AUTOSCALER}/node-template/taint/{}", taint.key), format!("{}:{effect}", taint.value));
    }
    if let Some((_, count)) = gpu {
        tags.insert(format!("{AUTOSCALER}/node-template/resources/nvidia.com/gpu"), count.to_string());
    }
    tags.into_iter().map(|(key, value)| GroupTag { key, value, propagate_at_launch: false }).collect()
}
