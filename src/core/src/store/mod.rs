//! Where state, journal and lock live, and what protects them.
//!
//! ```text
//! state   what exists, as last written down          ┐
//! journal what was intended and came of it since      ├─ envelope ─▶ Store ─▶ LocalStore, MemoryStore, a cloud's object store
//! lock    who may change the cluster, until when      ┘  (versioned, checksummed, names its own key)
//! ```
//! - [`Store`], [`Key`], [`StoreError`]: whole objects, written only if a condition holds; [`settle`] makes a write
//!   whose answer was lost certain; [`probe`] tests that a store keeps the promise
//! - [`envelope`]: the outside of every stored document
//! - [`state`], [`journal`], [`lock`]: the three documents of a cluster; [`layout`] says where each one lies
//! - [`timeline`]: how the last run went, on which nothing depends
//! - [`clock`]: the wall clock as a seam; spans of time are measured with tokio's clock
//!
//! Nothing in a store is a secret, and nothing in it is the only truth: ownership tags are. A lost store costs a
//! slower run, never a leaked resource.

pub mod clock;
pub mod envelope;
mod error;
pub mod journal;
mod key;
pub mod layout;
mod local;
pub mod lock;
mod memory;
mod object;
pub mod probe;
pub mod settle;
pub mod state;
pub mod timeline;

pub use clock::{Clock, SystemClock};
pub use error::{Damage, StoreError};
pub use key::{Key, KeyError};
pub use layout::ClusterKeys;
pub use local::LocalStore;
pub use memory::{Fault, MemoryStore};
pub use object::{Condition, Object, Store, Version};
