//! What the user wrote: the cluster file, version 1, read strictly.
//!
//! ```text
//! text ─tree─▶ Node (every value with its place) ─check against schema─▶ serde_json::Value ─serde─▶ Spec
//! ```
//! - [`types`] the file as types; [`options`] what only one cloud has; [`words`] the closed vocabularies
//! - [`schema()`] the JSON Schema that the types make
//! - [`read()`] text to a [`Document`]; [`problem`] what is wrong with a file, where, and what would be right

mod check;
pub mod options;
mod path;
pub mod problem;
mod read;
mod schema;
mod shape;
mod tree;
pub mod types;
pub mod words;

pub use options::{AwsGroupOptions, AwsOptions, CloudOptions, GroupOptions};
pub(crate) use path::{field, item};
pub use problem::{Problem, Problems, Span};
pub use read::{Document, read};
pub use schema::{SCHEMA_ID, schema};
pub use types::*;
