//! How the last run of a cluster went.
//!
//! One document, written over at the end of every run. Nothing depends on it: a cluster without it lacks a report.

use std::time::Duration;

use super::envelope::{self, Document};
use super::error::StoreError;
use super::layout::ClusterKeys;
use super::object::{Condition, Store};
use super::settle::{self, Patience, within};
use crate::timeline::Timeline;

impl Document for Timeline {
    const FORMAT: &'static str = "clusterctl.dev/timeline";
    const VERSION: u32 = 1;
}

/// Short, because someone who has interrupted a run waits for it.
const PATIENCE: Patience = Patience { attempts: 2, timeout: Duration::from_secs(5), pause: Duration::from_millis(250) };

/// Reads the last run; `None` where none was recorded.
pub async fn load(store: &dyn Store, keys: &ClusterKeys) -> Result<Option<Timeline>, StoreError> {
    let Some(object) = within(PATIENCE.timeout, store.get(&keys.timeline)).await? else { return Ok(None) };
    envelope::open(&keys.timeline, &object.bytes).map(Some)
}

/// Writes the last run over the one before. Only who holds the cluster's lock has a run to write.
pub async fn save(store: &dyn Store, keys: &ClusterKeys, timeline: &Timeline) -> Result<(), StoreError> {
    let bytes = envelope::seal(&keys.timeline, timeline)?;
    settle::put(store, &keys.timeline, bytes, Condition::Any, PATIENCE).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Fault, MemoryStore};
    use crate::timeline::tests::ran;
    use expect_test::expect;

    fn keys() -> ClusterKeys {
        ClusterKeys::new("demo").expect("a name")
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_run_is_kept_over_the_one_before() {
        let (store, keys) = (MemoryStore::new(), keys());
        assert_eq!(load(&store, &keys).await.expect("a read"), None);
        let first = ran();
        save(&store, &keys, &first).await.expect("a write");
        let second = Timeline { elapsed: 7.0, ..first };
        store.fail_next(1, Fault::LoseAnswer(StoreError::Unavailable { what: "reset".into(), retryable: true }));
        save(&store, &keys, &second).await.expect("a write");
        assert_eq!(load(&store, &keys).await.expect("a read"), Some(second));
    }

    /// This text is a promise: every later clusterctl reads it.
    #[test]
    fn version_1_looks_like_this() {
        let mut timeline = ran();
        timeline.steps.truncate(2);
        expect![[r#"
            {
              "uid": "00c0ffee00c0ffee",
              "purpose": "apply",
              "began_at": "1970-01-01T00:00:00Z",
              "elapsed": 212.004,
              "outcome": "done",
              "steps": [
                {
                  "address": "x_net.main",
                  "verb": "create",
                  "phase": "network",
                  "expected": 10.0,
                  "started": 0.0,
                  "created": 0.5,
                  "ended": 12.0
                },
                {
                  "address": "x_lb.api",
                  "verb": "create",
                  "phase": "load-balancer",
                  "after": [
                    [
                      0,
                      "done"
                    ]
                  ],
                  "expected": 150.0,
                  "started": 12.0,
                  "created": 14.25,
                  "ended": 212.0,
                  "retries": 1,
                  "faults": {
                    "throttled": 1
                  }
                }
              ],
              "created": {
                "x_lb.api": "1970-01-01T00:00:14.25Z",
                "x_net.main": "1970-01-01T00:00:00.5Z"
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&timeline).expect("JSON"));
    }
}
