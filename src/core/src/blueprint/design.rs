//! Puts a blueprint together from a cluster and the decisions that were taken for it.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::addresses::{cut, fixed};
use super::firewall::{API_PORT, Facts, table};
use super::node::Common;
use super::types::{
    Api, Bastion, Blueprint, ControlPlaneNode, Dns, Efa, Egress, Group, Health, Identity, IdentityRole, Machine,
    Market, Network, OwnNetwork, Permission, Placement, Size, SourceAddress, Subnet, Visibility, ZoneSubnet,
};
use crate::choices::{self, Choices, Chosen};
use crate::cluster::{self, Cluster};
use crate::spec::words;

/// Decisions that a blueprint needs and that were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DesignError {
    #[error("no machine type was chosen for {0}")]
    NoMachine(String),
    #[error("no zone was chosen")]
    NoZone,
    #[error("{cidr} is too small for {zones} zones: each needs at least two subnets of 16 addresses")]
    TooSmall { cidr: String, zones: usize },
    #[error("the existing network has no {0} subnet")]
    NoSubnet(&'static str),
    #[error("`{0}` is no network")]
    NotACidr(String),
}

/// What a cloud contributes that is no decision.
#[derive(Debug, Clone, Copy)]
pub struct CloudTraits {
    /// Bytes that fit a packet inside its network.
    pub mtu: u16,
}

/// GiB of the disk that the image is on: the system and nothing else.
const ROOT_DISK: u32 = 20;

/// Designs `cluster` with the decisions in `choices`, for the owner `uid`.
///
/// # Errors
/// When a decision is missing or does not fit the cluster.
pub fn design(cluster: &Cluster, choices: &Choices, uid: &str, cloud: CloudTraits) -> Result<Blueprint, DesignError> {
    if choices.zones.is_empty() {
        return Err(DesignError::NoZone);
    }
    let network = network(cluster, choices)?;
    let (nodes, whole) = match &network {
        Network::Own(own) => (own.nodes.iter().map(|s| s.cidr).collect::<Vec<_>>(), own.cidr),
        Network::Existing { nodes, .. } => (nodes.iter().map(|s| s.cidr).collect(), cluster.network.cidr.net()),
    };
    let common =
        Common { cluster, uid, kubernetes: &choices.kubernetes, region: &choices.region, nodes, mtu: cloud.mtu };
    let visibility = visibility(cluster.access.api.visibility);
    let node_address = match cluster.network.topology {
        words::Topology::Public => Visibility::Public,
        words::Topology::Private => Visibility::Private,
    };
    Ok(Blueprint {
        cluster: cluster.name.to_string(),
        region: choices.region.clone(),
        tags: tags(cluster),
        firewall: table(&Facts { access: &cluster.access, visibility, pods: &cluster.network.pods, network: whole }),
        api: Api {
            visibility,
            port: API_PORT,
            health: Health {
                path: "/readyz".to_owned(),
                interval: 10,
                timeout: 6,
                healthy_after: 2,
                unhealthy_after: 2,
            },
            draining: 120,
            source: SourceAddress::Balancer,
        },
        identities: vec![
            Identity { role: IdentityRole::ControlPlane, may: vec![Permission::KeepSecrets] },
            Identity { role: IdentityRole::Worker, may: vec![Permission::ReadJoinMaterial] },
        ],
        dns: dns(cluster, choices),
        control_plane: control_plane(cluster, choices, &network, &common, node_address)?,
        groups: cluster
            .node_groups
            .iter()
            .map(|group| node_group(cluster, group, choices, &common, node_address))
            .collect::<Result<_, _>>()?,
        bastion: if cluster.access.bastion { Some(bastion(cluster, choices, &network)?) } else { None },
        ssh_keys: cluster.access.ssh.iter().flat_map(|ssh| &ssh.keys).map(ToString::to_string).collect(),
        images: choices.images.iter().map(|(arch, image)| (arch.clone(), image.id.clone())).collect(),
        network,
    })
}

