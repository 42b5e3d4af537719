//! The cluster file, version 1, as types: the file as a whole.
//!
//! What the user left out is `None` here: nothing is filled in, so that a default is never mistaken for a wish. The
//! doc comments of the fields are the descriptions in the JSON Schema and what `clusterctl explain` prints; a field's
//! constant default stands in its schema, and a test compares it with what [`crate::cluster::resolve`] fills in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::machines::{ControlPlaneSpec, NodeGroupSpec};
use super::network::{AccessSpec, DnsSpec, NetworkSpec};
use super::options::CloudOptions;
use super::words::{ApiVersion, Cloud, Kind, Profile};
use crate::names::{ClusterName, Duration, KubernetesVersion, LabelKey, LabelValue, RegionName, ZoneName};

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

/// What is installed on top of Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlatformSpec {
    /// How much of the ML platform is installed. This version installs none of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "none"))]
    pub profile: Option<Profile>,
}
