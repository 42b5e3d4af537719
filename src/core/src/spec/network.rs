//! The cluster file as types: the network, who may reach what, and under which name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{DnsVisibility, NatGateways, PodMode, PodPlugin, Topology, Visibility};
use crate::names::{Cidr, DnsZone, ResourceId, SshKey};

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
