//! What a cloud must be able to do, and how it may fail.
//!
//! A provider observes everything it owns in a constant number of calls and has one driver per kind. Drivers make single
//! requests; when to call them, again or not at all, is the engine's business alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::addr::Addr;
use crate::graph::{Kind, Resource};
use crate::value;

/// Whose resources they are: the cluster's random uid, made at the first create, and its name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub uid: String,
    pub cluster: String,
}

/// A resource that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The cloud's own id.
    pub id: String,
    /// Its arguments, in the same words as the wanted ones; an argument that the cloud does not give back is absent.
    #[serde(default)]
    pub args: Value,
    /// What other resources may mention, `id` among them.
    #[serde(default)]
    pub outputs: Map<String, Value>,
    /// Arguments that nothing can be said of, because what tells them is not listed yet: no difference is read into them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unseen: BTreeSet<String>,
}

impl Live {
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        let outputs = Map::from_iter([("id".to_owned(), Value::String(id.clone()))]);
        Self { id, args: Value::Null, outputs, unseen: BTreeSet::new() }
    }

    #[must_use]
    pub fn with(mut self, attr: &str, value: impl Into<Value>) -> Self {
        self.outputs.insert(attr.to_owned(), value.into());
        self
    }
}

/// What the record says of a resource that was made and was never seen ready for use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unready {
    /// Nobody has waited long enough.
    Waiting,
    /// It came to nothing, or not in time.
    Stuck,
}

/// Everything of one owner that a cloud has.
///
/// Several live resources under one address happen: after a replacement that was cut short, or when a lost answer was
/// once repeated. The plan picks the one that fits and removes the others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    pub resources: BTreeMap<Addr, Vec<Arc<Live>>>,
    /// The account, project or tenant, where the answers told it.
    pub account: Option<String>,
    /// What the record says of an address: of several, the one with this id is the one that others use.
    pub recorded: BTreeMap<Addr, String>,
    /// Which of those on record were never seen ready.
    pub unready: BTreeMap<Addr, Unready>,
}

impl Observed {
    pub fn insert(&mut self, addr: Addr, live: Live) {
        self.resources.entry(addr).or_default().push(Arc::new(live));
    }

    /// The one that stands for an address when nothing more is known.
    #[must_use]
    pub fn get(&self, addr: &Addr) -> Option<&Live> {
        self.resources.get(addr)?.first().map(Arc::as_ref)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.resources.values().map(Vec::len).sum()
    }
}

/// All that the retry policy may know of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Too many requests: later, and slower.
    Throttled,
    /// Something it needs is not there yet, or something that needs it is not gone yet: later.
    NotReady,
    /// No answer, or one that does not say whether it was carried out: look first.
    Ambiguous,
    Quota,
    /// The cloud has no such machine just now: the next rung.
    Capacity,
    /// The caller is not known or may not do this.
    Auth,
    /// The name is taken by something that is not ours, or the thing is not what it should be.
    Conflict,
    /// The request is wrong and will be wrong again.
    Permanent,
}

impl Fault {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::NotReady => "not ready",
            Self::Ambiguous => "no answer",
            Self::Quota => "quota exceeded",
            Self::Capacity => "no capacity",
            Self::Auth => "not allowed",
            Self::Conflict => "conflict",
            Self::Permanent => "refused",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A call to a cloud that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {code}: {message}")]
pub struct CloudError {
    pub fault: Fault,
    /// The call, as the cloud names it: `ec2:CreateVpc`.
    pub operation: String,
    /// The cloud's own error code.
    pub code: String,
    pub message: String,
    pub request_id: Option<Box<str>>,
    /// How long the cloud asked to wait.
    pub retry_after: Option<Duration>,
    /// What a create of several requests has made before this one failed: it is finished as it is, and never made again.
    pub made: Option<Box<Live>>,
}

impl CloudError {
    #[must_use]
    pub fn new(fault: Fault, operation: &str, code: &str, message: impl Into<String>) -> Self {
        Self {
            fault,
            operation: operation.to_owned(),
            code: code.to_owned(),
            message: message.into(),
            request_id: None,
            retry_after: None,
            made: None,
        }
    }

    /// The same error, once `live` was made.
    #[must_use]
    pub fn after(self, live: Live) -> Self {
        Self { made: Some(Box::new(live)), ..self }
    }
}

/// What a driver is told beside the arguments.
#[derive(Debug, Clone)]
pub struct Call {
    pub addr: Addr,
    pub owner: Owner,
    /// The same for the same intent, also after a crash: at most 40 characters of `[a-z0-9]`.
    pub token: String,
}

/// How far an operation that goes on after its answer has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    Done(Live),
    /// Still going on; the words are for people.
    Pending(String),
}

/// What is left of a resource after its deletion was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remains {
    Nothing,
    Something(String),
}

