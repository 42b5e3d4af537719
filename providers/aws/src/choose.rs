//! Decisions that a cluster needs: from the catalogue alone, or with what AWS offers today.
//!
//! A decision is kept as long as the question is the same, so that neither prices nor new images change a cluster that
//! nobody asked to change.

use std::collections::{BTreeMap, BTreeSet};

use clusterctl_core::bootstrap;
use clusterctl_core::choices::{self, Choices, Chosen, ExistingSubnet};
use clusterctl_core::cluster::{Cluster, Machine, ZoneChoice};
use clusterctl_core::machine::{self, Arch, Demand, GpuWish, Market, Offerings, Request, Role, Want};
use clusterctl_core::provider::Refusal;
use clusterctl_core::spec::words;

use crate::catalogue::{self, catalogue};

/// The smallest machine that every region has; a bastion only forwards.
const BASTION_TYPE: &str = "t3.micro";

/// AWS's default quota of routes in a route table, since June 2025.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-route-tables>
const ROUTES: u32 = 500;
/// Of which so many are left to the network itself, and to peers and endpoints that the user adds.
const OTHER_ROUTES: u32 = 10;

/// What was asked of AWS, as far as anybody was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) region: String,
    /// The zones the account may use.
    pub(crate) zones: Vec<String>,
    pub(crate) existing: Vec<ExistingSubnet>,
}

fn refuse(path: &str, message: impl Into<String>, right: impl Into<Option<String>>) -> Refusal {
    Refusal::Cluster { path: path.to_owned(), message: message.into(), right: right.into() }
}

/// The region: the cluster's own, or the one that is configured.
pub(crate) fn region(cluster: &Cluster, configured: Option<&str>, kept: &Choices) -> Result<String, Refusal> {
    let asked = cluster.region.as_ref().map(ToString::to_string);
    let region = asked.or_else(|| (!kept.region.is_empty()).then(|| kept.region.clone()));
    region.or_else(|| configured.map(str::to_owned)).ok_or_else(|| {
        refuse("spec.region", "no region is named", Some("a region such as eu-central-1, here or as AWS_REGION".into()))
    })
}

/// The full patch version: kept while the same minor is asked for.
pub(crate) fn kubernetes(cluster: &Cluster, kept: &Choices) -> Result<String, Refusal> {
    let asked = cluster.kubernetes.to_string();
    if cluster.kubernetes.patch().is_none() && kept.kubernetes.starts_with(&format!("{asked}.")) {
        return Ok(kept.kubernetes.clone());
    }
    let release = bootstrap::release(&asked).ok_or_else(|| {
        let known: Vec<&str> = bootstrap::releases().iter().map(|r| r.kubernetes.trim_start_matches('v')).collect();
        refuse("spec.kubernetes", format!("{asked} is not a release that nodes can be given"), Some(known.join(", ")))
    })?;
    Ok(release.kubernetes.trim_start_matches('v').to_owned())
}

/// The cluster's zones, in order.
pub(crate) fn zones(cluster: &Cluster, facts: &Facts, kept: &Choices) -> Result<Vec<String>, Refusal> {
    if !facts.existing.is_empty() {
        let nodes = node_subnets(cluster, &facts.existing);
        return Ok(nodes.iter().map(|subnet| subnet.zone.clone()).collect());
    }
    match &cluster.zones {
        ZoneChoice::Named(zones) => {
            let zones: Vec<String> = zones.iter().map(ToString::to_string).collect();
            if let Some(missing) = zones.iter().find(|zone| !facts.zones.contains(zone)) {
                return Err(refuse(
                    "spec.zones",
                    format!("{missing} is no zone of {} that the account may use", facts.region),
                    Some(facts.zones.join(", ")),
                ));
            }
            Ok(zones)
        }
        ZoneChoice::Count(count) => {
            let count = usize::from(*count);
            if kept.zones.len() == count {
                return Ok(kept.zones.clone());
            }
            // Zones that are in use stay, in their order; further ones come after.
            let mut zones: Vec<String> = kept.zones.iter().take(count).cloned().collect();
            zones.extend(facts.zones.iter().filter(|zone| !kept.zones.contains(zone)).cloned());
            if zones.len() < count {
                return Err(refuse(
                    "spec.zones",
                    format!("{} has {} zones", facts.region, facts.zones.len()),
                    Some(format!("at most {}", facts.zones.len())),
                ));
            }
            zones.truncate(count);
            Ok(zones)
        }
    }
}

