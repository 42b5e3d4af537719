//! The state takes the journal over.

use std::collections::BTreeMap;

use super::fold::fold;
use super::replay::{Replay, replay};
use super::segment::SegmentId;
use crate::store::state::{self, State, Stored};
use crate::store::{ClusterKeys, Store, StoreError};

/// How many epochs that ended badly keep their seal, against a run that wakes up late.
const SEALS_KEPT: usize = 8;

/// What is known of a cluster now.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// The state after the journal.
    pub state: State,
    /// The state as stored, which the next save replaces.
    pub stored: Stored<State>,
    pub replay: Replay,
    /// Segments that are missing; see [`Replay::gaps`].
    pub gaps: Vec<SegmentId>,
}

/// Reads the state and what the journal adds to it; `None` if there is neither.
///
/// The journal is read first: whatever a compaction removes meanwhile, the state read afterwards contains. A journal
/// without the state is [`StoreError::NotFound`]: something was made, and the state that names its owner is lost.
pub async fn current(store: &dyn Store, keys: &ClusterKeys) -> Result<Option<Current>, StoreError> {
    let replay = replay(store, keys).await?;
    let Some(stored) = state::load(store, keys).await? else {
        let lost = replay.segments.values().any(|segment| !segment.records.is_empty());
        return if lost { Err(StoreError::NotFound { what: keys.state.to_string() }) } else { Ok(None) };
    };
    let gaps = replay.gaps(&stored.value.folded);
    Ok(Some(Current { state: after(&stored.value, &replay), stored, replay, gaps }))
}

fn after(state: &State, replay: &Replay) -> State {
    let mut after = fold(state.clone(), &replay.records_after(&state.folded));
    let mut folded = BTreeMap::new();
    for id in replay.ids() {
        folded.insert(id.epoch, id.seq + 1);
    }
    after.folded = folded;
    after
}

/// Saves `state` in place of what was stored, then deletes the journal that it contains.
///
/// `current.state` is the state after the journal; the caller may have changed what the journal does not speak of. Only
/// the holder of the lock does this, and only when nobody appends. A crash in between is harmless: the saved state says
/// how much of the journal it contains.
pub async fn compact(store: &dyn Store, keys: &ClusterKeys, current: Current) -> Result<Stored<State>, StoreError> {
    let Current { state, stored, replay, gaps: _ } = current;
    let saved = state::save(store, keys, Stored { value: state, version: stored.version }).await?;
    let seals = replay.seals().into_iter().rev().take(SEALS_KEPT);
    let kept: Vec<_> = seals.map(|(epoch, seq)| SegmentId { epoch, seq }).collect();
    for id in replay.ids().filter(|id| !kept.contains(id)) {
        store.delete(&id.key(keys)?).await?;
    }
    Ok(saved)
}
