use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;
use crate::graph::{Concern, Node, Order};

static NET: Kind = Kind { forces_new: &["cidr"], seconds: (2.0, 1.0), ..Kind::new("net") };
static PORT: Kind = Kind { forces_new: &["net"], ..Kind::new("port") };
static DISK: Kind = Kind { forces_new: &["zone"], holds_data: true, ..Kind::new("disk") };
static LB: Kind = Kind { early: &["dns"], forces_new: &["net"], seconds: (157.0, 5.0), ..Kind::new("lb") };
static POOL: Kind = Kind { forces_new: &["port"], replace: Order::CreateFirst, ..Kind::new("pool") };
static LISTENER: Kind = Kind::new("listener");
static VM: Kind = Kind { forces_new: &["image", "port"], seconds: (14.0, 40.0), ..Kind::new("vm") };
static TARGET: Kind = Kind { forces_new: &["pool"], persists: true, ..Kind::new("target") };
static KINDS: &[&Kind] = &[&NET, &PORT, &DISK, &LB, &POOL, &LISTENER, &VM, &TARGET];

fn graph(nodes: &[(&str, Value)]) -> Graph {
    let mut graph = Graph::new();
    for (addr, args) in nodes {
        let addr: Addr = addr.parse().expect("an address");
        let kind = kind(&addr.kind);
        let roll = matches!(kind.name, "vm" | "target").then(|| "cp".to_owned());
        graph
            .insert(Node { addr, kind, concern: Concern::Network, args: args.clone().into(), roll, ladder: Vec::new() })
            .expect("inserted");
    }
    graph
}

fn kind(name: &str) -> &'static Kind {
    crate::graph::kind_of(KINDS, name).expect("a kind of this test")
}

/// What a cloud would show after `graph` was applied to it: ids are the addresses in capitals.
fn world(graph: &Graph) -> Observed {
    let mut observed = Observed::default();
    for node in graph.order().expect("a sound graph") {
        let args = value_of(&node.args, &observed);
        let live = Live { args, ..Live::new(node.addr.to_string().to_uppercase()) };
        let dns = format!("{}.example", node.addr.name);
        observed.insert(node.addr.clone(), live.with("dns", dns));
    }
    observed
}

fn value_of(args: &Value, observed: &Observed) -> Value {
    crate::value::resolve(args, &|of, attr| observed.get(of)?.outputs.get(attr).cloned())
}

fn planned(desired: &Graph, observed: &Observed) -> Plan {
    let plan = plan(desired, observed, KINDS, &BTreeMap::new()).expect("a sound graph");
    check(&plan, observed).expect("a plan that passes the checker");
    plan
}

fn base() -> Vec<(&'static str, Value)> {
    vec![
        ("net.main", json!({"cidr": "10.0.0.0/16"})),
        ("lb.api", json!({"net": {"$output": "net.main.id"}})),
        ("port.cp-0", json!({"net": {"$output": "net.main.id"}})),
        ("port.cp-1", json!({"net": {"$output": "net.main.id"}})),
        ("vm.cp-0", json!({"image": "v1", "port": {"$output": "port.cp-0.id"}, "api": {"$output": "lb.api.dns"}})),
        ("vm.cp-1", json!({"image": "v1", "port": {"$output": "port.cp-1.id"}, "api": {"$output": "lb.api.dns"}})),
        ("pool.api", json!({"port": 6443})),
        ("listener.api", json!({"lb": {"$output": "lb.api.id"}, "pool": {"$output": "pool.api.id"}})),
        ("target.cp-0", json!({"pool": {"$output": "pool.api.id"}, "ip": {"$output": "port.cp-0.id"}})),
    ]
}

fn changed(addr: &str, argument: &str, to: Value) -> Graph {
    let mut nodes = base();
    for (name, args) in &mut nodes {
        if *name == addr {
            args[argument] = to.clone();
        }
    }
    graph(&nodes)
}

fn shows(plan: &Plan, expected: Expect) {
    expected.assert_eq(&plan.text());
}

