//! The state after the journal.

use super::record::{Action, Came, Intent, Outcome, Record};
use crate::cloud::Unready;
use crate::store::state::{Recorded, State};

/// Carries the records into the state.
///
/// Folding the same records again changes nothing. An intent without outcome stays in [`State::pending`] until a later
/// record concludes it. An outcome whose intent is unknown changes nothing: the segment with it is reported as a gap.
pub fn fold<'a>(mut state: State, records: impl IntoIterator<Item = &'a Record>) -> State {
    for record in records {
        match record {
            Record::Intent(intent) => {
                state.kinds.insert(intent.kind().to_owned());
                state.pending.insert(intent.op, intent.clone());
            }
            Record::Outcome(outcome) => conclude(&mut state, outcome),
            Record::Note(_) => {}
        }
    }
    state
}

fn conclude(state: &mut State, outcome: &Outcome) {
    let Some(intent) = state.pending.remove(&outcome.op) else { return };
    if intent.action == Action::Create && outcome.came != Came::Abandoned {
        let next = state.generations.entry(intent.addr.clone()).or_default();
        *next = (*next).max(intent.generation + 1);
    }
    // An update of several requests may fail in the middle, and one without an answer may have been carried out.
    if intent.action == Action::Update {
        let changed = state.changed.entry(intent.addr.clone()).or_insert(outcome.at);
        *changed = (*changed).max(outcome.at);
    }
    match &outcome.came {
        Came::Applied { id, outputs } => {
            if intent.action == Action::Create {
                state.created.insert(format!("{} {id}", intent.addr));
            }
            let before = state.resources.get(&intent.addr).filter(|_| intent.action != Action::Create);
            let recorded = Recorded {
                id: id.clone(),
                outputs: outputs.clone(),
                depends: intent.depends.clone(),
                generation: before.map_or(intent.generation, |before| before.generation),
                made_at: before.map_or(Some(outcome.at), |before| before.made_at),
                unready: intent.awaited.then_some(Unready::Waiting),
            };
            exists(state, &intent, recorded);
        }
        Came::Twin { id } => {
            state.created.insert(format!("{} {id}", intent.addr));
            state.former.entry(intent.addr.clone()).or_default().insert(id.clone());
        }
        Came::Gone => gone(state, &intent),
        Came::Failed { .. } if intent.action == Action::Check => stuck(state, &intent),
        Came::Failed { .. } | Came::Abandoned => {}
    }
}

/// What was ready once is only late now.
fn stuck(state: &mut State, intent: &Intent) {
    let recorded = state.resources.get_mut(&intent.addr).filter(|recorded| intent.id.as_ref() == Some(&recorded.id));
    if let Some(unready) = recorded.and_then(|recorded| recorded.unready.as_mut()) {
        *unready = Unready::Stuck;
    }
}

fn exists(state: &mut State, intent: &Intent, recorded: Recorded) {
    let id = recorded.id.clone();
    let before = state.resources.insert(intent.addr.clone(), recorded);
    let former = state.former.entry(intent.addr.clone()).or_default();
    former.extend(before.map(|before| before.id));
    former.remove(&id);
    forget_empty(state, &intent.addr);
}

/// Removes what the intent was about. Without an id that is whatever the address held.
fn gone(state: &mut State, intent: &Intent) {
    let addr = &intent.addr;
    state.gone.extend(intent.id.iter().map(|id| format!("{addr} {id}")));
    if let Some(former) = state.former.get_mut(addr) {
        intent.id.iter().for_each(|id| _ = former.remove(id));
    }
    forget_empty(state, addr);
    let held = state.resources.get(addr).map(|recorded| &recorded.id);
    if intent.id.is_none() || intent.id.as_ref() == held {
        state.resources.remove(addr);
    }
}

fn forget_empty(state: &mut State, addr: &str) {
    if state.former.get(addr).is_some_and(|former| former.is_empty()) {
        state.former.remove(addr);
    }
}
