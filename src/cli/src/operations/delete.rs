//! Deletes a cluster and everything that is its: the plan of the empty graph, and a second look.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::cloud::{Observed, Scope};
use clusterctl_core::engine::Waiting;
use clusterctl_core::graph::{Graph, Kind as ResourceKind};
use clusterctl_core::plan::{self, Plan};
use clusterctl_core::provider::{Connection, Provider};
use clusterctl_core::store::ClusterKeys;
use clusterctl_core::store::journal::current;
use clusterctl_core::store::state::{State, Tombstone};
use clusterctl_core::timeline::{Purpose, Timeline};
use jiff::Timestamp;

use super::apply::{Consent, conclude, reread};
use super::carry::{Errand, Watcher, carry};
use super::patience::patiently;
use super::prepare::{depends, look, owner, read};
use super::session::{Expect, Session, locked};
use super::{App, Notice, cloud_failure, guard, lag, load, timeline};
use crate::failure::{Failure, Kind};

/// Whether a cluster that says it must stay may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Kept,
    Overridden,
}

/// What was deleted.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) deleted_at: Timestamp,
    /// In the whole life of the cluster.
    pub(crate) created: usize,
    pub(crate) gone: usize,
    /// How many of those that were to be deleted nobody had seen to be the cluster's.
    pub(crate) foreign: usize,
    /// By this run.
    pub(crate) deleted: usize,
    pub(crate) elapsed: Duration,
    /// What machines had made by themselves.
    pub(crate) swept: Vec<String>,
    /// `None` where an earlier run had come to its end.
    pub(crate) timeline: Option<Timeline>,
}

#[derive(Debug)]
pub(crate) enum Deletion {
    Done(Receipt),
    /// An earlier run had come to its end; perhaps nobody was there any more to be told.
    Before(Receipt),
    Declined,
}

/// No kind counts as one whose create may simply be repeated: nobody is going to, and what it made is not seen yet.
const EVERY: &[&ResourceKind] = &[];

/// Deletes the cluster called `name`.
///
/// # Errors
/// Everything that is still there is on record, and the same line goes on.
pub(crate) async fn delete(
    app: &App,
    name: &str,
    protection: Protection,
    consent: impl AsyncFnOnce(&State, &Plan) -> Result<Consent, Failure>,
    watcher: &mut dyn Watcher,
) -> Result<Deletion, Failure> {
    let store = app.open_store().await?;
    // Without a record there is nothing to lock.
    let Some(before) = current(&*store, &ClusterKeys::new(name)?).await? else {
        return Err(load::unknown(app, &*store, name).await);
    };
    if let Some(receipt) = earlier(&before.state) {
        return Ok(Deletion::Before(receipt));
    }
    locked(app, Arc::clone(&store), name, Expect::Successor, async |session| {
        let Some(before) = session.current().await? else {
            return Err(load::unknown(app, &*store, name).await);
        };
        let state = &before.state;
        if let Some(receipt) = earlier(state) {
            return Ok(Deletion::Before(receipt));
        }
        if protection == Protection::Kept && !state.deleting {
            guard::protection(state)?;
        }
        let provider = app.provider(&state.cloud)?;
        let connection = app.connect(provider, Some(&state.region)).await?;
        let observed = look(app, provider, &*connection, state, &Scope::Everything).await?;
        let plan = removal(provider, state, &observed)?;
        if !state.deleting && consent(state, &plan).await? == Consent::Refused {
            return Ok(Deletion::Declined);
        }
        conclude(app, session, EVERY, state, &observed).await?;
        let mut current = reread(session).await?;
        current.state.deleting = true;
        let state = session.save(current).await?.value;
        let foreign = plan::foreign(&plan, &observed).count();
        let receipt = removed(app, session, connection, state, plan, watcher).await?;
        Ok(Deletion::Done(Receipt { foreign, ..receipt }))
    })
    .await
}

