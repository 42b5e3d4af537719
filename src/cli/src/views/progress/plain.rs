//! Lines: one for each step that ended, and a heartbeat where nothing ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::engine::{Event, Report};
use clusterctl_core::plan::{Plan, StepId, Verb};
use clusterctl_core::timeline::Timeline;
use tokio::time::Instant;

use super::symbol;
use crate::operations::carry::Watcher;
use crate::output::Console;
use crate::views::paint::one_line;
use crate::views::plan::estimate;
use crate::views::span;

/// How often a silent run says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How the log is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    None,
    GitHub,
    GitLab,
}

struct Going {
    addr: Addr,
    since: Duration,
    /// In the cloud's words.
    words: String,
    id: String,
}

pub(crate) struct Lines {
    console: Arc<Console>,
    fold: Fold,
    began: Instant,
    spoke: Instant,
    total: usize,
    done: usize,
    expected: Duration,
    going: BTreeMap<StepId, Going>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("fold", &self.fold).finish_non_exhaustive()
    }
}

impl Lines {
    pub(crate) fn new(console: Arc<Console>, fold: Fold) -> Self {
        let now = Instant::now();
        Self {
            console,
            fold,
            began: now,
            spoke: now,
            total: 0,
            done: 0,
            expected: Duration::ZERO,
            going: BTreeMap::new(),
        }
    }

    fn say(&mut self, line: &str) {
        self.spoke = Instant::now();
        self.console.say(&one_line(line));
    }
}

fn clock(at: Duration) -> String {
    format!("{:>7.1}s", at.as_secs_f64())
}

/// The text of one event; `None` for what is not worth a line.
pub(crate) fn line(event: &Event, took: Option<Duration>, id: &str) -> Option<String> {
    let took = took.map(|took| format!("  ({})", span(took))).unwrap_or_default();
    Some(match event {
        Event::Finished { verb: Verb::Check, addr, at, .. } => format!("{} = {addr} is whole{took}", clock(*at)),
        Event::Finished { addr, verb, at, .. } => {
            let id = if id.is_empty() { String::new() } else { format!("  {id}") };
            format!("{} {} {addr}{id}{took}", clock(*at), symbol(*verb))
        }
        Event::Retrying { addr, fault, code, attempt, wait, at, .. } => {
            format!("{}   {addr}: {fault} ({code}), attempt {} in {}", clock(*at), attempt + 1, span(*wait))
        }
        Event::Adopted { addr, id, at, .. } => {
            format!("{} ? {addr}  {id}  the answer was lost; what it had made is taken over", clock(*at))
        }
        Event::Rung { addr, name, at, .. } => format!("{}   {addr}: no capacity, trying {name}", clock(*at)),
        Event::Failed { addr, fault, code, message, at, .. } => {
            format!("{} ! {addr}: {fault}: {code}: {message}", clock(*at))
        }
        Event::Skipped { addr, because, at, .. } => {
            format!("{}   {addr} is not started, because {because} failed", clock(*at))
        }
        Event::Started { .. } | Event::Created { .. } | Event::Waiting { .. } => return None,
    })
}

impl Watcher for Lines {
    fn begin(&mut self, plan: &Plan) {
        self.began = Instant::now();
        self.total = plan.steps.len();
        self.expected = estimate(plan);
        match self.fold {
            Fold::None => {}
            Fold::GitHub => self.console.say("::group::clusterctl: carrying out the plan"),
            Fold::GitLab => {
                let now = jiff::Timestamp::now().as_second();
                self.console
                    .say(&format!("section_start:{now}:clusterctl_run\r\u{1b}[0Kclusterctl: carrying out the plan"));
            }
        }
        let line = format!("Carrying out {} steps, about {}", self.total, span(self.expected));
        self.say(&line);
    }

    fn event(&mut self, event: &Event) {
        let mut took = None;
        let mut id = String::new();
        match event {
            Event::Started { step, addr, at, .. } => {
                let going = Going { addr: addr.clone(), since: *at, words: String::new(), id: String::new() };
                self.going.insert(*step, going);
            }
            Event::Created { step, id, .. } => {
                if let Some(going) = self.going.get_mut(step) {
                    going.id.clone_from(id);
                }
            }
            Event::Waiting { step, words, .. } => {
                if let Some(going) = self.going.get_mut(step) {
                    going.words.clone_from(words);
                }
            }
            Event::Finished { step, at, .. } => {
                self.done += 1;
                if let Some(going) = self.going.remove(step) {
                    took = Some(at.saturating_sub(going.since));
                    id = going.id;
                }
            }
            Event::Failed { step, .. } | Event::Skipped { step, .. } => {
                self.going.remove(step);
            }
            Event::Retrying { .. } | Event::Adopted { .. } | Event::Rung { .. } => {}
        }
        if let Some(line) = line(event, took, &id) {
            self.say(&line);
        }
    }

    fn tick(&mut self) {
        if self.spoke.elapsed() < HEARTBEAT {
            return;
        }
        let elapsed = self.began.elapsed();
        let slowest = self.going.values().min_by_key(|going| going.since);
        let slowest = slowest.map(|going| {
            let words = if going.words.is_empty() { String::new() } else { format!(" ({})", going.words) };
            format!("; {} since {}{words}", going.addr, span(elapsed.saturating_sub(going.since)))
        });
        let left = self.expected.saturating_sub(elapsed);
        let left = if left.is_zero() { String::new() } else { format!(", about {} left", span(left)) };
        let line = format!(
            "{} ... {}/{} done, {} under way{left}{}",
            clock(elapsed),
            self.done,
            self.total,
            self.going.len(),
            slowest.unwrap_or_default()
        );
        self.say(&line);
    }

    fn timeline(&mut self, timeline: &Timeline) {
        super::say_timeline(&self.console, timeline);
    }

    fn end(&mut self, _: &Report) {
        match self.fold {
            Fold::None => {}
            Fold::GitHub => self.console.say("::endgroup::"),
            Fold::GitLab => {
                let now = jiff::Timestamp::now().as_second();
                self.console.say(&format!("section_end:{now}:clusterctl_run\r\u{1b}[0K"));
            }
        }
    }
}
