//! The outside of every stored document: versioned, checksummed, bound to its key.
//!
//! ```text
//! {"format":"clusterctl.dev/state","version":1,"written_by":"0.1.0","key":"clusters/demo/state.json","sha256":"…","body":
//! { … },"end":true}
//! ```
//! The text is one JSON object. Its checksum covers every byte of it but the checksum's own digits, so that the header is
//! as safe as the body; the key inside tells a document that was copied over another one. The order of the header's
//! fields is part of the format and stays, so that a clusterctl always knows a document that is too new for it.

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::{Damage, StoreError};
use super::key::Key;

/// What clusterctl writes into the documents as its own version.
const WRITTEN_BY: &str = env!("CARGO_PKG_VERSION");
const START: &[u8] = b"{\"format\":\"clusterctl.dev/";
const MARK: &[u8] = b",\"sha256\":\"";
const DIGITS: usize = 64;
/// No prefix of a document ends like this: inside the body a quote is escaped or a space follows the colon. So a write
/// that was cut short is told from damage.
const END: &[u8] = b",\"end\":true}\n";

/// Content that can be stored.
pub trait Document: Serialize + DeserializeOwned {
    /// `clusterctl.dev/…`
    const FORMAT: &'static str;
    /// The version that is written. Versions count from 1 and each one before this is still read.
    const VERSION: u32;

    /// Turns a body of version `from` into one of version `from + 1`.
    ///
    /// The error says what is wrong with the body. It is called for each version below [`VERSION`](Self::VERSION).
    fn migrate(from: u32, _body: Value) -> Result<Value, String> {
        Err(format!("version {from} is unknown"))
    }
}

#[derive(Serialize)]
struct HeaderOut<'a> {
    format: &'a str,
    version: u32,
    written_by: &'a str,
    key: &'a Key,
}

#[derive(Deserialize)]
struct Sealed<B> {
    format: String,
    version: u32,
    written_by: String,
    key: String,
    body: B,
}

/// Writes a document for this key.
pub fn seal<D: Document>(key: &Key, document: &D) -> Result<Bytes, StoreError> {
    let header = HeaderOut { format: D::FORMAT, version: D::VERSION, written_by: WRITTEN_BY, key };
    let content = |e: serde_json::Error| corrupt(key, Damage::Content { problem: e.to_string() });
    let mut text = serde_json::to_vec(&header).map_err(content)?;
    // The closing brace makes room for the checksum and the body.
    text.pop();
    text.extend_from_slice(MARK);
    let digits_at = text.len();
    text.extend_from_slice(b"\",\"body\":\n");
    serde_json::to_writer_pretty(&mut text, document).map_err(content)?;
    text.extend_from_slice(END);
    let digits = checksum(&text[..digits_at], &text[digits_at..]);
    text.splice(digits_at..digits_at, digits.into_bytes());
    Ok(text.into())
}

/// Reads the document that must be under this key, and brings an older one up to date.
pub fn open<D: Document>(key: &Key, bytes: &[u8]) -> Result<D, StoreError> {
    verify(bytes).map_err(|damage| corrupt(key, damage))?;
    let header: Sealed<IgnoredAny> = parse(key, bytes)?;
    if header.key != key.as_str() {
        return Err(corrupt(key, Damage::Misplaced { key: header.key }));
    }
    if header.format != D::FORMAT {
        return Err(corrupt(key, Damage::OtherFormat { found: header.format, expected: D::FORMAT }));
    }
    if header.version > D::VERSION {
        let (found, known, written_by) = (header.version, D::VERSION, header.written_by);
        return Err(StoreError::Newer { key: key.clone(), found, known, written_by });
    }
    if header.version == D::VERSION {
        return Ok(parse::<Sealed<D>>(key, bytes)?.body);
    }
    let content = |problem: String| corrupt(key, Damage::Content { problem });
    let body = parse::<Sealed<Value>>(key, bytes)?.body;
    let body = (header.version..D::VERSION).try_fold(body, |body, from| D::migrate(from, body)).map_err(content)?;
    serde_json::from_value(body).map_err(|e| content(e.to_string()))
}

/// Checks that every byte is as it was written.
fn verify(bytes: &[u8]) -> Result<(), Damage> {
    if bytes.is_empty() {
        return Err(Damage::Empty);
    }
    if !bytes.ends_with(END) {
        return Err(Damage::Truncated);
    }
    if !bytes.starts_with(START) {
        return Err(Damage::Foreign);
    }
    let mark = bytes.windows(MARK.len()).position(|window| window == MARK).ok_or(Damage::Checksum)?;
    let (head, rest) = bytes.split_at(mark + MARK.len());
    let (digits, tail) = rest.split_at_checked(DIGITS).ok_or(Damage::Truncated)?;
    if checksum(head, tail).as_bytes() == digits { Ok(()) } else { Err(Damage::Checksum) }
}

fn checksum(head: &[u8], tail: &[u8]) -> String {
    hex(&Sha256::new().chain_update(head).chain_update(tail).finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGIT: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|nibble| char::from(DIGIT[usize::from(nibble)])).collect()
}

fn parse<T: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| corrupt(key, Damage::Content { problem: e.to_string() }))
}

