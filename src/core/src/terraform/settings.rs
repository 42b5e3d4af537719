//! What an export is told beside the graph.
//!
//! A value here is JSON as in the graph, with one further single-key object: `{"$var": "region"}` is `var.region`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::addr::Addr;

pub const VAR: &str = "$var";

/// The value of a variable.
#[must_use]
pub fn variable(name: &str) -> Value {
    json!({ VAR: name })
}

/// The provider, its pin and its configuration.
#[derive(Debug, Clone)]
pub struct ProviderPin {
    pub name: String,
    /// As in the registry: `hashicorp/aws`.
    pub source: String,
    /// A constraint with an upper bound: `~> 6.10`.
    pub version: String,
    pub config: Vec<(String, Value)>,
    /// Arguments of the configuration that are nested blocks.
    pub blocks: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableType {
    String,
    Number,
    Bool,
    ListOfString,
    MapOfString,
}

#[derive(Debug, Clone)]
pub struct Variable {
    pub name: String,
    pub of: VariableType,
    pub description: String,
    /// Without one, Terraform asks.
    pub default: Option<Value>,
}

#[derive(Debug, Clone)]
pub struct Output {
    pub name: String,
    pub description: String,
    /// May mention outputs of nodes.
    pub value: Value,
}

/// Where a literal gives way to a variable.
#[derive(Debug, Clone)]
pub enum Place {
    /// Every whole string in an argument that equals the variable's default.
    Everywhere,
    /// One argument of one node, by JSON pointer: `/desired_capacity`. It must equal the default.
    Argument { of: Addr, pointer: String },
}

/// A literal of the graph that is written as a variable whose default is that literal, so that nothing changes until
/// the user changes the variable.
#[derive(Debug, Clone)]
pub struct Replacement {
    pub variable: String,
    pub place: Place,
}

/// A backend that the user may switch on; written as a comment.
#[derive(Debug, Clone)]
pub struct Backend {
    pub name: String,
    pub config: Vec<(String, Value)>,
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// The title of the README, such as the cluster's name.
    pub title: String,
    pub provider: ProviderPin,
    /// Import blocks need at least 1.5.
    pub required_version: String,
    pub variables: Vec<Variable>,
    pub outputs: Vec<Output>,
    pub replacements: Vec<Replacement>,
    /// Ids of live resources, in the form that the provider's import takes.
    pub imports: Option<BTreeMap<Addr, String>>,
    pub backend: Option<Backend>,
}
