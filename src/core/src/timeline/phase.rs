//! The parts of a cluster, in the words of the field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::addr::Addr;
use crate::graph::{Concern, Graph};

/// A group of steps that a reader thinks of as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Network,
    Security,
    LoadBalancer,
    ControlPlane,
    NodeGroups,
    Identity,
    Dns,
    /// Of what is in no graph any more.
    Other,
}

impl Phase {
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Security => "Security",
            Self::LoadBalancer => "Load balancer",
            Self::ControlPlane => "Control plane",
            Self::NodeGroups => "Node groups",
            Self::Identity => "Identity",
            Self::Dns => "DNS",
            Self::Other => "Other",
        }
    }
}

impl From<Concern> for Phase {
    fn from(concern: Concern) -> Self {
        match concern {
            Concern::Network => Self::Network,
            Concern::Security => Self::Security,
            Concern::LoadBalancer => Self::LoadBalancer,
            Concern::ControlPlane => Self::ControlPlane,
            Concern::NodeGroups => Self::NodeGroups,
            Concern::Identity => Self::Identity,
            Concern::Dns => Self::Dns,
        }
    }
}

/// Which phase an address belongs to.
#[derive(Debug, Clone, Default)]
pub struct Phases {
    addresses: BTreeMap<Addr, Phase>,
    kinds: BTreeMap<String, Phase>,
}

impl Phases {
    /// The phases of a graph, which need not hold every address that is asked for.
    #[must_use]
    pub fn of(graph: &Graph) -> Self {
        let mut phases = Self::default();
        for node in graph.iter() {
            let phase = Phase::from(node.concern);
            phases.kinds.entry(node.addr.kind.clone()).or_insert(phase);
            phases.addresses.insert(node.addr.clone(), phase);
        }
        phases
    }

    /// What is not in the graph, because it is about to go, belongs where others of its kind do.
    #[must_use]
    pub fn get(&self, addr: &Addr) -> Phase {
        self.addresses.get(addr).or_else(|| self.kinds.get(&addr.kind)).copied().unwrap_or(Phase::Other)
    }
}
