//! Every error folded into what it is, the exit code, and what to do about it.
//!
//! The libraries have small enums; here is the one place that knows exit codes (sysexits where there is one that fits).

use std::fmt;

use clusterctl_core::blueprint::DesignError;
use clusterctl_core::cloud::{CloudError, Fault};
use clusterctl_core::graph::GraphError;
use clusterctl_core::plan::CheckFault;
use clusterctl_core::provider::{LowerError, Refusal};
use clusterctl_core::spec::{Problem, Problems};
use clusterctl_core::store::journal::JournalError;
use clusterctl_core::store::lock::{BreakError, LockError, Lost};
use clusterctl_core::store::state::RolledBack;
use clusterctl_core::store::{KeyError, StoreError};
use clusterctl_core::terraform::ExportError;

/// What sort of failure it is: the contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Failed,
    Usage,
    Spec,
    NotFound,
    Unavailable,
    Bug,
    Locked,
    Store,
    Resumable,
    Auth,
    Quota,
    Capacity,
    Policy,
    Timeout,
    Interrupted,
}

/// A row of the table: the exit code, the error code, what it means, what to do.
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) exit: u8,
    pub(crate) code: &'static str,
    pub(crate) means: &'static str,
    pub(crate) remedy: &'static str,
}

/// One row for each kind, in the order of the exit codes.
pub(crate) const TABLE: &[Row] = &[
    row(
        Kind::Failed,
        1,
        "CC0100",
        "failed",
        "The message says what was refused and why; running the same line again will fail again until that is changed.",
    ),
    row(Kind::Usage, 64, "CC6400", "the command line is wrong", "`clusterctl help COMMAND` shows what it takes."),
    row(
        Kind::Spec,
        65,
        "CC6500",
        "the cluster file is wrong, or asks for what cannot be had",
        "Every problem is listed with its place; `clusterctl explain FIELD` says what a field takes.",
    ),
    row(
        Kind::NotFound,
        66,
        "CC6600",
        "there is no such cluster or file",
        "`clusterctl get clusters` lists what is recorded in the store; `clusterctl recover` builds a lost record from the cloud.",
    ),
    row(
        Kind::Unavailable,
        69,
        "CC6900",
        "the cloud cannot be reached, or asks to slow down",
        "Run the same line again later; nothing is lost.",
    ),
    row(Kind::Bug, 70, "CC7000", "a fault in clusterctl", "Please report it with the whole message."),
    row(
        Kind::Locked,
        73,
        "CC7300",
        "another run is changing the same cluster",
        "Wait for it, or raise --lock-timeout. `clusterctl lock ls` names the holder; a run that died is succeeded by itself.",
    ),
    row(
        Kind::Store,
        74,
        "CC7400",
        "the state store failed",
        "Check the place that --store names; `clusterctl doctor` tests it.",
    ),
    row(
        Kind::Resumable,
        75,
        "CC7500",
        "not finished, but nothing is broken",
        "Run the same line again: it goes on from here.",
    ),
    row(
        Kind::Auth,
        77,
        "CC7700",
        "the credentials are missing, expired or not allowed to do this",
        "`clusterctl doctor` says whose credentials are used; `clusterctl iam policy` prints what they must be allowed.",
    ),
    row(
        Kind::Quota,
        79,
        "CC7900",
        "a quota of the account is used up",
        "Ask the cloud for a higher quota, or make the cluster smaller; then run the same line again.",
    ),
    row(
        Kind::Capacity,
        80,
        "CC8000",
        "the cloud has no such machines just now",
        "Try other zones, another machine type, or a capacity ladder; then run the same line again.",
    ),
    row(
        Kind::Policy,
        81,
        "CC8100",
        "refused to protect something",
        "The message names the flag or the line of the file that allows it.",
    ),
    row(Kind::Timeout, 124, "CC1240", "took too long", "Run the same line again: it goes on from here."),
    row(
        Kind::Interrupted,
        130,
        "CC1300",
        "interrupted; it can be resumed",
        "Run the same line again: it goes on from here.",
    ),
];

const fn row(kind: Kind, exit: u8, code: &'static str, means: &'static str, remedy: &'static str) -> Row {
    Row { kind, exit, code, means, remedy }
}

