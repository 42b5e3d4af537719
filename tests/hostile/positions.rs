//! Every place of the cluster file where a string can stand, read off its JSON Schema.
//!
//! A field that is added to the types is in the schema and so in this list; nobody has to remember it here.

use std::sync::LazyLock;

use clusterctl_core::names;
use clusterctl_core::spec::schema;
use serde_json::{Map, Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(schema);

/// A place where a string can stand: a value, an item of a list, a key of a map, or one word of several.
#[derive(Debug, Clone)]
pub(super) struct Position {
    /// From the file as a whole inwards, each step with the schema of what it leads out of.
    steps: Vec<(&'static Value, Step)>,
    /// The newtype of [`names`] that reads it; none for a closed vocabulary.
    pub(super) format: Option<&'static str>,
    /// A string that is right there.
    pub(super) example: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Field(&'static str),
    Item,
    /// The value of an entry of a map.
    Entry,
    /// The key of one.
    Key,
}

/// A [`Position`] in one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(String),
    Index(usize),
    Key(String),
}

/// All of them, in the order of the schema.
pub(super) fn positions() -> Vec<Position> {
    let mut found = Vec::new();
    walk(&SCHEMA, &[], &mut found);
    found
}

/// Follows `$ref`, alone or in an `allOf` of one.
fn follow(schema: &'static Value) -> &'static Value {
    let target = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    match target.and_then(|target| SCHEMA.pointer(target.trim_start_matches('#'))) {
        Some(inner) => follow(inner),
        None => schema,
    }
}

fn branches(schema: &'static Value) -> Option<&'static Vec<Value>> {
    schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array)
}

fn walk(schema: &'static Value, steps: &[(&'static Value, Step)], found: &mut Vec<Position>) {
    let schema = follow(schema);
    let with = |step| [steps, &[(schema, step)]].concat();
    if let Some(branches) = branches(schema) {
        let words: Vec<&str> = branches.iter().filter_map(|branch| branch.get("const")?.as_str()).collect();
        if let Some(word) = words.first() {
            found.push(Position { steps: steps.to_vec(), format: None, example: (*word).to_owned() });
        }
        branches.iter().filter(|branch| branch.get("const").is_none()).for_each(|branch| walk(branch, steps, found));
        return;
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            if let Some(value) = entry(schema) {
                let format = schema.get("x-keys").and_then(Value::as_str);
                found.push(Position { steps: with(Step::Key), format, example: key(schema) });
                walk(value, &with(Step::Entry), found);
            }
            for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                walk(inner, &with(Step::Field(name)), found);
            }
        }
        Some("array") => {
            if let Some(items) = schema.get("items") {
                walk(items, &with(Step::Item), found);
            }
        }
        Some("string") => {
            let format = schema.get("format").and_then(Value::as_str);
            found.push(Position { steps: steps.to_vec(), format, example: text(&example(schema)) });
        }
        _ => {}
    }
}

