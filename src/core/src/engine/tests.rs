use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use expect_test::expect;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::*;
use crate::addr::Addr;
use crate::cloud::{AnyDriver, Call, Cloud, CloudError, Fault, Live, Observed, Owner, Progress, Remains, Scope};
use crate::graph::{Concern, Graph, Kind, Node, Rung, kind_of};
use crate::plan::{check, plan};
use crate::value;

static NET: Kind = Kind { idempotent: false, seconds: (12.0, 1.0), ..Kind::new("net") };
static LB: Kind = Kind { early: &["id"], seconds: (157.0, 30.0), ..Kind::new("lb") };
static NAT: Kind = Kind { seconds: (115.0, 55.0), awaited: true, ..Kind::new("nat") };
static VM: Kind = Kind { machines: true, seconds: (14.0, 40.0), ..Kind::new("vm") };
static KINDS: &[&Kind] = &[&NET, &LB, &NAT, &VM];

/// A fault that strikes the n-th call of an operation on an address.
#[derive(Clone, Copy)]
enum Strike {
    Before(Fault),
    /// It is carried out, and the answer is lost.
    After(Fault),
    /// The first of its requests is carried out, the second refused.
    Half(Fault),
}

#[derive(Default)]
struct World {
    alive: BTreeMap<Addr, Vec<Live>>,
    /// When a thing becomes ready.
    ready: BTreeMap<String, Instant>,
    strikes: BTreeMap<(String, Addr), Vec<Strike>>,
    log: Vec<String>,
    made: usize,
}

#[derive(Default)]
struct Fake(Mutex<World>);

impl Fake {
    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.0.lock().expect("no test panics while holding it")
    }

    fn strike(&self, operation: &str, addr: &str, strikes: &[Strike]) {
        self.world().strikes.insert((operation.into(), addr.parse().expect("an address")), strikes.to_vec());
    }

    fn next_strike(&self, operation: &str, addr: &Addr) -> Option<Strike> {
        let mut world = self.world();
        world.log.push(format!("{operation} {addr}"));
        let left = world.strikes.get_mut(&(operation.to_owned(), addr.clone()))?;
        (!left.is_empty()).then(|| left.remove(0))
    }

    fn calls(&self, operation: &str, addr: &str) -> usize {
        let line = format!("{operation} {addr}");
        self.world().log.iter().filter(|l| **l == line).count()
    }
}

fn broken(fault: Fault) -> CloudError {
    CloudError::new(fault, "fake", "Injected", "injected")
}

#[async_trait]
impl AnyDriver for Fake {
    async fn create(&self, call: &Call, want: &Value) -> Result<Live, CloudError> {
        sleep(Duration::from_secs(1)).await;
        let strike = self.next_strike("create", &call.addr);
        if let Some(Strike::Before(fault)) = strike {
            return Err(broken(fault));
        }
        let live = {
            let mut world = self.world();
            world.made += 1;
            let args = if matches!(strike, Some(Strike::Half(_))) { json!({}) } else { want.clone() };
            let live = Live { args, ..Live::new(format!("{}-{}", call.addr.name, world.made)) };
            world.alive.entry(call.addr.clone()).or_default().push(live.clone());
            let seconds = kind_of(KINDS, &call.addr.kind).map_or(1.0, |k| k.seconds.0);
            world.ready.insert(live.id.clone(), Instant::now() + Duration::from_secs_f64(seconds - 1.0));
            live
        };
        match strike {
            Some(Strike::After(fault)) => Err(broken(fault)),
            Some(Strike::Half(fault)) => Err(broken(fault).after(live)),
            _ => Ok(live),
        }
    }

    async fn update(&self, call: &Call, live: &Live, want: &Value, _: &[String]) -> Result<Live, CloudError> {
        if let Some(Strike::Before(fault)) = self.next_strike("update", &call.addr) {
            return Err(broken(fault));
        }
        let updated = Live { args: want.clone(), ..live.clone() };
        self.world().alive.insert(call.addr.clone(), vec![updated.clone()]);
        Ok(updated)
    }

    async fn delete(&self, call: &Call, live: &Live) -> Result<(), CloudError> {
        if let Some(Strike::Before(fault)) = self.next_strike("delete", &call.addr) {
            return Err(broken(fault));
        }
        if let Some(all) = self.world().alive.get_mut(&call.addr) {
            all.retain(|one| one.id != live.id);
        }
        Ok(())
    }

