//! Makes a cluster what its file says.

use std::collections::BTreeSet;
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Observed, Scope};
use clusterctl_core::engine::{Report, Waiting};
use clusterctl_core::graph::{self, Graph};
use clusterctl_core::plan::{self, Plan, Summary};
use clusterctl_core::store::journal::Current;
use clusterctl_core::store::state::State;
use clusterctl_core::timeline::{Phases, Purpose, Timeline};

use super::carry::{Carried, Errand, Watcher, carry};
use super::load::Wanted;
use super::prepare::{self, Ready, prepare};
use super::session::{Expect, Session, locked};
use super::{App, Notice, guard, lag, record, saved};
use crate::failure::{Failure, Kind};

/// What may be done besides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) waiting: Waiting,
    pub(crate) data_loss: DataLoss,
    pub(crate) verify: Verify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataLoss {
    Refused,
    Allowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verify {
    Yes,
    No,
}

/// The answer to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    Refused,
}

/// How it ended, when it ended well.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) state: State,
    pub(crate) summary: Summary,
    /// `None` where there was nothing to do.
    pub(crate) report: Option<Report>,
    pub(crate) timeline: Option<Timeline>,
    pub(crate) newborn: bool,
}

/// What is applied.
#[derive(Debug)]
pub(crate) enum Target {
    Wanted(Box<Wanted>),
    Saved(Box<saved::SavedPlan>),
}

impl Target {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Wanted(wanted) => wanted.name(),
            Self::Saved(saved) => &saved.body.cluster,
        }
    }
}

/// Plans, asks with `consent`, and carries out, all under the lock.
///
/// # Errors
/// Everything that keeps the cluster from being as wanted; whatever was made is on record.
pub(crate) async fn apply(
    app: &App,
    target: &Target,
    options: Options,
    consent: impl AsyncFnOnce(&Ready) -> Result<Consent, Failure>,
    watcher: &mut dyn Watcher,
) -> Result<Option<Applied>, Failure> {
    let store = app.open_store().await?;
    locked(app, store, target.name(), Expect::Successor, async |session| {
        let before = session.current().await?;
        let mut ready = planned(app, target, before.as_ref()).await?;
        if let Some(before) = before.as_ref().filter(|_| ready.plan.is_empty()) {
            // Nothing to do that is to be seen: what a lost answer may have made could still come to light.
            let (kinds, now) = (ready.provider.kinds(), app.clock.now());
            if !lag::doubts(&before.state, kinds, &ready.observed, now, app.settings.lag).is_empty() {
                if !lag::until_twins_are_seen(app, &before.state, kinds).await {
                    return Err(interrupted(app));
                }
                ready = planned(app, target, Some(before)).await?;
            }
        }
        if options.data_loss == DataLoss::Refused {
            guard::data(&ready.plan)?;
        }
        if ready.plan.is_empty() {
            let state = settled(app, session, &ready, before).await?;
            let (summary, newborn) = (ready.plan.summary(), ready.newborn);
            return Ok(Some(Applied { state, summary, report: None, timeline: None, newborn }));
        }
        if consent(&ready).await? == Consent::Refused {
            return Ok(None);
        }
        carried(app, session, ready, before, options, watcher).await.map(Some)
    })
    .await
}

async fn planned(app: &App, target: &Target, before: Option<&Current>) -> Result<Ready, Failure> {
    match target {
        Target::Wanted(wanted) => {
            if let Some(before) = before.filter(|before| before.state.tombstone.is_none()) {
                guard::not_deleting(&before.state)?;
                guard::control_plane(wanted, &before.state)?;
            }
            prepare(app, wanted, before).await
        }
        Target::Saved(saved) => saved::ready(app, saved, before).await,
    }
}

/// What was asked to stop while it waited for what may come to light.
fn interrupted(app: &App) -> Failure {
    let failure = Failure::new(Kind::Interrupted, "stopped before it was certain that nothing was made twice");
    failure.hint(app.settings.again())
}

/// Nothing to do: the record may still have something to learn.
async fn settled(app: &App, session: &Session, ready: &Ready, before: Option<Current>) -> Result<State, Failure> {
    let Some(before) = before.filter(|_| !ready.newborn) else { return Ok(ready.state.clone()) };
    conclude(app, session, ready.provider.kinds(), &before.state, &ready.observed).await?;
    let mut current = reread(session).await?;
    take_over(&mut current.state, &ready.state);
    record::reconcile(&mut current.state, &ready.observed, &ready.graph);
    if current.state == current.stored.value {
        return Ok(current.state);
    }
    Ok(session.save(current).await?.value)
}