impl Kind {
    pub(crate) fn row(self) -> &'static Row {
        // A test holds the table to every kind.
        TABLE.iter().find(|row| row.kind == self).unwrap_or(&TABLE[0])
    }

    pub(crate) fn exit(self) -> u8 {
        self.row().exit
    }

    pub(crate) fn code(self) -> &'static str {
        self.row().code
    }

    /// Whether the same line can succeed without anything being changed first.
    pub(crate) fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Unavailable | Self::Locked | Self::Resumable | Self::Capacity | Self::Timeout | Self::Interrupted
        )
    }

    pub(crate) fn of(fault: Fault) -> Self {
        match fault {
            Fault::Throttled | Fault::NotReady | Fault::Ambiguous => Self::Unavailable,
            Fault::Quota => Self::Quota,
            Fault::Capacity => Self::Capacity,
            Fault::Auth => Self::Auth,
            Fault::Conflict | Fault::Permanent => Self::Failed,
        }
    }

    /// Of several failures of one run, the one that its exit code tells: what has to be changed before another try
    /// comes before what another try may mend.
    pub(crate) fn worst(kinds: impl IntoIterator<Item = Self>) -> Option<Self> {
        const ORDER: [Kind; 5] = [Kind::Auth, Kind::Quota, Kind::Failed, Kind::Capacity, Kind::Unavailable];
        kinds.into_iter().min_by_key(|kind| ORDER.iter().position(|k| k == kind).unwrap_or(ORDER.len()))
    }
}

/// A text and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadFile {
    /// Its name for people.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) problems: Vec<Problem>,
}

/// A command that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What happened, in one line.
    pub(crate) message: String,
    /// What is known besides.
    pub(crate) details: Vec<String>,
    /// What to do, one sentence each.
    pub(crate) hints: Vec<String>,
    pub(crate) file: Option<Box<BadFile>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Vec::new(), hints: Vec::new(), file: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What is wrong with a file.
    pub(crate) fn in_file(name: &str, text: &str, problems: Vec<Problem>) -> Self {
        let count = problems.len();
        let what = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        let file = BadFile { name: name.to_owned(), text: text.to_owned(), problems };
        Self { file: Some(Box::new(file)), ..Self::new(Kind::Spec, format!("{what} in {name}")) }
    }

    pub(crate) fn problems(name: &str, text: &str, problems: Problems) -> Self {
        Self::in_file(name, text, problems.into_vec())
    }

    /// A call to a cloud outside of a run.
    pub(crate) fn cloud(error: &CloudError, hint: Option<String>) -> Self {
        let mut failure = Self::new(Kind::of(error.fault), error.to_string());
        if let Some(id) = &error.request_id {
            failure.details.push(format!("request id {id}"));
        }
        failure.hints.extend(hint);
        failure
    }

    fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let hint = error.way_out();
        Self { hints: hint.into_iter().collect(), ..Self::new(Kind::Store, error.to_string()) }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { expires_in, .. } => Self::new(Kind::Locked, error.to_string())
                .detail(format!("if that run has died, its lock can be taken over in {} s", expires_in.as_secs()))
                .hint("wait longer with --lock-timeout 10m, or look at `clusterctl lock ls`"),
            LockError::Store(error) => error.into(),
            other => Self::new(Kind::Locked, other.to_string()),
        }
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Unsure(error) => Self::from(error).detail("the lock could not be renewed"),
            lost => Self::new(Kind::Locked, lost.to_string()),
        }
    }
}

impl From<BreakError> for Failure {
    fn from(error: BreakError) -> Self {
        match error {
            BreakError::Free { .. } => Self::new(Kind::NotFound, error.to_string()),
            BreakError::Store(error) => error.into(),
            other => Self::new(Kind::Locked, other.to_string()),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Fenced { .. } => Self::new(Kind::Locked, error.to_string()),
            JournalError::Store(error) => error.into(),
            JournalError::Closed => Self::new(Kind::Store, error.to_string()),
        }
    }
}

impl From<RolledBack> for Failure {
    fn from(error: RolledBack) -> Self {
        Self::new(Kind::Store, error.to_string())
            .hint("put the newest copy of the state back, or rebuild it with `clusterctl recover`")
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Cluster { path, message, right } => {
                let mut failure = Self::new(Kind::Spec, format!("{path}: {message}"));
                failure.hints.extend(right.map(|right| format!("right would be: {right}")));
                failure
            }
            Refusal::Machine { .. } => Self::new(Kind::Spec, refusal.to_string()),
            Refusal::Cloud(error) => Self::cloud(&error, None),
        }
    }
}

impl From<DesignError> for Failure {
    fn from(error: DesignError) -> Self {
        Self::new(Kind::Spec, error.to_string())
    }
}

impl From<LowerError> for Failure {
    fn from(error: LowerError) -> Self {
        match error {
            LowerError::Unsupported { .. } => Self::new(Kind::Spec, error.to_string()),
            other => Self::bug(other.to_string()),
        }
    }
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        Self::bug(error.to_string())
    }
}

impl From<CheckFault> for Failure {
    fn from(error: CheckFault) -> Self {
        Self::bug(format!("the plan was not carried out, because a check of it failed: {error}"))
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Self::bug(error.to_string())
    }
}

#[cfg(test)]
mod tests;
