//! An account and a store that outlive processes.

use std::collections::BTreeMap;

use clusterctl_core::store::MemoryStore;
use clusterctl_simulator::aws;
use clusterctl_simulator::transport::Log;
use clusterctl_simulator::weather::Weather;
use clusterctl_simulator::world::{Thing, World};

/// Where a rehearsal takes place.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) store: MemoryStore,
    pub(crate) log: Log,
    pub(crate) seed: u64,
    /// How many processes there were.
    pub(crate) processes: u64,
    /// Everything that was there before.
    pub(crate) foreign: Vec<Thing>,
    /// All that processes have said, for the search after secrets.
    pub(crate) said: String,
}

impl Clone for Stage {
    /// A stage of its own: what happens there does not happen here.
    fn clone(&self) -> Self {
        Self {
            world: self.world.clone(),
            store: self.store.copy(),
            log: self.log.clone(),
            seed: self.seed,
            processes: self.processes,
            foreign: self.foreign.clone(),
            said: self.said.clone(),
        }
    }
}

impl Stage {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        let world = aws::account::account(aws::REGION, seed, weather);
        let foreign = world.foreign().cloned().collect();
        let (store, log) = (MemoryStore::new(), Log::default());
        Self { world, store, log, seed, processes: 0, foreign, said: String::new() }
    }

    /// How many of each kind there are that were not there before.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in self.world.inventory() {
            let kind = line.split(' ').next().unwrap_or_default().to_owned();
            *counts.entry(kind).or_insert(0) += 1;
        }
        counts
    }
}
