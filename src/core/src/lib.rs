//! The middle of clusterctl: values and pure functions, and the engine that carries a plan out.
//!
//! ```text
//! cluster.yaml ─spec─▶ Spec ─cluster─▶ Cluster ─blueprint─▶ Blueprint ─(provider lowers)─▶ graph ─┬─▶ plan ─▶ engine
//!                                                                                                └─▶ terraform
//! ```
//! - [`spec`] what the user wrote; [`cluster`] the same with every default filled and every rule checked;
//!   [`names`] the newtypes of both
//! - [`machine`] machine types and how a request becomes one
//! - [`bootstrap`] the script a node runs
//! - [`store`] where state, journal and lock live
//! - [`timeline`] where the time of a run went
//!
//! This crate talks to no cloud, prints nothing, reads no environment and never exits.

pub mod addr;
pub mod blueprint;
pub mod bootstrap;
pub mod choices;
pub mod cloud;
pub mod cluster;
pub mod engine;
pub mod graph;
#[cfg(test)]
#[path = "../../../tests/hostile/strings.rs"]
pub mod hostile;
pub mod machine;
pub mod names;
pub mod plan;
pub mod provider;
pub mod spec;
pub mod store;
pub mod terraform;
pub mod timeline;
pub mod transport;
pub mod value;
