//! A cluster with every default filled in and every rule checked.
//!
//! ```text
//! Spec ─resolve─▶ Cluster, or every rule that is broken
//! ```
//! - [`types`] what a [`Cluster`] consists of; [`Notes`] where its defaults came from and what deserves a warning
//! - [`resolve()`] the order of things; `network`, `access`, `machines`, `groups` the defaults and rules of each part
//! - [`Cluster::to_spec`], [`Cluster::to_yaml`] the file again, with every default written out
//! - [`addresses`] whether there are addresses enough; `clouds` the few facts about clouds that rules need

mod access;
pub mod addresses;
mod clouds;
mod full;
mod groups;
mod machines;
mod network;
mod notes;
mod resolve;
pub mod types;

pub use addresses::Room;
pub use full::Comments;
pub use notes::Notes;
pub use resolve::{resolve, resolve_document};
pub use types::*;

#[cfg(test)]
mod tests;
