//! What the user wrote: the cluster file, version 1, read strictly.
//!
//! - [`types`] the file as types; [`options`] what only one cloud has; [`words`] the closed vocabularies
//! - [`problem`] what is wrong with a file, where, and what would be right

pub mod options;
pub mod problem;
pub mod types;
pub mod words;

pub use options::{AwsGroupOptions, AwsOptions, CloudOptions, GroupOptions};
pub use problem::{Problem, Problems, Span};
pub use types::*;
