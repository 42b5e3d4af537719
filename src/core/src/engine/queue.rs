//! Which steps are free to start, and in which order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::plan::{Point, Step, StepId};

#[derive(Debug, PartialEq)]
struct Free {
    /// Seconds from the start of this step to the end of the longest chain behind it.
    remaining: f64,
    id: StepId,
}

impl Eq for Free {}
impl PartialOrd for Free {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Free {
    fn cmp(&self, other: &Self) -> Ordering {
        self.remaining.total_cmp(&other.remaining).then_with(|| other.id.cmp(&self.id))
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    /// How many points each step still waits for; `None` once it is dropped.
    waiting: Vec<Option<usize>>,
    dependants: Vec<Vec<(StepId, Point)>>,
    remaining: Vec<f64>,
    /// How far each step has come.
    come: Vec<Option<Point>>,
    free: BinaryHeap<Free>,
}

impl Queue {
    pub(super) fn new(steps: &[Step]) -> Self {
        let mut dependants: Vec<Vec<(StepId, Point)>> = vec![Vec::new(); steps.len()];
        for (id, step) in steps.iter().enumerate() {
            for (other, point) in &step.after {
                dependants[*other].push((id, *point));
            }
        }
        let mut queue = Self {
            waiting: steps.iter().map(|step| Some(step.after.len())).collect(),
            remaining: remaining(steps, &dependants),
            dependants,
            come: vec![None; steps.len()],
            free: BinaryHeap::new(),
        };
        for id in 0..steps.len() {
            queue.offer(id);
        }
        queue
    }

    /// The free step with the longest way to go.
    pub(super) fn next(&mut self) -> Option<StepId> {
        self.free.pop().map(|free| free.id)
    }

    /// A step has come to `point`; what waited for that alone is free.
    pub(super) fn reached(&mut self, id: StepId, point: Point) {
        self.come[id] = Some(point);
        for (dependant, awaited) in self.dependants[id].clone() {
            if awaited == point
                && let Some(left) = &mut self.waiting[dependant]
            {
                *left -= 1;
                self.offer(dependant);
            }
        }
    }

    /// A step failed: everything behind it, and not started, is dropped and returned.
    pub(super) fn failed(&mut self, id: StepId) -> Vec<StepId> {
        let mut dropped = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            for (dependant, awaited) in &self.dependants[id] {
                if self.come[id].is_some_and(|come| come >= *awaited) {
                    continue;
                }
                if self.waiting[*dependant].take_if(|left| *left > 0).is_some() {
                    dropped.push(*dependant);
                    open.push(*dependant);
                }
            }
        }
        dropped
    }

    fn offer(&mut self, id: StepId) {
        if self.waiting[id] == Some(0) {
            self.free.push(Free { remaining: self.remaining[id], id });
        }
    }
}

/// The longest way from each step to an end. The plan's checker has shown that there is no cycle.
fn remaining(steps: &[Step], dependants: &[Vec<(StepId, Point)>]) -> Vec<f64> {
    let mut left: Vec<usize> = dependants.iter().map(Vec::len).collect();
    let mut remaining: Vec<f64> = steps.iter().map(|step| step.seconds).collect();
    let mut ends: Vec<StepId> = (0..steps.len()).filter(|&id| left[id] == 0).collect();
    while let Some(id) = ends.pop() {
        for (other, point) in &steps[id].after {
            let through = match point {
                Point::Done => steps[*other].seconds + remaining[id],
                Point::Created => 1.0_f64.min(steps[*other].seconds) + remaining[id],
            };
            remaining[*other] = remaining[*other].max(through);
            left[*other] -= 1;
            if left[*other] == 0 {
                ends.push(*other);
            }
        }
    }
    remaining
}
