//! Sees what every client writes, to the cloud and to the store, and who holds the lock then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use clusterctl_core::store::journal::SegmentId;
use clusterctl_core::store::lock::record::{self, LeaseRecord};
use clusterctl_core::store::{ClusterKeys, Key, MemoryStore};

use crate::rehearsal::oracles::Violation;

/// What all clients wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(Arc<Mutex<BTreeMap<u64, Sent>>>);

/// How many changes a client sent to the cloud, and what it wrote without the lock.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    all: u32,
    superseded: u32,
    late: u32,
}

impl Changes {
    fn note(&self, client: u64, change: impl FnOnce(&mut Sent)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(client).or_default());
    }

    /// How many changes a client sent.
    pub(super) fn of(&self, client: u64) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&client).map_or(0, |sent| sent.all)
    }

    /// O7: nobody changes anything while another one may, nor adds to a journal that another one has closed.
    pub(super) fn judged(&self) -> Result<(), Violation> {
        for (client, sent) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let (times, what) = match sent {
                Sent { superseded: 1.., .. } => (sent.superseded, "to the cloud"),
                Sent { late: 1.., .. } => (sent.late, "to its closed journal"),
                _ => continue,
            };
            let what = format!("client {client} was superseded and wrote {times} times {what}");
            return Err(Violation::new("O7 single writer", what));
        }
        Ok(())
    }
}

/// One client's.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    pub(super) number: u64,
    /// Its name as a holder of the lock.
    pub(super) holder: String,
    pub(super) store: MemoryStore,
    pub(super) keys: ClusterKeys,
    pub(super) changes: Changes,
}

impl Witness {
    /// The lock, where it is somebody else's.
    async fn successor(&self) -> Option<LeaseRecord> {
        let (lease, _) = record::read(&self.store, &self.keys).await.ok().flatten()?;
        (lease.holder.user != self.holder).then_some(lease)
    }

    /// A change leaves for the cloud. What had left before a client was stopped is on its way and cannot be called back.
    pub(super) async fn sees_a_change(&self) {
        let superseded = self.successor().await.is_some();
        self.changes.note(self.number, |sent| {
            sent.all += 1;
            sent.superseded += u32::from(superseded);
        });
    }

    /// The store has taken something.
    pub(super) async fn sees_a_write(&self, key: &Key) {
        let (Some(segment), Some(lease)) = (SegmentId::at(&self.keys, key), self.successor().await) else { return };
        if segment.epoch < lease.epoch && !lease.unsealed.contains(&segment.epoch) {
            self.changes.note(self.number, |sent| sent.late += 1);
        }
    }
}
