//! A control-plane node is a fixed address, a disk for etcd and a replaceable machine; and the bastion.

use std::collections::BTreeSet;

use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Bastion, ControlPlaneNode, IdentityRole, Machine, Role, Visibility};
use clusterctl_core::graph::{Concern, Resource as _};
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::Input;

use super::identity::Profiles;
use super::load_balancer::{Balancer, number};
use super::network::Net;
use super::security::Roles;
use super::{Endpoint, Lowering, user_data, with_digest};
use crate::names::destination;
use crate::resources::control_plane::{
    EbsBlockDevice, EbsVolume, Instance, MetadataOptions, NetworkInterface, PrimaryNetworkInterface, RootBlockDevice,
    VolumeAttachment,
};
use crate::resources::load_balancer::TargetGroupAttachment;
use crate::resources::network::{Eip, Route};
use crate::resources::{KeyName, SecurityGroupId};

/// What machines are put among.
pub(crate) struct Surroundings<'a> {
    pub(crate) net: &'a Net,
    pub(crate) roles: &'a Roles,
    pub(crate) balancer: &'a Balancer,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) profiles: &'a Profiles,
    pub(crate) key: Option<&'a Input<KeyName>>,
}

/// Where the etcd disk is attached; on the machine it is found by its volume id.
const ETCD_DEVICE: &str = "/dev/sdf";
/// Where the empty disk for containerd is attached.
pub(super) const DATA_DEVICE: &str = "/dev/sdb";
pub(super) const DISK_TYPE: &str = "gp3";
/// Replaced one after another.
const ROLL: &str = "control-plane";

pub(super) fn lower(
    to: &mut Lowering<'_>,
    nodes: &[ControlPlaneNode],
    among: &Surroundings<'_>,
) -> Result<(), LowerError> {
    for node in nodes {
        one(to, node, among)?;
    }
    Ok(())
}

fn one(to: &mut Lowering<'_>, node: &ControlPlaneNode, among: &Surroundings<'_>) -> Result<(), LowerError> {
    let ControlPlaneNode { name, zone, address, pods, machine, etcd_disk, config } = node;
    let at = Concern::ControlPlane;
    let groups: BTreeSet<Input<SecurityGroupId>> =
        [among.roles[&Role::Node].clone(), among.roles[&Role::ControlPlane].clone()].into();
    let interface = to.add(
        at,
        name,
        &NetworkInterface {
            subnet_id: among.net.nodes[zone].clone(),
            description: format!("{name} of cluster {}", to.owner.cluster),
            private_ips: address.map(|address| [address.to_string()].into()),
            security_groups: groups,
            // A machine that forwards for its pods sends and gets packets that are not its own.
            source_dest_check: pods.is_none(),
            tags: to.tags::<NetworkInterface>(name),
        },
    )?;
    if machine.address == Visibility::Public {
        let eip =
            Eip { domain: "vpc".into(), network_interface: Some(interface.id.clone()), tags: to.tags::<Eip>(name) };
        to.add(at, name, &eip)?;
    }
    if let Some(pods) = pods {
        for (table, id) in &among.net.tables {
            let route = Route {
                route_table_id: id.clone(),
                destination_cidr_block: pods.to_string(),
                gateway_id: None,
                nat_gateway_id: None,
                network_interface_id: Some(interface.id.clone()),
            };
            to.add(Concern::Network, &format!("{table}-{}", destination(&pods.to_string())), &route)?;
        }
    }
    let volume = to.add(
        at,
        name,
        &EbsVolume {
            availability_zone: zone.clone(),
            size: number(*etcd_disk),
            r#type: DISK_TYPE.into(),
            encrypted: true,
            tags: to.tags::<EbsVolume>(name),
        },
    )?;
    let script = user_data(config, among.endpoint, Some(&volume.id))?;
    let instance = Instance {
        primary_network_interface: Some(PrimaryNetworkInterface { network_interface_id: interface.id.clone() }),
        iam_instance_profile: Some(among.profiles[&IdentityRole::ControlPlane].clone()),
        user_data_base64: Some(script.clone()),
        user_data_replace_on_change: Some(true),
        tags: with_digest(to.tags::<Instance>(name), &script),
        ..plain(to, machine, among)?
    };
    let instance = to.add(at, name, &instance)?;
    to.add(
        at,
        name,
        &VolumeAttachment {
            stop_instance_before_detaching: Some(true),
            device_name: ETCD_DEVICE.into(),
            instance_id: instance.id,
            volume_id: volume.id,
        },
    )?;
    to.add(
        at,
        name,
        &TargetGroupAttachment {
            target_group_arn: among.balancer.targets.clone(),
            target_id: interface.private_ip,
            port: among.balancer.port,
        },
    )?;
    for kind in [Instance::KIND.name, VolumeAttachment::KIND.name, TargetGroupAttachment::KIND.name] {
        if let Some(part) = to.graph.node_mut(&Addr::new(kind, name)) {
            part.roll = Some(ROLL.to_owned());
        }
    }
    Ok(())
}

/// What every machine has.
fn plain(to: &mut Lowering<'_>, machine: &Machine, among: &Surroundings<'_>) -> Result<Instance, LowerError> {
    let Machine { r#type, arch, root_disk, data_disk, image, address: _ } = machine;
    Ok(Instance {
        ami: to.image(arch, image.as_deref())?,
        instance_type: r#type.clone(),
        primary_network_interface: None,
        subnet_id: None,
        vpc_security_group_ids: None,
        associate_public_ip_address: None,
        iam_instance_profile: None,
        key_name: among.key.cloned(),
        user_data_base64: None,
        user_data_replace_on_change: None,
        root_block_device: RootBlockDevice {
            volume_size: number(*root_disk),
            volume_type: DISK_TYPE.into(),
            encrypted: true,
        },
        ebs_block_device: data_disk
            .map(|size| EbsBlockDevice {
                device_name: DATA_DEVICE.into(),
                volume_size: number(size),
                volume_type: DISK_TYPE.into(),
                encrypted: true,
            })
            .into_iter()
            .collect(),
        metadata_options: MetadataOptions::strict(),
        tags: Default::default(),
    })
}

pub(super) fn bastion(to: &mut Lowering<'_>, bastion: &Bastion, among: &Surroundings<'_>) -> Result<(), LowerError> {
    let Bastion { machine, zone } = bastion;
    let name = "bastion";
    let instance = Instance {
        subnet_id: Some(among.net.public[zone].clone()),
        vpc_security_group_ids: Some([among.roles[&Role::Bastion].clone()].into()),
        associate_public_ip_address: Some(true),
        tags: to.tags::<Instance>(name),
        ..plain(to, machine, among)?
    };
    to.add(Concern::Security, name, &instance)?;
    Ok(())
}
