//! Compares a tree with the schema, and turns it into the values that the types are made from.
//!
//! One walk does both: wherever the schema is followed, the value comes out as the kind that the schema says
//! (`kubernetes: 1.30` as text, `count: 3` as a number), and everything that is wrong is noted, not only the first.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::path;
use super::problem::{Problem, Span};
use super::shape::{FieldShape, Shape};
use super::tree::{Content, Field, Node, Style};
use crate::names::{self, shown};

/// The outcome of a walk. `value` is complete only when there are no problems.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) value: Value,
    pub(super) problems: Vec<Problem>,
    pub(super) spans: BTreeMap<String, Span>,
}

/// Checks a whole file against the schema.
pub(super) fn check(root: &Node) -> Checked {
    let mut walk = Walk::default();
    walk.spans.insert(String::new(), first_line(root.span));
    let value = walk.value("", &Shape::of(super::shape::root()), root);
    Checked { value, problems: walk.problems, spans: walk.spans }
}

#[derive(Default)]
struct Walk {
    problems: Vec<Problem>,
    spans: BTreeMap<String, Span>,
}

impl Walk {
    fn value(&mut self, path: &str, shape: &Shape, node: &Node) -> Value {
        if let (Content::Scalar { text, style: Style::Plain }, false) =
            (&node.content, matches!(shape, Shape::Either(_)))
            && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
        {
            self.refuse(path, node, "has no value", format!("{}, or leave the line out", shape.called()));
            return Value::Null;
        }
        match (shape, &node.content) {
            (Shape::Either(shapes), _) => {
                // The branches of a union differ in kind, so that at most one takes this kind of value.
                match shapes.iter().find(|shape| takes(shape, node)) {
                    Some(shape) => self.value(path, shape, node),
                    None => self.other_kind(path, shape, node),
                }
            }
            (Shape::Object(fields), Content::Mapping(found)) => self.object(path, fields, found),
            (Shape::Map { key_format, value, most }, Content::Mapping(found)) => {
                if let Some(most) = most
                    && found.len() as u64 > *most
                {
                    self.refuse(path, node, format!("has {} entries", found.len()), format!("at most {most}"));
                }
                self.map(path, key_format, value, found)
            }
            (Shape::List { item, least, most }, Content::Sequence(items)) => {
                let count = items.len() as u64;
                if count < *least {
                    self.refuse(path, node, "is an empty list", "at least one item, or leave the line out");
                }
                if let Some(most) = most
                    && count > *most
                {
                    self.refuse(path, node, format!("has {count} items"), format!("at most {most}"));
                }
                let shape = Shape::of(item);
                Value::Array(items.iter().enumerate().map(|(at, item)| self.item(path, at, &shape, item)).collect())
            }
            (Shape::Text { format, .. }, Content::Scalar { text, .. }) => {
                if let Some(Err(invalid)) = names::check(format, text) {
                    self.refuse(path, node, invalid.to_string(), invalid.right());
                }
                Value::String(text.clone())
            }
            (Shape::Words(words), Content::Scalar { text, .. }) => {
                if !words.iter().any(|(word, _)| word == text) {
                    let near = nearest(text, words.iter().map(|(word, _)| *word));
                    let also = near.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
                    self.refuse(path, node, format!("{} is not known here{also}", shown(text)), shape.called());
                }
                Value::String(text.clone())
            }
            (Shape::Integer { least, most }, Content::Scalar { text, style: Style::Plain }) => {
                self.integer(path, shape, (*least, *most), text, node)
            }
            (Shape::Boolean, Content::Scalar { text, style: Style::Plain }) => match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                other => {
                    let right = match other.to_ascii_lowercase().as_str() {
                        "yes" | "on" | "y" | "true" => "true",
                        "no" | "off" | "n" | "false" => "false",
                        _ => "true or false",
                    };
                    self.refuse(path, node, format!("{} is not true or false", shown(other)), right);
                    Value::Null
                }
            },
            (Shape::Integer { .. } | Shape::Boolean, Content::Scalar { text, style: Style::Quoted }) => {
                self.refuse(path, node, format!("{} is text, because of the quotes", shown(text)), shape.called());
                Value::Null
            }
            _ => self.other_kind(path, shape, node),
        }
    }

    fn item(&mut self, list: &str, at: usize, shape: &Shape, node: &Node) -> Value {
        let path = path::item(list, at);
        let place = match &node.content {
            Content::Scalar { .. } => node.span,
            Content::Sequence(_) | Content::Mapping(_) => first_line(node.span),
        };
        self.spans.insert(path.clone(), place);
        self.value(&path, shape, node)
    }

    fn object(&mut self, path: &str, shapes: &[FieldShape], found: &[Field]) -> Value {
        let mut out = Map::new();
        let mut meant: Vec<&str> = Vec::new();
        // A field that is there already is not what another one was meant to be.
        let present: Vec<&str> =
            shapes.iter().map(|shape| shape.name).filter(|name| found.iter().any(|field| field.key == *name)).collect();
        for field in found {
            let here = self.place(path, field);
            match shapes.iter().find(|shape| shape.name == field.key) {
                Some(shape) => {
                    let value = self.value(&here, &Shape::of(shape.schema), &field.value);
                    out.insert(field.key.clone(), value);
                }
                None => {
                    let free = shapes.iter().map(|shape| shape.name).filter(|name| !present.contains(name));
                    let near = nearest(&field.key, free);
                    meant.extend(near);
                    let message = match near {
                        Some(near) => format!("unknown field {}, did you mean {near}?", shown(&field.key)),
                        None => format!("unknown field {}", shown(&field.key)),
                    };
                    let right = match near {
                        Some(near) => near.to_owned(),
                        None => format!("one of {}", shapes.iter().map(|s| s.name).collect::<Vec<_>>().join(", ")),
                    };
                    self.problems.push(Problem::at(here, message).right(right).spanning(field.key_span));
                }
            }
        }
        for shape in shapes {
            let there = present.contains(&shape.name) || meant.contains(&shape.name);
            if shape.required && !there {
                let problem = Problem::at(path::field(path, shape.name), format!("{} is missing", shape.name));
                let problem = problem.right(format!("{}: {}", shape.name, Shape::of(shape.schema).called()));
                self.problems.push(match self.spans.get(path) {
                    Some(span) => problem.spanning(*span),
                    None => problem,
                });
            }
        }
        Value::Object(out)
    }

    fn map(&mut self, path: &str, key_format: &str, value: &'static Value, found: &[Field]) -> Value {
        let shape = Shape::of(value);
        let mut out = Map::new();
        for field in found {
            let here = self.place(path, field);
            if let Some(Err(invalid)) = names::check(key_format, &field.key) {
                self.problems.push(
                    Problem::at(here.as_str(), format!("the key {invalid}"))
                        .right(invalid.right())
                        .spanning(field.key_span),
                );
            }
            let value = self.value(&here, &shape, &field.value);
            out.insert(field.key.clone(), value);
        }
        Value::Object(out)
    }

    /// Remembers where a field stands: a scalar at its value, anything longer at its key.
    fn place(&mut self, path: &str, field: &Field) -> String {
        let here = path::field(path, &field.key);
        let at_value =
            matches!(&field.value.content, Content::Scalar { .. }) && field.value.span.end > field.value.span.start;
        self.spans.insert(here.clone(), if at_value { field.value.span } else { field.key_span });
        here
    }

    fn integer(&mut self, path: &str, shape: &Shape, (least, most): (i64, i64), text: &str, node: &Node) -> Value {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let decimal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let padded = digits.len() > 1 && digits.starts_with('0');
        let number = if decimal && !padded { text.parse::<i64>().ok() } else { None };
        match number {
            Some(number) if (least..=most).contains(&number) => Value::from(number),
            Some(number) => {
                let side = if number < least { "too small" } else { "too large" };
                self.refuse(path, node, format!("{number} is {side}"), shape.called());
                Value::Null
            }
            None => {
                self.refuse(path, node, format!("{} is not a whole number", shown(text)), shape.called());
                Value::Null
            }
        }
    }

    fn other_kind(&mut self, path: &str, shape: &Shape, node: &Node) -> Value {
        let kind = match &node.content {
            Content::Scalar { text, .. } if text.is_empty() => "nothing".to_owned(),
            Content::Scalar { text, .. } => format!("the word {}", shown(text)),
            Content::Sequence(_) => "a list".to_owned(),
            Content::Mapping(_) => "a set of fields".to_owned(),
        };
        self.refuse(path, node, format!("{kind} cannot stand here"), shape.called());
        Value::Null
    }

    fn refuse(&mut self, path: &str, node: &Node, message: impl Into<String>, right: impl Into<String>) {
        // A value that spans lines is shown at its key.
        let empty = node.span.start == node.span.end;
        let place = match (&node.content, self.spans.get(path)) {
            (Content::Scalar { .. }, _) if !empty => node.span,
            (_, Some(key)) => *key,
            (_, None) => first_line(node.span),
        };
        self.problems.push(Problem::at(path, message).right(right).spanning(place));
    }
}

/// Whether a branch of a union takes this kind of value.
fn takes(shape: &Shape, node: &Node) -> bool {
    match (shape, &node.content) {
        (Shape::Object(_) | Shape::Map { .. }, Content::Mapping(_)) => true,
        (Shape::List { .. }, Content::Sequence(_)) => true,
        (Shape::Text { .. } | Shape::Words(_) | Shape::Integer { .. } | Shape::Boolean, Content::Scalar { .. }) => true,
        (Shape::Either(shapes), _) => shapes.iter().any(|shape| takes(shape, node)),
        _ => false,
    }
}

/// The word that was probably meant, if one is near enough.
pub(super) fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // `node_groups`, `NodeGroups` and `node-groups` are all nodeGroups.
    let flat = |text: &str| {
        text.chars().take(80).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    let wanted = flat(text);
    words
        .map(|word| (strsim::normalized_damerau_levenshtein(&flat(word), &wanted), word))
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// The first character of something that spans lines.
fn first_line(span: Span) -> Span {
    Span { end: span.end.min(span.start + 1), ..span }
}
