//! Forms whose field names are paths: `Filter.1.Value.2=x` is `{"Filter": [{"Value": [_, "x"]}]}`.
//!
//! Query protocol: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>;
//! EC2's: <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Reads the fields of a form or of a query string.
#[must_use]
pub fn fields(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

/// Undoes percent-encoding; `+` is a space.
#[must_use]
pub fn plain(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = || text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex()) {
            (b'%', Some(byte)) => {
                plain.push(byte);
                at += 2;
            }
            (b'+', _) => plain.push(b' '),
            (byte, _) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3), as IAM writes documents.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Makes a tree of fields whose names are paths. Numbered parts are lists, `member` is their wrapping.
#[must_use]
pub fn tree(fields: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut root = Map::new();
    for (path, value) in fields {
        insert(&mut root, path, value);
    }
    root.into_iter().map(|(name, value)| (name, listed(value))).collect()
}

fn insert(map: &mut Map<String, Value>, path: &str, text: &str) {
    match path.split_once('.') {
        None => {
            map.insert(path.to_owned(), Value::String(text.to_owned()));
        }
        Some((first, rest)) => {
            let inner = map.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                insert(inner, rest, text);
            }
        }
    }
}

fn listed(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    if map.len() == 1
        && let Some(inner) = map.get("member")
    {
        return listed(inner.clone());
    }
    if !map.is_empty() && map.keys().all(|key| key.parse::<u32>().is_ok()) {
        let mut numbered: Vec<(u32, Value)> =
            map.into_iter().map(|(key, value)| (key.parse().unwrap_or(0), listed(value))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        return Value::Array(numbered.into_iter().map(|(_, value)| value).collect());
    }
    Value::Object(map.into_iter().map(|(name, value)| (name, listed(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_become_a_tree_with_lists_in_order() {
        let text = "Action=X&Filter.1.Name=vpc-id&Filter.1.Value.10=c&Filter.1.Value.2=b&Filter.1.Value.1=a%20b%2Bc\
                    &Tags.member.1.Key=k&Empty=";
        assert_eq!(
            Value::Object(tree(&fields(text))),
            json!({ "Action": "X", "Empty": "", "Filter": [{ "Name": "vpc-id", "Value": ["a b+c", "b", "c"] }],
                    "Tags": [{ "Key": "k" }] })
        );
    }
}
