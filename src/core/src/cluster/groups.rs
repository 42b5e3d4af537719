//! Node groups: their defaults and their rules.

use std::collections::{BTreeMap, BTreeSet};

use super::machines::{disk, machine};
use super::notes::Findings;
use super::types::{
    AwsGroup, Capacity, Cloud, Count, GpuDriver, GpuSettings, GpuSharing, Machine, MachineGpu, NodeGroup,
    PlacementStrategy, ZoneChoice,
};
use crate::names::{DiskSize, GroupName, LabelKey, LabelValue, Taint, ZoneName};
use crate::spec::{AwsGroupOptions, CountSpec, GpuSpec, NodeGroupSpec, field, item};

const PATH: &str = "spec.nodeGroups";

/// The key of the taint that keeps pods without a GPU request off GPU nodes.
const GPU_TAINT: &str = "nvidia.com/gpu";

/// Fills in every group, and checks each and all together.
pub(super) fn fill(
    found: &mut Findings,
    cloud: Cloud,
    zones: &ZoneChoice,
    specs: Option<&[NodeGroupSpec]>,
) -> Vec<NodeGroup> {
    let general;
    let specs = match specs {
        Some(specs) => specs,
        None => {
            found.filled_in(PATH, "one group for everything");
            general = default_groups();
            general.as_slice()
        }
    };
    let groups: Vec<NodeGroup> =
        specs.iter().enumerate().map(|(at, spec)| group(found, cloud, zones, &item(PATH, at), spec)).collect();
    let mut names: BTreeMap<&GroupName, usize> = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        if let Some(first) = names.insert(&group.name, at) {
            found.problem(
                field(&item(PATH, at), "name"),
                format!("{} is the name of spec.nodeGroups[{first}] already", group.name),
                "a name of its own",
            );
        }
    }
    if groups.iter().all(|group| group.count.min == 0) {
        found.warning(
            PATH,
            "no group has a machine from the start: nothing but the control plane will run",
            "a group with min: 1 or more",
        );
    }
    groups
}

fn default_groups() -> Vec<NodeGroupSpec> {
    // The name is a constant that parses; a test would find the list empty otherwise.
    "general".parse().map(NodeGroupSpec::named).into_iter().collect()
}

fn group(found: &mut Findings, cloud: Cloud, zones: &ZoneChoice, path: &str, spec: &NodeGroupSpec) -> NodeGroup {
    let machine = machine(
        found,
        cloud,
        &field(path, "machine"),
        spec.machine.as_ref(),
        "room for system pods and a few workloads",
    );
    let gpu = gpu(found, path, &machine, spec.gpu.as_ref());
    let group_zones = spec.zones.as_deref().map(|chosen| zones_of(found, path, zones, chosen));
    let capacity = found.or_default(
        &field(path, "capacity"),
        spec.capacity.clone(),
        vec![Capacity::OnDemand],
        "machines that the cloud does not take back",
    );
    ladder(found, &field(path, "capacity"), &capacity);
    let (size, reason) = match gpu {
        Some(_) => (200, "images with CUDA are large"),
        None => (100, "images and containers"),
    };
    let taints = taints(found, path, gpu.is_some(), spec.taints.as_deref().unwrap_or_default());
    let spread = group_zones.as_ref().map_or(zones.count(), Vec::len);
    NodeGroup {
        name: spec.name.clone(),
        count: count(found, path, gpu.is_some(), spec.count),
        disk: disk(found, &field(path, "disk"), spec.disk.as_ref(), 30, DiskSize::from_gibibytes(size), reason),
        zones: group_zones,
        labels: labels(found, path, spec.labels.as_ref()),
        taints,
        aws: aws(found, path, &capacity, spread, spec.options.as_ref().and_then(|options| options.aws.as_ref())),
        machine,
        capacity,
        gpu,
    }
}

fn count(found: &mut Findings, path: &str, gpu: bool, spec: Option<CountSpec>) -> Count {
    let path = field(path, "count");
    let (default, reason) = match gpu {
        true => (Count { min: 1, max: 8 }, "one GPU machine now, more when they are asked for"),
        false => (Count { min: 3, max: 10 }, "one in each of three zones, more when they are needed"),
    };
    let written = spec.map(|spec| match spec {
        CountSpec::Exactly(count) => Count { min: count, max: count },
        CountSpec::Between(range) => Count { min: range.min, max: range.max },
    });
    let count = found.or_default(&path, written, default, reason);
    if count.min > count.max {
        found.problem(
            field(&path, "max"),
            format!("the maximum of {} is below the minimum of {}", count.max, count.min),
            format!("{} or more, or a smaller min", count.min),
        );
    }
    count
}

/// A ladder of capacity ends on a rung that holds: on-demand.
fn ladder(found: &mut Findings, path: &str, capacity: &[Capacity]) {
    match capacity {
        [Capacity::OnDemand] | [Capacity::Spot, Capacity::OnDemand] => {}
        [] => found.problem(path, "there is no rung", "[on-demand], or [spot, on-demand]"),
        [Capacity::Spot] => found.problem(
            path,
            "spot alone leaves the group without machines when the cloud has none to spare",
            "[spot, on-demand]",
        ),
        _ => found.problem(
            path,
            "after on-demand there is no further rung, and each rung stands once",
            "[on-demand], or [spot, on-demand]",
        ),
    }
}

