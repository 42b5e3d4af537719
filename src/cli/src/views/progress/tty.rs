//! Bars on a terminal: what is under way below, what has ended above.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::engine::{Event, Report};
use clusterctl_core::plan::{Plan, StepId};
use clusterctl_core::timeline::Timeline;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{plain, symbol};
use crate::operations::carry::Watcher;
use crate::output::Console;
use crate::views::paint::one_line;
use crate::views::plan::estimate;
use crate::views::span;

/// So many steps are shown at once; more would leave no room for what has ended.
const SHOWN: usize = 8;

#[derive(Debug)]
struct Going {
    name: String,
    since: Duration,
    id: String,
    bar: Option<ProgressBar>,
}

#[derive(Debug)]
pub(crate) struct Bars {
    console: Arc<Console>,
    all: MultiProgress,
    whole: ProgressBar,
    going: BTreeMap<StepId, Going>,
}

impl Bars {
    pub(crate) fn new(console: Arc<Console>) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let whole = ProgressBar::hidden();
        Self { console, all, whole, going: BTreeMap::new() }
    }

    fn spinner(&self, name: &str) -> ProgressBar {
        let bar = self.all.insert_before(&self.whole, ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg} {elapsed:>4}") {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        bar
    }

    /// Gives the places of what has ended to what waits for one.
    fn fill(&mut self) {
        let shown = self.going.values().filter(|going| going.bar.is_some()).count();
        let waiting: Vec<StepId> = self
            .going
            .iter()
            .filter(|(_, g)| g.bar.is_none())
            .map(|(id, _)| *id)
            .take(SHOWN.saturating_sub(shown))
            .collect();
        for id in waiting {
            let Some(name) = self.going.get(&id).map(|going| going.name.clone()) else { continue };
            let bar = self.spinner(&name);
            if let Some(going) = self.going.get_mut(&id) {
                going.bar = Some(bar);
            }
        }
    }

    fn remove(&mut self, step: StepId) -> Option<Going> {
        let gone = self.going.remove(&step)?;
        if let Some(bar) = &gone.bar {
            bar.finish_and_clear();
            self.all.remove(bar);
        }
        self.fill();
        Some(gone)
    }
}

impl Watcher for Bars {
    fn begin(&mut self, plan: &Plan) {
        let whole = self.all.add(ProgressBar::new(plan.steps.len() as u64));
        if let Ok(style) = ProgressStyle::with_template("  [{bar:30}] {pos}/{len} steps, {elapsed} {msg}") {
            whole.set_style(style.progress_chars("=> "));
        }
        whole.set_message(format!("of about {}", span(estimate(plan))));
        self.whole = whole;
        self.console.with_bars(Some(self.all.clone()));
    }

    fn event(&mut self, event: &Event) {
        let mut took = None;
        let mut id = String::new();
        match event {
            Event::Started { step, addr, verb, at } => {
                let name = format!("{} {addr}", symbol(*verb));
                self.going.insert(*step, Going { name, since: *at, id: String::new(), bar: None });
                self.fill();
            }
            Event::Created { step, id, .. } => {
                if let Some(going) = self.going.get_mut(step) {
                    going.id.clone_from(id);
                }
            }
            Event::Waiting { step, words, .. } => {
                if let Some((bar, name)) = self.going.get(step).and_then(|g| Some((g.bar.as_ref()?, &g.name))) {
                    bar.set_message(one_line(&format!("{name}  {words}")));
                }
            }
            Event::Finished { step, at, .. } => {
                self.whole.inc(1);
                if let Some(gone) = self.remove(*step) {
                    took = Some(at.saturating_sub(gone.since));
                    id = gone.id;
                }
            }
            Event::Failed { step, .. } | Event::Skipped { step, .. } => {
                self.remove(*step);
            }
            Event::Retrying { .. } | Event::Adopted { .. } | Event::Rung { .. } => {}
        }
        if let Some(line) = plain::line(event, took, &id) {
            self.console.say(&one_line(&line));
        }
    }

    fn tick(&mut self) {
        self.whole.tick();
        self.going.values().filter_map(|going| going.bar.as_ref()).for_each(ProgressBar::tick);
    }

    fn timeline(&mut self, timeline: &Timeline) {
        super::say_timeline(&self.console, timeline);
    }

    fn end(&mut self, _: &Report) {
        self.console.with_bars(None);
        self.whole.finish_and_clear();
        let _ = self.all.clear();
    }
}
