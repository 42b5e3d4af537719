//! The network: its defaults and its rules.

use super::addresses::{fullest_zone, machines, machines_in_zone, network_for, node_blocks, pod_prefix_for, ranges};
use super::clouds::network_prefixes;
use super::notes::Findings;
use super::types::{
    Cloud, ControlPlane, Egress, ExistingNetwork, Network, NodeGroup, PodMode, PodPlugin, Pods, Topology, ZoneChoice,
};
use crate::names::Cidr;
use crate::spec::words::NatGateways;
use crate::spec::{ExistingNetworkSpec, NetworkSpec, SubnetsSpec, item};

/// The machines' network where the file gives none.
fn default_cidr() -> Cidr {
    cidr([10, 20, 0, 0], 16)
}

/// The pods' network where the file gives none: out of the range for carriers' NAT, which companies rarely use, and
/// with blocks for 4096 nodes.
fn default_pods() -> Cidr {
    cidr([100, 64, 0, 0], 12)
}

/// The Services' network where the file gives none.
fn default_services() -> Cidr {
    cidr([10, 96, 0, 0], 16)
}

fn cidr(octets: [u8; 4], prefix: u8) -> Cidr {
    Cidr::from(ipnet::Ipv4Net::new_assert(octets.into(), prefix))
}

/// Fills in what the file leaves out.
pub(super) fn fill(found: &mut Findings, cloud: Cloud, spec: &NetworkSpec) -> Network {
    let topology =
        found.or_default("spec.network.topology", spec.topology, Topology::Private, "nodes need no public addresses");
    let existing = spec.existing.as_ref().map(|existing| existing_network(found, topology, existing));
    if existing.is_some() && spec.cidr.is_none() {
        found.problem(
            "spec.network.cidr",
            "cidr is missing: overlaps and firewall rules need the range of the existing network",
            "the range that its subnets lie in, as in 10.0.0.0/16",
        );
    }
    let cidr = found.or_default("spec.network.cidr", spec.cidr, default_cidr(), "room for thousands of machines");
    let prefixes = network_prefixes(cloud);
    if existing.is_none() && !prefixes.contains(&cidr.prefix()) {
        found.problem(
            "spec.network.cidr",
            format!("{cidr} is not of a size that {cloud} makes a network of"),
            format!("a network from /{} to /{}", prefixes.start(), prefixes.end()),
        );
    }
    let pods = spec.pods.clone().unwrap_or_default();
    let services = spec.services.clone().unwrap_or_default();
    Network {
        cidr,
        topology,
        egress: egress(found, topology, existing.is_some(), spec.egress),
        pods: Pods {
            plugin: found.or_default(
                "spec.network.pods.plugin",
                pods.plugin,
                PodPlugin::Cilium,
                "works on every cloud",
            ),
            mode: found.or_default(
                "spec.network.pods.mode",
                pods.mode,
                PodMode::Overlay,
                "needs no routes and no quota of them",
            ),
            cidr: found.or_default(
                "spec.network.pods.cidr",
                pods.cidr,
                default_pods(),
                "a /24 for each of 4096 nodes, in a range that other networks rarely use",
            ),
        },
        services: found.or_default(
            "spec.network.services.cidr",
            services.cidr,
            default_services(),
            "65,536 Services, more than Kubernetes is tested with",
        ),
        existing,
        peers: spec.peers.clone().unwrap_or_default(),
    }
}

fn egress(found: &mut Findings, topology: Topology, existing: bool, written: Option<NatGateways>) -> Egress {
    let path = "spec.network.egress";
    if written.is_some() && (existing || topology == Topology::Public) {
        let (message, right) = if existing {
            ("an existing network keeps its own way out", "no egress line")
        } else {
            ("public nodes need no NAT gateway", "no egress line, or topology: private")
        };
        found.problem(path, message, right);
    }
    match (existing, topology) {
        (true, _) => Egress::Existing,
        (false, Topology::Public) => Egress::Direct,
        (false, Topology::Private) => {
            let reason = "a zone that fails leaves the others their way out";
            match found.or_default(path, written, NatGateways::PerZone, reason) {
                NatGateways::PerZone => Egress::NatPerZone,
                NatGateways::Shared => Egress::NatShared,
            }
        }
    }
}

fn existing_network(found: &mut Findings, topology: Topology, spec: &ExistingNetworkSpec) -> ExistingNetwork {
    let path = "spec.network.existing.subnets";
    let (private_subnets, public_subnets) = match (&spec.subnets, topology) {
        (SubnetsSpec::Nodes(nodes), Topology::Private) => (nodes.clone(), Vec::new()),
        (SubnetsSpec::Nodes(nodes), Topology::Public) => (Vec::new(), nodes.clone()),
        (SubnetsSpec::Split(split), _) => {
            (split.private.clone().unwrap_or_default(), split.public.clone().unwrap_or_default())
        }
    };
    let (nodes, kind) = match topology {
        Topology::Private => (&private_subnets, "private"),
        Topology::Public => (&public_subnets, "public"),
    };
    if nodes.is_empty() {
        found.problem(
            path,
            format!("there is no {kind} subnet for the nodes"),
            format!("{kind}: with the ids of subnets, one for each zone"),
        );
    }
    let mut seen = std::collections::BTreeSet::new();
    for subnet in private_subnets.iter().chain(&public_subnets) {
        if !seen.insert(subnet) {
            found.problem(path, format!("{subnet} is named twice"), "each subnet once");
        }
    }
    ExistingNetwork { network: spec.network.clone(), private_subnets, public_subnets }
}

