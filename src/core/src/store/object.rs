//! The seam to whatever keeps the objects.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use super::error::StoreError;
use super::key::Key;

/// Which content of an object is meant; opaque, compared only for equality.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(pub String);

/// A stored object as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bytes: Bytes,
    pub version: Version,
}

/// When a write may take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Any,
    /// No object has the key.
    Absent,
    /// The object is still this version.
    Matches(Version),
}

impl Condition {
    /// Whether the condition holds for what is there now.
    pub fn allows(&self, current: Option<&Version>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => current.is_none(),
            Self::Matches(version) => current == Some(version),
        }
    }
}

/// Keeps whole objects and replaces them atomically.
///
/// The contract that state, journal and lock stand on: a write is seen whole or not at all; when `put` returns, the
/// object survives a crash; of several writers under the same condition exactly one succeeds; a read that starts after
/// a write has returned sees it. Deletion has no condition, because not every store can honour one there: only objects
/// that nobody changes any more are ever deleted.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Reads an object; `None` where there is none.
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError>;

    /// Writes an object if the condition holds, else fails with [`StoreError::Conflict`] and changes nothing.
    async fn put(&self, key: &Key, bytes: Bytes, condition: Condition) -> Result<Version, StoreError>;

    /// Removes an object; it is no error if there is none.
    async fn delete(&self, key: &Key) -> Result<(), StoreError>;

    /// Names all objects below `above`, in order.
    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError>;

    /// Says where the objects lie, for people: a path or a URL.
    fn describe(&self) -> String;
}
