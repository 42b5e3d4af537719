//! The stored lease.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::envelope::{self, Document};
use crate::store::settle::{Patience, within};
use crate::store::state::StateMark;
use crate::store::{ClusterKeys, Store, StoreError, Version};

/// Which run holds a lease, for people and to find out whether it still lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Random, one for each run: what the run recognises its own lease by.
    pub run: String,
    pub user: String,
    pub host: String,
    pub pid: u32,
    /// When the process started, as its system counts; tells apart two processes with the same number.
    pub pid_start: Option<u64>,
    /// Which boot of the host; after another one none of its processes lives.
    pub boot_id: Option<String>,
    pub ci_url: Option<String>,
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}, process {}", self.user, self.host, self.pid)?;
        self.ci_url.iter().try_for_each(|url| write!(f, ", {url}"))
    }
}

/// Whether a holder's process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    Alive,
    /// It ran on this host, and certainly does not any more.
    Dead,
    Unknown,
}

/// The lease of a cluster, held or given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRecord {
    /// Counts the acquisitions.
    pub epoch: u64,
    /// Who holds it, or held it last.
    pub holder: Holder,
    /// Both by the holder's wall clock, for people.
    pub acquired_at: Timestamp,
    pub renewed_at: Timestamp,
    /// For how many seconds after a renewal the holder may rely on it.
    pub ttl_s: u64,
    pub released_at: Option<Timestamp>,
    /// Epochs whose run did not give the lease back and whose journal nobody has sealed yet.
    pub unsealed: Vec<u64>,
    /// The state that was seen last.
    pub state: Option<StateMark>,
}

impl Document for LeaseRecord {
    const FORMAT: &'static str = "clusterctl.dev/lock";
    const VERSION: u32 = 1;
}

impl LeaseRecord {
    pub fn is_held(&self) -> bool {
        self.released_at.is_none()
    }

    /// Whether it was ended by somebody else than its holder.
    pub(super) fn is_broken(&self) -> bool {
        !self.is_held() && self.unsealed.contains(&self.epoch)
    }

    pub fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_s)
    }

    /// The epochs to seal for whoever comes after this record.
    pub(super) fn unsealed_after(&self) -> Vec<u64> {
        let own = self.is_held().then_some(self.epoch);
        self.unsealed.iter().copied().chain(own).collect()
    }

    /// Whether it is this very acquisition.
    pub(super) fn is_of(&self, run: &str, epoch: u64) -> bool {
        self.holder.run == run && self.epoch == epoch
    }
}

/// Reads the lease of a cluster and the version under which it may be replaced.
pub async fn read(store: &dyn Store, keys: &ClusterKeys) -> Result<Option<(LeaseRecord, Version)>, StoreError> {
    let Some(object) = within(Patience::default().timeout, store.get(&keys.lock)).await? else { return Ok(None) };
    Ok(Some((envelope::open(&keys.lock, &object.bytes)?, object.version)))
}
