//! A plan, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::Unready;
use clusterctl_core::graph::{Concern, Graph};
use clusterctl_core::plan::{Action, Change, Item, Plan, Risk, Summary};
use clusterctl_core::store::state::State;
use clusterctl_core::timeline::{Phase, schedule};
use clusterctl_core::value;
use serde_json::{Value, json};

use crate::args::Format;
use crate::views::data::document;
use crate::views::paint::{Paint, one_line};
use crate::views::span;

/// A plan with what a reader should know beside it.
#[derive(Debug)]
pub(crate) struct PlanView<'a> {
    pub(crate) plan: &'a Plan,
    /// Where each address belongs; empty for a deletion.
    pub(crate) graph: &'a Graph,
    pub(crate) state: &'a State,
    pub(crate) choices: Option<&'a Choices>,
    pub(crate) format: Format,
}

const UNKNOWN: &str = "(known after apply)";
/// A value on one line takes no more than this.
const LONGEST: usize = 60;

impl PlanView<'_> {
    /// The plan for people.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        for (concern, items) in self.grouped() {
            let _ = writeln!(text, "{}", paint.bold(concern));
            for (addr, item) in items {
                self.item(&mut text, addr, item, paint);
            }
            text.push('\n');
        }
        for note in self.notes() {
            let _ = writeln!(text, "{} {}", paint.cyan("note:"), one_line(&note));
        }
        text.push_str(&self.last_line(paint));
        text.push('\n');
        text
    }

    fn grouped(&self) -> Vec<(&'static str, Vec<(&Addr, &Item)>)> {
        let mut groups: BTreeMap<Option<Concern>, Vec<(&Addr, &Item)>> = BTreeMap::new();
        for (addr, item) in &self.plan.items {
            let adopted = self.adopted(addr, item).is_some();
            if item.action != Action::Keep || !item.surplus.is_empty() || adopted {
                groups.entry(self.graph.get(addr).map(|node| node.concern)).or_default().push((addr, item));
            }
        }
        // What has no place in the graph goes, and is shown last.
        let gone = groups.remove(&None);
        let named = groups.into_iter().filter_map(|(concern, items)| Some((Phase::from(concern?).title(), items)));
        named.chain(gone.map(|items| ("To be removed", items))).collect()
    }

    fn item(&self, text: &mut String, addr: &Addr, item: &Item, paint: Paint) {
        let symbol = item.action.symbol();
        let (symbol, name) = match item.action {
            Action::Keep => (" ".to_owned(), addr.to_string()),
            Action::Check => (paint.cyan(symbol), addr.to_string()),
            Action::Create => (paint.green(symbol), addr.to_string()),
            Action::Update => (paint.yellow(symbol), addr.to_string()),
            Action::Replace => (paint.red(symbol), addr.to_string()),
            Action::Delete => (paint.red(symbol), addr.to_string()),
        };
        let pad = " ".repeat(3usize.saturating_sub(item.action.symbol().len()));
        let mut line = format!("{pad}{symbol} {name}");
        if let Some(live) = item.live.as_ref().filter(|_| item.action != Action::Keep) {
            let _ = write!(line, "  {}", paint.dim(&one_line(&live.id)));
        }
        if item.action == Action::Create {
            let _ = write!(line, "{}", paint.dim(&one_line(&self.arguments(item))));
        }
        match item.risk {
            Risk::DataLoss => line.push_str(&format!("  {}", paint.red("# loses data"))),
            Risk::Disruptive if item.action == Action::Replace => {
                line.push_str(&format!("  {}", paint.yellow("# disruptive")));
            }
            Risk::Disruptive | Risk::Safe => {}
        }
        match (item.unready, item.action) {
            (Some(Unready::Stuck), Action::Replace) => line.push_str("  # never became ready"),
            (Some(_), Action::Check) => line.push_str("  # was not ready yet: is waited for"),
            _ => {}
        }
        if item.action != Action::Keep {
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for change in &item.changes {
            let why =
                if change.forces_new { format!("  {}", paint.red("# forces replacement")) } else { String::new() };
            let (from, to) = changed(change);
            let _ = writeln!(text, "        {}: {} -> {}{why}", change.argument, one_line(&from), one_line(&to));
        }
        if let Some(id) = self.adopted(addr, item) {
            let _ = writeln!(
                text,
                "  {} {addr}  {}  # its answer was lost by an earlier run; it is there and is taken over",
                paint.cyan("?"),
                one_line(id)
            );
        }
        for live in &item.surplus {
            let _ = writeln!(
                text,
                "  {} {addr}  {}  # surplus: one of these is enough",
                paint.red("-"),
                one_line(&live.id)
            );
        }
    }

    /// The id of what a create that was never answered turns out to have made.
    fn adopted<'b>(&self, addr: &Addr, item: &'b Item) -> Option<&'b str> {
        let live = item.live.as_ref()?;
        let text = addr.to_string();
        let asked = self
            .state
            .pending
            .values()
            .any(|intent| intent.addr == text && intent.action == clusterctl_core::store::journal::Action::Create);
        let known = self.state.resources.get(&text).is_some_and(|recorded| recorded.id == live.id);
        (asked && !known).then_some(live.id.as_str())
    }

    /// The arguments that tell what it is: all of them when asked for, otherwise the few short ones.
    fn arguments(&self, item: &Item) -> String {
        let all = self.format == Format::Wide;
        let shown = item.want.as_object().into_iter().flatten().filter(|(name, value)| {
            all || (!matches!(name.as_str(), "tags" | "tags_all" | "name" | "description")
                && !value.is_object()
                && !value.is_array()
                && value::is_known(value))
        });
        let mut text = String::new();
        for (name, value) in shown.take(if all { usize::MAX } else { 3 }) {
            let separator = if all { "\n        " } else { "  " };
            let _ = write!(text, "{separator}{name} = {}", short(value));
        }
        text
    }

    /// What was chosen, and what had to be left out.
    fn notes(&self) -> Vec<String> {
        let Some(choices) = self.choices else { return Vec::new() };
        let mut notes = Vec::new();
        for (whose, chosen) in &choices.machines {
            let whose = whose.strip_prefix("group/").unwrap_or(whose);
            let gpu = chosen.gpu.as_ref().map(|gpu| format!(", {} x {}", gpu.count, gpu.model)).unwrap_or_default();
            notes.push(format!(
                "{whose}: {} ({} CPUs, {} GiB{gpu}) in {}",
                chosen.machine,
                chosen.cpu,
                chosen.memory_mib / 1024,
                chosen.zones.join(", ")
            ));
            notes.extend(chosen.notes.iter().map(|note| format!("{whose}: {note}")));
        }
        notes
    }

    fn last_line(&self, paint: Paint) -> String {
        if self.plan.is_empty() {
            return paint.green("Nothing to do: everything is as planned.");
        }
        let Summary { create, update, replace, delete, check, .. } = self.plan.summary();
        let waits = if check > 0 { format!(", {check} to wait for") } else { String::new() };
        let counts =
            format!("{create} to create, {update} to change, {replace} to replace, {delete} to delete{waits}.");
        format!("{} {counts} About {}.", paint.bold("Plan:"), span(estimate(self.plan)))
    }

    /// The plan for programs.
    pub(crate) fn data(&self) -> Value {
        let changes: Vec<Value> = self
            .plan
            .items
            .iter()
            .filter(|(_, item)| item.action != Action::Keep || !item.surplus.is_empty())
            .map(|(addr, item)| {
                json!({
                    "address": addr,
                    "action": item.action,
                    "risk": item.risk,
                    "id": item.live.as_ref().map(|live| &live.id),
                    "surplus": item.surplus.iter().map(|live| &live.id).collect::<Vec<_>>(),
                    "changes": item.changes.iter().map(|change| json!({
                        "argument": change.argument,
                        "from": change.from,
                        "to": change.to,
                        "forcesReplacement": change.forces_new,
                    })).collect::<Vec<_>>(),
                    "needs": item.needs,
                })
            })
            .collect();
        document(
            "Plan",
            json!({
                "cluster": self.state.name,
                "uid": self.state.uid.as_str(),
                "region": self.state.region,
                "summary": self.plan.summary(),
                "empty": self.plan.is_empty(),
                "risk": self.plan.risk(),
                "estimatedSeconds": estimate(self.plan).as_secs(),
                "changes": changes,
                "notes": self.notes(),
            }),
        )
    }
}

