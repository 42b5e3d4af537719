//! The cluster file, version 1, as types.
//!
//! What the user left out is `None` here: nothing is filled in, so that a default is never mistaken for a wish. The
//! doc comments of the fields are the descriptions in the JSON Schema and what `clusterctl explain` prints; a field's
//! constant default stands in its schema, and a test compares it with what [`crate::cluster::resolve`] fills in.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::options::{CloudOptions, GroupOptions};
use super::words::{
    ApiVersion, Arch, Capacity, Cloud, DnsVisibility, GpuDriver, Kind, NatGateways, PodMode, PodPlugin, Profile,
    Topology, Visibility,
};
use crate::names::{
    Cidr, ClusterName, DiskSize, DnsZone, Duration, GpuModel, GroupName, KubernetesVersion, LabelKey, LabelValue,
    MachineType, MemorySize, RegionName, ResourceId, SshKey, Taint, ZoneName,
};

/// A Kubernetes cluster, as the user describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Version of the file format.
    pub api_version: ApiVersion,
    /// What the file describes.
    pub kind: Kind,
    /// What the cluster is called.
    pub metadata: Metadata,
    /// What the cluster shall be.
    pub spec: ClusterSpec,
}

/// What the cluster is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// Name of the cluster: lower-case letters, digits and hyphens, at most 28. It cannot be changed later.
    pub name: ClusterName,
    /// Labels of the cluster; they also become labels or tags of everything it consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-keys" = "label-key"))]
    pub labels: Option<BTreeMap<LabelKey, LabelValue>>,
}

/// What the cluster shall be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterSpec {
    /// The cloud that the cluster runs on: the only line that has to change to move to another one.
    pub cloud: Cloud,
    /// Region as the cloud calls it. Without it, the region that the cloud's own configuration names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionName>,
    /// Availability zones: how many, or which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "3; with existing subnets, one for each of them"))]
    pub zones: Option<Zones>,
    /// Kubernetes version: a minor release, or one exact patch of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1.36"))]
    pub kubernetes: Option<KubernetesVersion>,
    /// Address ranges and how traffic flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkSpec>,
    /// Who may reach the API server and the machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessSpec>,
    /// Whether and where the cluster's names are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsSpec>,
    /// The machines that run the API server and etcd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<ControlPlaneSpec>,
    /// The groups of machines that run workloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "one group called general"))]
    pub node_groups: Option<Vec<NodeGroupSpec>>,
    /// What is installed on top of Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformSpec>,
    /// How long the cluster may live, for review environments. Without it, until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// Whether deleting the cluster is refused until this line is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub deletion_protection: Option<bool>,
    /// What only one cloud has. Options of other clouds than `cloud` are kept and ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<CloudOptions>,
}

/// Availability zones: how many, or which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Zones {
    /// How many; the cloud's first ones are taken, in order of their names.
    Count(#[schemars(range(min = 1, max = 6))] u8),
    /// Which.
    Named(#[schemars(length(min = 1, max = 6))] Vec<ZoneName>),
}

/// Address ranges and how traffic flows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkSpec {
    /// Addresses of the machines. With `existing`, the range that its subnets lie in, which then has to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10.20.0.0/16"))]
    pub cidr: Option<Cidr>,
    /// Whether nodes have public addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "private"))]
    pub topology: Option<Topology>,
    /// How many NAT gateways carry the nodes' way out. Only for private nodes in a network of the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "perZone"))]
    pub egress: Option<NatGateways>,
    /// The network between pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<PodsSpec>,
    /// The network of Kubernetes Services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<ServicesSpec>,
    /// A network that is there already, and whose routes and gateways stay its owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingNetworkSpec>,
    /// Other networks that must stay reachable: peered networks, VPNs, offices. Only used to refuse overlaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<Vec<Cidr>>,
}

