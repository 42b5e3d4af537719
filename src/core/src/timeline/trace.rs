//! A run as trace events, in the JSON array format that Perfetto and chrome://tracing load.
//!
//! One process holds the run and another the plan. A phase has as many threads as it had steps at once, because slices of
//! one thread must nest; inside a step lies the part until its outputs were known, and the part until it was ready.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::phase::Phase;
use super::record::{StepTime, Timeline};
use crate::plan::{StepId, Verb};

const ACTUAL: u32 = 1;
const PLANNED: u32 = 2;

/// A step on its process' time, in microseconds.
struct Slice<'a> {
    id: StepId,
    step: &'a StepTime,
    from: u64,
    created: Option<u64>,
    to: u64,
}

impl Timeline {
    /// The trace events of the run, and of the plan beside it.
    #[must_use]
    pub fn trace(&self, cluster: &str) -> Value {
        let critical: BTreeSet<StepId> = self.critical().iter().map(|link| link.step).collect();
        let planned = self.planned();
        let ran = self.steps.iter().enumerate().filter_map(|(id, step)| {
            let created = step.created.map(micros);
            Some(Slice { id, step, from: micros(step.started?), created, to: micros(self.over(step)) })
        });
        let meant = self.steps.iter().zip(&planned).enumerate().map(|(id, (step, slot))| {
            let (from, to) = (micros(slot.start), micros(slot.end.unwrap_or(slot.start)));
            Slice { id, step, from, created: None, to }
        });
        let mut events = Vec::new();
        process(&mut events, ACTUAL, &format!("{cluster}, actual"), ran.collect(), &critical);
        process(&mut events, PLANNED, &format!("{cluster}, planned"), meant.collect(), &critical);
        Value::Array(events)
    }
}

fn process(events: &mut Vec<Value>, pid: u32, name: &str, slices: Vec<Slice<'_>>, critical: &BTreeSet<StepId>) {
    events.push(metadata("process_name", pid, 0, json!({ "name": name })));
    events.push(metadata("process_sort_index", pid, 0, json!({ "sort_index": pid })));
    let mut phases: BTreeMap<Phase, Vec<Slice<'_>>> = BTreeMap::new();
    for slice in slices {
        phases.entry(slice.step.phase).or_default().push(slice);
    }
    let mut tid = 0;
    for (phase, slices) in phases {
        for (number, lane) in lanes(slices).into_iter().enumerate() {
            tid += 1;
            let name = format!("{} {}", phase.title(), number + 1);
            events.push(metadata("thread_name", pid, tid, json!({ "name": name })));
            events.push(metadata("thread_sort_index", pid, tid, json!({ "sort_index": tid })));
            for slice in lane {
                step(events, pid, tid, &slice, critical.contains(&slice.id));
            }
        }
    }
}

/// Deals slices out so that none overlaps another of its lane, to as few lanes as that takes.
fn lanes(mut slices: Vec<Slice<'_>>) -> Vec<Vec<Slice<'_>>> {
    slices.sort_by_key(|slice| (slice.from, slice.to, slice.id));
    let mut lanes: Vec<Vec<Slice<'_>>> = Vec::new();
    for slice in slices {
        let free = lanes.iter_mut().find(|lane| lane.last().is_none_or(|last| last.to <= slice.from));
        match free {
            Some(lane) => lane.push(slice),
            None => lanes.push(vec![slice]),
        }
    }
    lanes
}

fn step(events: &mut Vec<Value>, pid: u32, tid: u32, slice: &Slice<'_>, critical: bool) {
    let step = slice.step;
    let word = match step.verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Check => "check",
    };
    let category = if pid == ACTUAL && critical { "step,critical" } else { "step" };
    let mut args = json!({
        "address": step.address,
        "verb": step.verb,
        "phase": step.phase,
        "expectedSeconds": step.expected,
    });
    if let Some(args) = args.as_object_mut().filter(|_| pid == ACTUAL) {
        args.insert("critical".to_owned(), json!(critical));
        args.insert("fate".to_owned(), json!(step.fate().word()));
        args.insert("retries".to_owned(), json!(step.retries));
        args.insert("faults".to_owned(), json!(step.faults));
    }
    let mut slice_of = |name: &str, category: &str, from: u64, to: u64, args: Value| {
        let dur = to.saturating_sub(from);
        events.push(json!({
            "name": name, "cat": category, "ph": "X", "ts": from, "dur": dur, "pid": pid, "tid": tid, "args": args,
        }));
    };
    slice_of(&format!("{word} {}", step.address), category, slice.from, slice.to, args);
    if let Some(created) = slice.created.filter(|created| (slice.from + 1..slice.to).contains(created)) {
        slice_of("until its outputs are known", "part", slice.from, created, json!({}));
        slice_of("until it is ready", "part", created, slice.to, json!({}));
    }
}

fn metadata(name: &str, pid: u32, tid: u32, args: Value) -> Value {
    json!({ "name": name, "ph": "M", "pid": pid, "tid": tid, "args": args })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a run is never negative and far shorter than the half million years that fit"
)]
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}
