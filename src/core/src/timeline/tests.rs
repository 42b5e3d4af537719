use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::schedule::{Task, chain, estimate, schedule};
use super::*;
use crate::addr::Addr;
use crate::cloud::{CloudError, Fault};
use crate::engine::{Event, Failure, Report};
use crate::graph::{Concern, Graph, Kind, Node};
use crate::plan::Point::{Created, Done};
use crate::plan::{Plan, Point, Step, StepId, Verb};
use crate::store::state::OwnerUid;

static NET: Kind = Kind::new("x_net");
static LB: Kind = Kind::new("x_lb");
static NAT: Kind = Kind::new("x_nat");
static VM: Kind = Kind::new("x_vm");

/// A network, a load balancer whose name is known early, a gateway, and two machines that need one of them each.
fn plan() -> Plan {
    let step = |addr: &str, seconds: f64, after: &[(StepId, Point)]| Step {
        addr: addr.parse().expect("an address"),
        verb: Verb::Create,
        live: None,
        after: after.to_vec(),
        seconds,
    };
    let steps = vec![
        step("x_net.main", 10.0, &[]),
        step("x_lb.api", 150.0, &[(0, Done)]),
        step("x_nat.a", 100.0, &[(0, Done)]),
        step("x_vm.a", 30.0, &[(0, Done), (1, Created)]),
        step("x_vm.b", 80.0, &[(2, Done)]),
    ];
    Plan { items: BTreeMap::new(), steps }
}

fn phases() -> Phases {
    let mut graph = Graph::new();
    for (kind, concern) in
        [(&NET, Concern::Network), (&LB, Concern::LoadBalancer), (&NAT, Concern::Network), (&VM, Concern::ControlPlane)]
    {
        let name = if kind.name == "x_vm" { "a" } else { "main" };
        let addr = Addr::new(kind.name, name);
        graph
            .insert(Node { addr, kind, concern, args: json!({}).into(), roll: None, ladder: Vec::new() })
            .expect("inserted");
    }
    Phases::of(&graph)
}

fn uid() -> OwnerUid {
    OwnerUid::parse("00c0ffee00c0ffee").expect("an owner uid")
}

/// What happened, as `at step what`.
fn recorded(script: &[(f64, StepId, &str)], report: &Report) -> Timeline {
    let plan = plan();
    let mut recorder = Recorder::new(&plan, &phases());
    for &(at, step, what) in script {
        let (addr, verb, at) = (plan.steps[step].addr.clone(), Verb::Create, Duration::from_secs_f64(at));
        recorder.event(&match what {
            "start" => Event::Started { step, addr, verb, at },
            "created" => Event::Created { step, addr, id: "i-1".into(), at },
            "done" => Event::Finished { step, addr, verb, at },
            "retry" => Event::Retrying {
                step,
                addr,
                fault: Fault::Throttled,
                code: "Slow".into(),
                attempt: 1,
                wait: Duration::from_secs(1),
                at,
            },
            _ => Event::Failed {
                step,
                addr,
                verb,
                fault: Fault::Quota,
                code: "TooMany".into(),
                message: "the secret argument".into(),
                at,
            },
        });
    }
    recorder.end(report, uid(), Purpose::Apply, Timestamp::UNIX_EPOCH)
}

/// A run in which the load balancer took longer than planned, and the gateway less.
pub(crate) fn ran() -> Timeline {
    let report = Report { finished: 5, total: 5, elapsed: Duration::from_millis(212_004), ..Report::default() };
    recorded(
        &[
            (0.0, 0, "start"),
            (0.5, 0, "created"),
            (12.0, 0, "done"),
            (12.0, 1, "start"),
            (12.0, 2, "start"),
            (13.0, 1, "retry"),
            (14.25, 1, "created"),
            (14.25, 3, "start"),
            (50.0, 2, "done"),
            (50.0, 4, "start"),
            (60.0, 3, "done"),
            (130.0, 4, "done"),
            (212.0, 1, "done"),
        ],
        &report,
    )
}

fn path(timeline: &Timeline) -> String {
    let mut text = String::new();
    for step in timeline.summary().critical_path {
        let _ = writeln!(text, "{} {} to {}", step.address, step.started, step.released);
    }
    text
}

