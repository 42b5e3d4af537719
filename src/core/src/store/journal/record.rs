//! What the journal says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The number of one change to the cloud, never used twice for a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Op(pub u64);

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    Intent(Intent),
    Outcome(Outcome),
    Note(Note),
}

/// What is about to be asked of the cloud; durable before it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    pub op: Op,
    pub addr: String,
    pub action: Action,
    /// The resource that is updated, deleted or checked; none when one is created.
    pub id: Option<String>,
    /// The generation that the token is made of.
    pub generation: u32,
    /// What the cloud recognises a repetition by.
    pub token: String,
    /// Digest of the request, to tell a repetition from a changed wish.
    pub digest: String,
    /// Addresses that the resource needs.
    pub depends: BTreeSet<String>,
    /// Once carried out it still has to become ready.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaited: bool,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Delete,
    /// Whether it is ready; nothing is changed.
    Check,
}

/// What came of an intent; durable before anything that depends on it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub op: Op,
    pub at: Timestamp,
    pub came: Came,
}

/// What is known to be true of the resource now.
///
/// A lost answer is no outcome: its intent stays pending until the cloud was asked what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "came", rename_all = "snake_case", deny_unknown_fields)]
pub enum Came {
    /// It exists like this, whether it was created, updated or found.
    Applied { id: String, outputs: BTreeMap<String, Value> },
    /// It made one more than the one that is on record and stays.
    Twin { id: String },
    /// It does not exist any more.
    Gone,
    /// The cloud refused; nothing was changed.
    Failed { fault: String, code: String },
    /// The request was not sent, or never arrived. Its token stays good for the next attempt, should it arrive late.
    Abandoned,
}

/// A remark for people, such as what resolved an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    pub at: Timestamp,
    pub text: String,
}

impl Intent {
    /// The kind of the resource: what comes before the first dot of its address.
    pub fn kind(&self) -> &str {
        self.addr.split_once('.').map_or(&self.addr, |(kind, _)| kind)
    }
}
