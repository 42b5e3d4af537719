//! Names of stored objects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of one stored object: parts of `[a-z0-9._-]` joined by `/`.
///
/// A key can be a path below a directory and an object name in a bucket, and can mean nothing else there: it is never
/// empty or absolute, no part is empty or begins with a dot, so `..` and a store's own hidden files are out of reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} cannot name a stored object: {problem}")]
pub struct KeyError {
    pub text: String,
    pub problem: &'static str,
}

/// Longest key in bytes; leaves room for a bucket prefix below the 1,024 bytes that object stores take.
const MAX_KEY: usize = 512;
/// Longest part in bytes; file systems stop at 255.
const MAX_PART: usize = 200;

impl Key {
    /// Checks a text and makes it a key.
    pub fn parse(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        match problem(&text) {
            None => Ok(Self(text)),
            Some(problem) => Err(KeyError { text, problem }),
        }
    }

    /// Names an object below this one.
    pub fn join(&self, part: &str) -> Result<Self, KeyError> {
        Self::parse(format!("{}/{part}", self.0))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows `above/` in this key, if it lies below `above`.
    pub fn below(&self, above: &Key) -> Option<&str> {
        self.0.strip_prefix(&above.0)?.strip_prefix('/')
    }
}

fn problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > MAX_KEY {
        return Some("it is longer than 512 bytes");
    }
    if !text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'/' | b'-')) {
        return Some("it may hold only a-z, 0-9, '.', '_', '-' and '/'");
    }
    text.split('/').find_map(|part| match part {
        "" => Some("it begins or ends with '/' or holds '//'"),
        part if part.starts_with('.') => Some("a part of it begins with '.'"),
        part if part.len() > MAX_PART => Some("a part of it is longer than 200 bytes"),
        _ => None,
    })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_that_leave_the_store_are_refused() {
        for text in
            ["", "/", "/etc/passwd", "a/../b", "..", "a/.", ".lock", "a//b", "a/", "A", "a b", "a\\b", "a\0", "ü"]
        {
            assert!(Key::parse(text).is_err(), "{text:?} was accepted");
        }
        assert!(Key::parse("a".repeat(201)).is_err());
        assert!(Key::parse(vec!["abc"; 200].join("/")).is_err());
        assert!(Key::parse("clusters/demo-1/journal/5-00000001.json").is_ok());
    }

    #[test]
    fn below_is_by_whole_parts() {
        let above = Key::parse("clusters/demo").expect("a key");
        assert_eq!(Key::parse("clusters/demo/state.json").expect("a key").below(&above), Some("state.json"));
        assert_eq!(Key::parse("clusters/demo-2/state.json").expect("a key").below(&above), None);
        assert_eq!(above.below(&above), None);
    }

    proptest! {
        #[test]
        fn a_key_always_stays_below_its_directory(text in "[a-z./_-]{0,40}|\\PC{0,20}") {
            if let Ok(key) = Key::parse(text) {
                let path = std::path::Path::new(key.as_str());
                prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
