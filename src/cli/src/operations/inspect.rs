//! Reads what is recorded, and compares it with the cloud.

use std::sync::Arc;

use clusterctl_core::cloud::Scope;
use clusterctl_core::plan::Plan;
use clusterctl_core::store::journal::{Current, current};
use clusterctl_core::store::lock::record::read as read_lease;
use clusterctl_core::store::lock::{BreakError, LeaseRecord, LockEntry, break_lock, list};
use clusterctl_core::store::state;
use clusterctl_core::store::state::State;
use clusterctl_core::store::{ClusterKeys, Store, StoreError};

use super::load::Wanted;
use super::prepare::{self, Ready};
use super::{App, load};
use crate::failure::{Failure, Kind};

/// A recorded cluster, or why its record cannot be read.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) state: Result<State, StoreError>,
    /// Who is changing it.
    pub(crate) lease: Option<LeaseRecord>,
}

/// Every recorded cluster, in order of name; not those that were deleted.
pub(crate) async fn clusters(app: &App) -> Result<Vec<Entry>, Failure> {
    let store = app.open_store().await?;
    let mut entries = Vec::new();
    for keys in state::list(&*store).await? {
        if let Some(entry) = entry(&store, &keys).await {
            entries.push(entry);
        }
    }
    Ok(entries)
}

async fn entry(store: &Arc<dyn Store>, keys: &ClusterKeys) -> Option<Entry> {
    let state = match current(&**store, keys).await {
        Ok(None) => return None,
        Ok(Some(current)) if current.state.tombstone.is_some() => return None,
        Ok(Some(current)) => Ok(current.state),
        Err(error) => Err(error),
    };
    let lease = read_lease(&**store, keys).await.ok().flatten().map(|(lease, _)| lease).filter(LeaseRecord::is_held);
    Some(Entry { name: keys.name().to_owned(), state, lease })
}

/// One recorded cluster.
pub(crate) async fn cluster(app: &App, name: &str) -> Result<Entry, Failure> {
    let store = app.open_store().await?;
    let keys = ClusterKeys::new(name)?;
    let current = load::recorded(app, &*store, name).await?;
    let lease = read_lease(&*store, &keys).await.ok().flatten().map(|(lease, _)| lease).filter(LeaseRecord::is_held);
    Ok(Entry { name: name.to_owned(), state: Ok(current.state), lease })
}

/// A recorded cluster against the cloud.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) state: State,
    pub(crate) lease: Option<LeaseRecord>,
    /// How much of it was seen.
    pub(crate) there: usize,
    /// What apply or delete would do.
    pub(crate) plan: Plan,
    /// What became of calls whose answers nobody saw: address, what was asked, what came of it.
    pub(crate) unanswered: Vec<(String, String, String)>,
}

pub(crate) async fn status(app: &App, name: &str) -> Result<Status, Failure> {
    use clusterctl_core::store::journal::{Action, Came, Record};
    let store = app.open_store().await?;
    let current: Current = load::recorded(app, &*store, name).await?;
    let lease = cluster(app, name).await?.lease;
    let state = current.state.clone();
    let (observed, plan) = if state.deleting || state.spec.text.is_empty() {
        let provider = app.provider(&state.cloud)?;
        let connection = app.connect(provider, Some(&state.region)).await?;
        let observed = prepare::look(app, provider, &*connection, &state, &Scope::Everything).await?;
        let empty = clusterctl_core::graph::Graph::new();
        let plan = clusterctl_core::plan::plan(&empty, &observed, provider.kinds(), &prepare::depends(&state))?;
        (observed, plan)
    } else {
        let Ready { observed, plan, .. } = prepare::prepare(app, &Wanted::recorded(&state)?, Some(&current)).await?;
        (observed, plan)
    };
    let fates = super::record::conclusions(&state, state.pending.values(), &observed, &*app.clock);
    let unanswered = state
        .pending
        .values()
        .zip(fates)
        .map(|(intent, fate)| {
            let asked = match intent.action {
                Action::Create => "create",
                Action::Update => "update",
                Action::Delete => "delete",
                Action::Check => "check",
            };
            let came = match fate {
                Record::Outcome(outcome) => match outcome.came {
                    Came::Applied { id, .. } | Came::Twin { id } => format!("carried out: {id}"),
                    Came::Gone => "carried out: it is gone".to_owned(),
                    Came::Failed { .. } | Came::Abandoned => "not carried out".to_owned(),
                },
                Record::Intent(_) | Record::Note(_) => String::new(),
            };
            (intent.addr.clone(), asked.to_owned(), came)
        })
        .collect();
    Ok(Status { there: observed.len(), state, lease, plan, unanswered })
}

pub(crate) async fn locks(app: &App) -> Result<Vec<LockEntry>, Failure> {
    let store = app.open_store().await?;
    Ok(list(&*store).await?)
}

/// The lock that is about to be broken.
pub(crate) async fn lock(app: &App, name: &str) -> Result<Option<LeaseRecord>, Failure> {
    let store = app.open_store().await?;
    match read_lease(&*store, &ClusterKeys::new(name)?).await {
        Ok(found) => Ok(found.map(|(lease, _)| lease).filter(LeaseRecord::is_held)),
        // A lock that cannot be read can be broken too.
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn break_it(app: &App, name: &str, epoch: u64) -> Result<(), Failure> {
    let store = app.open_store().await?;
    let keys = ClusterKeys::new(name)?;
    let by = app.settings.holder.clone();
    match break_lock(&*store, &*app.clock, &keys, epoch, by).await {
        Ok(()) => Ok(()),
        Err(error @ BreakError::Free { .. }) => Err(Failure::new(Kind::NotFound, error.to_string())),
        Err(error) => Err(error.into()),
    }
}
