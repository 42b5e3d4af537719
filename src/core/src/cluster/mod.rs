//! A cluster with every default filled in and every rule checked.
//!
//! - [`types`] what a [`Cluster`] consists of; [`Notes`] where its defaults came from and what deserves a warning

mod notes;
pub mod types;

pub use notes::Notes;
pub use types::*;
