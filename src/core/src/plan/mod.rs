//! The plan: a complete value, a pure function of what is wanted and what is there.
//!
//! - `decide`: per address, what is to be done with it and why
//! - `steps`: in which order, as a graph of single steps; the engine has no choice left
//! - `check`: a second look at a finished plan by code that did not make it
//!
//! Deleting a cluster is the plan of the empty graph. No cloud, no clock and no randomness is involved.

mod check;
mod decide;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::addr::Addr;
use crate::cloud::{Live, Observed, Unready};
use crate::graph::links::Links;
use crate::graph::{Graph, GraphError, Kind, Rung};

pub use check::{Fault as CheckFault, check, foreign};

/// What happens to one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Keep,
    /// It stays, and was never seen ready: it is waited for.
    Check,
    Create,
    Update,
    Replace,
    Delete,
}

impl Action {
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Keep => " ",
            Self::Check => "=",
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace => "-/+",
            Self::Delete => "-",
        }
    }
}

/// One argument that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub argument: String,
    pub from: Value,
    /// May still mention outputs: known after apply.
    pub to: Value,
    /// The cloud cannot change it in place.
    pub forces_new: bool,
}

/// What an action can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    Safe,
    Disruptive,
    DataLoss,
}

/// The decision for one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub action: Action,
    pub risk: Risk,
    /// What differs, for an update or a replacement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The live resource that is kept, changed, replaced or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Arc<Live>>,
    /// It was made and never seen ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unready: Option<Unready>,
    /// Further live resources under the same address, which go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub surplus: Vec<Arc<Live>>,
    /// The wanted arguments; may mention outputs.
    #[serde(default)]
    pub want: Arc<Value>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Addr>,
    /// Further rungs of the capacity ladder: a name and what it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<(String, Value)>,
}

pub type StepId = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Create,
    Update,
    Delete,
    /// Waits until a resource that is kept is ready: for the first time, or again before the next of its roll is touched.
    Check,
}

/// How far a step must be before another may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Its outputs are known.
    Created,
    /// It is ready for use, or gone.
    Done,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub addr: Addr,
    pub verb: Verb,
    /// Which live resource: an update's, a deletion's or a check's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Arc<Live>>,
    pub after: Vec<(StepId, Point)>,
    /// Median seconds, from the kind's table.
    pub seconds: f64,
}

/// A complete plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub items: BTreeMap<Addr, Item>,
    pub steps: Vec<Step>,
}

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub keep: usize,
    pub check: usize,
    pub create: usize,
    pub update: usize,
    pub replace: usize,
    pub delete: usize,
}

impl Plan {
    /// Nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for item in self.items.values() {
            match item.action {
                Action::Keep => summary.keep += 1,
                Action::Check => summary.check += 1,
                Action::Create => summary.create += 1,
                Action::Update => summary.update += 1,
                Action::Replace => summary.replace += 1,
                Action::Delete => summary.delete += 1,
            }
            // A surplus twin of something that stays is a deletion of its own.
            summary.delete += item.surplus.len();
        }
        summary
    }

    #[must_use]
    pub fn risk(&self) -> Risk {
        self.items.values().map(|item| item.risk).max().unwrap_or(Risk::Safe)
    }

    /// The kinds that this plan touches or keeps, for the record of what was ever intended.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<String> {
        self.items.keys().map(|addr| addr.kind.clone()).collect()
    }

    /// The plan as small text, for snapshots: actions, then steps with what they wait for.
    #[must_use]
    pub fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for (addr, item) in self.items.iter().filter(|(_, i)| i.action != Action::Keep || !i.surplus.is_empty()) {
            let _ = write!(text, "{} {addr}", item.action.symbol());
            for change in &item.changes {
                let mark = if change.forces_new { "!" } else { "" };
                let _ = write!(text, " {}{mark}", change.argument);
            }
            for live in &item.surplus {
                let _ = write!(text, " (surplus {})", live.id);
            }
            text.push('\n');
        }
        for (id, step) in self.steps.iter().enumerate() {
            let after: Vec<String> = step
                .after
                .iter()
                .map(|(id, point)| if *point == Point::Created { format!("{id}'") } else { id.to_string() })
                .collect();
            let verb = format!("{:?}", step.verb).to_lowercase();
            let _ = writeln!(text, "{id}: {verb} {} after [{}]", step.addr, after.join(" "));
        }
        text
    }
}

/// Plans the way from `observed` to `desired`.
///
/// `depends` is what the record says each address needed when it was made; it orders deletions where the arguments of
/// the live resources do not tell.
///
/// # Errors
/// When the graph itself is faulty.
pub fn plan(
    desired: &Graph,
    observed: &Observed,
    kinds: &[&'static Kind],
    depends: &BTreeMap<Addr, BTreeSet<Addr>>,
) -> Result<Plan, GraphError> {
    let links = Links::of(desired)?;
    let items = decide::decide(&links, observed, kinds)?;
    let steps = steps::order(&items, &links, observed, kinds, depends);
    Ok(Plan { items, steps })
}

impl From<&Rung> for (String, Value) {
    fn from(rung: &Rung) -> Self {
        (rung.name.clone(), rung.patch.clone())
    }
}

#[cfg(test)]
mod tests;
