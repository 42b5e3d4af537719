//! Values that may not be known yet.
//!
//! Arguments are JSON. Four single-purpose objects, told by a key that starts with `$`, stand for what plain JSON cannot
//! say; no user string is ever a key of an argument without having passed a rule that forbids `$` in front.
//!
//! | form | meaning | in Terraform |
//! |---|---|---|
//! | `{"$output": "aws_vpc.main.id"}` | an output of another node | `aws_vpc.main.id` |
//! | `{"$text": [..], "$encoding": "base64"}` | text of parts: strings and outputs | template, encoded |
//! | `{"$json": ..}` | a JSON document as a string | `jsonencode(..)` |
//! | `{"$digest": "<sha256>"}` | observed only: the cloud does not give the value back, its digest is in a tag | |

mod input;
mod mentions;
mod sets;

use std::io::Write as _;

use base64::Engine as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::addr::Addr;

pub use input::Input;
pub(crate) use mentions::{Mention, each_mention, resolved};
pub use mentions::{as_output, is_known, mentions, resolve};
pub use sets::ordered;
pub(crate) use sets::ordered_argument;

pub const OUTPUT: &str = "$output";
pub const TEXT: &str = "$text";
pub const ENCODING: &str = "$encoding";
pub const JSON: &str = "$json";
pub const DIGEST: &str = "$digest";

/// How a text is packed before the cloud gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Encoding {
    #[serde(rename = "plain")]
    Plain,
    #[serde(rename = "base64")]
    Base64,
    #[serde(rename = "gzip+base64")]
    GzipBase64,
    /// The hex SHA-256 of the text: what a tag carries where the cloud does not give the text back.
    #[serde(rename = "sha256")]
    Sha256,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Output { of: Addr, attr: String },
}

/// Text that may contain outputs, such as user-data with the address of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub parts: Vec<Part>,
    pub encoding: Encoding,
}

impl Text {
    #[must_use]
    pub fn encoded(&self, encoding: Encoding) -> Self {
        Self { parts: self.parts.clone(), encoding }
    }

    /// What is sent, once the engine has rendered it: one part, packed already.
    #[must_use]
    pub fn sent(&self) -> &str {
        match self.parts.as_slice() {
            [Part::Text(text)] => text,
            _ => "",
        }
    }
}

impl From<&Text> for Value {
    fn from(text: &Text) -> Self {
        let parts: Vec<Value> = text
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(t) => Self::String(t.clone()),
                Part::Output { of, attr } => output(of, attr),
            })
            .collect();
        json!({ TEXT: parts, ENCODING: text.encoding })
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Value::from(self).serialize(s)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Value::deserialize(d)? {
            Value::String(t) => Ok(Self { parts: vec![Part::Text(t)], encoding: Encoding::Plain }),
            value => as_text(&value).ok_or_else(|| serde::de::Error::custom(format!("expected text, found {value}"))),
        }
    }
}

/// A JSON document that the cloud takes as a string, such as a policy. Outputs may stand anywhere in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(pub Value);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        json!({ JSON: self.0 }).serialize(s)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Value::deserialize(d)? {
            Value::String(t) => serde_json::from_str(&t).map(Self).map_err(serde::de::Error::custom),
            Value::Object(mut m) if m.len() == 1 && m.contains_key(JSON) => {
                Ok(Self(m.remove(JSON).unwrap_or(Value::Null)))
            }
            other => Err(serde::de::Error::custom(format!("expected a JSON document, found {other}"))),
        }
    }
}

#[must_use]
pub fn output(of: &Addr, attr: &str) -> Value {
    json!({ OUTPUT: format!("{of}.{attr}") })
}

