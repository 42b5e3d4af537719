//! Whole commands against a cloud in memory, on a paused clock.

mod fake;
mod timeline;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser as _;
use clusterctl_core::cloud::{CloudError, Fault};
use clusterctl_core::store::lock::Liveness;
use clusterctl_core::store::{LocalStore, MemoryStore, SystemClock};

use self::fake::Shared;
use clusterctl_core::provider::Caller;

use super::interrupt::Interrupt;
use super::{App, View};
use crate::args::Cli;
use crate::commands::{self, Desk};
use crate::failure::{Failure, Kind};
use crate::output::{Captured, Console};
use crate::settings::tests::Fixed;
use crate::settings::{Settings, Terminals};

/// A sky and a store that outlive the commands.
struct World {
    sky: Shared,
    store: MemoryStore,
}

/// How one command ended.
#[derive(Debug)]
struct Ended {
    exit: u8,
    out: String,
    err: String,
    failure: Option<Failure>,
}

struct Running {
    desk: Desk,
    cli: Cli,
    captured: Arc<Mutex<Captured>>,
}

impl World {
    fn new() -> Self {
        Self { sky: Shared::new(), store: MemoryStore::new() }
    }

    fn prepared(&self, line: &str, answers: &[&str]) -> Running {
        let words: Vec<String> =
            std::iter::once("clusterctl").chain(line.split_whitespace()).map(str::to_owned).collect();
        let cli = Cli::try_parse_from(&words).unwrap_or_else(|e| unreachable!("{e}"));
        let environment = Fixed(BTreeMap::from([
            ("CLUSTERCTL_STORE".to_owned(), "memory".to_owned()),
            ("SOME_SECRET".to_owned(), "canary-of-a-secret".to_owned()),
        ]));
        let pipe = Terminals { stdin: false, stdout: false, stderr: false };
        let settings = Settings::new(&cli.global, words, &environment, pipe).expect("settings");
        let (console, captured) = Console::captured(answers);
        let console = Arc::new(console);
        let notices = Arc::clone(&console);
        let app = App {
            settings,
            providers: vec![self.sky.provider()],
            clock: Arc::new(SystemClock),
            interrupt: Arc::new(Interrupt::default()),
            notify: Box::new(move |notice| notices.say(&crate::views::notice::text(notice))),
            sight: Box::new(|_| {
                let caller = Caller::Configured { profile: None };
                Ok(View { transport: Arc::new(NoNetwork), caller, region: None })
            }),
            store: Some(Arc::new(self.store.clone())),
            alive: |_| Liveness::Unknown,
            held: Default::default(),
        };
        Running { desk: Desk { app, console }, cli, captured }
    }

    async fn answering(&self, line: &str, answers: &[&str]) -> Ended {
        let running = self.prepared(line, answers);
        let outcome = commands::run(&running.desk, &running.cli.command).await;
        running.ended(outcome)
    }

    async fn run(&self, line: &str) -> Ended {
        self.answering(line, &[]).await
    }
}

impl Running {
    fn ended(&self, outcome: Result<commands::Done, Failure>) -> Ended {
        let (exit, failure) = match outcome {
            Ok(done) => (done.exit(), None),
            Err(failure) => (failure.kind.exit(), Some(failure)),
        };
        let captured = self.captured.lock().unwrap_or_else(PoisonError::into_inner);
        Ended { exit, out: captured.out.clone(), err: captured.err.clone(), failure }
    }
}

#[derive(Debug)]
struct NoNetwork;

#[async_trait::async_trait]
impl clusterctl_core::transport::Transport for NoNetwork {
    async fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, clusterctl_core::transport::TransportError> {
        unreachable!("the cloud in memory sends nothing")
    }
}

const CREATE: &str = "create demo --region north --node-count 2 --yes";