/// Checks the network against the rest of the cluster.
pub(super) fn check(
    found: &mut Findings,
    network: &Network,
    zones: &ZoneChoice,
    control_plane: &ControlPlane,
    groups: &[NodeGroup],
) {
    overlaps(found, network);
    for (path, called, cidr) in ranges(network) {
        if path.starts_with("spec.network.peers") {
            continue;
        }
        if let Some(reason) = unusable(cidr) {
            found.problem(&path, format!("{cidr} cannot be {called}: {reason}"), "a private range, as in 10.20.0.0/16");
        } else if !is_private(cidr) {
            found.warning(
                &path,
                format!("{cidr} is public address space; what lives there on the internet becomes unreachable"),
                "a private range, as in 10.20.0.0/16",
            );
        }
        if cidr.overlaps(self::cidr([172, 17, 0, 0], 16)) {
            found.warning(
                &path,
                format!("{cidr} overlaps 172.17.0.0/16, which Docker takes on machines that run it"),
                "another private range",
            );
        }
    }
    if !(12..=24).contains(&network.services.prefix()) {
        found.problem(
            "spec.network.services.cidr",
            format!("{} is not of a size that the API server takes", network.services),
            "a network from /12 to /24",
        );
    }
    pods_fit(found, network, machines(control_plane, groups));
    nodes_fit(found, network, zones, fullest_zone(zones, control_plane, groups));
}

/// Refuses ranges that have an address in common: kube-proxy and routes would lead traffic astray without a word.
fn overlaps(found: &mut Findings, network: &Network) {
    let ranges = ranges(network);
    for (at, (_, called, cidr)) in ranges.iter().enumerate() {
        for (other_path, other_called, other) in &ranges[at + 1..] {
            let both_peers = called == "a peer" && other_called == "a peer";
            if cidr.overlaps(*other) && !both_peers {
                found.problem(
                    other_path,
                    format!(
                        "{other} ({other_called}) overlaps {cidr} ({called}): traffic between them would go astray"
                    ),
                    "a range that no other one overlaps",
                );
            }
        }
    }
}

fn pods_fit(found: &mut Findings, network: &Network, machines: u64) {
    let pods = network.pods.cidr;
    let blocks = node_blocks(pods);
    if blocks < machines {
        let right = match pod_prefix_for(machines) {
            Some(prefix) => format!("a network of /{prefix} or wider, or smaller maxima"),
            None => "smaller maxima".to_owned(),
        };
        found.problem(
            "spec.network.pods.cidr",
            format!("{pods} has a /24 for {blocks} machines; there may be {machines}, one of each kind being replaced"),
            right,
        );
    }
}

fn nodes_fit(found: &mut Findings, network: &Network, zones: &ZoneChoice, wanted: u64) {
    if network.existing.is_some() {
        return;
    }
    let there = machines_in_zone(network.cidr, zones.count());
    if there < wanted {
        let right = match network_for(network.cidr, zones.count(), wanted) {
            Some(wider) => format!("{wider} or wider, or smaller maxima"),
            None => "smaller maxima".to_owned(),
        };
        found.problem(
            "spec.network.cidr",
            format!(
                "{} has room for {there} machines in each of {} zones; there may be {wanted} in one",
                network.cidr,
                zones.count()
            ),
            right,
        );
    }
}

/// Why a range can be no network of a cluster, if so.
fn unusable(range: Cidr) -> Option<&'static str> {
    let special = [
        (cidr([0, 0, 0, 0], 8), "it holds 0.0.0.0/8, which means \"this host\""),
        (cidr([127, 0, 0, 0], 8), "it holds loopback addresses"),
        (cidr([169, 254, 0, 0], 16), "it holds link-local addresses, where clouds keep their metadata service"),
        (cidr([224, 0, 0, 0], 3), "it holds multicast or reserved addresses"),
    ];
    special.into_iter().find(|(special, _)| special.overlaps(range)).map(|(_, reason)| reason)
}

/// Whether a range is for private use (RFC 1918) or shared by carriers (RFC 6598).
fn is_private(range: Cidr) -> bool {
    let private =
        [cidr([10, 0, 0, 0], 8), cidr([172, 16, 0, 0], 12), cidr([192, 168, 0, 0], 16), cidr([100, 64, 0, 0], 10)];
    private.into_iter().any(|private| private.contains(range))
}

/// The path of one entry of a list of ranges, and a warning for the one that means everybody.
pub(super) fn warn_of_anywhere(found: &mut Findings, list: &str, what: &str, from: &[Cidr]) {
    for (at, range) in from.iter().enumerate() {
        if range.prefix() == 0 {
            found.warning(item(list, at), format!("{what} is open to the whole internet"), "the networks that need it");
        }
    }
}
