//! The last run as bars: above as planned, below as it was.

use std::collections::BTreeSet;

use clusterctl_core::timeline::{Fate, Slot, StepTime, Timeline};

use super::markup::Markup;
use super::verb;
use crate::views::timeline::{lasting, shortened};

const LABELS: f64 = 340.0;
const PLOT: f64 = 640.0;
const ROW: f64 = 20.0;
const AXIS: f64 = 24.0;
/// What a label has room for.
const LONGEST: usize = 48;
/// A page with more rows is of no use to anybody.
const MOST: usize = 300;

struct Row<'a> {
    step: &'a StepTime,
    planned: Slot,
    critical: bool,
}

impl Row<'_> {
    fn begins(&self) -> f64 {
        self.step.started.unwrap_or(self.planned.start)
    }

    fn class(&self) -> &'static str {
        match (self.step.fate(), self.critical) {
            (Fate::Failed, _) => "failed",
            (Fate::InFlight, _) => "flying",
            (_, true) => "critical",
            _ => "actual",
        }
    }

    /// Everything that the bars show, in words.
    fn words(&self, timeline: &Timeline) -> String {
        let step = self.step;
        let planned = format!("planned {} to {}", lasting(self.planned.start), lasting(end(&self.planned)));
        let actual = match step.started {
            Some(started) => format!("actual {} to {}", lasting(started), lasting(timeline.over(step))),
            None => "not started".to_owned(),
        };
        let critical = if self.critical { ", on the critical path" } else { "" };
        let fate = if step.fate() == Fate::Done { "" } else { step.fate().word() };
        let fate = if fate.is_empty() || step.started.is_none() { String::new() } else { format!(", {fate}") };
        format!("{} {}: {planned}; {actual}{fate}{critical}", verb(step.verb), step.address)
    }
}

fn end(slot: &Slot) -> f64 {
    slot.end.unwrap_or(slot.start)
}

/// The chart; says what it leaves out.
pub(super) fn draw(markup: &mut Markup, timeline: &Timeline) {
    let rows = rows(timeline);
    let left_out = timeline.steps.len() - rows.len();
    let longest = rows.iter().map(|row| end(&row.planned)).fold(timeline.elapsed, f64::max);
    let whole = if longest > 0.0 { longest } else { 1.0 };
    #[expect(clippy::cast_precision_loss, reason = "there are at most a few hundred rows")]
    let height = AXIS + ROW * rows.len() as f64 + 4.0;
    let view = format!("0 0 {} {height}", LABELS + PLOT + 20.0);
    let attributes: &[(&'static str, &dyn std::fmt::Display)] =
        &[("viewBox", &view), ("role", &"img"), ("aria-labelledby", &"gantt-title gantt-words")];
    markup.raw(
        "<p>The thin bar of a step is the plan, the thick one the run. Steps of the critical path have bold names. \
         Dashed is what was in flight when the run was stopped.</p>\n",
    );
    markup.element("svg", attributes, |svg| {
        svg.leaf("title", &[("id", &"gantt-title")], &"Steps of the last run, planned and actual");
        svg.leaf(
            "desc",
            &[("id", &"gantt-words")],
            &"One row a step: the thin bar is the plan, the thick one the run. The tables above say the same in words.",
        );
        axis(svg, whole, height);
        for (number, row) in rows.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "there are at most a few hundred rows")]
            let top = AXIS + ROW * number as f64;
            bar(svg, row, timeline, whole, top);
        }
    });
    markup.line();
    if left_out > 0 {
        let words = format!("{left_out} shorter steps are left out here; the trace has them all.");
        markup.leaf("p", &[], &words);
        markup.line();
    }
}

/// The rows in the order in which they begin: the critical path, and of the others the longest.
fn rows(timeline: &Timeline) -> Vec<Row<'_>> {
    let critical: BTreeSet<usize> = timeline.critical().iter().map(|link| link.step).collect();
    let of = |(id, (step, planned))| Row { step, planned, critical: critical.contains(&id) };
    let mut rows: Vec<Row<'_>> = timeline.steps.iter().zip(timeline.planned()).enumerate().map(of).collect();
    let took = |row: &Row<'_>| row.step.started.map_or(0.0, |started| timeline.over(row.step) - started);
    rows.sort_by(|a, b| {
        b.critical.cmp(&a.critical).then(took(b).total_cmp(&took(a))).then(a.step.address.cmp(&b.step.address))
    });
    rows.truncate(MOST);
    rows.sort_by(|a, b| {
        a.begins().total_cmp(&b.begins()).then(a.planned.start.total_cmp(&b.planned.start)).then_with(|| {
            let key = |row: &Row<'_>| (row.step.address.clone(), verb(row.step.verb));
            key(a).cmp(&key(b))
        })
    });
    rows
}

fn axis(svg: &mut Markup, whole: f64, height: f64) {
    for tick in 0..=4u32 {
        let share = f64::from(tick) / 4.0;
        let x = format!("{:.1}", LABELS + PLOT * share);
        let anchor = if tick == 4 { "end" } else { "start" };
        svg.leaf("text", &[("x", &x), ("y", &12), ("text-anchor", &anchor)], &lasting(whole * share));
        let line: &[(&'static str, &dyn std::fmt::Display)] =
            &[("x1", &x), ("x2", &x), ("y1", &16), ("y2", &height), ("class", &"grid")];
        svg.element("line", line, |_| {});
        svg.line();
    }
}

fn bar(svg: &mut Markup, row: &Row<'_>, timeline: &Timeline, whole: f64, top: f64) {
    let x = |seconds: f64| format!("{:.1}", LABELS + PLOT * seconds / whole);
    // What took no time is seen all the same.
    let width = |from: f64, to: f64| format!("{:.1}", (PLOT * (to - from) / whole).max(1.0));
    svg.element("g", &[("class", &row.class())], |g| {
        g.leaf("title", &[], &row.words(timeline));
        let label = format!("{} {}", crate::views::progress::symbol(row.step.verb), row.step.address);
        g.leaf("text", &[("x", &4), ("y", &(top + 13.0))], &shortened(&label, LONGEST));
        let (from, to) = (row.planned.start, end(&row.planned));
        let planned: &[(&'static str, &dyn std::fmt::Display)] =
            &[("x", &x(from)), ("y", &(top + 3.0)), ("width", &width(from, to)), ("height", &4), ("class", &"planned")];
        g.element("rect", planned, |_| {});
        if let Some(from) = row.step.started {
            let to = timeline.over(row.step);
            let actual: &[(&'static str, &dyn std::fmt::Display)] =
                &[("x", &x(from)), ("y", &(top + 8.0)), ("width", &width(from, to)), ("height", &8), ("class", &"run")];
            g.element("rect", actual, |_| {});
        }
    });
    svg.line();
}
