//! The state after a run: what the journal says, and what was seen.

use std::collections::{BTreeMap, BTreeSet};

use clusterctl_core::cloud::Observed;
use clusterctl_core::engine::Report;
use clusterctl_core::graph::Graph;
use clusterctl_core::store::Clock;
use clusterctl_core::store::journal::{Action, Came, Intent, Outcome, Record};
use clusterctl_core::store::state::{Recorded, State};
use serde_json::Value;

/// What became of the calls that an earlier run never saw the answers of.
///
/// To be asked once whatever they made has to be visible. A create that made nothing keeps its token, so that even a
/// request that is still on its way cannot make a second one.
pub(crate) fn conclusions<'a>(
    pending: impl Iterator<Item = &'a Intent>,
    observed: &Observed,
    clock: &dyn Clock,
) -> Vec<Record> {
    let came = |intent: &Intent| {
        let lives = intent.addr.parse().ok().and_then(|addr| observed.resources.get(&addr));
        let lives = lives.map_or(&[][..], Vec::as_slice);
        let same = |id: &String| lives.iter().find(|live| live.id == *id);
        let live = match (intent.action, &intent.id) {
            (Action::Create, _) => lives.first(),
            (Action::Update | Action::Delete | Action::Check, Some(id)) => same(id),
            (Action::Update | Action::Delete | Action::Check, None) => lives.first(),
        };
        match (intent.action, live) {
            (Action::Delete, None) => Came::Gone,
            // A list does not tell whether it is ready.
            (Action::Check, _) => Came::Abandoned,
            (Action::Delete, Some(_)) | (Action::Create | Action::Update, None) => Came::Abandoned,
            (Action::Create | Action::Update, Some(live)) => {
                Came::Applied { id: live.id.clone(), outputs: live.outputs.clone().into_iter().collect() }
            }
        }
    };
    let outcome = |intent: &Intent| Outcome { op: intent.op, at: clock.now(), came: came(intent) };
    pending.map(|intent| Record::Outcome(outcome(intent))).collect()
}

/// Makes the record say what was seen: everything that exists, under its address, with what it needs.
pub(crate) fn reconcile(state: &mut State, observed: &Observed, graph: &Graph) {
    let mut resources = BTreeMap::new();
    for (addr, lives) in &observed.resources {
        let text = addr.to_string();
        let before = state.resources.remove(&text);
        let known = before.as_ref().and_then(|before| lives.iter().find(|live| live.id == before.id));
        let Some(live) = known.or(lives.first()) else { continue };
        let needs: BTreeSet<String> = match graph.get(addr) {
            Some(node) => node.needs().iter().map(ToString::to_string).collect(),
            None => before.as_ref().map(|before| before.depends.clone()).unwrap_or_default(),
        };
        let same = before.as_ref().filter(|before| before.id == live.id);
        let (made_at, unready) = same.map_or((None, None), |before| (before.made_at, before.unready));
        let generation = before.map_or(0, |before| before.generation);
        let recorded = Recorded {
            id: live.id.clone(),
            outputs: live.outputs.clone().into_iter().collect(),
            depends: needs,
            generation,
            made_at,
            unready,
        };
        resources.insert(text, recorded);
    }
    state.resources = resources;
    state.former.clear();
}

/// Remembers the rungs that ladders came to stand on, so that the next plan does not climb back.
pub(crate) fn rungs(choices: &mut BTreeMap<String, Value>, report: &Report) {
    for (addr, rung) in &report.rungs {
        let all = choices.entry("rungs".to_owned()).or_insert_with(|| Value::Object(serde_json::Map::new()));
        let Some(all) = all.as_object_mut() else { continue };
        // What the run counts from is the rung that the plan began with.
        let from = all.get(&addr.name).and_then(Value::as_u64).unwrap_or(0);
        all.insert(addr.name.clone(), Value::from(from + *rung as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clusterctl_core::addr::Addr;
    use clusterctl_core::cloud::Live;
    use clusterctl_core::store::SystemClock;
    use clusterctl_core::store::journal::Op;

    fn intent(op: u64, action: Action, id: Option<&str>) -> (Op, Intent) {
        let intent = Intent {
            op: Op(op),
            addr: "x_disk.a".to_owned(),
            action,
            id: id.map(str::to_owned),
            generation: 0,
            token: String::new(),
            digest: String::new(),
            depends: BTreeSet::new(),
            awaited: false,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        (Op(op), intent)
    }

    #[test]
    fn what_was_never_answered_is_settled_by_what_is_there() {
        let pending = BTreeMap::from([
            intent(1, Action::Create, None),
            intent(2, Action::Delete, Some("disk-1")),
            intent(3, Action::Delete, Some("disk-0")),
            intent(4, Action::Update, Some("disk-1")),
        ]);
        let came = |observed: &Observed| -> Vec<(u64, &'static str)> {
            conclusions(pending.values(), observed, &SystemClock)
                .into_iter()
                .filter_map(|record| match record {
                    Record::Outcome(outcome) => Some((
                        outcome.op.0,
                        match outcome.came {
                            Came::Applied { .. } => "applied",
                            Came::Gone => "gone",
                            Came::Failed { .. } => "failed",
                            Came::Abandoned => "abandoned",
                        },
                    )),
                    _ => None,
                })
                .collect()
        };
        let mut observed = Observed::default();
        assert_eq!(came(&observed), [(1, "abandoned"), (2, "gone"), (3, "gone"), (4, "abandoned")]);
        observed.insert(Addr::new("x_disk", "a"), Live::new("disk-1"));
        assert_eq!(came(&observed), [(1, "applied"), (2, "abandoned"), (3, "gone"), (4, "applied")]);
    }

    #[test]
    fn a_rung_counts_from_where_the_plan_began() {
        let mut choices = BTreeMap::from([("rungs".to_owned(), serde_json::json!({"gpu": 1}))]);
        let rungs_of = |name: &str, rung| (Addr::new("x_group", name), rung);
        let report = Report { rungs: vec![rungs_of("gpu", 1), rungs_of("other", 2)], ..Report::default() };
        rungs(&mut choices, &report);
        assert_eq!(choices["rungs"], serde_json::json!({"gpu": 2, "other": 2}));
    }
}
