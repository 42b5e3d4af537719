//! What a [`Cluster`] consists of: plain owned data.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use crate::names::{
    AmiId, CapacityReservationId, Cidr, ClusterName, DiskSize, DnsZone, Duration, GpuModel, GroupName,
    KubernetesVersion, LabelKey, LabelValue, MachineType, MemorySize, RegionName, ResourceId, SshKey, TagKey, TagValue,
    Taint, ZoneName,
};
pub use crate::spec::GpuSharing;
pub use crate::spec::words::{
    Arch, Capacity, Cloud, GpuDriver, PlacementStrategy, PodMode, PodPlugin, Topology, Visibility,
};

/// A cluster with every default filled in and every rule checked.
///
/// Only [`super::resolve`] makes one, so whoever holds one need not check anything again.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// Labels for everything that it consists of.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// The cloud it runs on.
    pub cloud: Cloud,
    /// The region, or the one that the cloud's own configuration names.
    pub region: Option<RegionName>,
    /// Its availability zones.
    pub zones: ZoneChoice,
    /// The Kubernetes version.
    pub kubernetes: KubernetesVersion,
    /// Addresses and how traffic flows.
    pub network: Network,
    /// Who may reach the API and the machines.
    pub access: Access,
    /// Where its names are published.
    pub dns: Dns,
    /// The machines that run the API server and etcd.
    pub control_plane: ControlPlane,
    /// The groups of machines that run workloads, in the order of the file. Names are unique.
    pub node_groups: Vec<NodeGroup>,
    /// How long it may live, or until it is deleted.
    pub ttl: Option<Duration>,
    /// Whether deleting it is refused.
    pub deletion_protection: bool,
    /// What only one cloud has.
    pub options: Options,
    /// Where the defaults came from and what deserves a warning. Private, so that nobody else can make a `Cluster`.
    pub(super) notes: super::Notes,
}

/// The availability zones of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneChoice {
    /// The cloud's first so many, in order of their names; at least one.
    Count(u8),
    /// These, in the order of the file, without repetition; at least one.
    Named(Vec<ZoneName>),
}

impl ZoneChoice {
    /// How many zones there are; at least one.
    pub fn count(&self) -> usize {
        match self {
            Self::Count(count) => usize::from(*count),
            Self::Named(zones) => zones.len(),
        }
    }
}

/// Addresses and how traffic flows. No two of the ranges overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Addresses of the machines; of an existing network, the range its subnets lie in.
    pub cidr: Cidr,
    /// Whether nodes have public addresses.
    pub topology: Topology,
    /// How nodes reach the internet.
    pub egress: Egress,
    /// The network between pods.
    pub pods: Pods,
    /// Addresses of Services.
    pub services: Cidr,
    /// The network that is there already, instead of one of the cluster's own.
    pub existing: Option<ExistingNetwork>,
    /// Other networks that must stay reachable.
    pub peers: Vec<Cidr>,
}

/// How nodes reach the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Egress {
    /// Through a NAT gateway in each zone.
    NatPerZone,
    /// Through one NAT gateway for all zones.
    NatShared,
    /// By their own public addresses.
    Direct,
    /// As the existing network has it.
    Existing,
}

/// The network between pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Pods {
    /// The plugin that carries pod traffic.
    pub plugin: PodPlugin,
    /// How it crosses the network between nodes.
    pub mode: PodMode,
    /// Addresses of pods. Each node takes a [`NODE_POD_PREFIX`] of it; there are enough for every group at its maximum.
    pub cidr: Cidr,
}

/// The prefix length of the pod network of one node.
pub const NODE_POD_PREFIX: u8 = 24;

/// A network that is there already and stays its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingNetwork {
    /// Its id.
    pub network: ResourceId,
    /// Subnets without public addresses. Not empty when nodes are private.
    pub private_subnets: Vec<ResourceId>,
    /// Subnets with a route to the internet. Not empty when nodes, the API or a bastion are public.
    pub public_subnets: Vec<ResourceId>,
}

/// Who may reach the API and the machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Who may reach the Kubernetes API.
    pub api: ApiAccess,
    /// Who may log in to machines; nobody without it.
    pub ssh: Option<SshAccess>,
    /// Whether SSH goes through a bastion. Then `ssh` is there.
    pub bastion: bool,
}

