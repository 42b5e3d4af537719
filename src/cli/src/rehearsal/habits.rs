//! A provider whose calls are repeated: what is asked once happens twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Blueprint, CloudTraits};
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::{
    AnyDriver, Call, Cloud, CloudError, Fault, Live, Observed, Owner, Progress, Remains, Scope,
};
use clusterctl_core::cluster::Cluster;
use clusterctl_core::graph::{Graph, Kind};
use clusterctl_core::provider::{Access, Account, Connection, LowerError, Provider, Refusal};
use clusterctl_core::store::Store;
use clusterctl_core::terraform;
use serde_json::Value;

use super::process::Habit;

/// A provider with a habit.
pub(crate) struct Habitual {
    pub(crate) inner: &'static dyn Provider,
    pub(crate) habit: Habit,
}

#[async_trait]
impl Provider for Habitual {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        self.inner.kinds()
    }

    fn traits(&self) -> CloudTraits {
        self.inner.traits()
    }

    fn choose_offline(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal> {
        self.inner.choose_offline(cluster, kept)
    }

    fn lower(&self, blueprint: &Blueprint, owner: &Owner) -> Result<Graph, LowerError> {
        self.inner.lower(blueprint, owner)
    }

    fn terraform(&self, blueprint: &Blueprint, graph: &Graph) -> terraform::Settings {
        self.inner.terraform(blueprint, graph)
    }

    fn policy(&self, graph: &Graph, blueprint: &Blueprint, owner: &Owner) -> Value {
        self.inner.policy(graph, blueprint, owner)
    }

    fn import_id(&self, addr: &Addr, live: &Live) -> Option<String> {
        self.inner.import_id(addr, live)
    }

    async fn connect(&self, access: Access) -> Result<Arc<dyn Connection>, CloudError> {
        let inner = self.inner.connect(access).await?;
        let made = Made::default();
        let drivers = inner.kinds().iter().map(|kind| {
            let driver =
                Twice { connection: Arc::clone(&inner), kind: kind.name, habit: self.habit, made: made.clone() };
            (kind.name, driver)
        });
        let drivers = drivers.collect();
        Ok(Arc::new(Line { inner, drivers }))
    }
}

struct Line {
    inner: Arc<dyn Connection>,
    drivers: BTreeMap<&'static str, Twice>,
}

#[async_trait]
impl Cloud for Line {
    async fn observe(&self, owner: &Owner, scope: &Scope) -> Result<Observed, CloudError> {
        self.inner.observe(owner, scope).await
    }

    fn driver(&self, kind: &str) -> Option<&dyn AnyDriver> {
        self.drivers.get(kind).map(|driver| driver as &dyn AnyDriver)
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        self.inner.kinds()
    }

    async fn sweep(&self, owner: &Owner) -> Result<Vec<String>, CloudError> {
        self.inner.sweep(owner).await
    }
}

#[async_trait]
impl Connection for Line {
    fn region(&self) -> &str {
        self.inner.region()
    }

    async fn account(&self) -> Result<Account, CloudError> {
        self.inner.account().await
    }

    async fn choose(&self, cluster: &Cluster, kept: &Choices) -> Result<Choices, Refusal> {
        self.inner.choose(cluster, kept).await
    }

    async fn owners(&self, cluster: &str) -> Result<BTreeSet<String>, CloudError> {
        self.inner.owners(cluster).await
    }

    fn recall(&self, choices: &Choices) {
        self.inner.recall(choices);
    }

    fn hint(&self, error: &CloudError) -> Option<String> {
        self.inner.hint(error)
    }

    fn store(&self, url: &str) -> Option<Result<Arc<dyn Store>, String>> {
        self.inner.store(url)
    }
}

struct Twice {
    connection: Arc<dyn Connection>,
    kind: &'static str,
    habit: Habit,
    made: Made,
}

impl Twice {
    fn inner(&self, call: &Call) -> Result<&dyn AnyDriver, CloudError> {
        self.connection.driver(self.kind).ok_or_else(|| thrown_away(&call.addr))
    }
}

#[async_trait]
impl AnyDriver for Twice {
    async fn create(&self, call: &Call, want: &Value) -> Result<Live, CloudError> {
        let live = self.inner(call)?.create(call, want).await?;
        if self.habit == Habit::ThrowsFirstAnswersAway && first(&self.made, &call.addr) {
            return Err(thrown_away(&call.addr));
        }
        Ok(live)
    }

    async fn update(&self, call: &Call, live: &Live, want: &Value, changed: &[String]) -> Result<Live, CloudError> {
        self.inner(call)?.update(call, live, want, changed).await
    }

    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        self.inner(call)?.delete(call, live).await?;
        if self.habit == Habit::DeletesTwice {
            self.inner(call)?.delete(call, live).await?;
        }
        Ok(())
    }

    async fn find(&self, call: &Call, want: &Value) -> Result<Vec<Live>, CloudError> {
        self.inner(call)?.find(call, want).await
    }

    async fn ready(&self, call: &Call, live: &Live, want: &Value) -> Result<Progress, CloudError> {
        self.inner(call)?.ready(call, live, want).await
    }

    async fn gone(&self, call: &Call, live: &Live) -> Result<Remains, CloudError> {
        self.inner(call)?.gone(call, live).await
    }
}

/// Remembers which addresses were made before.
type Made = Arc<Mutex<BTreeSet<String>>>;

/// Whether this is the first time.
fn first(made: &Made, addr: &Addr) -> bool {
    made.lock().unwrap_or_else(PoisonError::into_inner).insert(addr.to_string())
}

/// The answer that was thrown away.
fn thrown_away(addr: &Addr) -> CloudError {
    CloudError::new(Fault::Ambiguous, &addr.kind, "ThrownAway", "the answer was thrown away")
}
