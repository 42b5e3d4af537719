//! The script a node runs, from boot to member of a cluster.
//!
//! ```text
//! NodeConfig ─render─▶ Rendered (text and slots) ─(graph fills the slots)─▶ user-data ─▶ the node
//!     release table ▲      ▲ documents (kubeadm, audit, ...)                               │ console lines
//!                                                                     PhaseReport ◀─console┘
//! ```
//! - [`config`] the input: plain data, no secret
//! - [`release`] pinned versions, addresses and checksums
//! - `documents` what kubeadm and the API server read, as JSON values
//! - [`render`] the templates of `templates/node`; their escape function is POSIX shell quoting
//! - [`console`] reads back the one line per phase that the script prints
//!
//! docs/decisions/0006-node-bootstrap.md says why it is built like this.

pub mod config;
pub mod console;
mod documents;
mod quote;
pub mod release;
pub mod render;

#[cfg(test)]
mod tests;

pub use config::{
    Architecture, AwsFacts, CloudFacts, CloudProvider, DataDisk, EtcdDisk, GPU_STARTUP_TAINT, GpuDriver, Mirrors,
    Networking, NodeConfig, Role, SECRET_LOCKS, SECRETS, Taint, TaintEffect, control_plane_folder, join_folder,
    secret_folder,
};
pub use console::{PhaseReport, PhaseState};
pub use release::{Artifact, Release, release, releases};
pub use render::{Part, RenderError, Rendered, SlotName, USER_DATA_LIMIT, render};
