//! Where a run writes down what it is about to do and what came of it.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::addr::Addr;
use crate::cloud::Fault;
use crate::plan::Verb;

/// What is about to be asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Intended {
    pub addr: Addr,
    pub verb: Verb,
    /// Which live resource is changed or deleted, or is known better after a check; of a creation, none.
    pub id: Option<String>,
    pub token: String,
    /// SHA-256 of the request.
    pub digest: String,
    /// The addresses it needs, for the order of a later deletion.
    pub depends: Vec<Addr>,
    /// When it is carried out the resource is not ready yet, and somebody has to see that it becomes so.
    pub awaited: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    Applied { id: String, outputs: Map<String, Value> },
    Gone,
    Failed { fault: Fault, code: String },
}

/// The ledger could not be written; nothing more may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LedgerError(pub String);

/// Durable when a call returns. An error of any of them is the end of the run.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Asked before every mutation: whether the cluster is still ours.
    async fn fence(&self) -> Result<(), LedgerError>;
    /// Gives the number by which the outcome refers to it.
    async fn intend(&self, intent: Intended) -> Result<u64, LedgerError>;
    async fn end(&self, intent: u64, ended: Ended) -> Result<(), LedgerError>;
}
