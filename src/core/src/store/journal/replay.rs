//! Reads the journal back.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};

use super::record::Record;
use super::segment::{Segment, SegmentId};
use crate::store::{ClusterKeys, Damage, Store, StoreError, envelope};

/// Segments that are read at the same time.
const READ_AHEAD: usize = 16;

/// All that a journal holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// In order of epoch and sequence.
    pub segments: BTreeMap<SegmentId, Segment>,
    /// Last writes of an epoch that were cut short. They were never acknowledged, so nothing was done that they announced.
    pub torn: Vec<SegmentId>,
    /// Segments that cannot be read; only [`salvage`] ever returns some.
    pub damaged: Vec<SegmentId>,
}

impl Replay {
    /// The records that a state which contains this much of each epoch does not contain, in order.
    pub fn records_after(&self, folded: &BTreeMap<u64, u64>) -> Vec<Record> {
        let fresh = self.segments.iter().filter(|(id, _)| !contains(folded, **id));
        fresh.flat_map(|(_, segment)| segment.records.iter().cloned()).collect()
    }

    /// Segments that must have existed and do not, though the state does not contain them.
    ///
    /// Intents may be lost with them: then only the ownership tags tell what they made.
    pub fn gaps(&self, folded: &BTreeMap<u64, u64>) -> Vec<SegmentId> {
        let mut ends: BTreeMap<u64, u64> = self.ids().map(|id| (id.epoch, id.seq)).collect();
        // Nothing follows a seal but further seals.
        ends.extend(self.seals());
        let from = |epoch| folded.get(&epoch).copied().unwrap_or(0);
        let expected =
            ends.into_iter().flat_map(|(epoch, end)| (from(epoch)..end).map(move |seq| SegmentId { epoch, seq }));
        let there: BTreeSet<_> = self.ids().collect();
        expected.filter(|id| !there.contains(id)).collect()
    }

    /// For each epoch that was sealed, at which segment.
    pub fn seals(&self) -> BTreeMap<u64, u64> {
        let seals = self.segments.iter().rev().filter(|(_, segment)| segment.sealed_by.is_some());
        seals.map(|(id, _)| (id.epoch, id.seq)).collect()
    }

    /// Every segment that there is, readable or not, in order.
    pub fn ids(&self) -> impl Iterator<Item = SegmentId> {
        let mut ids: Vec<_> = self.segments.keys().chain(&self.torn).chain(&self.damaged).copied().collect();
        ids.sort_unstable();
        ids.into_iter()
    }
}

fn contains(folded: &BTreeMap<u64, u64>, id: SegmentId) -> bool {
    folded.get(&id.epoch).is_some_and(|&next| id.seq < next)
}

/// Reads every segment. One that is damaged is an error, unless it is the last write of its epoch, cut short.
pub async fn replay(store: &dyn Store, keys: &ClusterKeys) -> Result<Replay, StoreError> {
    let (replay, damage) = read(store, keys).await?;
    damage.map_or(Ok(replay), Err)
}

/// Reads what can be read, for a recovery that asks the cloud for the rest.
pub async fn salvage(store: &dyn Store, keys: &ClusterKeys) -> Result<Replay, StoreError> {
    Ok(read(store, keys).await?.0)
}

async fn read(store: &dyn Store, keys: &ClusterKeys) -> Result<(Replay, Option<StoreError>), StoreError> {
    let ids = segments(store, keys).await?;
    let reads = ids.into_iter().map(|id| async move {
        let key = id.key(keys)?;
        let object = store.get(&key).await?;
        Ok::<_, StoreError>((id, key, object))
    });
    let found: Vec<_> = stream::iter(reads).buffered(READ_AHEAD).try_collect().await?;
    let mut replay = Replay::default();
    let mut first_damage = None;
    let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
    let mut cut_short = Vec::new();
    for (id, key, object) in found {
        // Compacted between the listing and this read: the state has it by now.
        let Some(object) = object else { continue };
        match envelope::open::<Segment>(&key, &object.bytes) {
            Ok(segment) => {
                if segment.sealed_by.is_none() {
                    ends.insert(id.epoch, id.seq);
                }
                replay.segments.insert(id, segment);
            }
            Err(error @ StoreError::Corrupt { damage: Damage::Empty | Damage::Truncated, .. }) => {
                cut_short.push((id, error))
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                replay.damaged.push(id);
                first_damage.get_or_insert(error);
            }
            Err(other) => return Err(other),
        }
    }
    for (id, error) in cut_short {
        let is_last = ends.get(&id.epoch).is_none_or(|&end| end < id.seq)
            && !replay.torn.iter().any(|torn| torn.epoch == id.epoch);
        if is_last {
            replay.torn.push(id);
        } else {
            replay.damaged.push(id);
            first_damage.get_or_insert(error);
        }
    }
    Ok((replay, first_damage))
}

/// Names the segments that there are, in order.
pub(super) async fn segments(store: &dyn Store, keys: &ClusterKeys) -> Result<Vec<SegmentId>, StoreError> {
    let mut ids: Vec<_> = store.list(&keys.journal).await?.iter().filter_map(|key| SegmentId::at(keys, key)).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// The highest epoch that has a segment.
pub(in crate::store) async fn last_epoch(store: &dyn Store, keys: &ClusterKeys) -> Result<u64, StoreError> {
    Ok(segments(store, keys).await?.last().map_or(0, |id| id.epoch))
}
