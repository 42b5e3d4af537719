//! Looks at leases from outside.

use super::record::{Holder, LeaseRecord, read};
use crate::store::settle::{self, Patience};
use crate::store::{Clock, ClusterKeys, Condition, Store, StoreError, envelope, journal, layout};

/// The lease of one cluster, readable or not.
#[derive(Debug)]
pub struct LockEntry {
    pub cluster: String,
    pub lease: Result<LeaseRecord, StoreError>,
}

/// Reads every lease in the store, in order of cluster.
pub async fn list(store: &dyn Store) -> Result<Vec<LockEntry>, StoreError> {
    let mut entries = Vec::new();
    for keys in layout::clusters_with(store, "lock.json").await? {
        let lease = match read(store, &keys).await {
            Ok(None) => continue,
            Ok(Some((record, _))) => Ok(record),
            Err(error) => Err(error),
        };
        entries.push(LockEntry { cluster: keys.name().to_owned(), lease });
    }
    Ok(entries)
}

/// Why a lease was not broken.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BreakError {
    #[error("cluster {cluster} is not locked")]
    Free { cluster: String },
    #[error("the lock of cluster {cluster} has epoch {found} by now, not {expected}: look again at who holds it")]
    Changed { cluster: String, found: u64, expected: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends the lease that has this epoch, whoever holds it.
///
/// Its holder notices at its next renewal, and cannot write to the journal once the next run has begun its own. A lease
/// that cannot be read is replaced by one that was `by` us and is free.
pub async fn break_lock(
    store: &dyn Store,
    clock: &dyn Clock,
    keys: &ClusterKeys,
    expected: u64,
    by: Holder,
) -> Result<(), BreakError> {
    let now = clock.now();
    let (record, condition) = match read(store, keys).await {
        Ok(None) => return Err(BreakError::Free { cluster: keys.name().to_owned() }),
        Ok(Some((record, _))) if record.epoch != expected => {
            return Err(BreakError::Changed { cluster: keys.name().to_owned(), found: record.epoch, expected });
        }
        Ok(Some((record, _))) if !record.is_held() => return Err(BreakError::Free { cluster: keys.name().to_owned() }),
        Ok(Some((record, version))) => {
            let unsealed = record.unsealed_after();
            (LeaseRecord { released_at: Some(now), unsealed, ..record }, Condition::Matches(version))
        }
        Err(StoreError::Corrupt { .. }) => {
            let Some(object) = store.get(&keys.lock).await? else {
                return Err(BreakError::Free { cluster: keys.name().to_owned() });
            };
            let epoch = expected.max(journal::last_epoch(store, keys).await?);
            let record = LeaseRecord {
                epoch,
                holder: by,
                acquired_at: now,
                renewed_at: now,
                ttl_s: 0,
                released_at: Some(now),
                unsealed: vec![epoch],
                state: None,
            };
            (record, Condition::Matches(object.version))
        }
        Err(error) => return Err(error.into()),
    };
    let bytes = envelope::seal(&keys.lock, &record)?;
    settle::put(store, &keys.lock, bytes, condition, Patience::default()).await?;
    Ok(())
}
