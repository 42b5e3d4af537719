//! Who may reach what, and under which name: defaults and rules.

use super::network::warn_of_anywhere;
use super::notes::Findings;
use super::types::{Access, ApiAccess, Dns, Network, SshAccess, Topology, Visibility};
use crate::names::Cidr;
use crate::spec::words::DnsVisibility;
use crate::spec::{AccessSpec, ApiAccessSpec, DnsSpec, SshAccessSpec, item};

/// Fills in who may reach what, and checks it.
pub(super) fn fill(found: &mut Findings, network: &Network, spec: &AccessSpec) -> Access {
    let bastion = found.or_default("spec.access.bastion", spec.bastion, false, "none was asked for");
    let api = api(found, network, &spec.api.clone().unwrap_or_default());
    let ssh = spec.ssh.as_ref().map(|ssh| self::ssh(found, network, bastion, ssh));
    if bastion && ssh.is_none() {
        found.problem(
            "spec.access.ssh",
            "a bastion without ssh lets nobody in",
            "ssh: {from: [networks that may connect], keys: [public keys]}",
        );
    }
    let public_door = bastion || api.visibility == Visibility::Public;
    if public_door && network.existing.as_ref().is_some_and(|existing| existing.public_subnets.is_empty()) {
        found.problem(
            "spec.network.existing.subnets",
            "a public API or a bastion needs public subnets, and none is named",
            "{private: [...], public: [...]}",
        );
    }
    Access { api, ssh, bastion }
}

/// The cluster's own network and what it is connected to.
fn inside(network: &Network) -> Vec<Cidr> {
    let all: Vec<Cidr> = std::iter::once(network.cidr).chain(network.peers.iter().copied()).collect();
    distinct(&all)
}

/// The ranges in their order, each once: clouds refuse a firewall rule that is there already.
fn distinct(ranges: &[Cidr]) -> Vec<Cidr> {
    let mut seen = std::collections::BTreeSet::new();
    ranges.iter().copied().filter(|range| seen.insert(*range)).collect()
}

fn api(found: &mut Findings, network: &Network, spec: &ApiAccessSpec) -> ApiAccess {
    let visibility = found.or_default(
        "spec.access.api.visibility",
        spec.visibility,
        Visibility::Private,
        "reachable from inside the network until somebody says who else",
    );
    let path = "spec.access.api.from";
    let from = match (visibility, &spec.from) {
        (_, Some(from)) if !from.is_empty() => distinct(from),
        (_, Some(_)) => {
            found.problem(path, "nobody may reach the API", "at least one network");
            Vec::new()
        }
        (Visibility::Private, None) => {
            found.or_default(path, None, inside(network), "the cluster's network and its peers")
        }
        (Visibility::Public, None) => {
            found.problem(
                path,
                "from is missing: a public API has to say who may reach it",
                "networks as in [203.0.113.0/24], or [0.0.0.0/0] for the whole internet",
            );
            Vec::new()
        }
    };
    if visibility == Visibility::Public {
        warn_of_anywhere(found, path, "the API", &from);
    }
    ApiAccess { visibility, from }
}

fn ssh(found: &mut Findings, network: &Network, bastion: bool, spec: &SshAccessSpec) -> SshAccess {
    let path = "spec.access.ssh.from";
    let from_internet = bastion || network.topology == Topology::Public;
    let from = match &spec.from {
        Some(from) if !from.is_empty() => distinct(from),
        Some(_) => {
            found.problem(path, "nobody may connect", "at least one network");
            Vec::new()
        }
        None if from_internet => {
            let door = if bastion { "the bastion" } else { "public nodes" };
            found.problem(
                path,
                format!("from is missing: {door} can be reached from the internet"),
                "networks that may connect, as in [203.0.113.0/24]",
            );
            Vec::new()
        }
        None => found.or_default(path, None, inside(network), "the cluster's network and its peers"),
    };
    if from_internet {
        warn_of_anywhere(found, path, "SSH", &from);
    }
    if spec.keys.is_empty() {
        found.problem("spec.access.ssh.keys", "there is no key to log in with", "at least one public key");
    }
    let mut seen = std::collections::BTreeSet::new();
    for (at, key) in spec.keys.iter().enumerate() {
        if !seen.insert(key.without_comment()) {
            found.problem(item("spec.access.ssh.keys", at), "the same key stands above already", "each key once");
        }
    }
    SshAccess { from, keys: spec.keys.clone() }
}

/// Fills in where names are published, and checks it.
pub(super) fn dns(found: &mut Findings, spec: Option<&DnsSpec>) -> Dns {
    let visibility = found.or_default(
        "spec.dns.visibility",
        spec.and_then(|dns| dns.visibility),
        DnsVisibility::None,
        "the load balancer's own name is enough",
    );
    let zone = spec.and_then(|dns| dns.zone.clone());
    match (visibility, zone) {
        (DnsVisibility::None, None) => Dns::None,
        (DnsVisibility::None, Some(zone)) => {
            found.problem(
                "spec.dns.zone",
                format!("nothing is published in {zone}, because visibility is none"),
                "visibility: public or private, or no zone",
            );
            Dns::None
        }
        (DnsVisibility::Public, Some(zone)) => Dns::Public { zone },
        (DnsVisibility::Private, Some(zone)) => Dns::Private { zone },
        (DnsVisibility::Public | DnsVisibility::Private, None) => {
            found.problem(
                "spec.dns.zone",
                format!("zone is missing: {visibility} names need one"),
                "zone: and a domain, as in example.com",
            );
            Dns::None
        }
    }
}