/// The network between pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodsSpec {
    /// The network plugin that carries pod traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "cilium"))]
    pub plugin: Option<PodPlugin>,
    /// How pod traffic crosses the network between nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "overlay"))]
    pub mode: Option<PodMode>,
    /// Addresses of pods. Each node takes a /24 of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "100.64.0.0/12"))]
    pub cidr: Option<Cidr>,
}

/// The network of Kubernetes Services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServicesSpec {
    /// Addresses of Services, from /24 to /12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10.96.0.0/16"))]
    pub cidr: Option<Cidr>,
}

/// A network that is there already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExistingNetworkSpec {
    /// Id of the network.
    pub network: ResourceId,
    /// Its subnets: a list for the nodes, or private and public ones apart.
    pub subnets: SubnetsSpec,
}

/// Subnets of an existing network, one for each zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SubnetsSpec {
    /// The nodes' subnets: private or public as `topology` says.
    Nodes(#[schemars(length(min = 1))] Vec<ResourceId>),
    /// Private and public subnets apart.
    Split(SplitSubnetsSpec),
}

/// Private and public subnets of an existing network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SplitSubnetsSpec {
    /// Subnets whose machines have private addresses only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<Vec<ResourceId>>,
    /// Subnets with a route to the internet, for load balancers, the bastion and public nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Vec<ResourceId>>,
}

/// Who may reach the API server and the machines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessSpec {
    /// Who may reach the Kubernetes API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiAccessSpec>,
    /// Who may log in to machines. Without it, nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshAccessSpec>,
    /// Whether there is a small machine with a public address that SSH goes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub bastion: Option<bool>,
}

/// Who may reach the Kubernetes API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApiAccessSpec {
    /// From where the API can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "private"))]
    pub visibility: Option<Visibility>,
    /// Networks that may reach it besides the cluster's own. Has to be given for a public API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the cluster's network and its peers, for a private API"))]
    pub from: Option<Vec<Cidr>>,
}

/// Who may log in to machines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SshAccessSpec {
    /// Networks that may connect. Has to be given for a bastion and for public nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the cluster's network and its peers, for private nodes without a bastion"))]
    pub from: Option<Vec<Cidr>>,
    /// Public keys of those who may log in.
    pub keys: Vec<SshKey>,
}

/// Whether and where the cluster's names are published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DnsSpec {
    /// Where the cluster's names are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "none"))]
    pub visibility: Option<DnsVisibility>,
    /// The zone. A public one has to exist; a private one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<DnsZone>,
}

/// The machines that run the API server and etcd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ControlPlaneSpec {
    /// How many: 1, 3 or 5. Three survive the loss of one, five of two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 3))]
    pub count: Option<u8>,
    /// What each machine must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"cpu": 4, "memory": "16Gi"}))]
    pub machine: Option<MachineSpec>,
    /// Disk of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"size": "50Gi"}))]
    pub disk: Option<DiskSpec>,
    /// Disk that etcd has to itself. It outlives the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"size": "20Gi"}))]
    pub etcd_disk: Option<DiskSpec>,
}

/// A disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DiskSpec {
    /// Its size.
    pub size: DiskSize,
}

/// What a machine must have. The cheapest type that has it and is offered in every chosen zone is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MachineSpec {
    /// At least so many virtual processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub cpu: Option<u16>,
    /// At least so much memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemorySize>,
    /// Exactly these GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<MachineGpuSpec>,
    /// Processor architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "amd64"))]
    pub arch: Option<Arch>,
    /// The machine type itself, instead of what it must have: one, or one for each cloud.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub machine_type: Option<MachineTypeSpec>,
}

/// The GPUs of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MachineGpuSpec {
    /// Which model.
    pub model: GpuModel,
    /// How many in each machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 16), extend("default" = 1))]
    pub count: Option<NonZeroU8>,
}

/// A machine type: one, or one for each cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MachineTypeSpec {
    /// The type on the cloud of this file.
    Here(MachineType),
    /// The type on each cloud.
    PerCloud(PerCloudTypes),
}

