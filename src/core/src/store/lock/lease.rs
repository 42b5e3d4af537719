//! Keeps a lease.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::acquire::Locker;
use super::record::{Holder, LeaseRecord, read};
use crate::store::settle::within;
use crate::store::state::StateMark;
use crate::store::{ClusterKeys, Condition, StoreError, Version, envelope};

/// How often a renewal that finds its own earlier one is repeated before it counts as failed.
const OWN_CONFLICTS: u32 = 3;
/// The pauses between attempts to give the lease back; a run that ends does not wait long for it.
const RELEASE_PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// The lease is not ours any more, or we cannot know that it is.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    #[error("{holder} took the cluster over with epoch {epoch}")]
    Taken { holder: Box<Holder>, epoch: u64 },
    #[error("the lock was broken by hand")]
    Broken,
    #[error("the lock is gone from the store")]
    Vanished,
    /// Not final: once the store answers, a lease that nobody took over is ours again.
    #[error("the lock could not be renewed in time: {0}")]
    Unsure(StoreError),
}

/// A held lease, renewed in the background until it is released or dropped.
///
/// Dropping it gives nothing back: it expires, as after a crash.
#[derive(Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    heartbeat: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    locker: Locker,
    keys: ClusterKeys,
    epoch: u64,
    /// What the next write of the lease says.
    says: Mutex<LeaseRecord>,
    fresh: Mutex<Fresh>,
    /// The version that is stored; whoever writes the lease holds this.
    version: tokio::sync::Mutex<Version>,
    lost: watch::Sender<Option<Lost>>,
}

/// When the last successful renewal was sent, by both clocks.
#[derive(Debug, Clone, Copy)]
struct Fresh {
    monotonic: Instant,
    wall: Timestamp,
}

impl Lease {
    pub(super) fn begin(
        locker: Locker,
        keys: ClusterKeys,
        record: LeaseRecord,
        version: Version,
        sent: Instant,
    ) -> Self {
        let shared = Arc::new(Shared {
            epoch: record.epoch,
            fresh: Mutex::new(Fresh { monotonic: sent, wall: record.renewed_at }),
            says: Mutex::new(record),
            version: tokio::sync::Mutex::new(version),
            lost: watch::Sender::new(None),
            locker,
            keys,
        });
        let heartbeat = tokio::spawn(heartbeat(Arc::clone(&shared)));
        Self { shared, heartbeat }
    }

    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// The epochs whose journal must be sealed before this run reads it.
    pub fn unsealed(&self) -> Vec<u64> {
        lock(&self.shared.says).unsealed.clone()
    }

    /// Notes that the journal of all those epochs is sealed now.
    pub fn note_sealed(&self) {
        lock(&self.shared.says).unsealed.clear();
    }

    /// The state that the last holder saw last; the stored one must follow on it.
    pub fn state_seen(&self) -> Option<StateMark> {
        lock(&self.shared.says).state.clone()
    }

    /// Notes which state was saved, for the next holder to check against.
    pub fn note_state(&self, mark: StateMark) {
        lock(&self.shared.says).state = Some(mark);
    }

    /// Returns if the cluster may be changed now; to be asked right before every change.
    ///
    /// While the lease is fresh this reads two clocks. Otherwise, such as after a sleep, it renews the lease first:
    /// that succeeds only if nobody has taken it over.
    pub async fn fence(&self) -> Result<(), Lost> {
        self.shared.fence().await
    }

    /// Becomes `Some` when the lease is lost for good.
    pub fn watch_lost(&self) -> watch::Receiver<Option<Lost>> {
        self.shared.lost.subscribe()
    }

