//! Values as lists of leaves, so that two of them can be compared but for one text.
//!
//! A value that was made with a mark and one that was made with a hostile string have to be the same list once the mark
//! is replaced. What is packed is unpacked on the way: scripts into variables, documents into their own leaves.

use clusterctl_core::value::{self, JSON, Part};
use serde_json::Value;

use super::shell;

/// A place and the text there. Positions in lists are left out, because some lists are sorted by what is in them.
pub(super) type Leaf = (String, String);

/// Marks and what stands in their place.
pub(super) type Swap = Vec<(String, String)>;

/// All leaves below a value.
pub(super) fn leaves(value: &Value) -> Result<Vec<Leaf>, String> {
    let mut found = Vec::new();
    flatten(String::new(), value, &mut found)?;
    Ok(found)
}

fn flatten(place: String, value: &Value, found: &mut Vec<Leaf>) -> Result<(), String> {
    if let Some(text) = value::as_text(value) {
        let whole: String = text
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Output { of, attr } => format!("<{of}.{attr}>"),
            })
            .collect();
        let place = format!("{place} {:?}", text.encoding);
        return if whole.starts_with("#!/bin/bash\n") {
            script(&place, &whole, found)
        } else {
            found.push((place, whole));
            Ok(())
        };
    }
    match value {
        Value::Object(map) => {
            let document = map.get(JSON).filter(|_| map.len() == 1);
            if let Some(document) = document {
                return flatten(format!("{place} json"), document, found);
            }
            if map.is_empty() {
                found.push((place, "{}".to_owned()));
                return Ok(());
            }
            map.iter().try_for_each(|(key, item)| flatten(format!("{place}/{key}"), item, found))
        }
        Value::Array(items) if items.is_empty() => {
            found.push((place, "[]".to_owned()));
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| flatten(format!("{place}/-"), item, found)),
        Value::String(text) => {
            found.push((place, format!("text {text}")));
            Ok(())
        }
        other => {
            found.push((place, other.to_string()));
            Ok(())
        }
    }
}

/// The variables at a script's head, whole documents as what they say, and the rest of it as one leaf.
pub(super) fn script(place: &str, text: &str, found: &mut Vec<Leaf>) -> Result<(), String> {
    let (variables, body) = shell::head(text).map_err(|what| format!("{place}: {what}"))?;
    for (name, value) in variables {
        let place = format!("{place} ${name}");
        if value.starts_with("{\"") && value.contains("\"kind\":") {
            for document in value.split("\n---\n") {
                let document: Value =
                    serde_json::from_str(document).map_err(|e| format!("{place}: {e}: {document}"))?;
                flatten(place.clone(), &document, found)?;
            }
        } else {
            found.push((place, value));
        }
    }
    found.push((format!("{place} body"), body.to_owned()));
    Ok(())
}

/// The leaves with every mark replaced, in an order of their own.
pub(super) fn swapped(leaves: &[Leaf], swap: &Swap) -> Vec<Leaf> {
    let mut all: Vec<Leaf> =
        leaves.iter().map(|(place, text)| (replaced(place, swap), in_order(replaced(text, swap)))).collect();
    all.sort();
    all
}

fn replaced(text: &str, swap: &Swap) -> String {
    // Every mark holds this; most leaves do not.
    if !text.contains("mk") {
        return text.to_owned();
    }
    // Marks hold nothing that a replacement could make part of another mark.
    swap.iter().fold(
        text.to_owned(),
        |text, (mark, by)| if text.contains(mark.as_str()) { text.replace(mark, by) } else { text },
    )
}

/// Labels of a node are one text, sorted by key.
fn in_order(text: String) -> String {
    if !text.contains(',') || text.len() > 10_000 {
        return text;
    }
    let mut parts: Vec<&str> = text.split(',').collect();
    parts.sort_unstable();
    parts.join(",")
}

/// The first leaf that only one of the two has.
pub(super) fn difference(wanted: &[Leaf], got: &[Leaf]) -> Option<String> {
    let short = |leaf: &Leaf| format!("{} is {:?}", leaf.0, leaf.1.chars().take(300).collect::<String>());
    let missing = wanted.iter().find(|leaf| got.binary_search(leaf).is_err());
    let extra = got.iter().find(|leaf| wanted.binary_search(leaf).is_err());
    match (missing, extra) {
        (None, None) if wanted.len() == got.len() => None,
        (None, None) => Some("something stands there more than once".to_owned()),
        (missing, extra) => Some(format!(
            "wanted: {}; got: {}",
            missing.map_or_else(|| "nothing".to_owned(), short),
            extra.map_or_else(|| "nothing".to_owned(), short)
        )),
    }
}
