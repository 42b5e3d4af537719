//! A store in memory that can be told to fail.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::error::StoreError;
use super::key::Key;
use super::object::{Condition, Object, Store, Version};

/// What a [`MemoryStore`] does to one of its next operations.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The request never arrives.
    Refuse(StoreError),
    /// The request is carried out, its answer is lost.
    LoseAnswer(StoreError),
}

/// Keeps objects in memory, for tests and rehearsals; clones share their content.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    objects: BTreeMap<Key, Object>,
    writes: u64,
    faults: VecDeque<Fault>,
    latency: Duration,
    ignores_conditions: bool,
    writes_left: Option<u64>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes each of the next `count` operations fail like this, after those already told to.
    pub fn fail_next(&self, count: usize, fault: Fault) {
        self.lock().faults.extend(std::iter::repeat_n(fault, count));
    }

    /// Makes every operation take this long from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// Makes every condition hold from now on, as a proxy does that drops the headers.
    pub fn ignore_conditions(&self) {
        self.lock().ignores_conditions = true;
    }

    /// Refuses every operation after `count` more writes and deletions, as if the caller had been killed there.
    pub fn stop_after_writes(&self, count: u64) {
        self.lock().writes_left = Some(count);
    }

    /// Serves again after [`stop_after_writes`](Self::stop_after_writes).
    pub fn resume(&self) {
        self.lock().writes_left = None;
    }

    /// How many writes and deletions have taken place.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Another store with the same content now, without the faults.
    pub fn copy(&self) -> Self {
        let inner = self.lock();
        let copy = Inner { objects: inner.objects.clone(), writes: inner.writes, ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(copy)) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The content is consistent between any two statements, so a panic elsewhere does not spoil it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits the latency out and applies the next fault around `act`.
    async fn serve<T>(&self, act: impl FnOnce(&mut Inner) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let latency = self.lock().latency;
        // A request reaches the store half-way through its latency.
        tokio::time::sleep(latency / 2).await;
        let answer = {
            let mut inner = self.lock();
            if inner.writes_left == Some(0) {
                return Err(StoreError::Unavailable { what: "the store was stopped".into(), retryable: false });
            }
            match inner.faults.pop_front() {
                None => act(&mut inner),
                Some(Fault::Refuse(error)) => Err(error),
                Some(Fault::LoseAnswer(error)) => act(&mut inner).and(Err(error)),
            }
        };
        tokio::time::sleep(latency - latency / 2).await;
        answer
    }
}

impl Inner {
    fn wrote(&mut self) {
        self.writes += 1;
        self.writes_left = self.writes_left.map(|left| left.saturating_sub(1));
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("MemoryStore").field("objects", &inner.objects.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.serve(|inner| Ok(inner.objects.get(key).cloned())).await
    }

    async fn put(&self, key: &Key, bytes: Bytes, condition: Condition) -> Result<Version, StoreError> {
        self.serve(|inner| {
            let current = inner.objects.get(key).map(|object| &object.version);
            if !inner.ignores_conditions && !condition.allows(current) {
                return Err(StoreError::Conflict { key: key.clone() });
            }
            inner.wrote();
            let version = Version(inner.writes.to_string());
            inner.objects.insert(key.clone(), Object { bytes, version: version.clone() });
            Ok(version)
        })
        .await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.serve(|inner| {
            inner.wrote();
            inner.objects.remove(key);
            Ok(())
        })
        .await
    }

    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        self.serve(|inner| Ok(inner.objects.keys().filter(|key| key.below(above).is_some()).cloned().collect())).await
    }

    fn describe(&self) -> String {
        "memory".into()
    }
}
