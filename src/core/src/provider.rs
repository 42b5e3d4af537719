//! What a cloud's package offers to whoever drives it: no command knows which cloud it is.
//!
//! [`Provider`] is pure and works without an account; [`Connection`] has one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::addr::Addr;
use crate::blueprint::{Blueprint, CloudTraits};
use crate::choices::Choices;
use crate::cloud::{Cloud, CloudError, Live, Owner};
use crate::cluster::Cluster;
use crate::graph::{Graph, GraphError, Kind};
use crate::machine::NoMachine;
use crate::store::Store;
use crate::terraform;
use crate::transport::Transport;

/// The cluster asks for what cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// A place in the cluster file, what is wrong there and what would be right.
    #[error("{path}: {message}")]
    Cluster { path: String, message: String, right: Option<String> },
    #[error("{whose}: {why}")]
    Machine { whose: String, why: Box<NoMachine> },
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// A blueprint that cannot be said in a cloud's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error("{0}")]
    Node(String),
    #[error("{path}: {message}")]
    Unsupported { path: String, message: String },
}

/// The way to an account.
#[derive(Debug, Clone)]
pub struct Access {
    pub transport: Arc<dyn Transport>,
    /// From the cluster file or the command line; otherwise the cloud's own configuration names one.
    pub region: Option<String>,
    pub caller: Caller,
    /// Values of the environment that the provider may look at, its credentials aside.
    pub environment: BTreeMap<String, String>,
}

/// As whom to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Whoever the cloud's own configuration names, or one of its profiles.
    Configured { profile: Option<String> },
    /// A holder of these keys; nothing of the cloud's own configuration is read, and what is random comes from `seed`.
    Keys { id: String, secret: String, seed: u64 },
}

/// A cloud without an account.
#[async_trait]
pub trait Provider: Send + Sync {
    /// As in `spec.cloud`.
    fn name(&self) -> &'static str;

    fn kinds(&self) -> &'static [&'static Kind];

    fn traits(&self) -> CloudTraits;

    /// Takes the decisions that the catalogue alone can take; what is in `kept` and still fits stays.
    fn choose_offline(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal>;

    fn lower(&self, blueprint: &Blueprint, owner: &Owner) -> Result<Graph, LowerError>;

    /// What the export needs beside the graph.
    fn terraform(&self, blueprint: &Blueprint, graph: &Graph) -> terraform::Settings;

    /// The least policy that making, changing and removing `graph` needs, in the cloud's own form.
    fn policy(&self, graph: &Graph, blueprint: &Blueprint, owner: &Owner) -> Value;

    /// The id that Terraform's `import` takes; none for what cannot be imported.
    fn import_id(&self, addr: &Addr, live: &Live) -> Option<String>;

    async fn connect(&self, access: Access) -> Result<Arc<dyn Connection>, CloudError>;
}

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Account, subscription, project or tenant.
    pub id: String,
    /// The user or role.
    pub caller: String,
}

/// A cloud with an account.
#[async_trait]
pub trait Connection: Cloud {
    fn region(&self) -> &str;

    async fn account(&self) -> Result<Account, CloudError>;

    /// Takes the decisions that need an answer from the cloud; what is in `kept` and still fits stays unasked.
    async fn choose(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal>;

    /// The owner uids of whatever carries the name of a cluster in the region: for a cluster whose record is lost.
    async fn owners(&self, cluster: &str) -> Result<BTreeSet<String>, CloudError>;

    /// Tells what was decided before: observation may have to look there.
    fn recall(&self, choices: &Choices);

    /// What to do about an error, where it is known.
    fn hint(&self, error: &CloudError) -> Option<String>;

    /// The state store at `url`, where this cloud has one under that scheme.
    fn store(&self, url: &str) -> Option<Result<Arc<dyn Store>, String>>;
}
