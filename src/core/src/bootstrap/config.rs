//! What the script of a node is made from: plain data, no cloud's vocabulary except [`CloudFacts`].

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// Everything that distinguishes one role of one cluster from another.
///
/// It holds no secret: keys and tokens are made on the nodes and travel through the cloud's secret store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeConfig {
    pub role: Role,
    pub cluster: String,
    /// The owner id; also the folder of the cluster's secrets.
    pub uid: String,
    /// `1.36` or a full patch version; must be in the release table.
    pub kubernetes: String,
    pub networking: Networking,
    pub mirrors: Mirrors,
    pub architecture: Architecture,
    /// sha256 by artifact path (`dl.k8s.io/release/...`), in place of the table's: for rebuilt files on a mirror.
    pub checksums: BTreeMap<String, String>,
    pub data_disk: DataDisk,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
    pub gpu: Option<GpuDriver>,
    pub cloud_provider: CloudProvider,
    pub cloud: CloudFacts,
}

/// The processor of the machine type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Architecture {
    Amd64,
    Arm64,
}

impl Architecture {
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// As in the names of the vendors' files.
    pub const fn vendor(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// As `uname -m` says it.
    pub const fn machine(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

/// What kind of node it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Role {
    ControlPlane { etcd: EtcdDisk },
    Worker,
}

/// Where etcd keeps its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EtcdDisk {
    /// A volume of its own, named by [`super::SlotName::EtcdVolume`].
    Volume,
    /// A folder of the root disk: for a single node that is replaced as a whole.
    Root,
}

/// Addresses and overlay of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Networking {
    pub api_port: u16,
    pub pods: Ipv4Net,
    pub services: Ipv4Net,
    /// The subnets of the nodes: a node's own address is the one that lies in one of them.
    pub nodes: Vec<Ipv4Net>,
    pub plugin: String,
    /// MTU of the overlay in bytes; recorded on the node for whoever installs the plugin.
    pub mtu: u16,
}

/// Where files and images come from when not from their vendors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mirrors {
    /// Prefix put before `host/path` of every file, without credentials.
    pub files: Option<String>,
    /// Address of the mirror by registry (`registry.k8s.io`).
    pub registries: BTreeMap<String, String>,
}

/// Which disk containerd lives on.
///
/// An empty one, because a disk that was restored from a snapshot is slow until every block was read once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataDisk {
    Root,
    /// A blank network disk that is not the etcd volume.
    Block,
    /// A blank disk inside the machine.
    InstanceStore,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    pub key: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    pub effect: TaintEffect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// Who installs the GPU driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GpuDriver {
    /// The image has it: containerd gets the nvidia runtime where the image has that too.
    Baked,
    /// The GPU operator brings driver and runtime.
    Operator,
}

/// Whether a cloud controller manager will finish each node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CloudProvider {
    None,
    /// The kubelet taints itself until the controller manager has seen it.
    External,
}

/// What only one cloud has: how a node learns who it is, and its secret store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cloud", rename_all = "camelCase")]
pub enum CloudFacts {
    Aws(AwsFacts),
}

/// SSM parameters under `/clusterctl/<uid>/`, SecureString; identity from IMDSv2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsFacts {
    pub region: String,
    /// `https://ssm.<region>.amazonaws.com` unless said otherwise (China, an interface endpoint).
    #[serde(default)]
    pub ssm_endpoint: Option<String>,
    /// The KMS key of the parameters; the account's own for SSM when absent.
    #[serde(default)]
    pub kms_key: Option<String>,
}

/// The taint that a GPU node starts with until a validator has seen a GPU answer.
pub const GPU_STARTUP_TAINT: &str = "clusterctl.dev/gpu-not-validated";

/// What machines write into that folder, beside the locks.
pub const SECRETS: [&str; 9] = [
    "control-plane/cluster",
    "control-plane/etcd",
    "control-plane/key",
    "control-plane/pki/ca",
    "control-plane/pki/encryption",
    "control-plane/pki/etcd-ca",
    "control-plane/pki/front-proxy-ca",
    "control-plane/pki/sa",
    "join/material",
];

/// What the name of a lock begins with; a number follows.
pub const SECRET_LOCKS: &str = "control-plane/lock/";

/// The folder of a cluster's secrets in the secret store; least-privilege policies name it.
pub fn secret_folder(uid: &str) -> String {
    format!("/clusterctl/{uid}")
}

/// The part of the folder that workers may read.
pub fn join_folder(uid: &str) -> String {
    format!("/clusterctl/{uid}/join")
}

/// The part of the folder that only the control plane may read and write.
pub fn control_plane_folder(uid: &str) -> String {
    format!("/clusterctl/{uid}/control-plane")
}
