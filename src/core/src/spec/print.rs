//! Prints a cluster file: YAML that reads back as the same thing, with comments beside what deserves one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::path;
use super::schema::SCHEMA_ID;
use super::types::Spec;

/// Prints a cluster file for a user to keep and change.
///
/// It holds what `spec` says and no default, below the line that lets editors check it against the schema.
pub fn scaffold(spec: &Spec) -> String {
    format!("# yaml-language-server: $schema={SCHEMA_ID}\n{}", print(spec, &BTreeMap::new()))
}

/// Prints a cluster file with a comment at the end of the lines of some paths.
pub(crate) fn print(spec: &Spec, comments: &BTreeMap<String, String>) -> String {
    // Maps of the file have words as keys, so that this cannot fail.
    let value = serde_json::to_value(spec).unwrap_or_default();
    let mut printer = Printer { out: String::new(), comments };
    printer.fields("", 0, &value);
    printer.out
}

/// A line is not made longer than this by putting a small mapping or list on it.
const LINE: usize = 100;

struct Printer<'a> {
    out: String,
    comments: &'a BTreeMap<String, String>,
}

impl Printer<'_> {
    /// The fields of a mapping, each from the start of a line.
    fn fields(&mut self, path: &str, indent: usize, value: &Value) {
        let Value::Object(map) = value else { return };
        for (at, (key, inner)) in map.iter().enumerate() {
            // The first field of a list's item stands behind the item's dash already.
            if at > 0 || !self.out.ends_with("- ") {
                self.out.extend(std::iter::repeat_n(' ', indent));
            }
            self.out.push_str(&scalar(key));
            self.out.push(':');
            self.after_key(&path::field(path, key), indent, inner);
        }
    }

    /// What stands behind a key: on the same line when it is short, else below.
    fn after_key(&mut self, path: &str, indent: usize, value: &Value) {
        match self.on_one_line(path, indent, value) {
            Some(text) => {
                self.out.push(' ');
                self.out.push_str(&text);
                self.end_line(path);
            }
            None => {
                self.end_line(path);
                match value {
                    Value::Array(items) => self.items(path, indent + 2, items),
                    other => self.fields(path, indent + 2, other),
                }
            }
        }
    }

    fn items(&mut self, path: &str, indent: usize, items: &[Value]) {
        for (at, value) in items.iter().enumerate() {
            let here = path::item(path, at);
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.out.push_str("- ");
            match value {
                Value::Object(map) if !map.is_empty() => self.fields(&here, indent + 2, value),
                other => {
                    self.out.push_str(&flow(other));
                    self.end_line(&here);
                }
            }
        }
    }

    fn end_line(&mut self, path: &str) {
        if let Some(comment) = self.comments.get(path) {
            // A comment is one line whatever it holds.
            let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            // Writing to a String cannot fail.
            let _ = write!(self.out, "  # {comment}");
        }
        self.out.push('\n');
    }

    /// A value as it stands behind its key, unless it is long, nested or has comments inside.
    fn on_one_line(&self, path: &str, indent: usize, value: &Value) -> Option<String> {
        let short = match value {
            Value::Object(map) => map.values().all(|inner| !is_collection(inner)),
            Value::Array(items) => items.iter().all(|inner| !is_collection(inner)),
            _ => return Some(scalar_value(value)),
        };
        let empty = matches!(value, Value::Object(map) if map.is_empty());
        let text = flow(value);
        let top = indent < 4 && matches!(value, Value::Object(_)) && !empty;
        let commented = self.comments.keys().any(|other| other.len() > path.len() && other.starts_with(path));
        (short && !top && !commented && indent + text.len() <= LINE).then_some(text)
    }
}

fn is_collection(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// A value on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(key, inner)| format!("{}: {}", scalar(key), flow(inner))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => scalar_value(other),
    }
}

fn scalar_value(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text as YAML: bare where no reader of YAML 1.1 or 1.2 takes it for anything else, else in double quotes.
fn scalar(text: &str) -> String {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let bare = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '='))
        || address(text)
        || size(text);
    let word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if (starts || address(text) || size(text)) && bare && !word {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        // Writing to a String cannot fail.
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            ' '..='~' => out.write_char(c),
            c if c.is_alphanumeric() => out.write_char(c),
            c => write!(out, "\\U{:08X}", u32::from(c)),
        };
    }
    out.push('"');
    out
}

/// `10.20.0.0/16`: with the slash no reader takes it for a number.
fn address(text: &str) -> bool {
    text.contains('/')
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '/'))
}

/// `16Gi`, `8h`: with a unit no reader takes it for a number. (`1e3` has none of these units.)
fn size(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < text.len() && matches!(unit, "Mi" | "Gi" | "Ti" | "d" | "h" | "m" | "s")
}