fn gpu(found: &mut Findings, path: &str, machine: &Machine, spec: Option<&GpuSpec>) -> Option<GpuSettings> {
    let path = field(path, "gpu");
    let (known, possible): (Option<MachineGpu>, bool) = match machine {
        Machine::Request(request) => (request.gpu, request.gpu.is_some()),
        // What a type has, only the catalogue knows: the user's word counts.
        Machine::Type { gpu, .. } => (*gpu, gpu.is_some() || spec.is_some()),
    };
    if !possible {
        if spec.is_some() {
            found.problem(
                path,
                "the group's machines have no GPU",
                "machine: {gpu: {model: a10g, count: 1}}, or no gpu line",
            );
        }
        return None;
    }
    let spec = spec.cloned().unwrap_or_default();
    let driver =
        found.or_default(&field(&path, "driver"), spec.driver, GpuDriver::Operator, "works on every stock image");
    let sharing =
        found.or_default(&field(&path, "sharing"), spec.sharing, GpuSharing::None, "each pod has its GPUs to itself");
    if sharing == GpuSharing::Mig
        && let Some(known) = known
        && !known.model.can_be_partitioned()
    {
        found.problem(
            field(&path, "sharing"),
            format!("{} cannot be partitioned in hardware", known.model),
            "{timeSlicing: 4}, mps or none",
        );
    }
    Some(GpuSettings { driver, sharing })
}

fn zones_of(found: &mut Findings, path: &str, zones: &ZoneChoice, chosen: &[ZoneName]) -> Vec<ZoneName> {
    let path = field(path, "zones");
    let mut seen = BTreeSet::new();
    for (at, zone) in chosen.iter().enumerate() {
        let here = item(&path, at);
        if !seen.insert(zone) {
            found.problem(here, format!("{zone} is named twice"), "each zone once");
            continue;
        }
        match zones {
            ZoneChoice::Named(all) if !all.contains(zone) => {
                let all: Vec<&str> = all.iter().map(ZoneName::as_str).collect();
                found.problem(
                    here,
                    format!("{zone} is not a zone of the cluster"),
                    format!("one of {}", all.join(", ")),
                );
            }
            ZoneChoice::Named(_) => {}
            ZoneChoice::Count(count) => {
                found.problem(
                    here,
                    format!("the cluster takes {count} zones without naming them, so {zone} may not be one"),
                    "the zones by name in spec.zones, or no zones line here",
                );
            }
        }
    }
    chosen.to_vec()
}

/// Labels that the kubelet refuses to give itself: it would not start.
///
/// <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction>
fn labels(
    found: &mut Findings,
    path: &str,
    spec: Option<&BTreeMap<LabelKey, LabelValue>>,
) -> BTreeMap<LabelKey, LabelValue> {
    let path = field(path, "labels");
    let within = |domain: &str, parent: &str| domain == parent || domain.ends_with(&format!(".{parent}"));
    for key in spec.into_iter().flatten().map(|(key, _)| key) {
        let Some(domain) = key.domain() else { continue };
        let kubernetes = within(domain, "kubernetes.io") || within(domain, "k8s.io");
        let open = within(domain, "node.kubernetes.io") || within(domain, "kubelet.kubernetes.io");
        if kubernetes && !open {
            found.problem(
                field(&path, key.as_str()),
                format!(
                    "{domain} belongs to Kubernetes: a kubelet may not label its own node with it and does not start"
                ),
                "a domain of your own, or node.kubernetes.io/...",
            );
        }
    }
    spec.cloned().unwrap_or_default()
}

fn taints(found: &mut Findings, path: &str, gpu: bool, spec: &[Taint]) -> Vec<Taint> {
    let path = field(path, "taints");
    let mut taints = spec.to_vec();
    let mut seen = BTreeSet::new();
    for (at, taint) in spec.iter().enumerate() {
        if !seen.insert((&taint.key, taint.effect)) {
            found.problem(
                item(&path, at),
                format!("a taint of key {} and effect {} stands above already", taint.key, taint.effect.as_str()),
                "each key and effect once",
            );
        }
    }
    if gpu && !spec.iter().any(|taint| taint.key.as_str() == GPU_TAINT) {
        // A constant that parses; a test sees that it is there.
        taints.extend(format!("{GPU_TAINT}=present:NoSchedule").parse::<Taint>().ok());
        found.filled_in(item(&path, spec.len()), "only pods that ask for a GPU come onto GPU machines");
    }
    taints
}

fn aws(
    found: &mut Findings,
    path: &str,
    capacity: &[Capacity],
    zones: usize,
    spec: Option<&AwsGroupOptions>,
) -> AwsGroup {
    let path = field(&field(path, "options"), "aws");
    let Some(spec) = spec else { return AwsGroup::default() };
    let one_zone = "zones: with one zone, for this group";
    if spec.placement_group == Some(PlacementStrategy::Cluster) && zones != 1 {
        found.problem(
            field(&path, "placementGroup"),
            format!("a cluster placement group lies in one zone, and the group is in {zones}"),
            one_zone,
        );
    }
    if spec.capacity_reservation.is_some() {
        let reservation = field(&path, "capacityReservation");
        if zones != 1 {
            found.problem(
                reservation.as_str(),
                format!("a capacity reservation lies in one zone, and the group is in {zones}"),
                one_zone,
            );
        }
        if capacity != [Capacity::OnDemand] {
            found.problem(reservation, "reserved capacity is on-demand capacity", "capacity: [on-demand]");
        }
    }
    AwsGroup {
        ami: spec.ami.clone(),
        efa: spec.efa.unwrap_or(false),
        placement: spec.placement_group,
        reservation: spec.capacity_reservation.clone(),
    }
}
