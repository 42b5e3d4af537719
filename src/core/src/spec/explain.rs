//! What a field of the cluster file means, out of the schema.

use serde_json::Value;

use super::check::nearest;
use super::print::flow;
use super::shape::{FieldShape, Shape, follow, root, text};

/// What a field of the cluster file means.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldHelp {
    /// The field: `spec.nodeGroups[].count`.
    pub path: String,
    /// What it is, in one or a few sentences.
    pub description: String,
    /// What can stand there: "a whole number from 1 to 6, or a list".
    pub takes: String,
    /// Whether it has to be there.
    pub required: bool,
    /// What is filled in without it: a value, or in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// A value that is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// The words that can stand there, each with its meaning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<(String, String)>,
    /// The fields inside, each with what it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
}

/// Explains the field at a path such as `spec.nodeGroups.count` or `spec.nodeGroups[1].count.max`.
///
/// `None` when there is no such field; [`nearest_field`] may know which one is meant.
pub fn explain(path: &str) -> Option<FieldHelp> {
    let mut at = Place { schema: root(), required: true, path: String::new() };
    for name in names(path) {
        at = at.inner(name)?;
    }
    Some(at.help())
}

/// The path that was probably meant by one that leads nowhere.
pub fn nearest_field(path: &str) -> Option<String> {
    let mut at = Place { schema: root(), required: true, path: String::new() };
    for name in names(path) {
        at = match at.inner(name) {
            Some(inner) => inner,
            None => {
                let fields = fields_of(&Shape::of(at.schema));
                at.inner(nearest(name, fields.iter().map(|field| field.name))?)?
            }
        };
    }
    Some(at.path)
}

/// The names of a path without its indexes.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').map(|part| part.split('[').next().unwrap_or(part)).filter(|name| !name.is_empty())
}

struct Place {
    schema: &'static Value,
    required: bool,
    path: String,
}

impl Place {
    fn inner(&self, name: &str) -> Option<Self> {
        let shape = Shape::of(self.schema);
        let list = matches!(shape, Shape::List { .. });
        let field = fields_of(&shape).into_iter().find(|field| field.name == name)?;
        let path = match (self.path.is_empty(), list) {
            (true, _) => name.to_owned(),
            (false, true) => format!("{}[].{name}", self.path),
            (false, false) => format!("{}.{name}", self.path),
        };
        Some(Self { schema: field.schema, required: field.required, path })
    }

    fn help(self) -> FieldHelp {
        let shape = Shape::of(self.schema);
        let target = follow(self.schema);
        let written = |keyword: &str| text(self.schema, keyword).or_else(|| text(target, keyword));
        let default = self.schema.get("default").map(flow).or_else(|| written("x-default").map(str::to_owned));
        let item = match &shape {
            Shape::List { item, .. } => Some(Shape::of(item)),
            _ => None,
        };
        let takes = match &item {
            Some(Shape::Object(_)) | None => shape.called(),
            Some(item) => format!("a list, each {}", item.called()),
        };
        FieldHelp {
            path: self.path,
            description: written("description").unwrap_or("").to_owned(),
            takes,
            required: self.required,
            default,
            example: self.schema.pointer("/examples/0").map(plain),
            words: words_of(item.as_ref().unwrap_or(&shape)),
            fields: fields_of(&shape)
                .into_iter()
                .map(|field| {
                    let about = text(field.schema, "description").or_else(|| text(follow(field.schema), "description"));
                    (field.name.to_owned(), about.unwrap_or("").to_owned())
                })
                .collect(),
        }
    }
}

/// The fields of a shape, seen through lists and alternatives.
fn fields_of(shape: &Shape) -> Vec<FieldShape> {
    match shape {
        Shape::Object(fields) => fields.clone(),
        Shape::List { item, .. } => fields_of(&Shape::of(item)),
        Shape::Either(shapes) => shapes.iter().flat_map(fields_of).collect(),
        _ => Vec::new(),
    }
}

fn words_of(shape: &Shape) -> Vec<(String, String)> {
    match shape {
        Shape::Words(words) => words.iter().map(|(word, about)| ((*word).to_owned(), (*about).to_owned())).collect(),
        Shape::Either(shapes) => shapes.iter().flat_map(words_of).collect(),
        _ => Vec::new(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
