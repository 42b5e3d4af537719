//! A run while it goes on.
//!
//! - [`plain`] lines with a heartbeat, alone or in the groups of a CI's log
//! - [`tty`] bars on a terminal
//! - [`events`] one JSON object a line

pub(crate) mod events;
pub(crate) mod plain;
pub(crate) mod tty;

use std::sync::Arc;

use clusterctl_core::engine::{Event, Report};
use clusterctl_core::plan::{Plan, Verb};
use clusterctl_core::timeline::Timeline;

use crate::operations::carry::Watcher;
use crate::output::Console;
use crate::settings::{Progress, Settings};
use crate::views::timeline;

/// The watcher that the settings ask for.
pub(crate) fn watcher(settings: &Settings, console: &Arc<Console>) -> Box<dyn Watcher> {
    let console = Arc::clone(console);
    match settings.progress {
        // Bars on something that is no terminal would be escape bytes in a file.
        Progress::Tty if settings.stderr.terminal => Box::new(tty::Bars::new(console)),
        Progress::Tty | Progress::Plain => Box::new(plain::Lines::new(console, plain::Fold::None)),
        Progress::GitHub => Box::new(plain::Lines::new(console, plain::Fold::GitHub)),
        Progress::GitLab => Box::new(plain::Lines::new(console, plain::Fold::GitLab)),
        Progress::Json => Box::new(events::Events::new(console)),
        Progress::Quiet => Box::new(Quiet),
    }
}

/// Says nothing.
#[derive(Debug)]
struct Quiet;

impl Watcher for Quiet {
    fn begin(&mut self, _: &Plan) {}
    fn event(&mut self, _: &Event) {}
    fn tick(&mut self) {}
    fn end(&mut self, _: &Report) {}
}

pub(crate) fn symbol(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "+",
        Verb::Update => "~",
        Verb::Delete => "-",
        Verb::Check => "=",
    }
}

/// Where the time went, below the last step.
fn say_timeline(console: &Console, timeline: &Timeline) {
    if !timeline.steps.is_empty() {
        console.say(&timeline::text(&timeline.summary(), console.err_paint()));
    }
}