/// A machine type for each cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PerCloudTypes {
    /// The type on AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<MachineType>,
    /// The type on Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<MachineType>,
    /// The type on Google Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcp: Option<MachineType>,
    /// The flavor on OpenStack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openstack: Option<MachineType>,
}

impl PerCloudTypes {
    /// The type on `cloud`, when one is given.
    pub fn on(&self, cloud: Cloud) -> Option<&MachineType> {
        match cloud {
            Cloud::Aws => self.aws.as_ref(),
            Cloud::Azure => self.azure.as_ref(),
            Cloud::Gcp => self.gcp.as_ref(),
            Cloud::Openstack => self.openstack.as_ref(),
        }
    }
}

/// A group of equal machines that run workloads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeGroupSpec {
    /// Name of the node group: lower-case letters, digits and hyphens, at most 20.
    pub name: GroupName,
    /// What each machine must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = {"cpu": 4, "memory": "16Gi"}))]
    pub machine: Option<MachineSpec>,
    /// How many machines: a number, or from `min` to `max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "{min: 3, max: 10}; for GPU machines {min: 1, max: 8}"))]
    pub count: Option<CountSpec>,
    /// How machines are bought: a ladder whose next rung is taken when the cloud has none on this one. Spot needs
    /// on-demand after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("default" = ["on-demand"]))]
    pub capacity: Option<Vec<Capacity>>,
    /// Disk of images and containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "{size: 100Gi}; for GPU machines {size: 200Gi}"))]
    pub disk: Option<DiskSpec>,
    /// Zones that machines may be in, among those of the cluster, which then have to be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-default" = "every zone of the cluster"))]
    pub zones: Option<Vec<ZoneName>>,
    /// How GPUs are driven and shared. Says of a machine `type` that it has GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuSpec>,
    /// Labels of the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-keys" = "label-key"))]
    pub labels: Option<BTreeMap<LabelKey, LabelValue>>,
    /// Taints of the nodes. GPU nodes get `nvidia.com/gpu=present:NoSchedule` unless a taint of that key is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taints: Option<Vec<Taint>>,
    /// What only one cloud has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<GroupOptions>,
}

impl NodeGroupSpec {
    /// A group of which nothing but the name is said.
    pub fn named(name: GroupName) -> Self {
        Self {
            name,
            machine: None,
            count: None,
            capacity: None,
            disk: None,
            zones: None,
            gpu: None,
            labels: None,
            taints: None,
            options: None,
        }
    }
}

/// How many machines: a number, or from `min` to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CountSpec {
    /// Exactly so many.
    Exactly(#[schemars(range(max = 10000))] u32),
    /// At least and at most so many.
    Between(CountRangeSpec),
}

/// At least and at most so many machines.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CountRangeSpec {
    /// At least so many; 0 lets the group sleep.
    #[schemars(range(max = 10000))]
    pub min: u32,
    /// At most so many.
    #[schemars(range(max = 10000))]
    pub max: u32,
}

/// How GPUs are driven and shared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GpuSpec {
    /// Where the GPU driver comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "operator"))]
    pub driver: Option<GpuDriver>,
    /// Whether pods share a GPU, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "none"))]
    pub sharing: Option<GpuSharing>,
}

/// Whether pods share a GPU, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GpuSharing {
    /// Each pod has its GPUs to itself.
    #[serde(rename = "none")]
    None,
    /// Pods share a GPU through NVIDIA's Multi-Process Service.
    #[serde(rename = "mps")]
    Mps,
    /// A GPU is partitioned in hardware; only models that can do it.
    #[serde(rename = "mig")]
    Mig,
    /// So many pods take turns on each GPU.
    #[serde(rename = "timeSlicing")]
    TimeSlicing(#[schemars(range(min = 2, max = 64))] u8),
}

/// What is installed on top of Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlatformSpec {
    /// How much of the ML platform is installed. This version installs none of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "none"))]
    pub profile: Option<Profile>,
}