/// The subnets of an existing network that nodes go to, in the order of the file.
pub(crate) fn node_subnets<'a>(cluster: &Cluster, existing: &'a [ExistingSubnet]) -> Vec<&'a ExistingSubnet> {
    let Some(network) = &cluster.network.existing else { return Vec::new() };
    let ids = match cluster.network.topology {
        words::Topology::Public => &network.public_subnets,
        words::Topology::Private => &network.private_subnets,
    };
    ids.iter().filter_map(|id| existing.iter().find(|subnet| subnet.id == id.as_str())).collect()
}

/// One machine type that has to be chosen.
pub(crate) struct Question {
    /// The key among the choices.
    pub(crate) whose: String,
    pub(crate) demand: Demand,
}

impl Question {
    /// The question in words, by which a kept answer is recognised.
    pub(crate) fn asked(&self) -> String {
        let Demand { want, role, markets, zones } = &self.demand;
        let markets: Vec<String> = markets.iter().map(ToString::to_string).collect();
        format!("{want}; {role:?}; {}; {}", markets.join(","), zones.join(","))
    }
}

/// Every machine type that the cluster needs.
pub(crate) fn questions(cluster: &Cluster, zones: &[String]) -> Vec<Question> {
    let mut questions = vec![Question {
        whose: choices::CONTROL_PLANE.to_owned(),
        demand: Demand {
            want: want(&cluster.control_plane.machine),
            role: Role::ControlPlane,
            markets: Vec::new(),
            zones: zones.iter().take(usize::from(cluster.control_plane.count)).cloned().collect(),
        },
    }];
    for group in &cluster.node_groups {
        let own = group.zones.as_ref().map(|zones| zones.iter().map(ToString::to_string).collect());
        questions.push(Question {
            whose: choices::group(group.name.as_str()),
            demand: Demand {
                want: want(&group.machine),
                role: Role::Worker,
                markets: group
                    .capacity
                    .iter()
                    .map(|capacity| match capacity {
                        words::Capacity::Spot => Market::Spot,
                        words::Capacity::OnDemand => Market::OnDemand,
                    })
                    .collect(),
                zones: own.unwrap_or_else(|| zones.to_vec()),
            },
        });
    }
    if cluster.access.bastion {
        questions.push(Question {
            whose: choices::BASTION.to_owned(),
            demand: Demand {
                want: Want::Exact(BASTION_TYPE.to_owned()),
                role: Role::Worker,
                markets: Vec::new(),
                zones: zones.iter().take(1).cloned().collect(),
            },
        });
    }
    questions
}

fn want(machine: &Machine) -> Want {
    match machine {
        Machine::Type { name, .. } => Want::Exact(name.to_string()),
        Machine::Request(request) => Want::Having(Request {
            cpu: request.cpu.map_or(0, u32::from),
            memory_mib: request.memory.map_or(0, |memory| u64::from(memory.mebibytes())),
            gpu: request
                .gpu
                .map(|gpu| GpuWish { model: gpu.model.as_str().to_owned(), count: u32::from(gpu.count.get()) }),
            arch: match request.arch {
                words::Arch::Amd64 => Arch::Amd64,
                words::Arch::Arm64 => Arch::Arm64,
            },
        }),
    }
}

/// How many types AWS is asked about for one question: the cheapest that would do.
const CANDIDATES: usize = 60;

/// The types to ask AWS about.
pub(crate) fn candidates(want: &Want) -> BTreeSet<String> {
    match want {
        Want::Exact(name) => [name.clone()].into(),
        Want::Having(request) => {
            let mut types: Vec<_> = catalogue()
                .types
                .iter()
                .filter(|t| t.cpu >= request.cpu && t.memory_mib >= request.memory_mib && t.arch == request.arch)
                .filter(|t| match &request.gpu {
                    Some(wish) => t.gpu.as_ref().is_some_and(|g| g.model == wish.model && g.count == wish.count),
                    None => t.gpu.is_none(),
                })
                .collect();
            types.sort_by(|a, b| a.cheaper_first(b));
            types.iter().take(CANDIDATES).map(|t| t.name.clone()).collect()
        }
    }
}

/// Answers every question, keeping what still fits.
pub(crate) fn machines(
    questions: &[Question],
    offered: &Offerings,
    kept: &Choices,
) -> Result<BTreeMap<String, Chosen>, Refusal> {
    questions
        .iter()
        .map(|question| {
            let asked = question.asked();
            if let Some(chosen) = kept.machines.get(&question.whose).filter(|chosen| chosen.asked == asked) {
                return Ok((question.whose.clone(), chosen.clone()));
            }
            let choice = machine::resolve(&question.demand, catalogue(), offered)
                .map_err(|why| Refusal::Machine { whose: question.whose.clone(), why: Box::new(why) })?;
            Ok((question.whose.clone(), Chosen::from_choice(asked, &choice)))
        })
        .collect()
}