fn tags(cluster: &Cluster) -> BTreeMap<String, String> {
    let labels = cluster.labels.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    let extra = cluster.options.aws.tags.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    labels.chain(extra).collect()
}

fn visibility(word: words::Visibility) -> Visibility {
    match word {
        words::Visibility::Private => Visibility::Private,
        words::Visibility::Public => Visibility::Public,
    }
}

fn network(cluster: &Cluster, choices: &Choices) -> Result<Network, DesignError> {
    let wanted = &cluster.network;
    if let Some(existing) = &wanted.existing {
        let subnets = |ids: &[crate::names::ResourceId]| -> Result<Vec<Subnet>, DesignError> {
            ids.iter()
                .filter_map(|id| choices.existing.iter().find(|subnet| subnet.id == id.as_str()))
                .map(|subnet| {
                    let cidr: Ipv4Net = subnet.cidr.parse().map_err(|_| DesignError::NotACidr(subnet.cidr.clone()))?;
                    Ok(Subnet { id: subnet.id.clone(), zone: subnet.zone.clone(), cidr })
                })
                .collect()
        };
        let private = subnets(&existing.private_subnets)?;
        let public = subnets(&existing.public_subnets)?;
        let nodes = if wanted.topology == words::Topology::Public { public.clone() } else { private };
        if nodes.is_empty() {
            return Err(DesignError::NoSubnet("usable"));
        }
        return Ok(Network::Existing { id: existing.network.to_string(), nodes, public });
    }
    let zones = choices.zones.len();
    let cut = cut(wanted.cidr, zones).ok_or_else(|| DesignError::TooSmall { cidr: wanted.cidr.to_string(), zones })?;
    let zone = |pick: fn(&super::addresses::ZoneBlocks) -> Ipv4Net| {
        choices
            .zones
            .iter()
            .zip(&cut.zones)
            .map(|(zone, blocks)| ZoneSubnet { zone: zone.clone(), cidr: pick(blocks) })
            .collect::<Vec<_>>()
    };
    let (egress, public) = match wanted.egress {
        cluster::Egress::NatPerZone => (Egress::NatPerZone, zone(|blocks| blocks.public)),
        cluster::Egress::NatShared => (Egress::NatShared, zone(|blocks| blocks.public)),
        cluster::Egress::Direct | cluster::Egress::Existing => (Egress::Direct, Vec::new()),
    };
    Ok(Network::Own(OwnNetwork { cidr: wanted.cidr.net(), nodes: zone(|blocks| blocks.nodes), public, egress }))
}

fn control_plane(
    cluster: &Cluster,
    choices: &Choices,
    network: &Network,
    common: &Common<'_>,
    address: Visibility,
) -> Result<Vec<ControlPlaneNode>, DesignError> {
    let wanted = &cluster.control_plane;
    let chosen = chosen(choices, choices::CONTROL_PLANE)?;
    let image = cluster.options.aws.ami.as_ref().map(ToString::to_string);
    let zones: Vec<(&str, Option<Ipv4Net>)> = match network {
        Network::Own(own) => own.nodes.iter().map(|s| (s.zone.as_str(), Some(s.cidr))).collect(),
        Network::Existing { nodes, .. } => nodes.iter().map(|s| (s.zone.as_str(), None)).collect(),
    };
    Ok((0..usize::from(wanted.count))
        .map(|index| {
            let (zone, subnet) = zones[index % zones.len()];
            ControlPlaneNode {
                name: format!("control-plane-{index}"),
                zone: zone.to_owned(),
                address: subnet.and_then(|subnet| fixed(subnet, index)),
                pods: pods(cluster, index),
                // Its script fills user-data to the brim: containerd's own disk would not fit in.
                machine: Machine {
                    root_disk: wanted.disk.gibibytes(),
                    data_disk: None,
                    ..machine(chosen, 0, image.clone(), address)
                },
                etcd_disk: wanted.etcd_disk.gibibytes(),
                config: common.control_plane(chosen),
            }
        })
        .collect())
}

