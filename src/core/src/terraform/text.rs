//! Strings as HCL spells them, and long texts as files of their own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::value::{Part, sha256_hex};

/// The inside of a quoted string: quotes, backslashes, control characters and template markers escaped.
///
/// HCL takes `$${` for a literal `${` and `%%{` for `%{`; the sign is doubled directly before the brace and nowhere
/// else, whatever stands before it. Written here because `hcl-rs` 0.20 loses track after the first marker: it leaves
/// the second of `${a}%${b}` as it is, and Terraform would evaluate it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            // Invisible or line-breaking characters are spelt out, so that a reader sees them.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Literal text directly before an interpolation: a last `$` would make it an escaped one.
pub(super) fn escaped_before_slot(text: &str) -> String {
    match text.strip_suffix('$') {
        Some(rest) => format!("{}\\u0024", escaped(rest)),
        None => escaped(text),
    }
}

/// An object key, quoted where it is no plain word.
///
/// Characters beyond ASCII are spelt out: `terraform fmt` aligns by what is seen, which only a Unicode table can tell.
pub(super) fn key(text: &str) -> String {
    // A word that means something of its own at the start of an object.
    const RESERVED: [&str; 4] = ["for", "null", "true", "false"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain && !RESERVED.contains(&text) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in escaped(text).chars() {
        match u32::from(c) {
            0..=0x7e => out.push(c),
            n @ 0x7f..=0xffff => {
                let _ = write!(out, "\\u{n:04x}");
            }
            n => {
                let _ = write!(out, "\\U{n:08x}");
            }
        }
    }
    out.push('"');
    out
}

/// Whether a text reads better as a file of its own.
pub(super) fn is_script(parts: &[Part]) -> bool {
    let lines: usize = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.matches('\n').count(),
            Part::Output { .. } => 0,
        })
        .sum();
    lines > 2
}

/// Long texts by file name. The same text is kept once.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    files: BTreeMap<String, String>,
    by_digest: BTreeMap<String, String>,
}

impl Scripts {
    /// The file that holds `text`; a new one is named after its first user.
    pub(super) fn file(&mut self, user: &str, text: String) -> String {
        let digest = sha256_hex(text.as_bytes());
        if let Some(known) = self.by_digest.get(&digest) {
            return known.clone();
        }
        let ending = if text.starts_with("#!") { "sh" } else { "txt" };
        let mut name = format!("files/{user}.{ending}");
        if self.files.contains_key(&name) {
            name = format!("files/{user}-{}.{ending}", &digest[..8]);
        }
        self.files.insert(name.clone(), text);
        self.by_digest.insert(digest, name.clone());
        name
    }

    pub(super) fn into_files(self) -> BTreeMap<String, String> {
        self.files
    }
}

/// The text with its `n` outputs marked as `@{1}`..`@{n}`, and the opening that makes these marks unmistakable.
///
/// A text that says `@{1}` itself gets a longer opening, so that replacing the marks gives back exactly the text.
pub(super) fn marked(pieces: &[Piece<'_>]) -> (String, String) {
    let mut opening = String::from("@{");
    loop {
        let mut text = String::new();
        let mut slots = 0_usize;
        for piece in pieces {
            match piece {
                Piece::Text(t) => text.push_str(t),
                Piece::Slot(n) => {
                    let _ = write!(text, "{opening}{n}}}");
                    slots += 1;
                }
            }
        }
        let count = pieces.iter().map(Piece::slot).max().unwrap_or_default();
        let found: usize = (1..=count).map(|n| text.matches(&format!("{opening}{n}}}")).count()).sum();
        if found == slots {
            return (text, opening);
        }
        opening.insert(0, '@');
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// The output with this number, from one.
    Slot(usize),
}

impl Piece<'_> {
    fn slot(&self) -> usize {
        match self {
            Self::Text(_) => 0,
            Self::Slot(n) => *n,
        }
    }
}