#[test]
fn a_create_waits_for_outputs_and_not_for_more() {
    shows(
        &planned(&graph(&base()), &Observed::default()),
        expect![[r#"
            + lb.api
            + listener.api
            + net.main
            + pool.api
            + port.cp-0
            + port.cp-1
            + target.cp-0
            + vm.cp-0
            + vm.cp-1
            0: create lb.api after [2]
            1: create listener.api after [0 3]
            2: create net.main after []
            3: create pool.api after []
            4: create port.cp-0 after [2]
            5: create port.cp-1 after [2]
            6: create target.cp-0 after [3 4]
            7: create vm.cp-0 after [0' 4]
            8: create vm.cp-1 after [0' 5]
        "#]],
    );
}

#[test]
fn after_apply_the_plan_is_empty() {
    let graph = graph(&base());
    let plan = planned(&graph, &world(&graph));
    assert!(plan.is_empty());
    assert_eq!(plan.summary(), Summary { keep: 9, ..Summary::default() });
}

#[test]
fn a_deletion_is_the_plan_of_the_empty_graph_in_reverse() {
    shows(
        &planned(&Graph::new(), &world(&graph(&base()))),
        expect![[r#"
            - lb.api
            - listener.api
            - net.main
            - pool.api
            - port.cp-0
            - port.cp-1
            - target.cp-0
            - vm.cp-0
            - vm.cp-1
            0: delete lb.api after [1]
            1: delete listener.api after []
            2: delete net.main after [0 4 5]
            3: delete pool.api after [1 6]
            4: delete port.cp-0 after [6 7]
            5: delete port.cp-1 after [8]
            6: delete target.cp-0 after []
            7: delete vm.cp-0 after []
            8: delete vm.cp-1 after []
        "#]],
    );
}

#[test]
fn machines_of_a_roll_are_replaced_one_after_another_and_checked_between() {
    let mut nodes = base();
    for (name, args) in &mut nodes {
        if name.starts_with("vm.") {
            args["image"] = json!("v2");
        }
    }
    shows(
        &planned(&graph(&nodes), &world(&graph(&base()))),
        expect![[r#"
            -/+ vm.cp-0 image!
            -/+ vm.cp-1 image!
            0: delete vm.cp-0 after []
            1: create vm.cp-0 after [0]
            2: delete vm.cp-1 after [1 4]
            3: create vm.cp-1 after [1 2 4]
            4: check target.cp-0 after [1]
        "#]],
    );
}

#[test]
fn what_can_live_beside_its_successor_goes_last() {
    shows(
        &planned(&changed("pool.api", "port", json!(443)), &world(&graph(&base()))),
        expect![[r#"
            ~ listener.api pool
            -/+ pool.api port!
            -/+ target.cp-0 pool!
            0: update listener.api after [2]
            1: delete pool.api after [0 2 3]
            2: create pool.api after []
            3: delete target.cp-0 after []
            4: create target.cp-0 after [2 3]
            5: check vm.cp-0 after [4]
        "#]],
    );
}

#[test]
fn a_replaced_network_replaces_what_stands_in_it() {
    let plan = planned(&changed("net.main", "cidr", json!("10.1.0.0/16")), &world(&graph(&base())));
    assert_eq!(plan.items[&"vm.cp-0".parse().expect("an address")].action, Action::Replace);
    assert_eq!(plan.risk(), Risk::Disruptive);
}

#[test]
fn of_two_twins_the_fitting_one_stays() {
    let graph = graph(&base());
    let mut observed = world(&graph);
    let addr: Addr = "net.main".parse().expect("an address");
    let twin = Live { args: json!({"cidr": "10.9.0.0/16"}), ..Live::new("A-TWIN") };
    observed.resources.get_mut(&addr).expect("it is there").insert(0, twin.into());
    shows(
        &planned(&graph, &observed),
        expect![[r#"
              net.main (surplus A-TWIN)
            0: delete net.main after []
        "#]],
    );
}

#[test]
fn no_difference_is_read_into_what_is_not_seen_yet() {
    let graph = graph(&base());
    let mut observed = world(&graph);
    let addr: Addr = "net.main".parse().expect("an address");
    let net = &mut observed.resources.get_mut(&addr).expect("it is there")[0];
    let mut live = Live { args: json!({"cidr": ""}), ..Live::clone(net) };
    *net = live.clone().into();
    assert!(!planned(&graph, &observed).is_empty());
    live.unseen.insert("cidr".to_owned());
    observed.resources.insert(addr, vec![live.into()]);
    assert!(planned(&graph, &observed).is_empty());
}

#[test]
fn of_two_equal_twins_the_recorded_one_stays() {
    let graph = graph(&base());
    let mut observed = world(&graph);
    let addr: Addr = "net.main".parse().expect("an address");
    let lives = observed.resources.get_mut(&addr).expect("it is there");
    let recorded = lives[0].id.clone();
    // Lower than any other, and drifted less than nothing: only the record tells which one is in use.
    let twin = Live { id: "A-TWIN".to_owned(), ..Live::clone(&lives[0]) };
    lives.insert(0, twin.into());
    observed.recorded.insert(addr, recorded);
    shows(
        &planned(&graph, &observed),
        expect![[r#"
              net.main (surplus A-TWIN)
            0: delete net.main after []
        "#]],
    );
}

#[test]
fn what_was_never_ready_is_waited_for_and_what_never_will_be_is_replaced() {
    let graph = graph(&[
        ("net.main", json!({"cidr": "10.0.0.0/16"})),
        ("lb.api", json!({"net": {"$output": "net.main.id"}})),
        ("listener.api", json!({"lb": {"$output": "lb.api.id"}})),
        ("disk.a", json!({"zone": "a"})),
        ("target.a", json!({"port": 1})),
    ]);
    let mut observed = world(&graph);
    for (addr, unready) in [("lb.api", Unready::Waiting), ("disk.a", Unready::Stuck), ("target.a", Unready::Stuck)] {
        let addr: Addr = addr.parse().expect("an address");
        observed.recorded.insert(addr.clone(), addr.to_string().to_uppercase());
        observed.unready.insert(addr, unready);
    }
    observed.resources.remove(&"listener.api".parse().expect("an address"));
    let plan = planned(&graph, &observed);
    shows(
        &plan,
        expect![[r#"
        -/+ disk.a
        = lb.api
        + listener.api
        = target.a
        0: delete disk.a after []
        1: create disk.a after [0]
        2: check lb.api after []
        3: create listener.api after [2]
        4: check target.a after []
    "#]],
    );
    assert_eq!((plan.risk(), plan.summary().check), (Risk::Disruptive, 2));
    // Another one at the address is not the one on record.
    for id in observed.recorded.values_mut() {
        *id = "ANOTHER".to_owned();
    }
    assert_eq!(planned(&graph, &observed).summary(), Summary { keep: 4, create: 1, ..Summary::default() });
}

#[test]
fn surplus_that_may_hold_data_is_a_loss_of_data() {
    let graph = graph(&[("disk.a", json!({"zone": "a"}))]);
    let mut observed = world(&graph);
    let addr: Addr = "disk.a".parse().expect("an address");
    let lives = observed.resources.get_mut(&addr).expect("it is there");
    let twin = Live { id: "Z-TWIN".to_owned(), ..Live::clone(&lives[0]) };
    lives.push(twin.into());
    assert_eq!(planned(&graph, &observed).risk(), Risk::DataLoss);
}

#[test]
fn a_name_that_is_also_another_ones_id_orders_nothing() {
    let mut observed = Observed::default();
    let mut live = |addr: &str, id: &str, args: Value| {
        observed.insert(addr.parse().expect("an address"), Live { args, ..Live::new(id) });
    };
    live("pool.role", "demo-worker", json!({"name": "demo-worker"}));
    live("listener.profile", "demo-worker", json!({"name": "demo-worker", "role": "demo-worker"}));
    shows(
        &planned(&Graph::new(), &observed),
        expect![[r#"
            - listener.profile
            - pool.role
            0: delete listener.profile after []
            1: delete pool.role after [0]
        "#]],
    );
}

#[test]
fn replacing_a_disk_is_a_loss_of_data() {
    let before = graph(&[("disk.etcd", json!({"zone": "a"}))]);
    let plan = planned(&graph(&[("disk.etcd", json!({"zone": "b"}))]), &world(&before));
    assert_eq!(plan.risk(), Risk::DataLoss);
}

#[test]
fn the_checker_refuses_what_was_not_observed() {
    let observed = world(&graph(&base()));
    let mut plan = planned(&Graph::new(), &observed);
    plan.steps[0].live = Some(Live::new("FOREIGN").into());
    assert_eq!(
        check(&plan, &observed),
        Err(CheckFault::NotOurs { addr: "lb.api".parse().expect("an address"), id: "FOREIGN".into() })
    );
    let mut plan = planned(&graph(&base()), &Observed::default());
    plan.steps[2].after.push((0, Point::Done));
    assert!(matches!(check(&plan, &Observed::default()), Err(CheckFault::Cycle(_))));
    let mut plan = planned(&graph(&base()), &Observed::default());
    plan.steps.pop();
    assert!(check(&plan, &Observed::default()).is_err());
}
