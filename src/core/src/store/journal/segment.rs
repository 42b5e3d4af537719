//! The objects that the journal is made of.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::store::envelope::Document;
use crate::store::{ClusterKeys, Key, KeyError};

/// Which segment: the `seq`-th, from 0, that was written under an epoch of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentId {
    pub epoch: u64,
    pub seq: u64,
}

/// Records that were written together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub at: Timestamp,
    /// Set in the last segment of an epoch whose run did not end properly: the epoch that ended it.
    pub sealed_by: Option<u64>,
    pub records: Vec<Record>,
}

impl Document for Segment {
    const FORMAT: &'static str = "clusterctl.dev/journal";
    const VERSION: u32 = 1;
}

impl SegmentId {
    /// Where the segment lies. Keys sort like segments.
    pub fn key(self, keys: &ClusterKeys) -> Result<Key, KeyError> {
        keys.journal.join(&format!("{:010}-{:08}.json", self.epoch, self.seq))
    }

    /// The segment that lies at this key, if one does.
    pub fn at(keys: &ClusterKeys, key: &Key) -> Option<Self> {
        let (epoch, seq) = key.below(&keys.journal)?.strip_suffix(".json")?.split_once('-')?;
        Some(Self { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}
