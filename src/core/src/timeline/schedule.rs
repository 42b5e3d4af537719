//! The plan as a schedule, and the chain of steps that decides when it ends.

use crate::plan::{Plan, Point, StepId};

/// Outputs that hold early are there after about this many seconds.
const EARLY: f64 = 2.0;

/// When a step came to each of its points; `None` for one that it never came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    pub start: f64,
    pub created: Option<f64>,
    pub end: Option<f64>,
}

impl Slot {
    /// When it let go what waited for this point.
    #[must_use]
    pub fn reached(&self, point: Point) -> Option<f64> {
        match point {
            Point::Created => self.created.or(self.end),
            Point::Done => self.end,
        }
    }
}

/// A step of a chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    pub step: StepId,
    /// When it let go the next one; of the last one, its end.
    pub until: f64,
}

/// What a step waits for, and how many seconds it takes.
pub type Task<'a> = (&'a [(StepId, Point)], f64);

/// Starts every task as soon as everything it waits for is there, however many run at once.
///
/// What waits for itself, or for a task that is not there, which no checked plan holds, starts at once.
#[must_use]
pub fn schedule(tasks: &[Task<'_>]) -> Vec<Slot> {
    let mut left: Vec<usize> = vec![0; tasks.len()];
    let mut dependants: Vec<Vec<StepId>> = vec![Vec::new(); tasks.len()];
    for (id, (after, _)) in tasks.iter().enumerate() {
        for (other, _) in *after {
            if let Some(dependants) = dependants.get_mut(*other) {
                dependants.push(id);
                left[id] += 1;
            }
        }
    }
    let slot = |start: f64, seconds: f64| {
        let end = start + seconds;
        Slot { start, created: Some(end.min(start + EARLY)), end: Some(end) }
    };
    let mut slots: Vec<Slot> = tasks.iter().map(|(_, seconds)| slot(0.0, *seconds)).collect();
    let mut free: Vec<StepId> = (0..tasks.len()).filter(|&id| left[id] == 0).collect();
    while let Some(id) = free.pop() {
        let (after, seconds) = tasks[id];
        let reached = after.iter().filter_map(|(other, point)| slots.get(*other)?.reached(*point));
        slots[id] = slot(reached.fold(0.0, f64::max), seconds);
        for &dependant in &dependants[id] {
            left[dependant] -= 1;
            if left[dependant] == 0 {
                free.push(dependant);
            }
        }
    }
    slots
}

/// How many seconds the longest chain of a plan takes, by the medians of the kinds.
#[must_use]
pub fn estimate(plan: &Plan) -> f64 {
    let tasks: Vec<Task<'_>> = plan.steps.iter().map(|step| (step.after.as_slice(), step.seconds)).collect();
    schedule(&tasks).iter().filter_map(|slot| slot.end).fold(0.0, f64::max)
}

/// The chain that decided the end: from the step that ended last, back to the one that let it go last, and so on.
///
/// Of several at the same instant the first of the plan counts. Steps that never started have no slot.
#[must_use]
pub fn chain(after: &[&[(StepId, Point)]], slots: &[Option<Slot>]) -> Vec<Link> {
    let slot = |id: StepId| slots.get(id).copied().flatten();
    let ends = (0..slots.len()).filter_map(|id| Some((id, slot(id)?.end?)));
    let mut chain = Vec::new();
    let mut next = latest(ends);
    // A record that was tampered with may go in circles.
    while let Some((step, until)) = next.filter(|_| chain.len() < slots.len()) {
        chain.push(Link { step, until });
        let waited = after.get(step).copied().unwrap_or_default();
        next = latest(waited.iter().filter_map(|&(other, point)| Some((other, slot(other)?.reached(point)?))));
    }
    chain.reverse();
    chain
}

fn latest(of: impl Iterator<Item = (StepId, f64)>) -> Option<(StepId, f64)> {
    of.reduce(|best, one| {
        let first = one.1 > best.1 || (one.1 == best.1 && one.0 < best.0);
        if first { one } else { best }
    })
}
