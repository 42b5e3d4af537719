//! The state after a run: what the journal says, and what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clusterctl_core::cloud::{Live, Observed};
use clusterctl_core::engine::Report;
use clusterctl_core::graph::Graph;
use clusterctl_core::store::Clock;
use clusterctl_core::store::journal::{Action, Came, Intent, Outcome, Record};
use clusterctl_core::store::state::{Recorded, State};
use serde_json::Value;

/// What became of the calls that an earlier run never saw the answers of.
///
/// To be asked once whatever they made has to be visible. A create that made nothing keeps its token, so that even a
/// request that is still on its way cannot make a second one. What is on record stays there: others were made for it, and
/// what else a create has made is a twin of it.
pub(crate) fn conclusions<'a>(
    state: &State,
    pending: impl Iterator<Item = &'a Intent>,
    observed: &Observed,
    clock: &dyn Clock,
) -> Vec<Record> {
    // Each create without an answer has made one at most.
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut came = |intent: &'a Intent| {
        let lives = intent.addr.parse().ok().and_then(|addr| observed.resources.get(&addr));
        let lives = lives.map_or(&[][..], Vec::as_slice);
        let same = |id: &String| lives.iter().find(|live| live.id == *id);
        let applied = |live: &Arc<Live>| Came::Applied {
            id: live.id.clone(),
            outputs: live.outputs.clone().into_iter().collect(),
        };
        let named = || intent.id.as_ref().map_or(lives.first(), same);
        match intent.action {
            Action::Create => {
                let recorded = state.resources.get(&intent.addr).and_then(|recorded| same(&recorded.id));
                let known = |live: &Live| {
                    recorded.is_some_and(|recorded| recorded.id == live.id)
                        || state.former.get(&intent.addr).is_some_and(|former| former.contains(&live.id))
                };
                let new = |live: &&Arc<Live>| !known(live) && !told.contains(&(&*intent.addr, &*live.id));
                let Some(live) = lives.iter().find(new) else { return Came::Abandoned };
                let first = recorded.is_none() && !told.iter().any(|(addr, _)| *addr == intent.addr);
                told.insert((&intent.addr, &live.id));
                if first { applied(live) } else { Came::Twin { id: live.id.clone() } }
            }
            Action::Update => named().map_or(Came::Abandoned, applied),
            Action::Delete if named().is_none() => Came::Gone,
            // A list does not tell whether it is ready.
            Action::Delete | Action::Check => Came::Abandoned,
        }
    };
    pending.map(|intent| Record::Outcome(Outcome { op: intent.op, at: clock.now(), came: came(intent) })).collect()
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
    state.changed.retain(|addr, _| resources.contains_key(addr));
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
    use clusterctl_core::store::SystemClock;
    use clusterctl_core::store::journal::Op;
    use clusterctl_core::store::state::{AppliedSpec, Birth};
    use rand::SeedableRng as _;

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
        let state = empty();
        let came = |observed: &Observed| -> Vec<(u64, &'static str)> {
            conclusions(&state, pending.values(), observed, &SystemClock)
                .into_iter()
                .filter_map(|record| match record {
                    Record::Outcome(outcome) => Some((
                        outcome.op.0,
                        match outcome.came {
                            Came::Applied { .. } => "applied",
                            Came::Twin { .. } => "twin",
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

    fn empty() -> State {
        let birth = Birth {
            name: "demo".to_owned(),
            cloud: "fake".to_owned(),
            account: None,
            region: "north".to_owned(),
            spec: AppliedSpec::default(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        State::new(birth, &mut rand::rngs::StdRng::seed_from_u64(1))
    }

    #[test]
    fn what_is_on_record_stays_there_whatever_else_an_unanswered_create_has_made() {
        let pending = BTreeMap::from([1, 2, 3].map(|op| intent(op, Action::Create, None)));
        let mut observed = Observed::default();
        for disk in ["disk-1", "disk-2", "disk-3"] {
            observed.insert(Addr::new("x_disk", "a"), Live::new(disk));
        }
        let mut state = empty();
        let came = |state: &State| -> Vec<Came> {
            let records = conclusions(state, pending.values(), &observed, &SystemClock).into_iter();
            records
                .filter_map(|record| if let Record::Outcome(outcome) = record { Some(outcome.came) } else { None })
                .collect()
        };
        let twin = |id: &str| Came::Twin { id: id.to_owned() };
        let first =
            Came::Applied { id: "disk-1".to_owned(), outputs: Live::new("disk-1").outputs.into_iter().collect() };
        assert_eq!(came(&state), [first, twin("disk-2"), twin("disk-3")]);
        let recorded = Recorded {
            id: "disk-2".to_owned(),
            outputs: BTreeMap::new(),
            depends: BTreeSet::new(),
            generation: 0,
            made_at: None,
            unready: None,
        };
        state.resources.insert("x_disk.a".to_owned(), recorded);
        assert_eq!(came(&state), [twin("disk-1"), twin("disk-3"), Came::Abandoned]);
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
