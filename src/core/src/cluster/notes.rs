//! What is known of a cluster besides what it is, and the pen that writes it down.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::spec::{Problem, Problems};

/// Where the defaults of a cluster came from, and what deserves a warning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// The path of every default and why it is what it is.
    pub defaults: BTreeMap<String, String>,
    /// What is allowed and may still be a mistake. Their places in the text are not known.
    pub warnings: Vec<Problem>,
}

/// Collects what the rules find while a cluster is resolved.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    notes: Notes,
}

impl Findings {
    /// Breaks a rule: there will be no cluster.
    pub(super) fn problem(&mut self, path: impl Into<String>, message: impl Into<String>, right: impl Into<String>) {
        self.problems.push(Problem::at(path, message).right(right));
    }

    /// Keeps the rules and may still be a mistake.
    pub(super) fn warning(&mut self, path: impl Into<String>, message: impl Into<String>, right: impl Into<String>) {
        self.notes.warnings.push(Problem::at(path, message).right(right));
    }

    /// What the user wrote at `path`, or a default whose reason is kept.
    pub(super) fn or_default<T>(&mut self, path: &str, written: Option<T>, default: T, reason: impl Display) -> T {
        match written {
            Some(value) => value,
            None => {
                self.filled_in(path, reason);
                default
            }
        }
    }

    /// Notes that what stands at `path` is not the user's.
    pub(super) fn filled_in(&mut self, path: impl Into<String>, reason: impl Display) {
        self.notes.defaults.insert(path.into(), reason.to_string());
    }

    /// The notes, unless a rule was broken.
    pub(super) fn finish(self) -> Result<Notes, Problems> {
        Problems::unless_empty(self.problems)?;
        Ok(self.notes)
    }
}