#[test]
fn every_step_is_planned_as_soon_as_what_it_waits_for_is_there() {
    let plan = plan();
    let tasks: Vec<Task<'_>> = plan.steps.iter().map(|step| (step.after.as_slice(), step.seconds)).collect();
    let mut text = String::new();
    for (step, slot) in plan.steps.iter().zip(schedule(&tasks)) {
        let (created, end) = (slot.created.expect("planned"), slot.end.expect("planned"));
        let _ = writeln!(text, "{} {} {created} {end}", step.addr, slot.start);
    }
    expect![[r#"
        x_net.main 0 2 10
        x_lb.api 10 12 160
        x_nat.a 10 12 110
        x_vm.a 12 14 42
        x_vm.b 110 112 190
    "#]]
    .assert_eq(&text);
    assert_eq!((estimate(&plan), estimate(&Plan::default())), (190.0, 0.0));
}

#[test]
fn the_critical_path_is_what_really_decided_the_end() {
    // Planned it was the gateway and what stands behind it.
    expect![[r"
        x_net.main 0 to 12
        x_lb.api 12 to 212
    "]]
    .assert_eq(&path(&ran()));
}

#[test]
fn a_step_is_let_go_by_what_came_last_and_not_by_what_ended_last() {
    let mut timeline = ran();
    timeline.steps[3].ended = Some(300.0);
    timeline.elapsed = 300.0;
    expect![[r"
        x_net.main 0 to 12
        x_lb.api 12 to 14.25
        x_vm.a 14.25 to 300
    "]]
    .assert_eq(&path(&timeline));
}

#[test]
fn phases_are_compared_from_their_first_start_to_their_last_end() {
    let summary = ran().summary();
    let rows: Vec<Value> = summary.phases.iter().map(|phase| json!(phase)).collect();
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{row}");
    }
    expect![[r#"
        {"phase":"network","steps":2,"done":2,"planned":{"start":0.0,"seconds":110.0},"actual":{"start":0.0,"seconds":50.0},"criticalSeconds":12.0}
        {"phase":"load-balancer","steps":1,"done":1,"planned":{"start":10.0,"seconds":150.0},"actual":{"start":12.0,"seconds":200.0},"criticalSeconds":200.0}
        {"phase":"control-plane","steps":2,"done":2,"planned":{"start":12.0,"seconds":178.0},"actual":{"start":14.25,"seconds":115.75},"criticalSeconds":-0.0}
    "#]]
    .assert_eq(&text);
    assert_eq!((summary.planned_seconds, summary.actual_seconds, summary.done), (190.0, 212.004, 5));
}

#[test]
fn what_is_in_no_graph_belongs_where_its_kind_does() {
    let phases = phases();
    let of = |addr: &str| phases.get(&addr.parse().expect("an address"));
    assert_eq!((of("x_vm.z"), of("y_thing.z")), (Phase::ControlPlane, Phase::Other));
}

#[test]
fn an_unfinished_run_says_how_far_each_step_came() {
    let error = CloudError::new(Fault::Quota, "x:CreateLb", "TooMany", "the secret argument");
    let addr: Addr = "x_lb.api".parse().expect("an address");
    let failures = vec![Failure { addr, verb: Verb::Create, error, attempts: 1 }];
    let script = [(0.0, 0, "start"), (12.0, 0, "done"), (12.0, 1, "start"), (12.0, 2, "start"), (20.0, 1, "failed")];
    let elapsed = Duration::from_secs(40);
    let failed = recorded(&script, &Report { failures, finished: 1, total: 5, elapsed, ..Report::default() });
    let fates: Vec<&str> = failed.steps.iter().map(|step| step.fate().word()).collect();
    assert_eq!(fates, ["done", "failed", "in flight", "not started", "not started"]);
    assert_eq!(failed.outcome, Outcome::Failed);
    expect![[r"
        x_net.main 0 to 12
        x_lb.api 12 to 20
    "]]
    .assert_eq(&path(&failed));
    let network = failed.summary().phases[0].actual.expect("it ran");
    assert_eq!((network.start, network.seconds), (0.0, 40.0));
    assert!(!json!(failed).to_string().contains("secret"));
    let interrupted = recorded(&script[..4], &Report { interrupted: Some("stopped".into()), ..Report::default() });
    assert_eq!(interrupted.outcome, Outcome::Interrupted);
}

#[test]
fn the_instant_of_its_making_outlives_the_run_that_made_it() {
    let first = ran();
    let at =
        |timeline: &Timeline, addr: &str| timeline.created.get(&addr.parse::<Addr>().expect("an address")).copied();
    assert_eq!(at(&first, "x_lb.api").expect("made").to_string(), "1970-01-01T00:00:14.25Z");
    assert_eq!(at(&first, "x_vm.a"), None, "nobody saw when it was made");
    let hour = |hours: i64| Timestamp::from_second(hours * 3600).expect("an instant");
    let mut second = recorded(&[(0.0, 0, "start"), (1.0, 0, "created")], &Report::default());
    second.began_at = hour(1);
    second.created = BTreeMap::from([("x_net.main".parse().expect("an address"), hour(1))]);
    second.steps[1] = StepTime { verb: Verb::Delete, ..first.steps[1].clone() };
    second.follow(first.clone());
    assert_eq!((at(&second, "x_net.main"), at(&second, "x_lb.api")), (Some(hour(1)), None));
    let mut other = Timeline { uid: OwnerUid::parse("0".repeat(16)).expect("an owner uid"), ..ran() };
    other.created.clear();
    other.follow(first);
    assert!(other.created.is_empty(), "another cluster had that name");
}

#[test]
fn trace_slices_of_one_thread_nest() {
    let trace = ran().trace("demo");
    let text = serde_json::to_string(&trace).expect("JSON");
    let events: Vec<Value> = serde_json::from_str(&text).expect("an array of events");
    let mut threads: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    let number = |event: &Value, name: &str| event[name].as_u64().expect("a whole number");
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let (ts, dur) = (number(event, "ts"), number(event, "dur"));
        threads.entry((number(event, "pid"), number(event, "tid"))).or_default().push((ts, ts + dur));
    }
    assert_eq!(threads.values().map(Vec::len).sum::<usize>(), 5 + 2 * 2 + 5);
    for slices in threads.values() {
        for (i, a) in slices.iter().enumerate() {
            for b in &slices[i + 1..] {
                let apart = a.1 <= b.0 || b.1 <= a.0;
                let inside = (a.0 <= b.0 && b.1 <= a.1) || (b.0 <= a.0 && a.1 <= b.1);
                assert!(apart || inside, "{a:?} and {b:?} overlap");
            }
        }
    }
    let named = |pid: u64, tid: u64| {
        events.iter().any(|e| e["name"] == "thread_name" && number(e, "pid") == pid && number(e, "tid") == tid)
    };
    assert!(threads.keys().all(|(pid, tid)| named(*pid, *tid)));
    let lb = events.iter().find(|event| event["name"] == "create x_lb.api").expect("its slice");
    expect![[r#"
        {
          "name": "create x_lb.api",
          "cat": "step,critical",
          "ph": "X",
          "ts": 12000000,
          "dur": 200000000,
          "pid": 1,
          "tid": 2,
          "args": {
            "address": "x_lb.api",
            "verb": "create",
            "phase": "load-balancer",
            "expectedSeconds": 150.0,
            "critical": true,
            "fate": "done",
            "retries": 1,
            "faults": {
              "throttled": 1
            }
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(lb).expect("JSON"));
}

#[test]
fn a_record_that_was_tampered_with_ends_all_the_same() {
    let mut timeline = ran();
    timeline.steps[0].after = vec![(1, Done), (99, Done)];
    timeline.steps[3].started = None;
    assert!(timeline.critical().len() <= timeline.steps.len());
    assert_eq!(timeline.summary().steps, 5);
    assert!(timeline.trace("demo").as_array().is_some_and(|events| events.len() > 5));
}

/// Tasks that wait only for those before them.
fn tasks() -> impl Strategy<Value = Vec<(Vec<(StepId, Point)>, f64)>> {
    let point = prop_oneof![Just(Created), Just(Done)];
    let one = (prop::collection::vec((0usize..40, point), 0..4), 0u32..200);
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let wait = |id: usize, after: Vec<(StepId, Point)>| {
            after.into_iter().filter(|_| id > 0).map(|(other, point)| (other % id.max(1), point)).collect()
        };
        all.into_iter().enumerate().map(|(id, (after, s))| (wait(id, after), f64::from(s))).collect()
    })
}

proptest! {
    #[test]
    fn the_chain_is_without_a_gap_and_explains_the_whole_schedule(tasks in tasks()) {
        let borrowed: Vec<Task<'_>> = tasks.iter().map(|(after, seconds)| (after.as_slice(), *seconds)).collect();
        let slots = schedule(&borrowed);
        for (slot, (after, _)) in slots.iter().zip(&tasks) {
            for (other, point) in after {
                prop_assert!(slots[*other].reached(*point).expect("planned") <= slot.start);
            }
        }
        let after: Vec<&[(StepId, Point)]> = borrowed.iter().map(|task| task.0).collect();
        let some: Vec<Option<Slot>> = slots.iter().copied().map(Some).collect();
        let chain = chain(&after, &some);
        let mut now = 0.0;
        for link in &chain {
            prop_assert_eq!(slots[link.step].start, now);
            now = link.until;
        }
        prop_assert_eq!(now, slots.iter().filter_map(|slot| slot.end).fold(0.0, f64::max));
    }
}
