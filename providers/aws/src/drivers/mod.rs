//! How AWS makes each kind real: single requests as AWS documents them, one file per concern.
//!
//! `network` · `security` · `load_balancer` · `control_plane` · `node_groups` · `identity` · `dns`, and `ec2` with what
//! those of EC2 share. When to call them, again or not at all, is the engine's business.

pub(crate) mod adopt;
pub(crate) mod control_plane;
pub(crate) mod dns;
pub(crate) mod ec2;
pub(crate) mod identity;
pub(crate) mod load_balancer;
pub(crate) mod network;
pub(crate) mod node_groups;
pub(crate) mod security;

use std::collections::BTreeMap;
use std::fmt;

use clusterctl_core::cloud::AnyDriver;

use crate::client::Client;

pub use load_balancer::targets::{Target, health};

/// The drivers by the name of their kind.
pub struct Drivers(BTreeMap<&'static str, Box<dyn AnyDriver>>);

impl Drivers {
    #[must_use]
    pub fn new(client: &Client) -> Self {
        let all = [
            network::drivers(client),
            security::drivers(client),
            load_balancer::drivers(client),
            control_plane::drivers(client),
            node_groups::drivers(client),
            identity::drivers(client),
            dns::drivers(client),
        ];
        Self(all.into_iter().flatten().collect())
    }

    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&dyn AnyDriver> {
        self.0.get(kind).map(AsRef::as_ref)
    }
}

impl fmt::Debug for Drivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::Recorder;
    use crate::resources::KINDS;

    #[test]
    fn every_kind_has_a_driver_and_every_driver_a_kind() {
        let (client, _) = Recorder::client([]);
        let drivers = Drivers::new(&client);
        let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        kinds.sort_unstable();
        assert_eq!(drivers.0.keys().copied().collect::<Vec<_>>(), kinds);
    }
}