async fn carried(
    app: &App,
    session: &Session,
    ready: Ready,
    before: Option<Current>,
    options: Options,
    watcher: &mut dyn Watcher,
) -> Result<Applied, Failure> {
    // Owner, kinds and choices are durable before the first call that makes anything.
    let state = if ready.newborn {
        session.create(ready.state.clone(), before).await?.value
    } else {
        if let Some(before) = &before {
            conclude(app, session, ready.provider.kinds(), &before.state, &ready.observed).await?;
        }
        let mut current = reread(session).await?;
        take_over(&mut current.state, &ready.state);
        session.save(current).await?.value
    };
    let errand = Errand {
        connection: &*ready.connection,
        owner: &ready.owner,
        plan: &ready.plan,
        state: &state,
        waiting: options.waiting,
        purpose: Purpose::Apply,
        phases: &Phases::of(&ready.graph),
    };
    let run = carry(app, session, errand, watcher).await;
    let summary = ready.plan.summary();
    let mut current = reread(session).await?;
    record::rungs(&mut current.state.choices, &run.report);
    if let Some(failure) = run.failure(app, &*ready.connection) {
        session.keep(current).await;
        return Err(failure);
    }
    let Carried { report, timeline, .. } = run;
    let verified = match options.verify {
        Verify::No => Ok(None),
        Verify::Yes => verify(app, &ready, &mut current.state).await,
    };
    let mut state = session.save(current).await?.value;
    if let Some(observed) = verified?.filter(|_| !state.pending.is_empty()) {
        // What was asked for and never answered is settled by what is there.
        conclude(app, session, ready.provider.kinds(), &state, &observed).await?;
        state = session.save(reread(session).await?).await?.value;
    }
    Ok(Applied { state, summary, report: Some(report), timeline: Some(timeline), newborn: ready.newborn })
}

/// The record, which is there because this session has written it.
pub(crate) async fn reread(session: &Session) -> Result<Current, Failure> {
    session.current().await?.ok_or_else(|| {
        Failure::new(Kind::Store, format!("the state of {} has vanished from the store", session.keys.name()))
    })
}

/// Writes down what became of an earlier run's unanswered calls, as far as that is to be known yet.
pub(crate) async fn conclude(
    app: &App,
    session: &Session,
    kinds: &[&'static graph::Kind],
    state: &State,
    observed: &Observed,
) -> Result<(), Failure> {
    let doubts = lag::doubts(state, kinds, observed, app.clock.now(), app.settings.lag);
    let settled = state.pending.values().filter(|intent| !doubts.contains(&intent.op));
    let records = record::conclusions(state, settled, observed, &*app.clock);
    Ok(session.journal.append(records).await?)
}

/// What the new wish changes of the record.
fn take_over(state: &mut State, wanted: &State) {
    state.spec = wanted.spec.clone();
    state.choices = wanted.choices.clone();
    state.account = wanted.account.clone();
    state.kinds.extend(wanted.kinds.iter().cloned());
}

/// Looks again: exit 0 means that the cloud shows what was planned.
async fn verify(app: &App, ready: &Ready, state: &mut State) -> Result<Option<Observed>, Failure> {
    if app.interrupt.is_asked() || !lag::until_twins_are_seen(app, state, ready.provider.kinds()).await {
        return Ok(None);
    }
    app.tell(Notice::Verifying);
    let scope = Scope::Kinds(state.kinds.clone());
    // Lists lag behind: what was just made may need a moment to appear, and what was deleted to disappear.
    let mut pauses = [1, 2, 4, 6, 8].into_iter();
    let mut late = [15, 30, 60, 60].into_iter();
    loop {
        let observed = prepare::read(app, &*ready.connection, state, &scope).await?;
        let again = graph_now(ready, state)?;
        let plan = plan::plan(&again, &observed, ready.provider.kinds(), &prepare::depends(state))?;
        if plan.is_empty() {
            record::reconcile(state, &observed, &again);
            return Ok(Some(observed));
        }
        // Of what was changed lately, by this run or an earlier one, lists may go on telling the old story.
        let (now, within) = (app.clock.now(), app.settings.lag);
        let touched = |addr: &Addr| ready.plan.steps.iter().any(|step| step.addr == *addr);
        let moving = |addr: &Addr| touched(addr) || lag::is_in_motion(state, addr, now, within);
        let behind =
            plan.steps.iter().all(|step| moving(&step.addr)) || lag::unseen(state, &observed, now, within).young;
        let pause = pauses.next().or_else(|| if behind { late.next() } else { None });
        let waited = match pause {
            Some(seconds) => app.interrupt.sleep(Duration::from_secs(seconds)).await,
            None => false,
        };
        if !waited {
            return Err(differs(app, &plan));
        }
    }
}

/// The graph with the rungs that the run came to stand on.
fn graph_now(ready: &Ready, state: &State) -> Result<Graph, Failure> {
    let choices = prepare::kept_choices(state)?;
    if choices.rungs == ready.choices.rungs {
        return Ok(ready.graph.clone());
    }
    let mut blueprint = ready.blueprint.clone();
    for group in &mut blueprint.groups {
        group.rung = choices.rungs.get(&group.name).copied().unwrap_or(group.rung);
    }
    Ok(ready.provider.lower(&blueprint, &ready.owner)?)
}

fn differs(app: &App, plan: &Plan) -> Failure {
    let different: BTreeSet<String> = plan.steps.iter().map(|step| step.addr.to_string()).collect();
    let mut failure = Failure::new(
        Kind::Resumable,
        format!("everything was carried out, but a second look shows {} resources that differ", different.len()),
    );
    failure.details.extend(different.into_iter().take(10));
    failure.hint(app.settings.again())
}