/// The schema of the values of a map.
fn entry(schema: &'static Value) -> Option<&'static Value> {
    schema.get("patternProperties")?.as_object()?.values().next()
}

/// A key that is right in this map.
fn key(schema: &Value) -> String {
    let format = schema.get("x-keys").and_then(Value::as_str).unwrap_or_default();
    let right = |key: &&&str| !matches!(names::check(format, key), Some(Err(_)));
    ["example.com/team", "team", "aws"].iter().find(right).map_or_else(String::new, |key| (*key).to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The smallest value that is right by itself.
fn example(schema: &'static Value) -> Value {
    let schema = follow(schema);
    if let Some(only) = schema.get("const").or_else(|| schema.pointer("/examples/0")) {
        return only.clone();
    }
    if let Some(first) = branches(schema).and_then(|branches| branches.first()) {
        return example(first);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            let required: Vec<&str> = schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            let fields = fields.filter(|(name, _)| required.contains(&name.as_str()));
            Value::Object(fields.map(|(name, inner)| (name.clone(), example(inner))).collect())
        }
        Some("array") => match (schema.get("minItems").and_then(Value::as_u64), schema.get("items")) {
            (Some(1..), Some(items)) => json!([example(items)]),
            _ => json!([]),
        },
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        _ => json!(""),
    }
}

impl Position {
    /// For people: `spec.nodeGroups[].labels{key}`.
    pub(super) fn name(&self) -> String {
        let mut name = String::new();
        for (_, step) in &self.steps {
            match step {
                Step::Field(field) if name.is_empty() => name.push_str(field),
                Step::Field(field) => name.extend([".", field]),
                Step::Item => name.push_str("[]"),
                Step::Entry => name.push_str("{}"),
                Step::Key => name.push_str("{key}"),
            }
        }
        name
    }

    /// The smallest file in which this place exists.
    pub(super) fn document(&self) -> Value {
        build(&self.steps, &self.example)
    }

    /// Every such place of a document with a string in it.
    pub(super) fn spots(&self, document: &Value) -> Vec<Spot> {
        let mut found = Vec::new();
        locate(document, &self.steps, &mut Vec::new(), &mut found);
        found
    }

    /// Texts made of `string`: it alone, and, where more than closed words can stand, it at the end of what is right
    /// there and behind each of its separators. What is too long by itself is not made longer.
    pub(super) fn texts(&self, string: &str) -> Vec<String> {
        let mut texts = vec![string.to_owned()];
        if self.format.is_some() && string.len() <= 300 {
            let behind = self.example.match_indices(['=', ':', '/']).map(|(at, _)| at + 1);
            texts.extend(behind.chain([self.example.len()]).map(|at| {
                let (before, after) = self.example.split_at(at);
                format!("{before}{string}{after}")
            }));
        }
        texts
    }
}

fn build(steps: &[(&'static Value, Step)], leaf: &str) -> Value {
    let Some(((owner, step), rest)) = steps.split_first() else { return Value::from(leaf) };
    match step {
        Step::Field(name) => {
            let mut object = match example(owner) {
                Value::Object(object) => object,
                _ => Map::new(),
            };
            object.insert((*name).to_owned(), build(rest, leaf));
            Value::Object(object)
        }
        Step::Item => json!([build(rest, leaf)]),
        Step::Entry => Value::Object(Map::from_iter([(key(owner), build(rest, leaf))])),
        Step::Key => Value::Object(Map::from_iter([(leaf.to_owned(), entry(owner).map_or(Value::Null, example))])),
    }
}

/// Notes every string that the steps lead to.
fn locate(value: &Value, steps: &[(&'static Value, Step)], way: &mut Vec<Segment>, found: &mut Vec<Spot>) {
    let Some(((_, step), rest)) = steps.split_first() else {
        if value.is_string() {
            found.push(Spot(way.clone()));
        }
        return;
    };
    let mut inner = |segment: Segment, value: &Value| {
        way.push(segment);
        locate(value, rest, way, found);
        way.pop();
    };
    let entries = || value.as_object().into_iter().flatten();
    match step {
        Step::Field(name) => {
            if let Some(field) = value.get(*name) {
                inner(Segment::Name((*name).to_owned()), field);
            }
        }
        Step::Item => {
            let items = value.as_array().into_iter().flatten().enumerate();
            items.for_each(|(at, item)| inner(Segment::Index(at), item));
        }
        Step::Entry => entries().for_each(|(key, item)| inner(Segment::Name(key.clone()), item)),
        // What lies behind a key is no string; the key itself is.
        Step::Key => entries().for_each(|(key, _)| inner(Segment::Key(key.clone()), &Value::from(key.as_str()))),
    }
}

impl Spot {
    /// Whether it is a key: what lies behind it is found no more once it has another name.
    pub(super) fn is_key(&self) -> bool {
        matches!(self.0.last(), Some(Segment::Key(_)))
    }

    /// The document with `text` there.
    pub(super) fn put(&self, document: &Value, text: &str) -> Value {
        let mut document = document.clone();
        let mut at = &mut document;
        for segment in &self.0 {
            at = match (segment, at) {
                (Segment::Name(name), Value::Object(fields)) => &mut fields[name.as_str()],
                (Segment::Index(index), Value::Array(items)) => &mut items[*index],
                (Segment::Key(old), Value::Object(entries)) => {
                    let entry = entries.remove(old).unwrap_or_default();
                    entries.insert(text.to_owned(), entry);
                    return document;
                }
                (_, other) => other,
            };
        }
        *at = Value::from(text);
        document
    }

    /// What stands there; a key is given as itself where it exists.
    pub(super) fn get(&self, document: &Value, text: &str) -> Option<String> {
        let mut at = document;
        for segment in &self.0 {
            at = match segment {
                Segment::Name(name) => at.get(name)?,
                Segment::Index(index) => at.get(index)?,
                Segment::Key(_) => return at.get(text).map(|_| text.to_owned()),
            };
        }
        at.as_str().map(str::to_owned)
    }

    /// The path that a problem with `text` there has to name.
    pub(super) fn path(&self, text: &str) -> String {
        self.0.iter().fold(String::new(), |path, segment| match segment {
            Segment::Name(name) => field(path, name),
            Segment::Key(_) => field(path, text),
            Segment::Index(index) => format!("{path}[{index}]"),
        })
    }
}

/// A plain word behind a dot, anything else quoted in brackets.
fn field(path: String, key: &str) -> String {
    let plain = key.len() <= 63
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", names::shown(key)),
    }
}
