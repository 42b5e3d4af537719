//! What is wanted, for whom and where; what is offered.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::types::{Arch, Market};

/// GPUs that a machine must have: exactly so many of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuWish {
    /// As in a catalogue: lower case, with the memory size where one model has two.
    pub model: String,
    pub count: u32,
}

impl fmt::Display for GpuWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.model, self.count))
    }
}

/// What a machine must have at least; 0 asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    pub cpu: u32,
    pub memory_mib: u64,
    pub gpu: Option<GpuWish>,
    pub arch: Arch,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(gpu) = &self.gpu {
            parts.push(format!("gpu {gpu}"));
        }
        if self.cpu > 0 {
            parts.push(format!("cpu {}", self.cpu));
        }
        if self.memory_mib > 0 {
            parts.push(format!("memory {}", memory(self.memory_mib)));
        }
        parts.push(self.arch.to_string());
        f.pad(&parts.join(", "))
    }
}

pub(super) fn memory(mib: u64) -> String {
    if mib.is_multiple_of(1024) { format!("{}Gi", mib / 1024) } else { format!("{mib}Mi") }
}

/// A machine by what it must have, or by the cloud's own name for its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    Having(Request),
    Exact(String),
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Having(request) => request.fmt(f),
            Self::Exact(name) => f.pad(name),
        }
    }
}

/// Who runs on the machine. A control plane needs its type in every zone; GPU workers make do with some zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    ControlPlane,
    Worker,
}

/// One machine type to be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    pub want: Want,
    pub role: Role,
    /// The ladder, in order. Empty is on demand.
    pub markets: Vec<Market>,
    /// The chosen zones, in order.
    pub zones: Vec<String>,
}

/// Which types are offered in which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offerings {
    /// As the cloud said. A zone that is not in it offers nothing.
    Known(BTreeMap<String, BTreeSet<String>>),
    /// Nobody was asked (offline, export): the catalogue alone decides.
    Unknown,
}

impl Offerings {
    /// Whether the cloud offers the type there, as far as is known.
    #[must_use]
    pub fn has(&self, zone: &str, machine: &str) -> bool {
        match self {
            Self::Known(zones) => zones.get(zone).is_some_and(|types| types.contains(machine)),
            Self::Unknown => true,
        }
    }
}
