//! The lock and the journal around everything that changes something.

use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::store::journal::{Current, Journal, compact, current};
use clusterctl_core::store::lock::{Lease, Locker, record};
use clusterctl_core::store::state::{self, State, Stored};
use clusterctl_core::store::{ClusterKeys, Store};
use tokio::time::Instant;

use super::{App, Notice};
use crate::failure::{Failure, Kind};

/// The cluster is ours to change.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: ClusterKeys,
    pub(crate) lease: Arc<Lease>,
    pub(crate) journal: Journal,
}

impl Session {
    /// What is recorded, after the journal; also what was deleted.
    pub(crate) async fn current(&self) -> Result<Option<Current>, Failure> {
        Ok(current(&*self.store, &self.keys).await?)
    }

    /// Writes the state where there is none, or over the tombstone of the one before.
    pub(crate) async fn create(&self, state: State, before: Option<Current>) -> Result<Stored<State>, Failure> {
        let stored = match before {
            None => state::create(&*self.store, &self.keys, state).await?,
            // What the old state says of the journal stays true. The record goes on under the lineage of its name, so that
            // a run which is killed before the lock has noted the new state leaves a successor behind, not a stranger.
            Some(before) => {
                let State { folded, lineage, serial, .. } = before.state.clone();
                let state = State { folded, lineage, serial, ..state };
                compact(&*self.store, &self.keys, Current { state, ..before }).await?
            }
        };
        self.lease.note_state(stored.value.mark());
        Ok(stored)
    }

    /// Writes what was done although it could not be all. The journal has it anyway: where it cannot be written, the next
    /// run will.
    pub(crate) async fn keep(&self, current: Current) {
        let _saved_or_next_time = self.save(current).await;
    }

    /// Writes the state, and removes the part of the journal that is in it. Only the holder of the lock may.
    pub(crate) async fn save(&self, current: Current) -> Result<Stored<State>, Failure> {
        self.lease.fence().await?;
        let stored = compact(&*self.store, &self.keys, current).await?;
        self.lease.note_state(stored.value.mark());
        Ok(stored)
    }
}

/// What is expected of the stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// It follows on the one that was seen last.
    Successor,
    /// Anything: it is about to be built anew.
    Anything,
}

/// Does `body` with the cluster locked, and gives the lock back however it ends.
///
/// A stop that is asked for before anything is carried out ends `body` where it stands.
pub(crate) async fn locked<T>(
    app: &App,
    store: Arc<dyn Store>,
    name: &str,
    expect: Expect,
    body: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let keys = ClusterKeys::new(name)?;
    let (held_in, held) = (Arc::clone(&store), keys.clone());
    let locker = Locker::new(Arc::clone(&store), Arc::clone(&app.clock));
    let mut told: Option<Instant> = None;
    let mut on_wait = |waiting: clusterctl_core::store::lock::Waiting<'_>| {
        // It is looked at every other second, which is more than anybody wants to read.
        if told.is_some_and(|told| told.elapsed() < Duration::from_secs(20)) {
            return;
        }
        told = Some(Instant::now());
        app.tell(Notice::WaitingForLock {
            holder: waiting.holder,
            expires_in: waiting.expires_in,
            patience: waiting.patience,
        });
    };
    let holder = app.settings.holder.clone();
    app.interrupt.hold();
    let lease = tokio::select! {
        biased;
        () = app.interrupt.before_the_run() => return Err(interrupted(app)),
        lease = locker.acquire(&keys, holder, app.settings.lock_timeout, &mut on_wait, &app.alive) => lease?,
    };
    let lease = Arc::new(lease);
    app.held.hold(&lease);
    let outcome = tokio::select! {
        biased;
        outcome = begun(app, store, keys, Arc::clone(&lease), expect, body) => outcome,
        () = app.interrupt.before_the_run() => Err(interrupted(app)),
    };
    let released = match Arc::try_unwrap(lease) {
        Ok(lease) => lease.release().await,
        // Somebody still holds it: it expires by itself.
        Err(_) => Ok(()),
    };
    let outcome = match outcome {
        Err(failure) if failure.kind == Kind::Locked => Err(named(failure, &*held_in, &held).await),
        outcome => outcome,
    };
    match (outcome, released) {
        // A lock that was lost after everything was done and recorded is of no consequence.
        (Ok(done), _) => Ok(done),
        (Err(failure), _) => Err(failure),
    }
}

/// A run that lost to another says to whom, where the store still tells.
async fn named(failure: Failure, store: &dyn Store, keys: &ClusterKeys) -> Failure {
    match record::read(store, keys).await {
        Ok(Some((lease, _))) => failure.detail(format!("its holder: {} (`{}`)", lease.holder, lease.holder.command)),
        Ok(None) | Err(_) => failure,
    }
}

async fn begun<T>(
    app: &App,
    store: Arc<dyn Store>,
    keys: ClusterKeys,
    lease: Arc<Lease>,
    expect: Expect,
    body: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let unsealed = lease.unsealed();
    let clock = Arc::clone(&app.clock);
    let journal = Journal::open(Arc::clone(&store), clock, keys.clone(), lease.epoch(), &unsealed).await?;
    lease.note_sealed();
    let session = Session { store, keys, lease, journal };
    if let Some(seen) = session.lease.state_seen().filter(|_| expect == Expect::Successor) {
        let stored = state::load(&*session.store, &session.keys).await?;
        seen.check(stored.as_ref().map(|stored| &stored.value))?;
    }
    body(&session).await
}

pub(crate) fn interrupted(app: &App) -> Failure {
    Failure::new(Kind::Interrupted, "interrupted before anything was changed").hint(app.settings.again())
}
