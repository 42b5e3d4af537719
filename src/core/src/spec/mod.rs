//! What the user wrote: the cluster file, version 1, read strictly.
//!
//! ```text
//! text ─tree─▶ Node (every value with its place) ─check against schema─▶ serde_json::Value ─serde─▶ Spec
//! ```
//! - [`types`] the file as types, with [`network`] and [`machines`]; [`options`] what only one cloud has; [`words`] the
//!   closed vocabularies
//! - [`schema()`] the JSON Schema that the types make
//! - [`explain()`] what a field means; [`scaffold`] a file for a user to keep; [`SpecDraft`] a file in a few words
//! - [`read()`] text to a [`Document`]; [`problem`] what is wrong with a file, where, and what would be right

mod check;
mod draft;
mod explain;
pub mod machines;
pub mod network;
pub mod options;
mod path;
mod print;
pub mod problem;
mod read;
mod schema;
mod shape;
mod tree;
pub mod types;
pub mod words;

pub use draft::SpecDraft;
pub use explain::{FieldHelp, explain, nearest_field};
pub use machines::*;
pub use network::*;
pub use options::{AwsGroupOptions, AwsOptions, CloudOptions, GroupOptions};
pub(crate) use path::{field, item};
pub(crate) use print::print;
pub use print::scaffold;
pub use problem::{Problem, Problems, Span};
pub use read::{Document, read};
pub use schema::{SCHEMA_ID, schema};
pub use types::*;

#[cfg(test)]
pub(crate) mod tests;
