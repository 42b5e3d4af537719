//! What is kept of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::phase::{Phase, Phases};
use super::schedule::{self, Link, Slot};
use crate::addr::Addr;
use crate::cloud::Fault;
use crate::engine::{Event, Report};
use crate::plan::{Plan, Point, StepId, Verb};
use crate::store::state::OwnerUid;

/// A run that ended. It holds addresses, verbs and times, and no argument of any resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// Whose run it was: a name can be used again by another cluster.
    pub uid: OwnerUid,
    pub purpose: Purpose,
    pub began_at: Timestamp,
    pub elapsed: f64,
    pub outcome: Outcome,
    /// In the order of the plan, which [`StepTime::after`] counts by.
    pub steps: Vec<StepTime>,
    /// When what exists was made, as far as this run or one before it made it.
    pub created: BTreeMap<Addr, Timestamp>,
}

/// What a run was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    Apply,
    Delete,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Done,
    Failed,
    Interrupted,
}

/// One step, planned and carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTime {
    pub address: Addr,
    pub verb: Verb,
    pub phase: Phase,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<(StepId, Point)>,
    /// What the kind's table says it takes.
    pub expected: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
    /// Its outputs were known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<f64>,
    /// It was done, or had failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<f64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// What the retries were for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<Fault, u32>,
    /// How many rungs its ladder went down.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rungs: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Why a step failed, in the cloud's code and without its message, which may repeat arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    pub fault: Fault,
    pub code: String,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Done,
    Failed,
    /// Asked for and not answered when the run was stopped.
    InFlight,
    NotStarted,
}

impl Fate {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::InFlight => "in flight",
            Self::NotStarted => "not started",
        }
    }
}

impl StepTime {
    #[must_use]
    pub fn fate(&self) -> Fate {
        match (self.started, self.ended, &self.refused) {
            (_, _, Some(_)) => Fate::Failed,
            (_, Some(_), None) => Fate::Done,
            (Some(_), None, None) => Fate::InFlight,
            (None, None, None) => Fate::NotStarted,
        }
    }

    fn slot(&self) -> Option<Slot> {
        Some(Slot { start: self.started?, created: self.created, end: self.ended })
    }
}

impl Timeline {
    /// When each step would have run if every one took what its kind takes.
    #[must_use]
    pub fn planned(&self) -> Vec<Slot> {
        let tasks: Vec<schedule::Task<'_>> =
            self.steps.iter().map(|step| (step.after.as_slice(), step.expected)).collect();
        schedule::schedule(&tasks)
    }

    /// The chain of steps that decided when the run ended.
    #[must_use]
    pub fn critical(&self) -> Vec<Link> {
        let after: Vec<&[(StepId, Point)]> = self.steps.iter().map(|step| step.after.as_slice()).collect();
        let slots: Vec<Option<Slot>> = self.steps.iter().map(StepTime::slot).collect();
        schedule::chain(&after, &slots)
    }

    /// When a step stopped taking time: at the end of the run where it was in flight then.
    #[must_use]
    pub fn over(&self, step: &StepTime) -> f64 {
        step.ended.unwrap_or(self.elapsed)
    }

    /// Takes over what an earlier run of the same cluster knew of when things were made.
    pub fn follow(&mut self, earlier: Self) {
        if earlier.uid != self.uid {
            return;
        }
        let made = std::mem::replace(&mut self.created, earlier.created);
        for step in self.steps.iter().filter(|step| step.verb == Verb::Delete && step.fate() == Fate::Done) {
            self.created.remove(&step.address);
        }
        self.created.extend(made);
    }

    fn at(&self, seconds: f64) -> Timestamp {
        let since = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO);
        self.began_at.checked_add(since).unwrap_or(self.began_at)
    }
}

/// Writes a run down while it goes on.
#[derive(Debug)]
pub struct Recorder {
    steps: Vec<StepTime>,
}

impl Recorder {
    #[must_use]
    pub fn new(plan: &Plan, phases: &Phases) -> Self {
        let steps = plan.steps.iter().map(|step| StepTime {
            address: step.addr.clone(),
            verb: step.verb,
            phase: phases.get(&step.addr),
            after: step.after.clone(),
            expected: step.seconds,
            started: None,
            created: None,
            ended: None,
            retries: 0,
            faults: BTreeMap::new(),
            rungs: 0,
            refused: None,
        });
        Self { steps: steps.collect() }
    }

    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Started { step, at, .. } => self.with(*step, |step| step.started = Some(seconds(*at))),
            Event::Created { step, at, .. } => self.with(*step, |step| step.created = Some(seconds(*at))),
            Event::Finished { step, at, .. } => self.with(*step, |step| step.ended = Some(seconds(*at))),
            Event::Retrying { step, fault, .. } => self.with(*step, |step| {
                step.retries += 1;
                *step.faults.entry(*fault).or_default() += 1;
            }),
            Event::Rung { step, .. } => self.with(*step, |step| step.rungs += 1),
            Event::Failed { step, fault, code, at, .. } => self.with(*step, |step| {
                step.ended = Some(seconds(*at));
                step.refused = Some(Refused { fault: *fault, code: code.clone() });
            }),
            Event::Waiting { .. } | Event::Adopted { .. } | Event::Skipped { .. } => {}
        }
    }

    fn with(&mut self, step: StepId, note: impl FnOnce(&mut StepTime)) {
        if let Some(step) = self.steps.get_mut(step) {
            note(step);
        }
    }

    /// The run, when it has ended.
    #[must_use]
    pub fn end(self, report: &Report, uid: OwnerUid, purpose: Purpose, began_at: Timestamp) -> Timeline {
        let outcome = match (&report.interrupted, report.succeeded()) {
            (Some(_), _) => Outcome::Interrupted,
            (None, true) => Outcome::Done,
            (None, false) => Outcome::Failed,
        };
        let elapsed = seconds(report.elapsed);
        let created = BTreeMap::new();
        let mut timeline = Timeline { uid, purpose, began_at, elapsed, outcome, steps: self.steps, created };
        let creates = timeline.steps.iter().filter(|step| step.verb == Verb::Create);
        timeline.created =
            creates.filter_map(|step| Some((step.address.clone(), timeline.at(step.created?)))).collect();
        timeline
    }
}

/// To the millisecond, which is finer than any cloud.
fn seconds(at: Duration) -> f64 {
    u32::try_from(at.as_millis()).map_or(at.as_secs_f64(), |millis| f64::from(millis) / 1000.0)
}