    async fn find(&self, call: &Call, _: &Value) -> Result<Vec<Live>, CloudError> {
        self.next_strike("find", &call.addr);
        Ok(self.world().alive.get(&call.addr).cloned().unwrap_or_default())
    }

    async fn ready(&self, call: &Call, live: &Live, want: &Value) -> Result<Progress, CloudError> {
        if let Some(Strike::Before(fault) | Strike::After(fault)) = self.next_strike("ready", &call.addr) {
            return Err(broken(fault));
        }
        let when = self.world().ready.get(&live.id).copied();
        Ok(match when {
            Some(when) if when > Instant::now() => Progress::Pending("pending".into()),
            // Some outputs are known only then.
            _ if call.addr.kind == "nat" => Progress::Done(live.clone().with("address", "192.0.2.1")),
            _ => Progress::Done(Live { args: want.clone(), ..live.clone() }),
        })
    }

    async fn gone(&self, _: &Call, _: &Live) -> Result<Remains, CloudError> {
        Ok(Remains::Nothing)
    }
}

#[async_trait]
impl Cloud for Fake {
    async fn observe(&self, _: &Owner, _: &Scope) -> Result<Observed, CloudError> {
        let shared = |lives: &Vec<Live>| lives.iter().cloned().map(Into::into).collect();
        let world = self.world();
        let resources = world.alive.iter().map(|(addr, lives)| (addr.clone(), shared(lives))).collect();
        Ok(Observed { resources, account: None, ..Observed::default() })
    }

    fn driver(&self, _: &str) -> Option<&dyn AnyDriver> {
        Some(self)
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        KINDS
    }

    async fn sweep(&self, _: &Owner) -> Result<Vec<String>, CloudError> {
        Ok(Vec::new())
    }
}

#[derive(Default)]
struct Notebook {
    lines: Mutex<Vec<String>>,
    ours_until: Option<Instant>,
}

#[async_trait]
impl Ledger for Notebook {
    async fn fence(&self) -> Result<(), LedgerError> {
        let over = self.ours_until.is_some_and(|until| Instant::now() >= until);
        if over { Err(LedgerError("the lock was taken over".into())) } else { Ok(()) }
    }

    async fn intend(&self, intent: Intended) -> Result<u64, LedgerError> {
        let mut lines = self.lines.lock().expect("no test panics while holding it");
        let of = intent.id.map(|id| format!(" ({id})")).unwrap_or_default();
        lines.push(format!("intent {:?} {}{of}", intent.verb, intent.addr).to_lowercase());
        Ok(lines.len() as u64)
    }

    async fn end(&self, _: u64, ended: Ended) -> Result<(), LedgerError> {
        let word = match ended {
            Ended::Applied { id, .. } => format!("applied {id}"),
            Ended::Gone => "gone".into(),
            Ended::Failed { fault, .. } => format!("failed {fault}"),
        };
        self.lines.lock().expect("no test panics while holding it").push(word);
        Ok(())
    }
}

fn sample() -> Graph {
    let mut graph = Graph::new();
    let mut add = |addr: &str, args: Value, ladder: Vec<Rung>| {
        let addr: Addr = addr.parse().expect("an address");
        let kind = kind_of(KINDS, &addr.kind).expect("a kind of this test");
        graph
            .insert(Node { addr, kind, concern: Concern::Network, args: args.into(), roll: None, ladder })
            .expect("inserted");
    };
    add("net.main", json!({"cidr": "10.0.0.0/16"}), vec![]);
    add("nat.a", json!({"net": {"$output": "net.main.id"}}), vec![]);
    add("lb.api", json!({"net": {"$output": "net.main.id"}}), vec![]);
    let api = json!({"net": {"$output": "net.main.id"}, "api": {"$output": "lb.api.id"}, "market": "spot"});
    add("vm.a", api, vec![Rung { name: "on-demand".into(), patch: json!({"market": "on-demand"}) }]);
    graph
}

async fn apply(fake: &Fake, graph: &Graph, settings: &Settings, stop: &Stop) -> (Report, Vec<Event>, Vec<String>) {
    let owner = Owner { uid: "0011".into(), cluster: "demo".into() };
    let observed = fake.observe(&owner, &Scope::Everything).await.expect("it answers");
    let plan = plan(graph, &observed, KINDS, &BTreeMap::new()).expect("a sound graph");
    check(&plan, &observed).expect("a sound plan");
    let notebook = Notebook::default();
    let mut events = Vec::new();
    let report = run(
        Run { plan: &plan, cloud: fake, owner: &owner, ledger: &notebook, generation: &|_| 0, settings, stop },
        &mut |event| events.push(event.clone()),
    )
    .await;
    let lines = notebook.lines.into_inner().expect("no test panics while holding it");
    (report, events, lines)
}

