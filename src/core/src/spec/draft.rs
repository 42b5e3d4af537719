//! A cluster in the few words of a command line.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::words::{ApiVersion, Capacity, Cloud, Kind, Topology, Visibility};
use super::{
    AccessSpec, ApiAccessSpec, ClusterSpec, ControlPlaneSpec, CountRangeSpec, CountSpec, MachineGpuSpec, MachineSpec,
    MachineTypeSpec, Metadata, NetworkSpec, NodeGroupSpec, Spec, Zones,
};
use crate::names::gpu::GpuRequest;
use crate::names::{
    Cidr, ClusterName, Duration, Invalid, KubernetesVersion, LabelKey, LabelValue, MachineType, RegionName, ZoneName,
};

/// A cluster in the few words of a command line, from which the same [`Spec`] is made that a file would say.
///
/// What is `None` or empty is left to the defaults of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecDraft {
    /// Name of the cluster.
    pub name: ClusterName,
    /// Labels of the cluster.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// The cloud.
    pub cloud: Cloud,
    /// The region.
    pub region: Option<RegionName>,
    /// How many zones, or which.
    pub zones: Option<Zones>,
    /// The Kubernetes version.
    pub kubernetes: Option<KubernetesVersion>,
    /// The machines' network.
    pub network_cidr: Option<Cidr>,
    /// Whether nodes have public addresses.
    pub topology: Option<Topology>,
    /// Networks that may reach the API from the internet; any makes the API public.
    pub api_from: Vec<Cidr>,
    /// How many control-plane nodes.
    pub control_plane_count: Option<u8>,
    /// The machine type of control-plane nodes.
    pub control_plane_type: Option<MachineType>,
    /// How many nodes the group `general` has: exactly so many, unless `node_max` leaves room for more.
    pub node_count: Option<u32>,
    /// How many nodes the group `general` may grow to. Without `node_count`, it starts with three, or with so many when
    /// that is fewer.
    pub node_max: Option<u32>,
    /// The machine type of the group `general`.
    pub node_type: Option<MachineType>,
    /// GPUs of each machine of a second group `gpu`, bought as spot where there is some, with one machine now and up to
    /// eight.
    pub gpu: Option<GpuRequest>,
    /// How long the cluster may live.
    pub ttl: Option<Duration>,
}

impl SpecDraft {
    /// A draft that says no more than a file has to.
    pub fn new(name: ClusterName, cloud: Cloud) -> Self {
        Self {
            name,
            labels: BTreeMap::new(),
            cloud,
            region: None,
            zones: None,
            kubernetes: None,
            network_cidr: None,
            topology: None,
            api_from: Vec::new(),
            control_plane_count: None,
            control_plane_type: None,
            node_count: None,
            node_max: None,
            node_type: None,
            gpu: None,
            ttl: None,
        }
    }

    fn general(&self) -> Option<NodeGroupSpec> {
        let count = match (self.node_count, self.node_max) {
            (None, None) => None,
            (Some(count), None) => Some(CountSpec::Exactly(count)),
            (count, Some(max)) => Some(CountSpec::Between(CountRangeSpec { min: count.unwrap_or(max.min(3)), max })),
        };
        Some(NodeGroupSpec {
            count,
            machine: self.node_type.clone().map(of_type),
            ..NodeGroupSpec::named(group("general")?)
        })
    }

    fn gpu(&self) -> Option<NodeGroupSpec> {
        let gpu = self.gpu?;
        let gpu = MachineGpuSpec { model: gpu.model, count: Some(gpu.count) };
        Some(NodeGroupSpec {
            machine: Some(MachineSpec { gpu: Some(gpu), ..MachineSpec::default() }),
            capacity: Some(vec![Capacity::Spot, Capacity::OnDemand]),
            count: Some(CountSpec::Between(CountRangeSpec { min: 1, max: 8 })),
            ..NodeGroupSpec::named(group("gpu")?)
        })
    }
}

/// A group's name that is a constant and parses.
fn group(name: &str) -> Option<crate::names::GroupName> {
    name.parse().ok()
}

fn of_type(name: MachineType) -> MachineSpec {
    MachineSpec { machine_type: Some(MachineTypeSpec::Here(name)), ..MachineSpec::default() }
}

impl From<SpecDraft> for Spec {
    fn from(draft: SpecDraft) -> Self {
        let says_groups =
            draft.gpu.is_some() || draft.node_count.is_some() || draft.node_max.is_some() || draft.node_type.is_some();
        let node_groups = says_groups.then(|| draft.general().into_iter().chain(draft.gpu()).collect());
        let network = NetworkSpec { cidr: draft.network_cidr, topology: draft.topology, ..NetworkSpec::default() };
        let control_plane = ControlPlaneSpec {
            count: draft.control_plane_count,
            machine: draft.control_plane_type.clone().map(of_type),
            ..ControlPlaneSpec::default()
        };
        let api = ApiAccessSpec { visibility: Some(Visibility::Public), from: Some(draft.api_from.clone()) };
        Self {
            api_version: ApiVersion::V1,
            kind: Kind::Cluster,
            metadata: Metadata { name: draft.name, labels: (!draft.labels.is_empty()).then_some(draft.labels) },
            spec: ClusterSpec {
                cloud: draft.cloud,
                region: draft.region,
                zones: draft.zones,
                kubernetes: draft.kubernetes,
                network: (network != NetworkSpec::default()).then_some(network),
                access: (!draft.api_from.is_empty()).then(|| AccessSpec { api: Some(api), ..AccessSpec::default() }),
                dns: None,
                control_plane: (control_plane != ControlPlaneSpec::default()).then_some(control_plane),
                node_groups,
                platform: None,
                ttl: draft.ttl,
                deletion_protection: None,
                options: None,
            },
        }
    }
}

/// Zones as a command line writes them: `3`, or `eu-central-1a,eu-central-1b`.
impl FromStr for Zones {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const RIGHT: &str = "how many, from 1 to 6, or which, separated by commas";
        if let Ok(count) = text.parse::<u8>() {
            return if (1..=6).contains(&count) {
                Ok(Self::Count(count))
            } else {
                Err(Invalid::shape(format!("{count} zones are not possible"), RIGHT))
            };
        }
        let names: Vec<ZoneName> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        if names.len() > 6 {
            Err(Invalid::shape(format!("{} zones are too many", names.len()), RIGHT))
        } else {
            Ok(Self::Named(names))
        }
    }
}
