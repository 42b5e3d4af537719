//! Outputs that a value mentions: what they are, and putting in what is known of them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::{OUTPUT, marker};
use crate::addr::{self, Addr};

/// An output as it stands in a value: whose, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mention<'a> {
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) attr: &'a str,
}

impl Mention<'_> {
    fn owned(self) -> (Addr, String) {
        (Addr::new(self.kind, self.name), self.attr.to_owned())
    }
}

fn mention(value: &Value) -> Option<Mention<'_>> {
    let (addr, attr) = marker(value, OUTPUT)?.as_str()?.rsplit_once('.')?;
    let (kind, name) = addr::parts(addr)?;
    Some(Mention { kind, name, attr })
}

/// Reads `{"$output": "kind.name.attr"}`.
#[must_use]
pub fn as_output(value: &Value) -> Option<(Addr, String)> {
    mention(value).map(Mention::owned)
}

/// Every output that `value` mentions, with the attribute.
#[must_use]
pub fn mentions(value: &Value) -> BTreeSet<(Addr, String)> {
    let mut found = BTreeSet::new();
    each_mention(value, &mut |mention| {
        found.insert(mention.owned());
    });
    found
}

pub(crate) fn each_mention<'a>(value: &'a Value, each: &mut dyn FnMut(Mention<'a>)) {
    if let Some(mention) = mention(value) {
        return each(mention);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_mention(item, each)),
        Value::Object(map) => map.values().for_each(|item| each_mention(item, each)),
        _ => {}
    }
}

/// Puts known outputs in. What stays unknown keeps its `$output`; texts and documents stay in their form, so that two
/// values can be compared by meaning rather than by bytes.
#[must_use]
pub fn resolve(value: &Value, lookup: &dyn Fn(&Addr, &str) -> Option<Value>) -> Value {
    let known = |mention: Mention<'_>| {
        let (of, attr) = mention.owned();
        lookup(&of, &attr).map(Cow::Owned)
    };
    resolved(value, &known).into_owned()
}

/// The same, borrowed where nothing had to be put in.
pub(crate) fn resolved<'a>(value: &'a Value, lookup: &dyn Fn(Mention<'a>) -> Option<Cow<'a, Value>>) -> Cow<'a, Value> {
    if let Some(mention) = mention(value) {
        return lookup(mention).unwrap_or(Cow::Borrowed(value));
    }
    if is_known(value) {
        return Cow::Borrowed(value);
    }
    let inner = |item: &'a Value| resolved(item, lookup).into_owned();
    match value {
        Value::Array(items) => Cow::Owned(items.iter().map(inner).collect()),
        Value::Object(map) => Cow::Owned(map.iter().map(|(name, item)| (name.clone(), inner(item))).collect()),
        other => Cow::Borrowed(other),
    }
}

#[must_use]
pub fn is_known(value: &Value) -> bool {
    mention(value).is_none()
        && match value {
            Value::Array(items) => items.iter().all(is_known),
            Value::Object(map) => map.values().all(is_known),
            _ => true,
        }
}
