//! What happens in a run, for journals and views.

use std::time::Duration;

use serde::Serialize;

use crate::addr::Addr;
use crate::cloud::{CloudError, Fault};
use crate::plan::{StepId, Verb};

/// One thing that happened. `at` is since the start of the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    Started {
        step: StepId,
        addr: Addr,
        verb: Verb,
        at: Duration,
    },
    /// Its outputs are known; what needs only these goes on.
    Created {
        step: StepId,
        addr: Addr,
        id: String,
        at: Duration,
    },
    /// Still going on, in the cloud's words.
    Waiting {
        step: StepId,
        addr: Addr,
        words: String,
        at: Duration,
    },
    Retrying {
        step: StepId,
        addr: Addr,
        fault: Fault,
        code: String,
        attempt: u32,
        wait: Duration,
        at: Duration,
    },
    /// An answer had been lost; what it had made was found.
    Adopted {
        step: StepId,
        addr: Addr,
        id: String,
        at: Duration,
    },
    /// The cloud has no capacity; the next rung of the ladder is tried.
    Rung {
        step: StepId,
        addr: Addr,
        name: String,
        at: Duration,
    },
    Finished {
        step: StepId,
        addr: Addr,
        verb: Verb,
        at: Duration,
    },
    Failed {
        step: StepId,
        addr: Addr,
        verb: Verb,
        fault: Fault,
        code: String,
        message: String,
        at: Duration,
    },
    Skipped {
        step: StepId,
        addr: Addr,
        because: Addr,
        at: Duration,
    },
}

/// A step that ended in an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub addr: Addr,
    pub verb: Verb,
    pub error: CloudError,
    pub attempts: u32,
}

/// When a step ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timing {
    pub addr: Addr,
    pub verb: Verb,
    pub started: Duration,
    pub finished: Duration,
    /// What the kind's table says it takes.
    pub expected: f64,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub finished: usize,
    pub total: usize,
    pub failures: Vec<Failure>,
    /// Not started because of a failure, with the address that failed.
    pub skipped: Vec<(Addr, Addr)>,
    /// Asked for and not answered when the run was stopped.
    pub in_flight: Vec<Addr>,
    /// Stopped on request or because the lock was lost.
    pub interrupted: Option<String>,
    /// The rung that a ladder came to stand on, by address.
    pub rungs: Vec<(Addr, usize)>,
    pub timings: Vec<Timing>,
    pub elapsed: Duration,
}

impl Report {
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.failures.is_empty() && self.interrupted.is_none() && self.finished == self.total
    }
}
