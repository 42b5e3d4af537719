//! Whether there are addresses enough, and for how many machines more.

use super::types::{Cluster, ControlPlane, NODE_POD_PREFIX, Network, NodeGroup, PodMode, ZoneChoice};
use crate::names::Cidr;

/// Addresses of a zone that machines cannot have: what clouds keep (at most five of each subnet), load balancers and
/// endpoints.
const KEPT_IN_ZONE: u64 = 16;

/// The longest prefix that a zone may get: 16 addresses are the least that clouds make a subnet of.
const LONGEST_ZONE_PREFIX: u8 = 28;

/// The prefix length of the block that the nodes of one zone get out of a network of the cluster's own.
///
/// The network is cut into equal blocks, a power of two of them and at least one more than there are zones: what the
/// zones leave is for everything public (load balancers, NAT gateways, the bastion).
pub fn zone_prefix(cidr: Cidr, zones: usize) -> u8 {
    let blocks = (zones as u64 + 1).next_power_of_two();
    cidr.prefix() + u8::try_from(blocks.trailing_zeros()).unwrap_or(32)
}

/// How many machines a cluster has at most, and how many it could have with the addresses it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Machines with the control plane and every group at its maximum, and one more of each while they are replaced.
    pub wanted: u64,
    /// As many as the pod network has blocks for.
    pub by_pods: u64,
    /// As many as the fullest zone leaves room for, times the zones. `None` in an existing network, of which the size of
    /// the subnets is not known here.
    pub by_network: Option<u64>,
}

impl Room {
    /// How many machines more there could be.
    pub fn growth(&self) -> u64 {
        self.by_network.unwrap_or(u64::MAX).min(self.by_pods).saturating_sub(self.wanted)
    }
}

impl Cluster {
    /// How many machines it has at most, and how many it could have.
    pub fn room(&self) -> Room {
        Room {
            wanted: machines(&self.control_plane, &self.node_groups),
            by_pods: node_blocks(self.network.pods.cidr),
            by_network: self.network.existing.is_none().then(|| {
                machines_in_zone(self.network.cidr, self.zones.count()).saturating_mul(self.zones.count() as u64)
            }),
        }
    }
}

impl Cluster {
    /// How many routes the network has to hold for pods: one for each machine in routed mode, none in overlay mode.
    ///
    /// The provider compares it with the quota of routes that the cloud grants.
    pub fn pod_routes(&self) -> u64 {
        match self.network.pods.mode {
            PodMode::Overlay => 0,
            PodMode::Routed => machines(&self.control_plane, &self.node_groups),
        }
    }
}

/// How many nodes a pod network has blocks for.
pub(super) fn node_blocks(pods: Cidr) -> u64 {
    NODE_POD_PREFIX.checked_sub(pods.prefix()).map_or(0, |bits| 1_u64 << bits)
}

/// The widest pod prefix number that has blocks for so many nodes.
pub(super) fn pod_prefix_for(nodes: u64) -> Option<u8> {
    (0..=NODE_POD_PREFIX).rev().find(|prefix| 1_u64 << (NODE_POD_PREFIX - prefix) >= nodes)
}

/// Every machine of the cluster at its maximum, and one more of each kind while they are replaced.
pub(super) fn machines(control_plane: &ControlPlane, groups: &[NodeGroup]) -> u64 {
    let groups: u64 = groups.iter().map(|group| u64::from(group.count.max) + 1).sum();
    u64::from(control_plane.count) + 1 + groups
}

/// The machines in the fullest zone when every group is at its maximum and evenly spread.
pub(super) fn fullest_zone(zones: &ZoneChoice, control_plane: &ControlPlane, groups: &[NodeGroup]) -> u64 {
    let count = zones.count().max(1) as u64;
    let everywhere = u64::from(control_plane.count).div_ceil(count) + 1;
    let of = |at: usize| -> u64 {
        let share = |group: &NodeGroup| {
            let (there, of) = match (&group.zones, zones) {
                (Some(chosen), ZoneChoice::Named(names)) => {
                    (names.get(at).is_none_or(|name| chosen.contains(name)), chosen.len().max(1) as u64)
                }
                _ => (true, count),
            };
            if there { u64::from(group.count.max).div_ceil(of) + 1 } else { 0 }
        };
        everywhere + groups.iter().map(share).sum::<u64>()
    };
    (0..zones.count()).map(of).max().unwrap_or(everywhere)
}

/// How many machines fit in one zone of a network of the cluster's own.
pub(super) fn machines_in_zone(cidr: Cidr, zones: usize) -> u64 {
    match zone_prefix(cidr, zones) {
        prefix if prefix <= LONGEST_ZONE_PREFIX => (1_u64 << (32 - prefix)).saturating_sub(KEPT_IN_ZONE),
        _ => 0,
    }
}

/// The narrowest network around `cidr` with room for so many machines in each zone.
pub(super) fn network_for(cidr: Cidr, zones: usize, machines: u64) -> Option<Cidr> {
    (1..=cidr.prefix())
        .rev()
        .filter_map(|prefix| ipnet::Ipv4Net::new(cidr.net().network(), prefix).ok())
        .map(Cidr::from)
        .find(|wider| machines_in_zone(*wider, zones) >= machines)
}

/// The ranges of a cluster, with their paths and what they are called.
pub(super) fn ranges(network: &Network) -> Vec<(String, String, Cidr)> {
    let own = [
        ("spec.network.cidr", "the machines' network", network.cidr),
        ("spec.network.pods.cidr", "the pods' network", network.pods.cidr),
        ("spec.network.services.cidr", "the Services' network", network.services),
    ];
    let own = own.into_iter().map(|(path, called, cidr)| (path.to_owned(), called.to_owned(), cidr));
    let peers = network.peers.iter().enumerate();
    own.chain(peers.map(|(at, cidr)| (crate::spec::item("spec.network.peers", at), "a peer".to_owned(), *cidr)))
        .collect()
}