/// Who may reach the Kubernetes API.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiAccess {
    /// From where it can be reached.
    pub visibility: Visibility,
    /// Networks that may reach it; never empty.
    pub from: Vec<Cidr>,
}

/// Who may log in to machines.
#[derive(Clone, Debug, PartialEq)]
pub struct SshAccess {
    /// Networks that may connect (to the bastion, when there is one); never empty.
    pub from: Vec<Cidr>,
    /// Their keys; never empty.
    pub keys: Vec<SshKey>,
}

/// Where the cluster's names are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dns {
    /// Nowhere.
    None,
    /// In a public zone that exists already.
    Public {
        /// The zone.
        zone: DnsZone,
    },
    /// In a private zone of the cluster's own.
    Private {
        /// The zone.
        zone: DnsZone,
    },
}

/// The machines that run the API server and etcd.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPlane {
    /// How many: 1, 3 or 5.
    pub count: u8,
    /// What each is.
    pub machine: Machine,
    /// Disk of the system.
    pub disk: DiskSize,
    /// Disk of etcd alone, which outlives the machine.
    pub etcd_disk: DiskSize,
}

/// What a machine is asked to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The cheapest type that has this.
    Request(MachineRequest),
    /// This type of the cluster's cloud.
    Type {
        /// The type.
        name: MachineType,
        /// The architecture, where the file says it; otherwise the catalogue does.
        arch: Option<Arch>,
        /// The GPUs that the file says it has; otherwise the catalogue says.
        gpu: Option<MachineGpu>,
    },
}

/// What a machine must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineRequest {
    /// At least so many virtual processors; any number when `None`, which only a request for GPUs leaves open.
    pub cpu: Option<u16>,
    /// At least so much memory; likewise.
    pub memory: Option<MemorySize>,
    /// Exactly these GPUs, or none.
    pub gpu: Option<MachineGpu>,
    /// Processor architecture.
    pub arch: Arch,
}

/// The GPUs of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineGpu {
    /// Which model.
    pub model: GpuModel,
    /// How many.
    pub count: NonZeroU8,
}

/// A group of equal machines that run workloads.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeGroup {
    /// Its name.
    pub name: GroupName,
    /// What each machine is.
    pub machine: Machine,
    /// How many.
    pub count: Count,
    /// How they are bought: the ladder from the first rung to the last, which is on-demand.
    pub capacity: Vec<Capacity>,
    /// Disk of images and containers.
    pub disk: DiskSize,
    /// Zones among the cluster's, when not all of them. Only when the cluster's are named.
    pub zones: Option<Vec<ZoneName>>,
    /// How its GPUs are driven and shared; `Some` exactly for a GPU group.
    pub gpu: Option<GpuSettings>,
    /// Labels of its nodes.
    pub labels: BTreeMap<LabelKey, LabelValue>,
    /// Taints of its nodes, with the one of GPU groups.
    pub taints: Vec<Taint>,
    /// What only AWS has.
    pub aws: AwsGroup,
}

/// At least and at most so many machines; `min <= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
}

/// How GPUs are driven and shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuSettings {
    /// Where the driver comes from.
    pub driver: GpuDriver,
    /// Whether pods share a GPU, and how.
    pub sharing: GpuSharing,
}

/// What only one cloud has, for the whole cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What only AWS has.
    pub aws: Aws,
}

/// What only AWS has, for the whole cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aws {
    /// Image of every machine without one of its own, or the newest Ubuntu.
    pub ami: Option<AmiId>,
    /// Routes in a route table.
    pub routes_per_table: Option<u32>,
    /// Tags on everything, besides clusterctl's own.
    pub tags: BTreeMap<TagKey, TagValue>,
}

/// What only AWS has, for one node group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsGroup {
    /// Image of its machines.
    pub ami: Option<AmiId>,
    /// Whether they get an Elastic Fabric Adapter.
    pub efa: bool,
    /// How they are placed. `Cluster` only when the group is in one zone.
    pub placement: Option<PlacementStrategy>,
    /// Capacity reserved before. Then the ladder is on-demand alone.
    pub reservation: Option<CapacityReservationId>,
}