    /// Gives the lease back. To be called when the last append to the journal has returned.
    pub async fn release(self) -> Result<(), Lost> {
        let mut version = self.shared.version.lock().await;
        self.heartbeat.abort();
        let now = self.shared.locker.clock.now();
        lock(&self.shared.says).released_at = Some(now);
        let mut pauses = RELEASE_PAUSES.iter();
        loop {
            match (self.shared.write(version).await, pauses.next()) {
                (Err(Lost::Unsure(error)), Some(&pause)) if error.is_retryable() => tokio::time::sleep(pause).await,
                (outcome, _) => return outcome,
            }
            version = self.shared.version.lock().await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

async fn heartbeat(shared: Arc<Shared>) {
    let timing = shared.locker.timing;
    let mut pause = timing.renew;
    while shared.lost.borrow().is_none() {
        tokio::time::sleep(pause).await;
        let version = shared.version.lock().await;
        // A store that is away is asked more often, to be back within the lease.
        pause = if shared.write(version).await.is_ok() { timing.renew } else { timing.renew / 5 };
    }
}

impl Shared {
    async fn fence(&self) -> Result<(), Lost> {
        if let Some(lost) = self.lost.borrow().clone() {
            return Err(lost);
        }
        if self.is_fresh() {
            return Ok(());
        }
        let version = self.version.lock().await;
        // Another worker may have renewed it while this one waited.
        if self.is_fresh() { Ok(()) } else { self.write(version).await }
    }

    fn is_fresh(&self) -> bool {
        let fresh = *lock(&self.fresh);
        let limit = self.locker.timing.ttl.saturating_sub(self.locker.timing.margin);
        // A wall clock that was set back cannot vouch for anything either.
        let by_wall = Duration::try_from(self.locker.clock.now().duration_since(fresh.wall));
        fresh.monotonic.elapsed() < limit && by_wall.is_ok_and(|elapsed| elapsed < limit)
    }

    /// Writes the lease as it is now and keeps the new version.
    async fn write(&self, mut version: tokio::sync::MutexGuard<'_, Version>) -> Result<(), Lost> {
        for _ in 0..OWN_CONFLICTS {
            let fresh = Fresh { monotonic: Instant::now(), wall: self.locker.clock.now() };
            let record = {
                let mut says = lock(&self.says);
                says.renewed_at = fresh.wall;
                says.clone()
            };
            let key = &self.keys.lock;
            let bytes = envelope::seal(key, &record).map_err(Lost::Unsure)?;
            let put = self.locker.store.put(key, bytes, Condition::Matches(version.clone()));
            match within(self.locker.timing.request, put).await {
                Ok(new) => {
                    *version = new;
                    *lock(&self.fresh) = fresh;
                    return Ok(());
                }
                // Perhaps with an earlier renewal of ours, whose answer was lost.
                Err(StoreError::Conflict { .. }) => match self.look(&record).await? {
                    Seen::Ours(stored) => *version = stored,
                    Seen::Released => return Ok(()),
                },
                Err(error) => return Err(Lost::Unsure(error)),
            }
        }
        let what = "the lease changes faster than it can be renewed".into();
        Err(Lost::Unsure(StoreError::Unavailable { what, retryable: true }))
    }

    /// Finds out whose the stored lease is; `Lost::Unsure` if the store does not say.
    async fn look(&self, ours: &LeaseRecord) -> Result<Seen, Lost> {
        let read = within(self.locker.timing.request, read(&*self.locker.store, &self.keys)).await;
        let lost = match read.map_err(Lost::Unsure)? {
            None => Lost::Vanished,
            Some((stored, version)) if stored.is_of(&ours.holder.run, self.epoch) => {
                match (stored.is_held(), ours.is_held()) {
                    (true, _) => return Ok(Seen::Ours(version)),
                    (false, false) => return Ok(Seen::Released),
                    (false, true) => Lost::Broken,
                }
            }
            Some((stored, _)) => Lost::Taken { holder: Box::new(stored.holder), epoch: stored.epoch },
        };
        self.lost.send_replace(Some(lost.clone()));
        Err(lost)
    }
}

enum Seen {
    Ours(Version),
    Released,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every critical section is one assignment, so a panic elsewhere cannot leave half of it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
