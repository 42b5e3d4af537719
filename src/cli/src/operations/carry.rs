//! The engine against the journal, with a view that watches.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::Owner;
use clusterctl_core::engine::{self, Event, Report, Run, Waiting};
use clusterctl_core::plan::{Plan, Verb};
use clusterctl_core::provider::Connection;
use clusterctl_core::store::journal::{Note, Record};
use clusterctl_core::store::state::State;
use clusterctl_core::timeline::{Phases, Purpose, Recorder, Timeline};

use super::ledger::JournalLedger;
use super::session::Session;
use super::{App, timeline};
use crate::failure::{Failure, Kind};

/// Sees everything that happens in a run.
pub(crate) trait Watcher: Send {
    fn begin(&mut self, plan: &Plan);
    fn event(&mut self, event: &Event);
    /// A second has passed.
    fn tick(&mut self);
    fn end(&mut self, report: &Report);
    /// Where the time went, after the end.
    fn timeline(&mut self, _: &Timeline) {}
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) report: Report,
    pub(crate) timeline: Timeline,
    /// Why it could not go on, when lock or store were the cause.
    pub(crate) cause: Option<Failure>,
}

/// What is to be carried out, and where.
#[derive(Clone, Copy)]
pub(crate) struct Errand<'a> {
    pub(crate) connection: &'a dyn Connection,
    pub(crate) owner: &'a Owner,
    pub(crate) plan: &'a Plan,
    pub(crate) state: &'a State,
    pub(crate) waiting: Waiting,
    pub(crate) purpose: Purpose,
    pub(crate) phases: &'a Phases,
}

/// Carries a plan out under the session's lock.
pub(crate) async fn carry(app: &App, session: &Session, errand: Errand<'_>, watcher: &mut dyn Watcher) -> Carried {
    let Errand { connection, owner, plan, state, waiting, purpose, phases } = errand;
    app.interrupt.carry();
    let ledger = JournalLedger::new(
        session.journal.clone(),
        Arc::clone(&session.lease),
        Arc::clone(&app.clock),
        state.generations.clone(),
    );
    let settings = engine::Settings {
        waiting,
        seed: app.settings.seed.unwrap_or_else(rand::random),
        ..engine::Settings::default()
    };
    watcher.begin(plan);
    let watching = Mutex::new(watcher);
    let watched = |act: &mut dyn FnMut(&mut dyn Watcher)| {
        act(&mut **watching.lock().unwrap_or_else(PoisonError::into_inner));
    };
    let began_at = app.clock.now();
    let mut recorder = Recorder::new(plan, phases);
    let mut on_event = |event: &Event| {
        recorder.event(event);
        watched(&mut |watcher| watcher.event(event));
    };
    let generation = |addr: &Addr| state.generation(&addr.to_string());
    let report = {
        let run = engine::run(
            Run {
                plan,
                cloud: connection,
                owner,
                ledger: &ledger,
                generation: &generation,
                settings: &settings,
                stop: &app.interrupt.stop,
            },
            &mut on_event,
        );
        tokio::pin!(run);
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                report = &mut run => break report,
                _ = seconds.tick() => watched(&mut |watcher| watcher.tick()),
            }
        }
    };
    let timeline = recorder.end(&report, state.uid.clone(), purpose, began_at);
    watched(&mut |watcher| {
        watcher.end(&report);
        watcher.timeline(&timeline);
    });
    // What was on its way into the journal when the run was stopped has arrived when this has.
    let text = format!("{} of {} steps", report.finished, report.total);
    let flushed = session.journal.append(vec![Record::Note(Note { at: app.clock.now(), text })]).await;
    let cause = ledger.into_cause().or_else(|| flushed.err().map(Failure::from));
    let timeline = timeline::keep(app, session, timeline).await;
    Carried { report, timeline, cause }
}

impl Carried {
    /// What a run that did not succeed means, with everything that failed and what to do.
    pub(crate) fn failure(&self, app: &App, connection: &dyn Connection) -> Option<Failure> {
        let report = &self.report;
        if report.succeeded() && self.cause.is_none() {
            return None;
        }
        let resume = app.settings.again();
        if let Some(cause) = &self.cause {
            let failure = cause.clone().detail(format!("{} of {} steps are done", report.finished, report.total));
            return Some(failure.hint(resume));
        }
        if let Some(why) = &report.interrupted {
            let (done, all, flying) = (report.finished, report.total, report.in_flight.len());
            let mut failure = if app.interrupt.is_asked() {
                Failure::new(Kind::Interrupted, format!("Interrupted safely: {done}/{all} done, {flying} in flight"))
            } else {
                Failure::new(Kind::Resumable, format!("{why}: {done}/{all} done, {flying} in flight"))
            };
            failure.details.extend(report.in_flight.iter().map(|addr| format!("in flight: {addr}")));
            return Some(failure.hint(resume));
        }
        let kind = Kind::worst(report.failures.iter().map(|failed| Kind::of(failed.error.fault)));
        let failed = report.failures.len();
        let mut message = format!("{failed} of {} steps failed", report.total);
        if !report.skipped.is_empty() {
            message = format!("{message}, {} that need them were not started", report.skipped.len());
        }
        let mut failure = Failure::new(kind.unwrap_or(Kind::Resumable), message);
        for failed in &report.failures {
            let done = match failed.verb {
                Verb::Create => "created",
                Verb::Update => "updated",
                Verb::Delete => "deleted",
                Verb::Check => "waited for",
            };
            let id = failed.error.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
            let attempts = if failed.attempts > 1 { format!(", {} attempts", failed.attempts) } else { String::new() };
            failure = failure.detail(format!(
                "{} could not be {done}: {}: {}{id}{attempts}",
                failed.addr, failed.error.fault, failed.error
            ));
            if let Some(hint) = connection.hint(&failed.error)
                && !failure.hints.contains(&hint)
            {
                failure = failure.hint(hint);
            }
        }
        Some(failure.hint(format!("then {resume}")))
    }
}
