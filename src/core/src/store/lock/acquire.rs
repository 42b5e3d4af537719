//! Waits for a lease.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::lease::Lease;
use super::record::{Holder, LeaseRecord, Liveness, read};
use crate::store::settle::{self, Patience};
use crate::store::{Clock, ClusterKeys, Condition, Store, StoreError, Version, envelope, journal, state};

/// The spans of a lease. They must leave `renew < ttl - margin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a renewal lasts.
    pub ttl: Duration,
    /// How often it is renewed.
    pub renew: Duration,
    /// How much earlier than `ttl` the holder stops relying on it.
    pub margin: Duration,
    /// How much longer than `ttl` a waiter must have seen it unchanged.
    pub grace: Duration,
    /// How often a waiter looks.
    pub poll: Duration,
    /// How long one request of the heartbeat may take.
    pub request: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(60),
            renew: Duration::from_secs(15),
            margin: Duration::from_secs(10),
            grace: Duration::from_secs(15),
            poll: Duration::from_secs(2),
            request: Duration::from_secs(10),
        }
    }
}

/// Why a lease was not obtained.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    #[error("cluster {cluster} is being changed by {holder} (`{}`) since {since}", .holder.command)]
    Held {
        cluster: String,
        holder: Box<Holder>,
        /// By the holder's clock.
        since: Timestamp,
        /// After this long it can be taken over, should the holder not renew it.
        expires_in: Duration,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a waiter waits for.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    pub holder: &'a Holder,
    /// By the holder's clock.
    pub since: Timestamp,
    /// When it can be taken over, should the holder not renew it.
    pub expires_in: Duration,
    /// How much longer this run will wait.
    pub patience: Duration,
}

/// Obtains leases from a store.
#[derive(Debug, Clone)]
pub struct Locker {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub timing: Timing,
}

/// A version of the lease and since when, by our own clock, we have seen it.
struct Sighting {
    version: Version,
    since: Instant,
}

impl Locker {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, timing: Timing::default() }
    }

    /// Obtains the lease of a cluster, waiting up to `wait` for another holder.
    ///
    /// A holder that is provably dead is succeeded at once, any other one when its lease was seen unchanged for its time
    /// to live and the grace, or, once it was broken by hand, until its holder has noticed. `on_wait` is told at every look at a held lease.
    pub async fn acquire(
        &self,
        keys: &ClusterKeys,
        holder: Holder,
        wait: Duration,
        on_wait: &mut (dyn FnMut(Waiting<'_>) + Send),
        alive: &(dyn Fn(&Holder) -> Liveness + Sync),
    ) -> Result<Lease, LockError> {
        let deadline = Instant::now() + wait;
        let mut sighting: Option<Sighting> = None;
        loop {
            let found = match read(&*self.store, keys).await {
                Err(error) if error.is_retryable() && Instant::now() < deadline => {
                    tokio::time::sleep(self.timing.poll).await;
                    continue;
                }
                found => found?,
            };
            let Some((record, version)) = found else {
                let epoch = self.highest_epoch(keys).await? + 1;
                match self.take(keys, &holder, epoch, None, Condition::Absent).await? {
                    Some(lease) => return Ok(lease),
                    None => continue,
                }
            };
            let since = match &sighting {
                Some(seen) if seen.version == version => seen.since,
                _ => sighting.insert(Sighting { version: version.clone(), since: Instant::now() }).since,
            };
            let expires_in = self.lasts(&record).saturating_sub(since.elapsed());
            if expires_in.is_zero() || alive(&record.holder) == Liveness::Dead {
                let epoch = record.epoch + 1;
                match self.take(keys, &holder, epoch, Some(record), Condition::Matches(version)).await? {
                    Some(lease) => return Ok(lease),
                    None => continue,
                }
            }
            let patience = deadline.saturating_duration_since(Instant::now());
            let since = record.acquired_at;
            if patience.is_zero() {
                let (cluster, holder) = (keys.name().to_owned(), Box::new(record.holder));
                return Err(LockError::Held { cluster, holder, since, expires_in });
            }
            on_wait(Waiting { holder: &record.holder, since, expires_in, patience });
            tokio::time::sleep(self.timing.poll.min(patience).min(expires_in)).await;
        }
    }

    /// How long a lease has to be seen unchanged before it can be taken.
    ///
    /// One that was broken by hand may have a holder that still runs: it finds out at its next renewal, and must not be
    /// succeeded before.
    fn lasts(&self, record: &LeaseRecord) -> Duration {
        if record.is_held() {
            record.ttl() + self.timing.grace
        } else if record.is_broken() {
            self.timing.renew + self.timing.request
        } else {
            Duration::ZERO
        }
    }

    /// Writes our lease; `None` if someone else was faster.
    async fn take(
        &self,
        keys: &ClusterKeys,
        holder: &Holder,
        epoch: u64,
        before: Option<LeaseRecord>,
        condition: Condition,
    ) -> Result<Option<Lease>, StoreError> {
        let (sent, now) = (Instant::now(), self.clock.now());
        let record = LeaseRecord {
            epoch,
            holder: holder.clone(),
            acquired_at: now,
            renewed_at: now,
            ttl_s: self.timing.ttl.as_secs(),
            released_at: None,
            unsealed: before.as_ref().map(LeaseRecord::unsealed_after).unwrap_or_default(),
            state: before.and_then(|before| before.state),
        };
        let bytes = envelope::seal(&keys.lock, &record)?;
        match settle::put(&*self.store, &keys.lock, bytes, condition, Patience::default()).await {
            Ok(version) => Ok(Some(Lease::begin(self.clone(), keys.clone(), record, version, sent))),
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The highest epoch that left traces, for a cluster whose lease was never there or was lost.
    async fn highest_epoch(&self, keys: &ClusterKeys) -> Result<u64, StoreError> {
        let in_journal = journal::last_epoch(&*self.store, keys).await?;
        let state = state::load(&*self.store, keys).await?;
        let in_state = state.and_then(|state| state.value.folded.keys().next_back().copied());
        Ok(in_journal.max(in_state.unwrap_or(0)))
    }
}
