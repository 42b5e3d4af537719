//! The blueprint: every decision about a cluster, in no cloud's words.
//!
//! ```text
//! Cluster + Choices ─design─▶ Blueprint ─lower (per cloud)─▶ Graph
//! ```
//! - `types` what a blueprint consists of; a provider destructures each intent completely, so that a new one does not
//!   compile until every cloud answers it
//! - `addresses` the one allocator that cuts the network
//! - `firewall` the table of intents, default deny, each with its reason
//! - `node` what each machine's script is told
//! - [`design`] puts them together

mod addresses;
mod design;
mod firewall;
mod node;
mod types;

pub use addresses::{Cut, ZoneBlocks, cut};
pub use design::{CloudTraits, DesignError, design};
pub use node::GROUP_LABEL;
pub use types::*;

#[cfg(test)]
mod tests;