fn corrupt(key: &Key, damage: Damage) -> StoreError {
    StoreError::Corrupt { key: key.clone(), damage }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Note {
        text: String,
        numbers: BTreeMap<String, f64>,
    }

    impl Document for Note {
        const FORMAT: &'static str = "clusterctl.dev/note";
        const VERSION: u32 = 3;

        /// Version 1 had a bare text; version 2 named it; version 3 has numbers.
        fn migrate(from: u32, body: Value) -> Result<Value, String> {
            match (from, body) {
                (1, Value::String(text)) => Ok(serde_json::json!({ "text": text })),
                (2, Value::Object(mut fields)) => {
                    fields.insert("numbers".into(), serde_json::json!({}));
                    Ok(Value::Object(fields))
                }
                (from, _) => Err(format!("no note of version {from}")),
            }
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Older<const V: u32>(Value);

    impl<const V: u32> Document for Older<V> {
        const FORMAT: &'static str = "clusterctl.dev/note";
        const VERSION: u32 = V;
    }

    fn key() -> Key {
        Key::parse("clusters/demo/note.json").expect("a key")
    }

    fn note() -> Note {
        Note { text: "hello, \"sha256\":\"x\" }".into(), numbers: BTreeMap::from([("third".into(), 0.1 + 0.2)]) }
    }

    fn sealed() -> Vec<u8> {
        seal(&key(), &note()).expect("it can be written").to_vec()
    }

    #[test]
    fn looks_like_this() {
        let mut text = String::from_utf8(sealed()).expect("text");
        text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        let digits = text.find("sha256\":\"").expect("a checksum") + 9;
        text.replace_range(digits..digits + 64, "DIGITS");
        expect![[r#"
            {"format":"clusterctl.dev/note","version":3,"written_by":"VERSION","key":"clusters/demo/note.json","sha256":"DIGITS","body":
            {
              "text": "hello, \"sha256\":\"x\" }",
              "numbers": {
                "third": 0.30000000000000004
              }
            },"end":true}
        "#]]
        .assert_eq(&text);
        serde_json::from_slice::<Value>(&sealed()).expect("one JSON object");
    }

    #[test]
    fn older_versions_are_read_step_by_step() {
        let one = seal(&key(), &Older::<1>(Value::String("old".into()))).expect("it can be written");
        let two = seal(&key(), &Older::<2>(serde_json::json!({"text": "old"}))).expect("it can be written");
        let expected = Note { text: "old".into(), numbers: BTreeMap::new() };
        assert_eq!(open::<Note>(&key(), &one).expect("version 1 is read"), expected);
        assert_eq!(open::<Note>(&key(), &two).expect("version 2 is read"), expected);
        let zero = seal(&key(), &Older::<0>(Value::Null)).expect("it can be written");
        assert!(matches!(open::<Note>(&key(), &zero), Err(StoreError::Corrupt { .. })));
    }

    #[test]
    fn a_newer_version_is_refused_with_the_way_out() {
        let four = seal(&key(), &Older::<4>(Value::Null)).expect("it can be written");
        let error = open::<Note>(&key(), &four).expect_err("it is too new");
        assert!(matches!(error, StoreError::Newer { found: 4, known: 3, .. }));
        let way_out = error.way_out().expect("a way out");
        assert_eq!(way_out, format!("Upgrade to clusterctl {WRITTEN_BY} or later."));
    }

    #[test]
    fn a_document_under_another_key_or_of_another_format_is_refused() {
        let elsewhere = Key::parse("clusters/other/note.json").expect("a key");
        let error = open::<Note>(&elsewhere, &sealed()).expect_err("it was copied");
        assert!(matches!(error, StoreError::Corrupt { damage: Damage::Misplaced { .. }, .. }));

        #[derive(Debug, Serialize, Deserialize)]
        struct Other;
        impl Document for Other {
            const FORMAT: &'static str = "clusterctl.dev/other";
            const VERSION: u32 = 3;
        }
        let error = open::<Other>(&key(), &sealed()).expect_err("it is a note");
        assert!(matches!(error, StoreError::Corrupt { damage: Damage::OtherFormat { .. }, .. }));
    }

    #[test]
    fn every_single_bit_and_every_truncation_is_noticed() {
        let whole = sealed();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(open::<Note>(&key(), &bytes).is_err(), "bit {bit} went unnoticed");
        }
        for length in 0..whole.len() {
            let error = open::<Note>(&key(), &whole[..length]).expect_err("it is cut short");
            let StoreError::Corrupt { damage, .. } = error else { unreachable!("{error}") };
            // What lacks its end must be told from what was damaged later: only the former may be a torn last write.
            assert!(matches!(damage, Damage::Empty | Damage::Truncated), "{length}: {damage}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(text in "\\PC*", numbers in prop::collection::btree_map("[a-z]{1,4}", prop::num::f64::NORMAL, 0..5)) {
            let note = Note { text, numbers };
            let sealed = seal(&key(), &note).expect("it can be written");
            let opened = open::<Note>(&key(), &sealed).expect("it can be read");
            prop_assert_eq!(&opened.text, &note.text);
            prop_assert_eq!(opened.numbers.len(), note.numbers.len());
        }

        #[test]
        fn swapped_pieces_and_several_flips_are_noticed(
            a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), c in any::<prop::sample::Index>(),
            flips in prop::collection::btree_set(any::<u16>(), 1..9),
        ) {
            let whole = sealed();
            let mut cuts = [a, b, c].map(|cut| cut.index(whole.len()));
            cuts.sort_unstable();
            let [a, b, c] = cuts;
            let swapped = [&whole[..a], &whole[b..c], &whole[a..b], &whole[c..]].concat();
            prop_assert!(swapped == whole || open::<Note>(&key(), &swapped).is_err());

            let mut flipped = whole.clone();
            for bit in flips {
                let bit = usize::from(bit) % (whole.len() * 8);
                flipped[bit / 8] ^= 1 << (bit % 8);
            }
            prop_assert!(flipped == whole || open::<Note>(&key(), &flipped).is_err());
        }
    }
}