async fn applied(fake: &Fake) -> Report {
    apply(fake, &sample(), &Settings::default(), &Stop::default()).await.0
}

async fn nothing_is_left_to_do(fake: &Fake) {
    let (report, _, lines) = apply(fake, &sample(), &Settings::default(), &Stop::default()).await;
    assert_eq!((report.total, lines.len()), (0, 0), "the plan after apply is empty");
}

#[tokio::test(start_paused = true)]
async fn a_run_takes_as_long_as_its_longest_chain() {
    let fake = Fake::default();
    let report = applied(&fake).await;
    assert!(report.succeeded());
    // net 12 s, then the load balancer's 157 s; polls add at most one interval each.
    assert!(report.elapsed < Duration::from_secs_f64((12.0 + 157.0) * 1.05), "{:?}", report.elapsed);
    nothing_is_left_to_do(&fake).await;
}

#[tokio::test(start_paused = true)]
async fn an_intent_is_written_before_its_call_and_an_outcome_before_what_depends_on_it() {
    // What becomes known when it is ready is written down as well.
    let (_, _, lines) = apply(&Fake::default(), &sample(), &Settings::default(), &Stop::default()).await;
    expect![[r#"
        intent create net.main
        applied main-1
        intent create lb.api
        intent create nat.a
        applied api-2
        applied a-3
        intent create vm.a
        applied a-4
        intent check nat.a (a-3)
        applied a-3"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_adopted_not_repeated() {
    let fake = Fake::default();
    fake.strike("create", "net.main", &[Strike::After(Fault::Ambiguous)]);
    assert!(applied(&fake).await.succeeded());
    assert_eq!(fake.calls("create", "net.main"), 1);
    assert!(fake.world().alive.values().all(|all| all.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_made_in_part_is_on_record_and_finished_by_its_id() {
    let fake = Fake::default();
    fake.strike("create", "net.main", &[Strike::Half(Fault::NotReady)]);
    fake.strike("update", "net.main", &[Strike::Before(Fault::NotReady)]);
    let (report, _, lines) = apply(&fake, &sample(), &Settings::default(), &Stop::default()).await;
    assert!(report.succeeded());
    let calls = ["create", "find", "update"].map(|operation| fake.calls(operation, "net.main"));
    assert_eq!(calls, [1, 0, 2], "a list may not show it yet");
    let expected = ["intent create net.main", "applied main-1", "intent update net.main (main-1)", "applied main-1"];
    assert_eq!(lines[..4], expected);
    nothing_is_left_to_do(&fake).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_arrived_is_sent_again() {
    let fake = Fake::default();
    fake.strike("create", "net.main", &[Strike::Before(Fault::Ambiguous)]);
    let report = applied(&fake).await;
    assert!(report.succeeded());
    assert_eq!(fake.calls("create", "net.main"), 2);
    // It was looked for until it would have had to be visible.
    assert!(report.elapsed > Duration::from_secs(12 + 157));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_costs_one_attempt_and_its_dependants_only() {
    for fault in [Fault::Permanent, Fault::Auth, Fault::Quota, Fault::Conflict] {
        let fake = Fake::default();
        fake.strike("create", "lb.api", &[Strike::Before(fault)]);
        let report = applied(&fake).await;
        assert_eq!(fake.calls("create", "lb.api"), 1);
        assert_eq!(report.failures.len(), 1);
        assert_eq!(report.skipped.iter().map(|(a, _)| a.to_string()).collect::<Vec<_>>(), ["vm.a"]);
        assert_eq!(report.finished, 2, "the sibling is made");
        assert!(applied(&fake).await.succeeded(), "the same again finishes");
        nothing_is_left_to_do(&fake).await;
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_and_lag_are_waited_out() {
    let fake = Fake::default();
    let often = [Strike::Before(Fault::Throttled), Strike::Before(Fault::NotReady), Strike::Before(Fault::Throttled)];
    for addr in ["net.main", "lb.api", "nat.a", "vm.a"] {
        fake.strike("create", addr, &often);
    }
    assert!(applied(&fake).await.succeeded());
    nothing_is_left_to_do(&fake).await;
}

#[tokio::test(start_paused = true)]
async fn without_capacity_the_next_rung_is_tried_once() {
    for operation in ["create", "ready"] {
        let fake = Fake::default();
        fake.strike(operation, "vm.a", &[Strike::Before(Fault::Capacity)]);
        let report = applied(&fake).await;
        assert!(report.succeeded());
        assert_eq!(report.rungs, [("vm.a".parse().expect("an address"), 1)]);
        let alive = fake.world().alive[&"vm.a".parse().expect("an address")].clone();
        assert_eq!((alive.len(), &alive[0].args["market"]), (1, &json!("on-demand")));
        fake.strike("create", "vm.a", &[Strike::Before(Fault::Capacity), Strike::Before(Fault::Capacity)]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_becomes_ready_is_put_on_record_as_such() {
    let of_the_gateway = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().skip_while(|line| !line.starts_with("intent check nat.a")).take(2).collect()
    };
    // The cloud says that it came to nothing.
    let fake = Fake::default();
    fake.strike("ready", "nat.a", &[Strike::Before(Fault::Permanent)]);
    let (_, _, lines) = apply(&fake, &sample(), &Settings::default(), &Stop::default()).await;
    assert_eq!(of_the_gateway(lines), ["intent check nat.a (a-3)", "failed refused"]);
    // It is pending for ever.
    let fake = Fake::default();
    let graph = sample();
    let settings = Settings::default();
    let stop = Stop::default();
    let ((report, _, lines), ()) = tokio::join!(apply(&fake, &graph, &settings, &stop), async {
        sleep(Duration::from_secs(60)).await;
        fake.world().ready.insert("a-3".into(), Instant::now() + Duration::from_secs(86_400));
    });
    assert_eq!(report.failures.len(), 1);
    assert_eq!(of_the_gateway(lines), ["intent check nat.a (a-3)", "failed not ready"]);
    // Nobody knows: the caller may not ask any more.
    let fake = Fake::default();
    fake.strike("ready", "nat.a", &[Strike::Before(Fault::Auth)]);
    let (_, _, lines) = apply(&fake, &sample(), &Settings::default(), &Stop::default()).await;
    assert_eq!(of_the_gateway(lines), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_says_what_is_in_flight_and_the_same_again_finishes() {
    let fake = Fake::default();
    let stop = Stop::default();
    let settings = Settings::default();
    let graph = sample();
    let (report, ..) = tokio::join!(apply(&fake, &graph, &settings, &stop), async {
        sleep(Duration::from_millis(12_500)).await;
        stop.stop();
    })
    .0;
    assert!(report.interrupted.is_some() && !report.succeeded());
    assert!(report.elapsed < Duration::from_secs(17));
    assert!(applied(&fake).await.succeeded());
    nothing_is_left_to_do(&fake).await;
}

#[tokio::test(start_paused = true)]
async fn without_the_lock_nothing_more_is_sent() {
    let fake = Fake::default();
    let owner = Owner { uid: "0011".into(), cluster: "demo".into() };
    let graph = sample();
    let plan = plan(&graph, &Observed::default(), KINDS, &BTreeMap::new()).expect("a sound graph");
    let report = run(
        Run {
            plan: &plan,
            cloud: &fake,
            owner: &owner,
            ledger: &Notebook { ours_until: Some(Instant::now() + Duration::from_secs(5)), ..Notebook::default() },
            generation: &|_| 0,
            settings: &Settings::default(),
            stop: &Stop::default(),
        },
        &mut |_| {},
    )
    .await;
    assert_eq!(report.interrupted.as_deref(), Some("the lock was taken over"));
    assert_eq!(fake.world().log.iter().filter(|l| l.starts_with("create")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn deleting_is_the_plan_of_the_empty_graph() {
    let fake = Fake::default();
    assert!(applied(&fake).await.succeeded());
    let (report, ..) = apply(&fake, &Graph::new(), &Settings::default(), &Stop::default()).await;
    assert!(report.succeeded());
    assert!(fake.world().alive.values().all(Vec::is_empty));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_the_same_for_the_same_intent() {
    let call = |addr: &str| Call {
        addr: addr.parse().expect("an address"),
        owner: Owner { uid: "0011".into(), cluster: "demo".into() },
        token: String::new(),
    };
    let want = value::render(&json!({"a": 1})).expect("known");
    let tokens: BTreeSet<String> = [
        super::work::token(&call("net.main"), 0, &want),
        super::work::token(&call("net.main"), 0, &want),
        super::work::token(&call("net.main"), 1, &want),
        super::work::token(&call("net.other"), 0, &want),
        super::work::token(&call("net.main"), 0, &json!({"a": 2})),
    ]
    .into();
    assert_eq!(tokens.len(), 4);
    assert!(tokens.iter().all(|t| t.len() == 40));
}
