//! Where the documents of a cluster lie in a store.
//!
//! ```text
//! clusters/<name>/state.json
//! clusters/<name>/lock.json
//! clusters/<name>/journal/<epoch>-<seq>.json
//! clusters/<name>/timeline.json
//! ```

use super::error::StoreError;
use super::key::{Key, KeyError};
use super::object::Store;

/// The keys of one cluster's documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterKeys {
    name: String,
    root: Key,
    pub state: Key,
    pub lock: Key,
    pub journal: Key,
    pub timeline: Key,
}

impl ClusterKeys {
    /// The keys of the cluster with this name.
    pub fn new(name: &str) -> Result<Self, KeyError> {
        if name.contains('/') {
            return Err(KeyError { text: name.into(), problem: "a cluster's name holds no '/'" });
        }
        let root = clusters()?.join(name)?;
        Ok(Self {
            name: name.into(),
            state: root.join("state.json")?,
            lock: root.join("lock.json")?,
            journal: root.join("journal")?,
            timeline: root.join("timeline.json")?,
            root,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key above all of the cluster's documents.
    pub fn root(&self) -> &Key {
        &self.root
    }
}

fn clusters() -> Result<Key, KeyError> {
    Key::parse("clusters")
}

/// Finds every cluster that has a document with this file name, in order of name.
pub(super) async fn clusters_with(store: &dyn Store, file: &str) -> Result<Vec<ClusterKeys>, StoreError> {
    let clusters = clusters()?;
    let keys = store.list(&clusters).await?;
    let names = keys.iter().filter_map(|key| key.below(&clusters)?.strip_suffix(file)?.strip_suffix('/'));
    names.filter(|name| !name.contains('/')).map(|name| Ok(ClusterKeys::new(name)?)).collect()
}
