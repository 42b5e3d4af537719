//! Tests that a store keeps its promise.

use futures::future::join_all;
use rand::{Rng, RngExt};

use super::error::StoreError;
use super::key::Key;
use super::object::{Condition, Store};

/// Writers that race for the same object.
const RACERS: usize = 8;

/// Checks on a real object that the store honours conditional writes.
///
/// Lock and journal hang on them, and a proxy in between may drop the condition silently. The object's name is random,
/// so that two checks do not meet; it is removed again.
pub async fn check_conditional_writes(store: &dyn Store, rng: &mut dyn Rng) -> Result<(), StoreError> {
    let key = Key::parse(format!("probe/{:016x}", rng.random::<u64>()))?;
    let checked = check(store, &key).await;
    let removed = store.delete(&key).await;
    checked.and(removed)
}

async fn check(store: &dyn Store, key: &Key) -> Result<(), StoreError> {
    let put = |text: String, condition| store.put(key, text.into(), condition);
    let racers = join_all((0..RACERS).map(|n| put(format!("racer {n}"), Condition::Absent))).await;
    let mut winners = Vec::new();
    for (n, outcome) in racers.into_iter().enumerate() {
        match outcome {
            Ok(version) => winners.push((n, version)),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let [(winner, first)] = <[_; 1]>::try_from(winners)
        .map_err(|all| ignored(format!("{} of {RACERS} simultaneous creations succeeded, not one", all.len())))?;
    expect_content(store, key, &format!("racer {winner}")).await?;

    let second = put("second".into(), Condition::Matches(first.clone())).await?;
    refused(put("stale".into(), Condition::Matches(first)).await, "an object was replaced under an outdated version")?;
    refused(put("created".into(), Condition::Absent).await, "an object that exists was created")?;
    expect_content(store, key, "second").await?;
    put("third".into(), Condition::Matches(second)).await?;
    expect_content(store, key, "third").await
}

fn refused<T>(outcome: Result<T, StoreError>, else_: &str) -> Result<(), StoreError> {
    match outcome {
        Err(StoreError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(ignored(else_.into())),
    }
}

async fn expect_content(store: &dyn Store, key: &Key, text: &str) -> Result<(), StoreError> {
    match store.get(key).await? {
        Some(object) if object.bytes == text => Ok(()),
        _ => Err(ignored("a read does not see the write before it".into())),
    }
}

fn ignored(what: String) -> StoreError {
    StoreError::ConditionsIgnored { what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LocalStore, MemoryStore};

    #[tokio::test]
    async fn honest_stores_pass_and_nothing_is_left() {
        let dir = tempfile::tempdir().expect("a directory");
        let stores: [Box<dyn Store>; 2] = [Box::new(MemoryStore::new()), Box::new(LocalStore::new(dir.path()))];
        for store in stores {
            check_conditional_writes(&*store, &mut rand::rng()).await.expect("conditions are honoured");
            assert_eq!(store.list(&Key::parse("probe").expect("a key")).await.expect("a list"), []);
        }
    }

    #[tokio::test]
    async fn a_store_that_ignores_conditions_is_found_out() {
        let store = MemoryStore::new();
        store.ignore_conditions();
        let error = check_conditional_writes(&store, &mut rand::rng()).await.expect_err("it lies");
        assert!(matches!(error, StoreError::ConditionsIgnored { .. }), "{error}");
        assert_eq!(store.list(&Key::parse("probe").expect("a key")).await.expect("a list"), []);
    }
}