/// Both sides of a change; where both are sets, only what differs.
fn changed(change: &Change) -> (String, String) {
    if let (Value::Object(from), Value::Object(to)) = (&change.from, &change.to) {
        let keys: BTreeSet<&String> =
            from.keys().chain(to.keys()).filter(|key| from.get(*key) != to.get(*key)).collect();
        let side = |map: &serde_json::Map<String, Value>| -> Value {
            Value::Object(keys.iter().filter_map(|key| Some(((*key).clone(), map.get(*key)?.clone()))).collect())
        };
        if !keys.iter().any(|key| key.starts_with('$')) {
            return (short(&side(from)), short(&side(to)));
        }
    }
    (short(&change.from), short(&change.to))
}

/// A value on one line. What is not known yet says so; a script is told by its digest.
fn short(value: &Value) -> String {
    if value::as_output(value).is_some() {
        return UNKNOWN.to_owned();
    }
    let marker = |key: &str| value.as_object().and_then(|map| map.get(key));
    if let Some(digest) = marker(value::DIGEST).and_then(Value::as_str) {
        return format!("(text {})", digest.get(..12).unwrap_or(digest));
    }
    if let Some(parts) = marker(value::TEXT) {
        return format!("(text {})", &value::sha256_hex(parts.to_string().as_bytes())[..12]);
    }
    let text = match value {
        Value::Null => "(none)".to_owned(),
        Value::Array(items) if items.iter().any(|item| !value::is_known(item)) => {
            let items: Vec<String> = items.iter().map(short).collect();
            format!("[{}]", items.join(", "))
        }
        other if !value::is_known(other) => UNKNOWN.to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let head: String = text.chars().take(LONGEST - 3).collect();
    format!("{head}...")
}

/// How long the longest chain of steps takes, by the medians of the kinds.
pub(crate) fn estimate(plan: &Plan) -> Duration {
    Duration::from_secs_f64(schedule::estimate(plan).ceil())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clusterctl_core::cloud::{Live, Observed};
    use clusterctl_core::graph::{Kind, Node};
    use clusterctl_core::plan;
    use clusterctl_core::store::state::{AppliedSpec, Birth};
    use clusterctl_core::value::output;
    use expect_test::expect;

    static NET: Kind = Kind { forces_new: &["cidr"], seconds: (4.0, 1.0), ..Kind::new("x_net") };
    static DISK: Kind = Kind { forces_new: &["size"], holds_data: true, seconds: (5.0, 5.0), ..Kind::new("x_disk") };
    static GROUP: Kind = Kind { seconds: (90.0, 30.0), ..Kind::new("x_group") };
    static KINDS: [&Kind; 3] = [&NET, &DISK, &GROUP];

    fn state() -> State {
        let birth = Birth {
            name: "demo".into(),
            cloud: "x".into(),
            account: None,
            region: "north".into(),
            spec: AppliedSpec::default(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        use rand::SeedableRng as _;
        State::new(birth, &mut rand::rngs::StdRng::seed_from_u64(1))
    }

    fn graph(cidr: &str, size: u32, max: u32) -> Graph {
        let mut graph = Graph::new();
        let mut add = |kind: &'static Kind, concern, name: &str, args: Value| {
            let addr = Addr::new(kind.name, name);
            graph
                .insert(Node { addr: addr.clone(), kind, concern, args: args.into(), roll: None, ladder: Vec::new() })
                .expect("a node");
            addr
        };
        let net = add(&NET, Concern::Network, "main", json!({ "cidr": cidr, "tags": {"a": "b"} }));
        add(&DISK, Concern::ControlPlane, "etcd", json!({ "size": size, "net": output(&net, "id") }));
        add(&GROUP, Concern::NodeGroups, "gpu", json!({ "min": 1, "max": max, "net": output(&net, "id") }));
        graph
    }

    fn live(id: &str, args: Value) -> Live {
        Live { args, ..Live::new(id) }
    }

    fn shown(graph: &Graph, observed: &Observed) -> String {
        let plan = plan::plan(graph, observed, &KINDS, &BTreeMap::new()).expect("a plan");
        let state = state();
        PlanView { plan: &plan, graph, state: &state, choices: None, format: Format::Table }.text(Paint { on: false })
    }

    fn there() -> Observed {
        let mut observed = Observed::default();
        observed
            .insert(Addr::new("x_net", "main"), live("net-1", json!({ "cidr": "10.0.0.0/16", "tags": {"a": "b"} })));
        observed.insert(Addr::new("x_disk", "etcd"), live("disk-1", json!({ "size": 20, "net": "net-1" })));
        observed.insert(Addr::new("x_group", "gpu"), live("gpu-1", json!({ "min": 1, "max": 8, "net": "net-1" })));
        observed
    }

    #[test]
    fn a_first_plan() {
        expect![[r#"
            Network
              + x_net.main  cidr = "10.0.0.0/16"

            Control plane
              + x_disk.etcd  size = 20

            Node groups
              + x_group.gpu  min = 1  max = 8

            Plan: 3 to create, 0 to change, 0 to replace, 0 to delete. About 1 min 34 s.
        "#]]
        .assert_eq(&shown(&graph("10.0.0.0/16", 20, 8), &Observed::default()));
    }

    #[test]
    fn changes_replacements_removals_and_twins() {
        let mut observed = there();
        observed.insert(Addr::new("x_group", "old"), live("old-1", json!({ "net": "net-1" })));
        observed
            .insert(Addr::new("x_net", "main"), live("net-2", json!({ "cidr": "10.0.0.0/16", "tags": {"a": "b"} })));
        expect![[r#"
            Network
              - x_net.main  net-2  # surplus: one of these is enough

            Control plane
            -/+ x_disk.etcd  disk-1  # loses data
                    size: 20 -> 40  # forces replacement

            Node groups
              ~ x_group.gpu  gpu-1
                    max: 8 -> 10

            To be removed
              - x_group.old  old-1

            Plan: 0 to create, 1 to change, 1 to replace, 2 to delete. About 31 s.
        "#]]
        .assert_eq(&shown(&graph("10.0.0.0/16", 40, 10), &observed));
    }

    #[test]
    fn what_is_not_known_yet_says_so() {
        let text = shown(&graph("10.9.0.0/16", 20, 8), &there());
        assert!(text.contains("cidr: \"10.0.0.0/16\" -> \"10.9.0.0/16\"  # forces replacement"), "{text}");
        assert!(text.contains("net: \"net-1\" -> (known after apply)"), "{text}");
    }

    #[test]
    fn nothing_to_do_is_one_line() {
        assert_eq!(shown(&graph("10.0.0.0/16", 20, 8), &there()), "Nothing to do: everything is as planned.\n");
    }

    #[test]
    fn nothing_that_a_cloud_answers_steers_the_terminal() {
        let mut observed = there();
        observed.insert(Addr::new("x_group", "old"), live("old-\u{1b}[31m", Value::Null));
        assert!(!shown(&graph("10.0.0.0/16", 20, 8), &observed).contains('\u{1b}'));
    }
}
