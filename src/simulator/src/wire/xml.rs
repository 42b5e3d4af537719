//! Answers as XML, written from values.
//!
//! An object's members become elements in their order; a list becomes one element with an `item` (or `member`) for each
//! entry, and under a name that begins with `*` entries without that wrapping. What is null, or the simulator's own
//! (a name that begins with `_`), is not written.

use serde_json::{Map, Value};

/// Writes `content` into an element `root`; list entries are called `entry`.
#[must_use]
pub fn document(root: &str, namespace: &str, content: &Map<String, Value>, entry: &str) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if namespace.is_empty() {
        text.push_str(&format!("<{root}>"));
    } else {
        text.push_str(&format!("<{root} xmlns=\"{namespace}\">"));
    }
    members(&mut text, content, entry);
    text.push_str(&format!("</{root}>"));
    text
}

fn members(text: &mut String, map: &Map<String, Value>, entry: &str) {
    for (name, value) in map {
        if name.starts_with('_') {
            continue;
        }
        match (name.strip_prefix('*'), value) {
            (Some(name), Value::Array(items)) => items.iter().for_each(|item| element(text, name, item, entry)),
            (Some(name), other) => element(text, name, other, entry),
            (None, value) => element(text, name, value, entry),
        }
    }
}

fn element(text: &mut String, name: &str, value: &Value, entry: &str) {
    if value.is_null() {
        return;
    }
    text.push_str(&format!("<{name}>"));
    match value {
        Value::Null => {}
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(words) => text.push_str(&escaped(words)),
        Value::Array(items) => items.iter().for_each(|item| element(text, entry, item, entry)),
        Value::Object(map) => members(text, map, entry),
    }
    text.push_str(&format!("</{name}>"));
}

/// Text as the content of an element.
#[must_use]
pub fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '\r' => text.push_str("&#xD;"),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_have_entries_or_are_flat() {
        let content = json!({ "vpcSet": [{ "vpcId": "vpc-1", "isDefault": false, "_own": 1 }], "*Key": ["a<b", "c"],
                              "none": null, "empty": [] });
        let Value::Object(content) = content else { unreachable!("an object") };
        assert_eq!(
            document("R", "urn:x", &content, "item"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"urn:x\"><vpcSet><item><vpcId>vpc-1</vpcId>\
             <isDefault>false</isDefault></item></vpcSet><Key>a&lt;b</Key><Key>c</Key><empty></empty></R>"
        );
    }
}