#[tokio::test(start_paused = true)]
async fn create_again_changes_nothing_and_delete_leaves_nothing() {
    let world = World::new();
    let first = world.run(CREATE).await;
    assert_eq!(first.exit, 0, "{first:?}");
    // A network, three disks, three nodes and a group.
    assert_eq!(world.sky.there().len(), 8);
    assert!(first.err.contains("Plan: 8 to create, 0 to change, 0 to replace, 0 to delete."), "{}", first.err);

    let writes = world.sky.writes();
    let second = world.run(CREATE).await;
    assert_eq!((second.exit, world.sky.writes()), (0, writes), "{second:?}");
    assert!(second.err.contains("Nothing to do"), "{}", second.err);
    let plan = world.run("plan demo --detailed-exitcode").await;
    assert_eq!(plan.exit, 0, "{plan:?}");

    let listed = world.run("get clusters -o name").await;
    assert_eq!(listed.out, "demo\n");

    let deleted = world.run("delete cluster demo --yes").await;
    assert_eq!(deleted.exit, 0, "{deleted:?}");
    assert_eq!(world.sky.there(), [""; 0]);
    assert_eq!(world.run("get clusters -o name").await.out, "");
    let again = world.run("delete demo --yes").await;
    assert_eq!(again.exit, 0, "{again:?}");
    assert!(again.err.contains("Nothing to do: demo was deleted at "), "{}", again.err);
    let never = world.run("delete demos --yes").await;
    assert_eq!(never.exit, 66, "{never:?}");
    assert!(never.failure.expect("a failure").hints.iter().any(|hint| hint.contains("recover")));
}

#[tokio::test(start_paused = true)]
async fn a_new_cluster_costs_no_reads_before_its_writes() {
    let world = World::new();
    world.run(CREATE).await;
    let first = world.sky.sky().calls.first().cloned();
    assert_eq!(first.as_deref(), Some("create fake_network.main"));
}

