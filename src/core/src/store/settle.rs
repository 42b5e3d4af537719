//! Writes whose answer may get lost.

use std::time::Duration;

use bytes::Bytes;

use super::error::StoreError;
use super::key::Key;
use super::object::{Condition, Store, Version};

/// How long a write is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in all, at least one.
    pub attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// The pause after the first failed attempt; it doubles each time.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 5, timeout: Duration::from_secs(10), pause: Duration::from_millis(250) }
    }
}

/// Writes an object and finds out what became of the write when its answer was lost.
///
/// A conflict may be with our own earlier attempt; then the object already has exactly these bytes, and that is success.
/// So `bytes` must be such that nobody else writes the same ones by chance: every envelope names its key, and what is
/// inside carries a serial, an epoch or a random run id. Errors that waiting does not mend are returned at once.
pub async fn put(
    store: &dyn Store,
    key: &Key,
    bytes: Bytes,
    condition: Condition,
    patience: Patience,
) -> Result<Version, StoreError> {
    let mut pause = patience.pause;
    let mut attempt = 1;
    loop {
        let put = store.put(key, bytes.clone(), condition.clone());
        let error = match within(patience.timeout, put).await {
            Ok(version) => return Ok(version),
            Err(StoreError::Conflict { key }) => match within(patience.timeout, store.get(&key)).await {
                Ok(Some(object)) if object.bytes == bytes => return Ok(object.version),
                Ok(found) if !condition.allows(found.as_ref().map(|object| &object.version)) => {
                    return Err(StoreError::Conflict { key });
                }
                Ok(_) => StoreError::Unavailable { what: format!("{key}: a conflict that is over"), retryable: true },
                Err(error) => error,
            },
            Err(error) => error,
        };
        if !error.is_retryable() || attempt >= patience.attempts {
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Turns an operation that takes too long into one that may be tried again.
pub(super) async fn within<T>(
    limit: Duration,
    operation: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let late = || StoreError::Unavailable { what: format!("no answer within {limit:?}"), retryable: true };
    tokio::time::timeout(limit, operation).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Fault, MemoryStore};

    fn away() -> StoreError {
        StoreError::Unavailable { what: "connection reset".into(), retryable: true }
    }

    fn key() -> Key {
        Key::parse("a").expect("a key")
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_found_out() {
        for count in 0..4 {
            let store = MemoryStore::new();
            store.fail_next(1, Fault::LoseAnswer(away()));
            store.fail_next(count, Fault::Refuse(away()));
            let version = put(&store, &key(), "x".into(), Condition::Absent, Patience::default()).await;
            let object = store.get(&key()).await.expect("a read").expect("an object");
            assert_eq!(object.version, version.expect("the write took place"));
            assert_eq!(store.writes(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_is_given_up() {
        let store = MemoryStore::new();
        store.set_latency(Duration::from_secs(3600));
        let error = put(&store, &key(), "x".into(), Condition::Absent, Patience::default()).await;
        assert!(error.expect_err("it hangs").is_retryable());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waiting_does_not_mend_is_tried_once() {
        let store = MemoryStore::new();
        store.fail_next(1, Fault::Refuse(StoreError::Denied { what: "no".into() }));
        let start = tokio::time::Instant::now();
        let error = put(&store, &key(), "x".into(), Condition::Any, Patience::default()).await;
        assert!(matches!(error, Err(StoreError::Denied { .. })));
        assert!(start.elapsed() < Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_conflict_that_is_over_is_tried_again() {
        let store = MemoryStore::new();
        store.fail_next(1, Fault::Refuse(StoreError::Conflict { key: key() }));
        put(&store, &key(), "x".into(), Condition::Absent, Patience::default()).await.expect("nothing is there");
    }

    #[tokio::test(start_paused = true)]
    async fn a_real_conflict_stays_one() {
        let store = MemoryStore::new();
        store.put(&key(), "theirs".into(), Condition::Any).await.expect("a write");
        let error = put(&store, &key(), "ours".into(), Condition::Absent, Patience::default()).await;
        assert!(matches!(error, Err(StoreError::Conflict { .. })));
    }
}