/// The block of the pod network that the `index`-th control-plane node has, where routes lead to it.
fn pods(cluster: &Cluster, index: usize) -> Option<Ipv4Net> {
    let pods = &cluster.network.pods;
    if pods.mode != words::PodMode::Routed {
        return None;
    }
    pods.cidr.net().subnets(cluster::NODE_POD_PREFIX).ok()?.nth(index)
}

fn machine(chosen: &Chosen, disk: u32, image: Option<String>, address: Visibility) -> Machine {
    Machine {
        r#type: chosen.machine.clone(),
        arch: chosen.arch.clone(),
        root_disk: ROOT_DISK,
        data_disk: (!chosen.instance_store).then_some(disk),
        image,
        address,
    }
}

fn node_group(
    cluster: &Cluster,
    group: &cluster::NodeGroup,
    choices: &Choices,
    common: &Common<'_>,
    address: Visibility,
) -> Result<Group, DesignError> {
    let chosen = chosen(choices, &choices::group(group.name.as_str()))?;
    let image = group.aws.ami.as_ref().or(cluster.options.aws.ami.as_ref()).map(ToString::to_string);
    let ladder: Vec<Market> =
        chosen.markets.iter().map(|m| if m == "spot" { Market::Spot } else { Market::OnDemand }).collect();
    Ok(Group {
        name: group.name.to_string(),
        machine: machine(chosen, group.disk.gibibytes(), image, address),
        alternatives: chosen.alternatives.clone(),
        zones: chosen.zones.clone(),
        min: group.count.min,
        max: group.count.max,
        rung: choices.rungs.get(group.name.as_str()).copied().unwrap_or(0).min(ladder.len().saturating_sub(1)),
        ladder,
        config: common.worker(group, chosen),
        size: Size {
            cpu: chosen.cpu,
            memory_mib: chosen.memory_mib,
            gpu: chosen.gpu.as_ref().map(|gpu| (gpu.model.clone(), gpu.count)),
        },
        placement: group.aws.placement.map(|placement| match placement {
            words::PlacementStrategy::Cluster => Placement::Cluster,
            words::PlacementStrategy::Partition => Placement::Partition,
            words::PlacementStrategy::Spread => Placement::Spread,
        }),
        efa: if group.aws.efa { Efa::Yes } else { Efa::No },
        reservation: group.aws.reservation.as_ref().map(ToString::to_string),
    })
}

fn bastion(cluster: &Cluster, choices: &Choices, network: &Network) -> Result<Bastion, DesignError> {
    let chosen = chosen(choices, choices::BASTION)?;
    let image = cluster.options.aws.ami.as_ref().map(ToString::to_string);
    let zone = match network {
        Network::Own(own) => own.nodes.first().map(|s| s.zone.clone()),
        Network::Existing { public, .. } => public.first().map(|s| s.zone.clone()),
    };
    let mut machine = machine(chosen, 0, image, Visibility::Public);
    machine.data_disk = None;
    Ok(Bastion { machine, zone: zone.ok_or(DesignError::NoSubnet("public"))? })
}

fn chosen<'a>(choices: &'a Choices, whose: &str) -> Result<&'a Chosen, DesignError> {
    choices.machines.get(whose).ok_or_else(|| DesignError::NoMachine(whose.to_owned()))
}

fn dns(cluster: &Cluster, choices: &Choices) -> Option<Dns> {
    let (visibility, zone) = match &cluster.dns {
        cluster::Dns::None => return None,
        cluster::Dns::Public { zone } => (Visibility::Public, zone),
        cluster::Dns::Private { zone } => (Visibility::Private, zone),
    };
    Some(Dns {
        visibility,
        zone: zone.to_string(),
        zone_id: choices.public_zone.clone().filter(|_| visibility == Visibility::Public),
        api: format!("api.{}.{zone}", cluster.name),
    })
}