#[tokio::test(start_paused = true)]
async fn a_name_can_be_used_again_by_a_cluster_of_another_uid() {
    let world = World::new();
    let uid = |world: &World| {
        let uid = world.sky.sky().things.keys().next().map(|(uid, _)| uid.clone());
        uid.expect("something is there")
    };
    assert_eq!(world.run(CREATE).await.exit, 0);
    let first = uid(&world);
    assert_eq!(world.run("delete demo --yes").await.exit, 0);
    let second = world.run(CREATE).await;
    assert_eq!(second.exit, 0, "{second:?}");
    assert_ne!(uid(&world), first);
    assert_eq!(world.run("delete demo --yes").await.exit, 0);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_changed_changes() {
    let world = World::new();
    world.run(CREATE).await;
    world.sky.sky().calls.clear();
    let scaled = world.run("create demo --region north --node-count 5 --yes").await;
    assert_eq!(scaled.exit, 0, "{scaled:?}");
    let calls: Vec<String> = world.sky.sky().calls.iter().filter(|call| *call != "observe").cloned().collect();
    assert_eq!(calls, ["update fake_group.general"]);
    assert!(scaled.err.contains("min: 2 -> 5"), "{}", scaled.err);
    // Leaving the flags out goes on with what is recorded.
    assert_eq!(world.run("create demo --yes").await.exit, 0);
    assert_eq!(world.sky.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_nothing_is_even_looked_at() {
    let world = World::new();
    let refused = world.run("create demo --region north").await;
    assert_eq!(refused.exit, 64);
    assert!(refused.failure.expect("a failure").hints[0].contains("--yes"));
    assert!(refused.err.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_no_leaves_no_trace() {
    let world = World::new();
    let ended = world.answering("create demo --region north", &["n"]).await;
    assert_eq!(ended.exit, 130, "{ended:?}");
    assert_eq!(world.sky.writes(), 0);
    assert_eq!(world.run("get clusters -o name").await.out, "");

    world.run(CREATE).await;
    let kept = world.answering("delete demo", &["demon"]).await;
    assert_eq!((kept.exit, world.sky.there().len()), (130, 8), "{kept:?}");
    let gone = world.answering("delete demo", &["demo"]).await;
    assert_eq!((gone.exit, world.sky.there().len()), (0, 0), "{gone:?}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_fails_once_and_the_rest_is_kept_and_resumed() {
    let world = World::new();
    let mut error = CloudError::new(Fault::Quota, "fake:CreateNode", "TooMany", "the quota of nodes is used up");
    error.request_id = Some("req-42".into());
    world.sky.sky().refuse.insert("create fake_node.control-plane-1".to_owned(), error);
    let failed = world.run(CREATE).await;
    assert_eq!(failed.exit, 79, "{failed:?}");
    let failure = failed.failure.expect("a failure");
    let detail = failure.details.join("\n");
    for part in ["fake_node.control-plane-1", "TooMany", "req-42"] {
        assert!(detail.contains(part), "{detail}");
    }
    assert!(failure.hints.iter().any(|hint| hint == "ask for more"));
    assert!(failure.hints.iter().any(|hint| hint.contains("clusterctl create demo")), "{:?}", failure.hints);
    assert_eq!(world.sky.there().len(), 7);

    world.sky.sky().refuse.clear();
    let resumed = world.run(CREATE).await;
    assert_eq!((resumed.exit, world.sky.there().len()), (0, 8), "{resumed:?}");
    assert!(resumed.err.contains("Plan: 1 to create"), "{}", resumed.err);
}

/// The command is dropped where it stands, as a kill does, while calls hang that were carried out.
#[tokio::test(start_paused = true)]
async fn killed_with_calls_in_flight_the_same_line_doubles_nothing() {
    for victim in ["create fake_network.main", "create fake_disk.control-plane-0", "create fake_group.general"] {
        let world = World::new();
        world.sky.sky().hang_after.insert(victim.to_owned());
        let running = world.prepared(CREATE, &[]);
        let killed =
            tokio::time::timeout(std::time::Duration::from_secs(5), commands::run(&running.desk, &running.cli.command))
                .await;
        assert!(killed.is_err(), "{victim} hangs");
        drop(running);
        world.sky.sky().hang_after.clear();
        let resumed = world.run(&format!("{CREATE} --lock-timeout 10m")).await;
        assert_eq!(resumed.exit, 0, "{victim}: {resumed:?}");
        let mut there = world.sky.there();
        there.dedup();
        assert_eq!((there.len(), world.sky.there().len()), (8, 8), "{victim}: {there:?}");
        let plan = world.run("plan demo --detailed-exitcode").await;
        assert_eq!(plan.exit, 0, "{victim}: {plan:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_before_the_first_change_names_the_line_too() {
    let world = World::new();
    let running = world.prepared(CREATE, &[]);
    running.desk.app.interrupt.request();
    let outcome = commands::run(&running.desk, &running.cli.command).await;
    let ended = running.ended(outcome);
    assert_eq!(ended.exit, 130, "{ended:?}");
    let failure = ended.failure.expect("a failure");
    assert_eq!(failure.message, "interrupted before anything was changed");
    assert!(failure.hints[0].contains(CREATE), "{:?}", failure.hints);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_is_safe_and_names_the_line_that_resumes() {
    let world = World::new();
    world.sky.sky().hang_after.insert("create fake_disk.control-plane-0".to_owned());
    let running = world.prepared(CREATE, &[]);
    let interrupt = Arc::clone(&running.desk.app.interrupt);
    let (outcome, ()) = tokio::join!(commands::run(&running.desk, &running.cli.command), async {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        interrupt.request();
    });
    let ended = running.ended(outcome);
    assert_eq!(ended.exit, 130, "{ended:?}");
    let failure = ended.failure.expect("a failure");
    assert!(failure.message.starts_with("Interrupted safely: "), "{}", failure.message);
    assert!(failure.details.iter().any(|line| line.contains("fake_disk.control-plane-0")), "{failure:?}");
    assert!(failure.hints[0].contains(CREATE), "{:?}", failure.hints);
    // The lock was given back: the next run need not wait for it.
    world.sky.sky().hang_after.clear();
    let resumed = world.run(&format!("{CREATE} --lock-timeout 0")).await;
    assert_eq!((resumed.exit, world.sky.there().len()), (0, 8), "{resumed:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_at_once_one_waits_or_names_the_holder() {
    let world = World::new();
    let other = world.prepared("create demo --region north", &["y"]);
    world.sky.sky().hang_after.insert("create fake_network.main".to_owned());
    let (_, second) = tokio::join!(
        tokio::time::timeout(std::time::Duration::from_secs(20), commands::run(&other.desk, &other.cli.command)),
        async {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            world.run(&format!("{CREATE} --lock-timeout 0")).await
        }
    );
    assert_eq!(second.exit, 73, "{second:?}");
    let message = second.failure.expect("a failure").message;
    assert!(message.contains("clusterctl create demo --region north"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused_before_anything_is_changed() {
    let world = World::new();
    world.run(CREATE).await;
    let writes = world.sky.writes();
    world.sky.sky().account = "two".to_owned();
    for line in [CREATE, "plan demo", "delete demo --yes", "status demo"] {
        let refused = world.run(line).await;
        assert_eq!((refused.exit, world.sky.writes()), (77, writes), "{line}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_loses_data_or_quorum_is_refused() {
    let world = World::new();
    world.run(CREATE).await;
    let writes = world.sky.writes();
    let fewer = world.run("create demo --region north --node-count 2 --control-plane-count 1 --yes").await;
    assert_eq!((fewer.exit, world.sky.writes()), (81, writes), "{fewer:?}");
    let moved = world.run("create demo --region south --node-count 2 --yes").await;
    assert_eq!((moved.exit, world.sky.writes()), (65, writes), "{moved:?}");
}

#[tokio::test(start_paused = true)]
async fn a_begun_deletion_can_only_be_finished() {
    let world = World::new();
    world.run(CREATE).await;
    let error = CloudError::new(Fault::Permanent, "fake:DeleteDisk", "Held", "the disk is held");
    world.sky.sky().refuse.insert("delete fake_disk.control-plane-0".to_owned(), error);
    let stuck = world.run("delete demo --yes").await;
    assert_eq!(stuck.exit, 1, "{stuck:?}");
    assert_eq!(world.run(CREATE).await.exit, 81);
    world.sky.sky().refuse.clear();
    let done = world.run("delete demo --yes").await;
    assert_eq!((done.exit, world.sky.there().len()), (0, 0), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_protected_cluster_is_not_deleted_by_accident() {
    let world = World::new();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("cluster.yaml");
    std::fs::write(&path, "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {name: demo}\nspec: {cloud: openstack, region: north, deletionProtection: true}\n")
        .expect("a file");
    let applied = world.run(&format!("apply -f {} --yes", path.display())).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    let refused = world.run("delete demo --yes").await;
    assert_eq!(refused.exit, 81, "{refused:?}");
    assert_eq!(world.run("delete demo --yes --override-protection").await.exit, 0);
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_carried_out_exactly_or_refused() {
    let world = World::new();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("plan.json");
    let file = dir.path().join("cluster.yaml");
    let shown = path.display();
    let text = |count: u32| {
        format!(
            "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {{name: demo}}\nspec:\n  cloud: openstack\n  region: north\n  nodeGroups: [{{name: general, count: {count}}}]\n"
        )
    };
    std::fs::write(&file, text(2)).expect("a file");
    let planned = world.run(&format!("plan -f {} -o {shown}", file.display())).await;
    assert_eq!(planned.exit, 0, "{planned:?}");
    let saved = std::fs::read_to_string(&path).expect("a saved plan");
    assert!(!saved.contains("canary-of-a-secret"));
    // Nobody but its owner reads it.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }
    let applied = world.run(&format!("apply {shown} --yes")).await;
    assert_eq!((applied.exit, world.sky.there().len()), (0, 8), "{applied:?}");
    // A second time the world has moved: the cluster is there.
    let again = world.run(&format!("apply {shown} --yes")).await;
    assert_eq!(again.exit, 75, "{again:?}");

    std::fs::write(&file, text(4)).expect("a file");
    world.run(&format!("plan -f {} --out {shown}", file.display())).await;
    let tampered = dir.path().join("tampered.json");
    let text = std::fs::read_to_string(&path).expect("a plan").replace("\"min\": 4", "\"min\": 400");
    std::fs::write(&tampered, text).expect("a file");
    assert_eq!(world.run(&format!("apply {} --yes", tampered.display())).await.exit, 65);
    // Somebody changes the cloud in between.
    let key = world.sky.sky().things.keys().find(|(_, addr)| addr.kind == "fake_disk").cloned().expect("a disk");
    let lost = world.sky.sky().things.remove(&key).expect("a disk");
    let refused = world.run(&format!("apply {shown} --yes")).await;
    assert_eq!(refused.exit, 75, "{refused:?}");
    world.sky.sky().things.insert(key, lost);
    let applied = world.run(&format!("apply {shown} --yes")).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_record_is_rebuilt_from_what_is_there() {
    let world = World::new();
    world.run(CREATE).await;
    let uid = world.sky.sky().things.keys().next().map(|(uid, _)| uid.clone()).expect("a uid");
    let lost = World { sky: world.sky.clone(), store: MemoryStore::new() };
    let none = lost.run("recover other --region north --yes").await;
    assert_eq!(none.exit, 66, "{none:?}");
    let wrong = lost.run("recover demo --uid 0000000000000000 --region north --yes").await;
    assert_eq!(wrong.exit, 66, "{wrong:?}");
    let twin = ("ffffffffffffffff".to_owned(), "fake_network.main".parse().expect("an address"));
    let thing = lost.sky.sky().things.values().next().cloned().expect("a thing");
    lost.sky.sky().things.insert(twin.clone(), thing);
    let which = lost.run("recover demo --region north --yes").await;
    assert_eq!(which.exit, 64, "{which:?}");
    assert!(which.failure.expect("a failure").details.contains(&format!("owner uid {uid}")));
    lost.sky.sky().things.remove(&twin);
    let recovered = lost.run("recover demo --region north --yes").await;
    assert_eq!(recovered.exit, 0, "{recovered:?}");
    let writes = lost.sky.writes();
    let applied = lost.run(CREATE).await;
    assert_eq!((applied.exit, lost.sky.writes()), (0, writes), "{applied:?}");
    let deleted = lost.run("delete demo --yes").await;
    assert_eq!((deleted.exit, lost.sky.there().len()), (0, 0), "{deleted:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_said_or_kept_holds_a_secret() {
    use clusterctl_core::store::{Key, Store as _};
    let world = World::new();
    let mut said = String::new();
    for line in [CREATE, "plan demo -o json", "describe demo -o json", "status demo", "get cluster demo -o yaml"] {
        let ended = world.run(line).await;
        assert_eq!(ended.exit, 0, "{line}: {ended:?}");
        said.push_str(&ended.out);
        said.push_str(&ended.err);
    }
    let keys = world.store.list(&Key::parse("clusters").expect("a key")).await.expect("a list");
    for key in keys {
        let object = world.store.get(&key).await.expect("a read").expect("an object");
        said.push_str(&String::from_utf8_lossy(&object.bytes));
    }
    assert!(said.contains("fake_network.main") && !said.contains("canary"), "{said}");
    assert!(!said.contains('\u{1b}'));
}

#[tokio::test(start_paused = true)]
async fn results_and_errors_are_data_where_json_is_asked_for() {
    let world = World::new();
    let applied = world.run(&format!("{CREATE} --progress json")).await;
    let lines: Vec<serde_json::Value> =
        applied.out.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    assert!(lines.iter().all(|line| line["schema"].as_str().is_some_and(|s| s.starts_with("clusterctl.dev/v1/"))));
    assert_eq!(lines.first().map(|line| line["event"].clone()), Some("begin".into()));
    assert_eq!(lines.last().map(|line| line["cluster"].clone()), Some("demo".into()));
    let plan = world.run("plan demo -o json").await;
    let plan: serde_json::Value = serde_json::from_str(&plan.out).expect("json");
    assert_eq!((&plan["schema"], &plan["empty"]), (&"clusterctl.dev/v1/Plan".into(), &true.into()));
    let missing = world.run("describe nobody -o json").await;
    let data = crate::views::failure::data(&missing.failure.expect("a failure"));
    assert_eq!(data["error"]["code"], Kind::NotFound.code());
    assert_eq!(data["error"]["retryable"], false);
}

#[tokio::test(start_paused = true)]
async fn who_looks_for_a_simulated_cluster_among_the_others_is_told() {
    let (world, dir) = (World::new(), tempfile::tempdir().expect("a directory"));
    let mut simulated = world.prepared(CREATE, &[]);
    simulated.desk.app.store = Some(Arc::new(LocalStore::new(dir.path().join("simulated"))));
    assert!(commands::run(&simulated.desk, &simulated.cli.command).await.is_ok());
    let mut other = world.prepared("get cluster demo", &[]);
    other.desk.app.settings.store = dir.path().display().to_string();
    let failure = commands::run(&other.desk, &other.cli.command).await.expect_err("no such cluster");
    assert_eq!(failure.hints, ["there is a simulated cluster demo: add --simulate"]);
}
