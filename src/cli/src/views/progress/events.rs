//! One JSON object a line, on stdout.

use std::sync::Arc;

use clusterctl_core::engine::{Event, Report};
use clusterctl_core::plan::Plan;
use serde_json::{Value, json};

use crate::operations::carry::Watcher;
use crate::output::Console;
use crate::views::data::document;
use crate::views::plan::estimate;

#[derive(Debug)]
pub(crate) struct Events {
    console: Arc<Console>,
}

impl Events {
    pub(crate) fn new(console: Arc<Console>) -> Self {
        Self { console }
    }

    fn write(&self, event: Value) {
        self.console.data(&format!("{}\n", self.console.marked(document("Event", event))));
    }
}

impl Watcher for Events {
    fn begin(&mut self, plan: &Plan) {
        let seconds = estimate(plan).as_secs();
        self.write(json!({
            "event": "begin",
            "steps": plan.steps.len(),
            "summary": plan.summary(),
            "estimatedSeconds": seconds,
        }));
    }

    fn event(&mut self, event: &Event) {
        if let Ok(value) = serde_json::to_value(event) {
            self.write(in_seconds(value));
        }
    }

    fn tick(&mut self) {}

    fn end(&mut self, report: &Report) {
        self.write(json!({
            "event": "end",
            "finished": report.finished,
            "total": report.total,
            "failed": report.failures.len(),
            "skipped": report.skipped.len(),
            "inFlight": report.in_flight,
            "interrupted": report.interrupted,
            "at": report.elapsed.as_secs_f64(),
        }));
    }
}

/// Spans as seconds, the way every other program writes them.
fn in_seconds(mut event: Value) -> Value {
    for (_, value) in event.as_object_mut().into_iter().flatten() {
        if let (Some(secs), Some(nanos)) =
            (value.get("secs").and_then(Value::as_f64), value.get("nanos").and_then(Value::as_f64))
        {
            *value = json!(secs + nanos / 1e9);
        }
    }
    event
}