/// Reads `{"$text": [..], "$encoding": ..}`.
#[must_use]
pub fn as_text(value: &Value) -> Option<Text> {
    let map = value.as_object()?;
    // Asked of every object, nearly all of which are no texts: to look along the few keys is faster than to hash.
    let parts = map.iter().find(|(key, _)| *key == TEXT)?.1.as_array()?;
    let encoding = serde_json::from_value(map.get(ENCODING)?.clone()).ok()?;
    let parts = parts
        .iter()
        .map(|part| match part {
            Value::String(t) => Some(Part::Text(t.clone())),
            other => as_output(other).map(|(of, attr)| Part::Output { of, attr }),
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Text { parts, encoding })
}

/// The one value of a single-key marker object.
fn marker<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.as_object().filter(|m| m.len() == 1)?.get(key)
}

/// The plain text of a text whose parts are all known.
fn plain(value: &Value) -> Option<String> {
    let text = as_text(value)?;
    text.parts
        .into_iter()
        .map(|part| match part {
            Part::Text(t) => Some(t),
            Part::Output { .. } => None,
        })
        .collect()
}

/// Turns a resolved value into what is sent: texts are encoded, documents become strings.
///
/// `None` when an output in it is still unknown.
#[must_use]
pub fn render(value: &Value) -> Option<Value> {
    if as_output(value).is_some() {
        return None;
    }
    if let Some(text) = as_text(value) {
        return Some(Value::String(encode(&plain(value)?, text.encoding)));
    }
    if let Some(document) = marker(value, JSON) {
        return Some(Value::String(render(document)?.to_string()));
    }
    Some(match value {
        Value::Array(items) => Value::Array(items.iter().map(render).collect::<Option<_>>()?),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(k, item)| Some((k.clone(), render(item)?))).collect::<Option<Map<_, _>>>()?)
        }
        other => other.clone(),
    })
}

#[must_use]
pub fn encode(text: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Plain => text.to_owned(),
        Encoding::Base64 => base64::engine::general_purpose::STANDARD.encode(text),
        Encoding::GzipBase64 => base64::engine::general_purpose::STANDARD.encode(gzip(text)),
        Encoding::Sha256 => sha256_hex(text.as_bytes()),
    }
}

/// Undoes [`Encoding::GzipBase64`] or [`Encoding::Base64`], whichever it was; `None` for anything else.
#[must_use]
pub fn decode(packed: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        // A bound: user-data is at most 16 KiB packed, and nothing we wrote unpacks to more than this.
        let mut reader = std::io::Read::take(flate2::read::GzDecoder::new(bytes.as_slice()), 1 << 20);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut reader, &mut text).ok()?;
        return Some(text);
    }
    String::from_utf8(bytes).ok()
}

fn gzip(text: &str) -> Vec<u8> {
    // No file name and no time in the header: the same text is the same bytes.
    let mut encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::best());
    let written = encoder.write_all(text.as_bytes());
    debug_assert!(written.is_ok(), "a vector takes every write");
    encoder.finish().unwrap_or_default()
}

#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    hex
}

