//! Decisions that were taken once and stay: zones, machine types, images, rungs.
//!
//! Whatever depends on the day it was asked for is chosen at the first plan and recorded, so that the same command again
//! changes nothing. A choice is taken anew only when what it answers is asked differently.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Choice;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Choices {
    pub region: String,
    /// The full patch version, such as `1.36.3`.
    pub kubernetes: String,
    /// The cluster's zones, in order.
    pub zones: Vec<String>,
    /// By who they are for: [`CONTROL_PLANE`], [`BASTION`] or [`group`].
    pub machines: BTreeMap<String, Chosen>,
    /// By architecture. Without one the newest is looked up by whoever reads the graph.
    pub images: BTreeMap<String, Image>,
    /// The id of the user's public zone.
    pub public_zone: Option<String>,
    /// The subnets of an existing network.
    pub existing: Vec<ExistingSubnet>,
    /// The rung that the ladder of a node group came to stand on.
    pub rungs: BTreeMap<String, usize>,
}

pub const CONTROL_PLANE: &str = "control-plane";
pub const BASTION: &str = "bastion";

/// The key of a node group among [`Choices::machines`].
#[must_use]
pub fn group(name: &str) -> String {
    format!("group/{name}")
}

/// The machine type that a demand got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chosen {
    /// What was asked for; another question is another choice.
    pub asked: String,
    pub machine: String,
    pub cpu: u32,
    pub memory_mib: u64,
    /// `amd64` or `arm64`.
    pub arch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<ChosenGpu>,
    /// It has a disk inside.
    #[serde(default)]
    pub instance_store: bool,
    /// Further types for a ladder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// The zones it is used in.
    pub zones: Vec<String>,
    /// The rungs, in order: `spot`, `on-demand`.
    pub markets: Vec<String>,
    /// What had to be left out and why, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenGpu {
    pub model: String,
    pub count: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    pub id: String,
    /// Where it came from, for people.
    #[serde(default)]
    pub name: String,
}

/// A subnet that is there already and stays its owner's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExistingSubnet {
    pub id: String,
    pub zone: String,
    pub cidr: String,
    /// It has a route to an internet gateway.
    pub public: bool,
}

impl Chosen {
    /// What of a choice is kept.
    #[must_use]
    pub fn from_choice(asked: String, choice: &Choice) -> Self {
        let machine = &choice.machine;
        Self {
            asked,
            machine: machine.name.clone(),
            cpu: machine.cpu,
            memory_mib: machine.memory_mib,
            arch: machine.arch.to_string(),
            gpu: machine.gpu.as_ref().map(|gpu| ChosenGpu { model: gpu.model.clone(), count: gpu.count }),
            instance_store: machine.local_nvme_gb > 0,
            alternatives: choice.alternatives.iter().map(|other| other.name.clone()).collect(),
            zones: choice.zones.clone(),
            markets: choice.markets.iter().map(ToString::to_string).collect(),
            notes: choice.dropped.iter().map(ToString::to_string).collect(),
        }
    }
}
