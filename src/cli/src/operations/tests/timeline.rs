//! What a run says of its time, and what is reported of it from the record alone.

use std::sync::Arc;

use clusterctl_core::cloud::{CloudError, Fault};
use clusterctl_core::store::{Condition, Key, MemoryStore, Object, Store, StoreError, Version};

use super::{CREATE, World};
use crate::commands;

#[tokio::test(start_paused = true)]
async fn a_run_ends_with_its_timeline_and_is_reported_from_the_record_alone() {
    let world = World::new();
    let created = world.run(CREATE).await;
    for part in ["PHASE", "Control plane", "Critical path: 3 steps", "fake_disk.control-plane-"] {
        assert!(created.err.contains(part), "{part}\n{}", created.err);
    }
    let calls = world.sky.sky().calls.len();
    let page = world.run("report demo -o -").await;
    assert_eq!((page.exit, world.sky.sky().calls.len()), (0, calls), "{page:?}");
    for part in
        ["<svg", "Zone zone-2", "control-plane-2, ", "fake_node control-plane-2-", "general", "Load balancer, port"]
    {
        assert!(page.out.contains(part), "{part}\n{}", page.out);
    }
    assert_eq!(page.out, world.run("report cluster demo -o -").await.out);
    assert!(!page.out.contains("canary"));

    let trace = world.run("report demo --trace -").await;
    let events: Vec<serde_json::Value> = serde_json::from_str(&trace.out).expect("an array of events");
    assert_eq!(events.iter().filter(|event| event["ph"] == "X" && event["pid"] == 1).count(), 8);

    let dir = tempfile::tempdir().expect("a directory");
    let (json, html) = (dir.path().join("x.json"), dir.path().join("x.html"));
    let written = world.run(&format!("report demo -o {} --trace {}", json.display(), html.display())).await;
    assert_eq!(written.out, format!("{}\n{}\n", html.display(), json.display()));
    let data: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).expect("a file")).expect("an object");
    assert_eq!(
        (&data["schema"], &data["lastRun"]["timeline"]["done"]),
        (&"clusterctl.dev/v1/Report".into(), &8.into())
    );
    assert!(
        data["resources"]
            .as_array()
            .is_some_and(|all| all.len() == 8 && all.iter().all(|r| r["createdAt"].is_string()))
    );

    let deleted = world.run("delete demo --yes -o json").await;
    let receipt: serde_json::Value = serde_json::from_str(&deleted.out).expect("an object");
    let path = receipt["timeline"]["criticalPath"].as_array().expect("a path");
    assert_eq!(
        path.last().map(|step| (&step["address"], &step["verb"])),
        Some((&"fake_network.main".into(), &"delete".into()))
    );
    assert_eq!(receipt["timeline"]["phases"][0]["phase"], "control-plane");
    let gone = world.run("report demo -o -").await;
    assert!(gone.out.contains("deleted at ") && gone.out.contains("delete fake_network.main"), "{}", gone.out);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_or_was_stopped_has_a_timeline_too() {
    let world = World::new();
    let error = CloudError::new(Fault::Quota, "fake:CreateNode", "TooMany", "the quota of nodes is used up");
    world.sky.sky().refuse.insert("create fake_node.control-plane-1".to_owned(), error);
    let failed = world.run(CREATE).await;
    assert!(failed.err.contains("Critical path"), "{}", failed.err);
    let page = world.run("report demo -o -").await.out;
    assert!(page.contains("failed in part: 7 of 8 steps") && page.contains("quota exceeded: TooMany"), "{page}");
    assert!(!page.contains("the quota of nodes is used up"), "messages may repeat arguments");

    let world = World::new();
    world.sky.sky().hang_after.insert("create fake_disk.control-plane-0".to_owned());
    let running = world.prepared(CREATE, &[]);
    let interrupt = Arc::clone(&running.desk.app.interrupt);
    let (outcome, ()) = tokio::join!(commands::run(&running.desk, &running.cli.command), async {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        interrupt.request();
    });
    assert_eq!(running.ended(outcome).exit, 130);
    let page = world.run("report demo -o -").await.out;
    assert!(page.contains("interrupted: ") && page.contains("<td>in flight</td>"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_run_says_no_table_and_a_run_without_changes_has_none() {
    let world = World::new();
    let quiet = world.run(&format!("{CREATE} --progress quiet")).await;
    assert!(!quiet.err.contains("PHASE"), "{}", quiet.err);
    let again = world.run("apply demo --yes -o json").await;
    let result: serde_json::Value = serde_json::from_str(&again.out).expect("an object");
    assert_eq!(result["timeline"], serde_json::Value::Null);
    assert!(!again.err.contains("PHASE"), "{}", again.err);
    // The last run is still the one that changed something.
    assert!(world.run("report demo -o -").await.out.contains("8 of 8 steps"));
    let nobody = world.run("report nobody -o -").await;
    assert_eq!(nobody.exit, 66, "{nobody:?}");
}

/// A store that takes everything but the timeline.
#[derive(Debug)]
struct Untimed(MemoryStore);

#[async_trait::async_trait]
impl Store for Untimed {
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.0.get(key).await
    }

    async fn put(&self, key: &Key, bytes: bytes::Bytes, condition: Condition) -> Result<Version, StoreError> {
        if key.as_str().ends_with("timeline.json") {
            return Err(StoreError::Denied { what: "this key".to_owned() });
        }
        self.0.put(key, bytes, condition).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.0.delete(key).await
    }

    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        self.0.list(above).await
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeline_that_cannot_be_written_or_read_is_said_and_hurts_nothing() {
    let world = World::new();
    let mut running = world.prepared(CREATE, &[]);
    running.desk.app.store = Some(Arc::new(Untimed(world.store.clone())));
    let outcome = commands::run(&running.desk, &running.cli.command).await;
    let ended = running.ended(outcome);
    assert_eq!((ended.exit, world.sky.there().len()), (0, 8), "{ended:?}");
    assert!(ended.err.contains("The timeline of this run could not be recorded: access to the store"), "{}", ended.err);
    let page = world.run("report demo -o -").await;
    assert!(page.exit == 0 && page.out.contains("No run is recorded"), "{page:?}");
    assert_eq!(world.run("report demo --trace -").await.exit, 66);

    let key = Key::parse("clusters/demo/timeline.json").expect("a key");
    world.store.put(&key, "damaged".into(), Condition::Any).await.expect("a write");
    let page = world.run("report demo -o -").await;
    assert!(page.exit == 0 && page.out.contains("No run is recorded"), "{page:?}");
    assert!(page.err.contains("The recorded timeline cannot be read"), "{}", page.err);
}
