//! The cluster file as types: the control plane, node groups, and what machines are asked to be.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::options::GroupOptions;
use super::words::{Arch, Capacity, Cloud, GpuDriver};
use crate::names::{DiskSize, GpuModel, GroupName, LabelKey, LabelValue, MachineType, MemorySize, Taint, ZoneName};

/// The machines that run the API server and etcd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ControlPlaneSpec {
    /// How many: 1, 3 or 5. Three survive the loss of one, five of two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5), extend("default" = 3))]
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
    TimeSlicing(
        #[schemars(range(min = 2, max = 64), extend("description" = "How many pods take turns on each GPU."))] u8,
    ),
}
