//! What the schema asks of a value, in the few words that our schema uses.

use serde_json::{Map, Value};

use super::schema::SCHEMA;

/// What the schema asks of a value.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Fields.
    Object(Vec<FieldShape>),
    /// Any keys of a format with values of one shape.
    Map { key_format: &'static str, value: &'static Value, most: Option<u64> },
    /// A list.
    List { item: &'static Value, least: u64, most: Option<u64> },
    /// Text of a format that [`crate::names::check`] knows.
    Text { format: &'static str, example: Option<&'static str> },
    /// One of these words, each with its description.
    Words(Vec<(&'static str, &'static str)>),
    /// A whole number.
    Integer { least: i64, most: i64 },
    /// `true` or `false`.
    Boolean,
    /// One of several shapes, told apart by the kind of value.
    Either(Vec<Shape>),
}

/// A field of an object.
#[derive(Clone, Debug)]
pub(super) struct FieldShape {
    pub(super) name: &'static str,
    pub(super) schema: &'static Value,
    pub(super) required: bool,
}

/// The keywords that [`Shape::of`] and [`super::explain()`] understand. A test finds any other in the schema.
#[cfg(test)]
pub(super) const KEYWORDS: &[&str] = &[
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "default",
    "definitions",
    "description",
    "examples",
    "format",
    "items",
    "maxItems",
    "maxProperties",
    "maximum",
    "minItems",
    "minimum",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
    "x-default",
    "x-keys",
];

/// The schema of the whole file.
pub(super) fn root() -> &'static Value {
    &SCHEMA
}

/// Follows `$ref`, alone or in an `allOf` of one.
pub(super) fn follow(schema: &'static Value) -> &'static Value {
    let target = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    let found = target.and_then(|target| target.strip_prefix('#')).and_then(|pointer| SCHEMA.pointer(pointer));
    match found {
        Some(inner) => follow(inner),
        None => schema,
    }
}

impl Shape {
    /// Reads the shape out of a schema.
    pub(super) fn of(schema: &'static Value) -> Self {
        let schema = follow(schema);
        let branches = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
        if let Some(branches) = branches {
            return Self::either(branches);
        }
        match text(schema, "type") {
            Some("object") => Self::object(schema),
            Some("array") => Self::List {
                item: schema.get("items").unwrap_or(&Value::Null),
                least: schema.get("minItems").and_then(Value::as_u64).unwrap_or(0),
                most: schema.get("maxItems").and_then(Value::as_u64),
            },
            Some("integer") => Self::Integer {
                least: schema.get("minimum").and_then(Value::as_i64).unwrap_or(i64::MIN),
                most: schema.get("maximum").and_then(Value::as_i64).unwrap_or(i64::MAX),
            },
            Some("boolean") => Self::Boolean,
            _ => Self::Text {
                format: text(schema, "format").unwrap_or(""),
                example: schema.pointer("/examples/0").and_then(Value::as_str),
            },
        }
    }

    /// Words among the branches become one shape; what remains is told apart by its kind.
    fn either(branches: &'static [Value]) -> Self {
        let mut words = Vec::new();
        let mut others = Vec::new();
        for branch in branches {
            match text(branch, "const") {
                Some(word) => words.push((word, text(branch, "description").unwrap_or(""))),
                None => others.push(Self::of(branch)),
            }
        }
        if others.is_empty() {
            return Self::Words(words);
        }
        if !words.is_empty() {
            others.insert(0, Self::Words(words));
        }
        Self::Either(others)
    }

    fn object(schema: &'static Value) -> Self {
        let patterns = schema.get("patternProperties").and_then(Value::as_object).and_then(|map| map.values().next());
        if let Some(value) = patterns {
            return Self::Map {
                key_format: text(schema, "x-keys").unwrap_or(""),
                value,
                most: schema.get("maxProperties").and_then(Value::as_u64),
            };
        }
        let required = |name: &str| {
            schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|n| n == name))
        };
        static NO_FIELDS: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&NO_FIELDS);
        let fields = properties
            .iter()
            .map(|(name, schema)| FieldShape { name: name.as_str(), schema, required: required(name) })
            .collect();
        Self::Object(fields)
    }

    /// What a value of this shape is, as it may stand in a sentence: "a list", "one of private, public".
    pub(super) fn called(&self) -> String {
        match self {
            Self::Object(fields) => {
                let names: Vec<String> = fields.iter().map(|field| format!("{}: ...", field.name)).collect();
                format!("{{{}}}", names.join(", "))
            }
            Self::Map { .. } => "{key: value, ...}".to_owned(),
            Self::List { item, .. } => match Self::of(item) {
                Self::Text { example: Some(example), .. } => format!("a list, as in [{example}]"),
                words @ Self::Words(_) => format!("a list, each {}", words.called()),
                _ => "a list".to_owned(),
            },
            Self::Text { example: Some(example), .. } => format!("text, as in {example}"),
            Self::Text { .. } => "text".to_owned(),
            Self::Words(words) => match words.as_slice() {
                [(word, _)] => (*word).to_owned(),
                _ => format!("one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")),
            },
            Self::Integer { least, most } => match (*least, *most) {
                (least, i64::MAX) => format!("a whole number of at least {least}"),
                (least, most) => format!("a whole number from {least} to {most}"),
            },
            Self::Boolean => "true or false".to_owned(),
            Self::Either(shapes) => shapes.iter().map(Self::called).collect::<Vec<_>>().join(", or "),
        }
    }
}

pub(super) fn text(schema: &'static Value, keyword: &str) -> Option<&'static str> {
    schema.get(keyword).and_then(Value::as_str)
}