/// How a cloud makes one kind real. Every wanted value that a driver sees is known.
#[async_trait]
pub trait AnyDriver: Send + Sync {
    /// Makes it. Safe to call again with the same token after a lost answer, or after [`AnyDriver::find`] found nothing.
    async fn create(&self, call: &Call, want: &Value) -> Result<Live, CloudError>;

    /// Changes it in place; `changed` names the arguments that differ.
    async fn update(&self, call: &Call, live: &Live, want: &Value, changed: &[String]) -> Result<Live, CloudError>;

    /// Asks for its deletion. What is not there any more is no error.
    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError>;

    /// Looks for what an unanswered create may have made, by owner and address or by its token. There is no default:
    /// a kind without an answer here cannot be created safely.
    async fn find(&self, call: &Call, want: &Value) -> Result<Vec<Live>, CloudError>;

    /// Whether it is ready for use.
    async fn ready(&self, _call: &Call, live: &Live, _want: &Value) -> Result<Progress, CloudError> {
        Ok(Progress::Done(live.clone()))
    }

    /// Whether a deletion that was asked for has ended.
    async fn gone(&self, _call: &Call, _live: &Live) -> Result<Remains, CloudError> {
        Ok(Remains::Nothing)
    }
}

/// What observation may rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Only these kinds were ever intended for this owner: the record says so, and it is written before the first call.
    Kinds(std::collections::BTreeSet<String>),
    /// Nothing is known: look everywhere.
    Everything,
}

impl Scope {
    #[must_use]
    pub fn has(&self, kind: &str) -> bool {
        match self {
            Self::Kinds(kinds) => kinds.contains(kind),
            Self::Everything => true,
        }
    }
}

/// A cloud, as the engine sees it.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// Reads everything of `owner` in a constant number of calls and their pages, never one call per resource.
    async fn observe(&self, owner: &Owner, scope: &Scope) -> Result<Observed, CloudError>;

    fn driver(&self, kind: &str) -> Option<&dyn AnyDriver>;

    /// The table of kinds.
    fn kinds(&self) -> &'static [&'static Kind];

    /// Removes what the machines of `owner` made by themselves, such as node secrets; gives what was removed.
    async fn sweep(&self, owner: &Owner) -> Result<Vec<String>, CloudError>;
}

/// A driver of one kind, typed. [`Typed`] makes it an [`AnyDriver`].
#[async_trait]
pub trait Driver: Send + Sync {
    type Resource: Resource + Send + Sync;

    /// See [`AnyDriver::create`].
    async fn create(&self, call: &Call, want: Self::Resource) -> Result<Live, CloudError>;

    /// See [`AnyDriver::update`].
    async fn update(
        &self,
        call: &Call,
        live: &Live,
        want: Self::Resource,
        changed: &[String],
    ) -> Result<Live, CloudError>;

    /// See [`AnyDriver::delete`].
    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError>;

    /// See [`AnyDriver::find`].
    async fn find(&self, call: &Call, want: Self::Resource) -> Result<Vec<Live>, CloudError>;

    /// See [`AnyDriver::ready`].
    async fn ready(&self, _call: &Call, live: &Live, _want: Self::Resource) -> Result<Progress, CloudError> {
        Ok(Progress::Done(live.clone()))
    }

    /// See [`AnyDriver::gone`].
    async fn gone(&self, _call: &Call, _live: &Live) -> Result<Remains, CloudError> {
        Ok(Remains::Nothing)
    }
}

/// A typed driver behind the untyped seam.
#[derive(Debug, Clone)]
pub struct Typed<D>(pub D);

fn read<R: Resource>(call: &Call, want: &Value) -> Result<R, CloudError> {
    value::typed(want)
        .map_err(|e| CloudError::new(Fault::Permanent, R::KIND.name, "BadArguments", format!("{}: {e}", call.addr)))
}

#[async_trait]
impl<D: Driver> AnyDriver for Typed<D> {
    async fn create(&self, call: &Call, want: &Value) -> Result<Live, CloudError> {
        self.0.create(call, read(call, want)?).await
    }

    async fn update(&self, call: &Call, live: &Live, want: &Value, changed: &[String]) -> Result<Live, CloudError> {
        self.0.update(call, live, read(call, want)?, changed).await
    }

    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        self.0.delete(call, live).await
    }

    async fn find(&self, call: &Call, want: &Value) -> Result<Vec<Live>, CloudError> {
        self.0.find(call, read(call, want)?).await
    }

    async fn ready(&self, call: &Call, live: &Live, want: &Value) -> Result<Progress, CloudError> {
        self.0.ready(call, live, read(call, want)?).await
    }

    async fn gone(&self, call: &Call, live: &Live) -> Result<Remains, CloudError> {
        self.0.gone(call, live).await
    }
}