/// What the record of a deleted cluster still says.
fn earlier(state: &State) -> Option<Receipt> {
    let tombstone = state.tombstone.as_ref()?;
    Some(Receipt {
        name: state.name.clone(),
        region: state.region.clone(),
        deleted_at: tombstone.deleted_at,
        created: state.created.len(),
        gone: state.gone.len(),
        foreign: 0,
        deleted: 0,
        elapsed: Duration::ZERO,
        swept: Vec::new(),
        timeline: None,
    })
}

/// The plan of the empty graph.
fn removal(provider: &dyn Provider, state: &State, observed: &Observed) -> Result<Plan, Failure> {
    let plan = plan::plan(&Graph::new(), observed, provider.kinds(), &depends(state))?;
    plan::check(&plan, observed)?;
    Ok(plan)
}

async fn removed(
    app: &App,
    session: &Session,
    connection: Arc<dyn Connection>,
    state: State,
    plan: Plan,
    watcher: &mut dyn Watcher,
) -> Result<Receipt, Failure> {
    let owner = owner(&state);
    let errand = Errand {
        connection: &*connection,
        owner: &owner,
        plan: &plan,
        state: &state,
        waiting: Waiting::ForMachines,
        purpose: Purpose::Delete,
        phases: &timeline::phases(app, &state),
    };
    let run = carry(app, session, errand, watcher).await;
    if let Some(failure) = run.failure(app, &*connection) {
        session.keep(reread(session).await?).await;
        return Err(failure);
    }
    app.tell(Notice::Sweeping);
    let swept = patiently(app, "what machines left behind", async || connection.sweep(&owner).await)
        .await
        .map_err(|e| cloud_failure(&*connection, &e))?;
    if !lag::until_twins_are_seen(app, &reread(session).await?.state, EVERY).await {
        return Err(interrupted(app));
    }
    nothing_left(app, &*connection, &state).await?;
    let mut current = reread(session).await?;
    let deleted_at = app.clock.now();
    current.state.tombstone = Some(Tombstone { deleted_at, epoch: session.lease.epoch() });
    current.state.resources.clear();
    current.state.former.clear();
    current.state.pending.clear();
    let state = session.save(current).await?.value;
    let (created, gone) = (state.created.len(), state.gone.len());
    let deleted = plan.summary().delete;
    let (elapsed, timeline) = (run.report.elapsed, Some(run.timeline));
    let (name, region) = (state.name, state.region);
    Ok(Receipt { name, region, deleted_at, created, gone, foreign: 0, deleted, elapsed, swept, timeline })
}

/// What was asked to stop while it waited.
fn interrupted(app: &App) -> Failure {
    let failure = Failure::new(Kind::Interrupted, "everything was deleted, and not yet looked at again");
    failure.hint(app.settings.again())
}

/// Looks until nothing is seen any more: deleted things linger in lists for as long as new ones are missing there.
async fn nothing_left(app: &App, connection: &dyn Connection, state: &State) -> Result<(), Failure> {
    app.tell(Notice::Verifying);
    let mut pauses = [1, 2, 4, 8, 15, 30, 60, 60].into_iter();
    loop {
        let observed = read(app, connection, state, &Scope::Everything).await?;
        if observed.is_empty() {
            return Ok(());
        }
        let waited = match pauses.next() {
            Some(seconds) => {
                app.tell(Notice::StillThere { resources: observed.len() });
                app.interrupt.sleep(Duration::from_secs(seconds)).await
            }
            None => false,
        };
        if !waited {
            let left: BTreeSet<String> = observed.resources.keys().map(ToString::to_string).collect();
            let kind = if app.interrupt.is_asked() { Kind::Interrupted } else { Kind::Resumable };
            let mut failure = Failure::new(kind, format!("{} resources are still there", left.len()));
            failure.details.extend(left);
            return Err(failure.hint(app.settings.again()));
        }
    }
}
