//! A run in few numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::phase::Phase;
use super::record::{Fate, Outcome, Timeline};
use super::schedule::Slot;
use crate::addr::Addr;
use crate::plan::Verb;

/// The phases of a run and its critical path.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub outcome: Outcome,
    pub steps: usize,
    pub done: usize,
    pub planned_seconds: f64,
    pub actual_seconds: f64,
    /// In the order in which they were planned to begin.
    pub phases: Vec<PhaseTime>,
    /// From the first step to the one that ended last.
    pub critical_path: Vec<PathStep>,
}

/// All steps of a phase, from the first start to the last end. Phases overlap.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseTime {
    pub phase: Phase,
    pub steps: usize,
    pub done: usize,
    pub planned: Window,
    /// `None` where no step of it started.
    pub actual: Option<Window>,
    /// How much of the critical path lies in it.
    pub critical_seconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Window {
    pub start: f64,
    pub seconds: f64,
}

/// One step of the critical path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathStep {
    pub address: Addr,
    pub verb: Verb,
    pub phase: Phase,
    pub started: f64,
    /// When it let go the next one, which may be before it was ready itself.
    pub released: f64,
    /// `None` where the run was stopped before.
    pub finished: Option<f64>,
}

impl Timeline {
    #[must_use]
    pub fn summary(&self) -> Summary {
        let planned = self.planned();
        let critical_path = self.critical_path();
        let mut phases: Vec<PhaseTime> = self.phases(&planned, &critical_path);
        phases.sort_by(|a, b| a.planned.start.total_cmp(&b.planned.start).then(a.phase.cmp(&b.phase)));
        Summary {
            outcome: self.outcome,
            steps: self.steps.len(),
            done: phases.iter().map(|phase| phase.done).sum(),
            planned_seconds: tidy(planned.iter().filter_map(|slot| slot.end).fold(0.0, f64::max)),
            actual_seconds: self.elapsed,
            phases,
            critical_path,
        }
    }

    fn critical_path(&self) -> Vec<PathStep> {
        let links = self.critical().into_iter();
        let steps = links.filter_map(|link| {
            let step = self.steps.get(link.step)?;
            Some(PathStep {
                address: step.address.clone(),
                verb: step.verb,
                phase: step.phase,
                started: step.started?,
                released: link.until,
                finished: step.ended,
            })
        });
        steps.collect()
    }

    fn phases(&self, planned: &[Slot], path: &[PathStep]) -> Vec<PhaseTime> {
        let mut members: BTreeMap<Phase, Vec<usize>> = BTreeMap::new();
        for (id, step) in self.steps.iter().enumerate() {
            members.entry(step.phase).or_default().push(id);
        }
        let phase = |(phase, ids): (Phase, Vec<usize>)| {
            let slots = ids.iter().map(|&id| (planned[id].start, planned[id].end.unwrap_or(planned[id].start)));
            let ran = ids.iter().filter_map(|&id| Some((self.steps[id].started?, self.over(&self.steps[id]))));
            let on_path = path.iter().filter(|step| step.phase == phase).map(|step| step.released - step.started);
            PhaseTime {
                phase,
                steps: ids.len(),
                done: ids.iter().filter(|&&id| self.steps[id].fate() == Fate::Done).count(),
                planned: window(slots).unwrap_or(Window { start: 0.0, seconds: 0.0 }),
                actual: window(ran),
                critical_seconds: tidy(on_path.sum()),
            }
        };
        members.into_iter().map(phase).collect()
    }
}

fn window(spans: impl Iterator<Item = (f64, f64)>) -> Option<Window> {
    let (start, end) = spans.reduce(|(start, end), (from, to)| (start.min(from), end.max(to)))?;
    Some(Window { start, seconds: tidy(end - start) })
}

/// Without the dust of binary fractions.
fn tidy(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