/// Whether a live value is what was wanted.
///
/// Only what `want` mentions counts: an absent argument is not managed. A wanted value that is not known yet differs.
/// Texts and documents may also be wanted in the form in which they are sent.
#[must_use]
pub fn same(want: &Value, live: &Value) -> bool {
    if let (Value::String(sent), Value::Object(_)) = (want, live) {
        return same_as_sent(sent, live);
    }
    if let Some(digest) = marker(live, DIGEST) {
        return plain(want).is_some_and(|text| digest.as_str() == Some(sha256_hex(text.as_bytes()).as_str()));
    }
    if as_text(want).is_some() {
        let Some(text) = plain(want) else { return false };
        if as_text(live).is_some() {
            return plain(live).is_some_and(|other| other == text);
        }
        return render(want).as_ref() == Some(live);
    }
    if let Some(document) = marker(want, JSON) {
        return marker(live, JSON).is_some_and(|other| document == other);
    }
    match (want, live) {
        (Value::Object(want), Value::Object(live)) => {
            beside(want, Some(live)).all(|(_, value, other)| other.is_some_and(|other| same(value, other)))
        }
        (Value::Array(want), Value::Array(live)) => {
            want.len() == live.len() && want.iter().zip(live).all(|(a, b)| same(a, b))
        }
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

fn same_as_sent(sent: &str, live: &Value) -> bool {
    if let Some(document) = marker(live, JSON) {
        return serde_json::from_str::<Value>(sent).is_ok_and(|sent| sent == *document);
    }
    let forms = [Some(sent.to_owned()), decode(sent)];
    let mut forms = forms.iter().flatten();
    match marker(live, DIGEST) {
        Some(digest) => forms.any(|text| digest.as_str() == Some(sha256_hex(text.as_bytes()).as_str())),
        None => plain(live).is_some_and(|live| forms.any(|text| *text == live)),
    }
}

/// What stands under each name of `map`, there and in `other`. Mostly both have the same names in the same order, and
/// then none has to be looked up.
pub(crate) fn beside<'a, 'b>(
    map: &'a Map<String, Value>,
    other: Option<&'b Map<String, Value>>,
) -> impl Iterator<Item = (&'a String, &'a Value, Option<&'b Value>)> {
    let mut next = other.into_iter().flatten();
    map.iter().map(move |(name, value)| {
        let there = next.next().filter(|(same, _)| *same == name).map(|(_, there)| there);
        (name, value, there.or_else(|| other?.get(name)))
    })
}

/// Reads `value` as a resource of the typed layer.
///
/// # Errors
/// When the value does not have the shape of `T`.
pub fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vpc() -> Addr {
        Addr::new("aws_vpc", "main")
    }

    #[test]
    fn an_input_reads_back() {
        let known: Input<()> = Input::known("vpc-1");
        let later: Input<()> = Input::output(&vpc(), "id");
        for input in [known, later] {
            let value = serde_json::to_value(&input).expect("serialises");
            assert_eq!(serde_json::from_value::<Input<()>>(value).expect("reads back"), input);
        }
    }

    #[test]
    fn text_is_compared_by_what_it_says_not_by_its_packing() {
        let text = Text {
            parts: vec![Part::Text("api=".into()), Part::Output { of: vpc(), attr: "id".into() }],
            encoding: Encoding::GzipBase64,
        };
        let value = Value::from(&text);
        let live = json!({ TEXT: ["api=vpc-1"], ENCODING: "base64" });
        assert!(!same(&value, &live), "an unknown part differs");
        let known = resolve(&value, &|_, _| Some(json!("vpc-1")));
        assert!(same(&known, &live));
        assert!(same(&known, &json!({ DIGEST: sha256_hex(b"api=vpc-1") })));
        assert!(!same(&known, &json!({ DIGEST: sha256_hex(b"api=vpc-2") })));
        let sent = render(&known).expect("known");
        for live in [json!({ TEXT: ["api=vpc-1"], ENCODING: "plain" }), json!({ DIGEST: sha256_hex(b"api=vpc-1") })] {
            assert!(same(&sent, &live), "a driver sees what is sent");
            assert!(!same(&json!("api=vpc-2"), &live));
        }
        assert_eq!(decode(sent.as_str().expect("a string")).as_deref(), Some("api=vpc-1"));
    }

    #[test]
    fn absent_arguments_are_not_managed() {
        let live = json!({"a": 1, "b": {"c": [1, 2], "d": 4}});
        assert!(same(&json!({"b": {"c": [1, 2]}}), &live));
        assert!(!same(&json!({"b": {"c": [1]}}), &live));
        assert!(!same(&json!({"e": null}), &live));
    }

    #[test]
    fn documents_are_sent_as_strings_and_compared_as_values() {
        let want = json!({ JSON: {"Statement": [{"Resource": {"$output": "aws_vpc.main.id"}}]} });
        assert_eq!(mentions(&want).len(), 1);
        assert_eq!(render(&want), None);
        let known = resolve(&want, &|_, _| Some(json!("x")));
        assert_eq!(render(&known), Some(json!(r#"{"Statement":[{"Resource":"x"}]}"#)));
        let live = json!({ JSON: {"Statement": [{"Resource": "x"}]} });
        assert!(same(&known, &live));
        assert!(same(&render(&known).expect("known"), &live));
    }
}