/// Without asking anybody: zones as the catalogue knows them, subnets of an existing network as the file orders them.
pub(crate) fn offline(cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal> {
    let region = region(cluster, None, kept)?;
    let known = catalogue::zones(&region);
    let named = match &cluster.zones {
        ZoneChoice::Named(zones) => Some(zones.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ZoneChoice::Count(_) => None,
    };
    let available: Vec<String> = match (named, known) {
        (Some(named), _) => named,
        (None, Some(letters)) => letters.iter().map(|zone| (*zone).to_owned()).collect(),
        (None, None) => {
            return Err(refuse(
                "spec.zones",
                format!("the zones of {region} are not known here"),
                Some("name them".into()),
            ));
        }
    };
    let existing = if kept.existing.is_empty() { assumed(cluster, &available) } else { kept.existing.clone() };
    let facts = Facts { region, zones: available, existing };
    decide(cluster, facts, &Offerings::Unknown, kept)
}

/// An existing network's subnets, one in each zone in the order of the file, somewhere in its range.
fn assumed(cluster: &Cluster, zones: &[String]) -> Vec<ExistingSubnet> {
    let Some(network) = &cluster.network.existing else { return Vec::new() };
    let subnets = |ids: &[clusterctl_core::names::ResourceId], public| {
        ids.iter()
            .zip(zones.iter().cycle())
            .map(|(id, zone)| ExistingSubnet {
                id: id.to_string(),
                zone: zone.clone(),
                cidr: cluster.network.cidr.to_string(),
                public,
            })
            .collect::<Vec<_>>()
    };
    let mut all = subnets(&network.private_subnets, false);
    all.extend(subnets(&network.public_subnets, true));
    all
}

/// Pods of routed clusters need a route for each machine.
fn room_for_routes(cluster: &Cluster) -> Result<(), Refusal> {
    let quota = cluster.options.aws.routes_per_table.unwrap_or(ROUTES);
    let routes = cluster.pod_routes();
    if routes + u64::from(OTHER_ROUTES) <= u64::from(quota) {
        return Ok(());
    }
    let message = format!(
        "up to {routes} machines need a route each, and a route table of AWS holds {quota} with {OTHER_ROUTES} for others"
    );
    let right = "overlay, or the quota that AWS granted in spec.options.aws.routesPerTable";
    Err(refuse("spec.network.pods.mode", message, Some(right.into())))
}

/// Puts the decisions together. Images and the public zone are added by whoever can ask for them.
pub(crate) fn decide(cluster: &Cluster, facts: Facts, offered: &Offerings, kept: &Choices) -> Result<Choices, Refusal> {
    room_for_routes(cluster)?;
    let zones = zones(cluster, &facts, kept)?;
    let machines = machines(&questions(cluster, &zones), offered, kept)?;
    let groups: BTreeSet<&str> = cluster.node_groups.iter().map(|group| group.name.as_str()).collect();
    Ok(Choices {
        kubernetes: kubernetes(cluster, kept)?,
        region: facts.region,
        zones,
        images: kept.images.clone(),
        public_zone: kept.public_zone.clone(),
        existing: facts.existing,
        // A rung is remembered for as long as its question stands.
        rungs: kept
            .rungs
            .iter()
            .filter(|(group, _)| {
                let key = choices::group(group);
                groups.contains(group.as_str()) && kept.machines.get(&key) == machines.get(&key)
            })
            .map(|(group, rung)| (group.clone(), *rung))
            .collect(),
        machines,
    })
}

#[cfg(test)]
mod tests {
    use clusterctl_core::cluster::resolve_document;
    use clusterctl_core::spec;

    use super::*;

    #[test]
    fn a_routed_cluster_past_the_quota_of_routes_is_refused() {
        let refusal = |network: &str, count: u32, quota: &str| {
            let text = format!(
                "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {{name: demo}}\nspec:\n  cloud: aws\n  \
                 network: {{pods: {{mode: {network}}}}}\n  nodeGroups: [{{name: general, count: {count}}}]\n{quota}"
            );
            let cluster = resolve_document(&spec::read(&text).expect("a file")).expect("a cluster");
            match room_for_routes(&cluster) {
                Err(Refusal::Cluster { path, message, .. }) => Some(format!("{path}: {message}")),
                _ => None,
            }
        };
        let words = "spec.network.pods.mode: up to 505 machines need a route each, and a route table of AWS holds 500 with 10 for others";
        assert_eq!(refusal("routed", 500, "").as_deref(), Some(words));
        assert_eq!(refusal("routed", 485, ""), None);
        assert!(refusal("routed", 486, "").is_some());
        assert_eq!(refusal("routed", 500, "  options: {aws: {routesPerTable: 515}}\n"), None);
        assert_eq!(refusal("overlay", 500, ""), None);
    }
}
