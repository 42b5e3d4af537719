//! The graph read aloud as Terraform: file name to text, and nothing written anywhere.
//!
//! ```text
//! Graph ─resource─▶ Block ┐
//! Settings ─module─▶ Body ┴─layout─▶ text as `terraform fmt` leaves it
//! ```
//! - [`settings`] what the export is told beside the graph: provider, variables, outputs, imports
//! - `expression` a value with outputs, texts and documents as an HCL expression
//! - `text` quoting, and the scripts that become files of their own
//! - `resource` one node as a block; `module` the files around them; `readme` the page for people
//! - `layout` HCL values as text
//!
//! HCL is built as values; only `layout` and `text` know how it is spelt. The same graph and settings give the same
//! bytes.

use std::collections::BTreeMap;

use hcl::structure::Body;

use crate::addr::Addr;
use crate::graph::{Graph, GraphError};

mod expression;
mod layout;
mod module;
mod readme;
mod resource;
pub mod settings;
mod text;

#[cfg(test)]
mod tests;

pub use settings::{Backend, Output, Place, ProviderPin, Replacement, Settings, VAR, Variable, VariableType, variable};

use expression::Writer;

/// Why a value cannot be said in HCL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("`{0}` is no HCL identifier")]
    NotIdentifier(String),
    #[error("`{0}` is a nested block, so it must be an object or a list of objects")]
    NotABlock(String),
    #[error("a `{0}` value that is not in its form")]
    Malformed(&'static str),
    #[error("a digest, which is only ever observed")]
    Observed,
    #[error("variable `{0}` is not declared")]
    UnknownVariable(String),
    #[error("`{0}` is declared twice")]
    Twice(String),
    #[error("it is not there, or not what variable `{0}` is by default")]
    NotTheDefault(String),
    #[error("a number that HCL cannot hold")]
    Number,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error("{at} cannot be exported: {fault}")]
    Value { at: String, fault: Fault },
    #[error("{at} mentions {mentioned}, which is not in the graph")]
    Dangling { at: String, mentioned: Addr },
    #[error("{0} has an id to import but is not a managed node of the graph")]
    Import(Addr),
}

/// The Terraform module of a graph: file name to text.
///
/// A node's first rung is what is exported: Terraform has no ladder. Scripts stand under `files/`, each once. The text
/// is what `terraform fmt` leaves unchanged.
///
/// # Errors
/// A fault in the graph or the settings, which is a fault in the code that built them, with the place.
pub fn export(graph: &Graph, settings: &Settings) -> Result<BTreeMap<String, String>, ExportError> {
    graph.order()?;
    let mut writer = Writer::new(graph, settings);
    let mut bodies: BTreeMap<String, Body> = BTreeMap::new();
    let mut contents: BTreeMap<String, Vec<Addr>> = BTreeMap::new();
    for node in graph.iter() {
        let block = resource::block(&mut writer, node)?;
        let file = node.concern.file().to_owned();
        bodies.entry(file.clone()).or_default().0.push(block.into());
        contents.entry(file).or_default().push(node.addr.clone());
    }
    for (file, body) in module::bodies(&mut writer, graph)? {
        bodies.insert(file.to_owned(), body);
    }
    let mut files: BTreeMap<String, String> =
        bodies.iter().map(|(file, body)| (file.clone(), layout::file(body))).collect();
    if let Some(backend) = module::backend(&mut writer)? {
        files.entry(module::VERSIONS.to_owned()).or_default().push_str(&layout::commented(&backend));
    }
    let scripts = writer.into_scripts();
    files.insert("README.md".to_owned(), readme::text(graph, settings, &contents, scripts.keys()));
    files.extend(scripts);
    Ok(files)
}
