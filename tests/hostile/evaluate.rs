//! What Terraform would make of a module: HCL files back to arguments.
//!
//! Covers what the export writes and refuses the rest: literals, templates, `jsonencode`, the encodings, `file`,
//! `replace` and references.

use std::collections::BTreeMap;

use clusterctl_core::value::{ENCODING, JSON, OUTPUT, TEXT};
use serde_json::{Map, Value, json};

use super::parse::{self, Expression, Piece, Structure};

/// A module as values.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The arguments of each resource and data source, by address. A nested block is an item of a list.
    pub(super) blocks: BTreeMap<String, Value>,
    /// Every other block, by keyword and labels: `variable region`.
    pub(super) others: BTreeMap<String, Value>,
}

/// Reads all files of an export.
pub(super) fn module(files: &BTreeMap<String, String>) -> Result<Module, String> {
    let mut structures = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".tf")) {
        structures.extend(parse::file(text).map_err(|e| format!("{name} is not HCL: {e}"))?);
    }
    let mut reader = Reader { files, variables: BTreeMap::new() };
    for structure in &structures {
        if let Structure::Block { keyword, labels, body } = structure
            && keyword == "variable"
        {
            let default = reader.body(body)?.get("default").cloned().unwrap_or_default();
            reader.variables.insert(labels.join(" "), default);
        }
    }
    let mut module = Module::default();
    for structure in &structures {
        let Structure::Block { keyword, labels, body } = structure else {
            return Err(format!("{structure:?} outside of a block"));
        };
        let (name, known) = match (keyword.as_str(), labels.as_slice()) {
            ("resource", [kind, name]) => (format!("{kind}.{name}"), &mut module.blocks),
            ("data", [kind, name]) => (format!("data.{kind}.{name}"), &mut module.blocks),
            (keyword, labels) => (format!("{keyword} {}", labels.join(" ")).trim().to_owned(), &mut module.others),
        };
        if known.insert(name.clone(), reader.body(body)?).is_some() {
            return Err(format!("{name} stands there twice"));
        }
    }
    Ok(module)
}

struct Reader<'a> {
    files: &'a BTreeMap<String, String>,
    variables: BTreeMap<String, Value>,
}

/// Text of literals and outputs.
type Parts = Vec<Value>;

impl Reader<'_> {
    fn body(&self, body: &[Structure]) -> Result<Value, String> {
        let mut out = Map::new();
        for structure in body {
            match structure {
                Structure::Argument(name, expression) => {
                    if out.insert(name.clone(), self.value(expression)?).is_some() {
                        return Err(format!("the argument {name} twice"));
                    }
                }
                Structure::Block { keyword, labels, body } => {
                    let name = [std::slice::from_ref(keyword), labels].concat().join(" ");
                    let list = out.entry(name).or_insert_with(|| json!([]));
                    let Value::Array(list) = list else { return Err("a block and an argument of one name".to_owned()) };
                    list.push(self.body(body)?);
                }
            }
        }
        Ok(Value::Object(out))
    }

    fn value(&self, expression: &Expression) -> Result<Value, String> {
        Ok(match expression {
            Expression::Constant(value) => value.clone(),
            Expression::List(items) => items.iter().map(|item| self.value(item)).collect::<Result<Value, _>>()?,
            Expression::Object(items) => {
                let mut out = Map::new();
                for (key, item) in items {
                    let key = self.literal(key)?;
                    if out.insert(key.clone(), self.value(item)?).is_some() {
                        return Err(format!("the key {key:?} twice"));
                    }
                }
                Value::Object(out)
            }
            Expression::Template(pieces) => {
                let mut parts = Vec::new();
                for piece in pieces {
                    match piece {
                        Piece::Literal(text) => parts.push(json!(text)),
                        Piece::Slot(expression) => parts.extend(self.parts(expression)?),
                    }
                }
                text(parts, "plain")
            }
            Expression::Call(name, arguments) => self.call(name, arguments)?,
            Expression::Reference(words) => match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                // A type of a variable.
                [word] => json!({ "$word": word }),
                ["var", name] => {
                    self.variables.get(*name).cloned().ok_or_else(|| format!("var.{name} is not declared"))?
                }
                words => json!({ OUTPUT: words.join(".") }),
            },
        })
    }

    fn literal(&self, expression: &Expression) -> Result<String, String> {
        match self.value(expression)? {
            Value::String(text) => Ok(text),
            other => Err(format!("{other} where a literal is wanted")),
        }
    }

    /// Whatever stands where text is wanted.
    fn parts(&self, expression: &Expression) -> Result<Parts, String> {
        let value = self.value(expression)?;
        match (value.get(TEXT), value.get(ENCODING).and_then(Value::as_str)) {
            (Some(Value::Array(parts)), Some("plain")) => Ok(parts.clone()),
            (None, None) => Ok(vec![value]),
            _ => Err(format!("{value} inside a text")),
        }
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Result<Value, String> {
        Ok(match (name, arguments) {
            ("jsonencode", [document]) => json!({ JSON: self.value(document)? }),
            ("base64encode", [inner]) => text(self.parts(inner)?, "base64"),
            ("base64gzip", [inner]) => text(self.parts(inner)?, "gzip+base64"),
            ("sha256", [inner]) => text(self.parts(inner)?, "sha256"),
            // Types of variables.
            ("list" | "map", [of]) => json!({ "$word": [name, self.value(of)?] }),
            ("file", [path]) => match self.parts(path)?.as_slice() {
                [module, Value::String(path)] if *module == json!({ OUTPUT: "path.module" }) => {
                    let content = path.strip_prefix('/').and_then(|path| self.files.get(path));
                    json!(content.ok_or_else(|| format!("{path} is not there"))?)
                }
                other => return Err(format!("a file outside of the module: {other:?}")),
            },
            ("replace", [whole, mark, by]) => {
                let (mark, by) = (self.literal(mark)?, self.value(by)?);
                let mut parts = Vec::new();
                for part in self.parts(whole)? {
                    let Value::String(text) = part else {
                        parts.push(part);
                        continue;
                    };
                    for (at, piece) in text.split(&mark).enumerate() {
                        if at > 0 {
                            parts.push(by.clone());
                        }
                        parts.push(json!(piece));
                    }
                }
                text(parts, "plain")
            }
            _ => return Err(format!("{name} with {} arguments", arguments.len())),
        })
    }
}

/// A text in one form: neighbouring literals are one, nothing is empty, and what is no more than a literal or an output
/// is just that.
pub(super) fn text(parts: Parts, encoding: &str) -> Value {
    let mut whole: Parts = Vec::new();
    for part in parts {
        match (whole.last_mut(), &part) {
            (_, Value::String(text)) if text.is_empty() => {}
            (Some(Value::String(before)), Value::String(text)) => before.push_str(text),
            _ => whole.push(part),
        }
    }
    match (whole.as_slice(), encoding) {
        ([], "plain") => json!(""),
        ([only], "plain") => only.clone(),
        _ => json!({ TEXT: whole, ENCODING: encoding }),
    }
}
