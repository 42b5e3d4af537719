//! Lists whose order says nothing.

use std::borrow::Cow;

use serde_json::Value;

/// Puts the lists that are sets into one order, by the names of the arguments that hold them, at any depth: a set of
/// outputs is ordered by their names, and by their values once they are known.
#[must_use]
pub fn ordered<'a>(value: &'a Value, sets: &[&str]) -> Cow<'a, Value> {
    if !holds_set(value, sets) {
        return Cow::Borrowed(value);
    }
    let inner = |item: &'a Value| ordered(item, sets).into_owned();
    match value {
        Value::Object(map) => {
            let named = |name: &str, item: &'a Value| ordered_argument(name, Cow::Borrowed(item), sets).into_owned();
            Cow::Owned(map.iter().map(|(name, item)| (name.clone(), named(name, item))).collect())
        }
        Value::Array(items) => Cow::Owned(items.iter().map(inner).collect()),
        other => Cow::Borrowed(other),
    }
}

/// The same for the argument `name` alone.
pub(crate) fn ordered_argument<'a>(name: &str, value: Cow<'a, Value>, sets: &[&str]) -> Cow<'a, Value> {
    if !is_set(name, &value, sets) && !holds_set(&value, sets) {
        return value;
    }
    let mut value = ordered(&value, sets).into_owned();
    if let (Value::Array(members), true) = (&mut value, sets.contains(&name)) {
        members.sort_by_cached_key(Value::to_string);
    }
    Cow::Owned(value)
}

/// Whether `value` is a set whose order could be another.
fn is_set(name: &str, value: &Value, sets: &[&str]) -> bool {
    value.as_array().is_some_and(|members| members.len() > 1) && sets.contains(&name)
}

fn holds_set(value: &Value, sets: &[&str]) -> bool {
    match value {
        _ if sets.is_empty() => false,
        Value::Object(map) => map.iter().any(|(name, item)| is_set(name, item, sets) || holds_set(item, sets)),
        Value::Array(items) => items.iter().any(|item| holds_set(item, sets)),
        _ => false,
    }
}
