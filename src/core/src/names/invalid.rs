//! Why a piece of text is refused.

use std::fmt::Write as _;

/// Why a piece of text is refused, and what would be right.
///
/// `Display` gives the wrong part alone, so that a caller can put the right part on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// There is no text at all.
    #[error("is empty")]
    Empty {
        /// What would be right.
        right: String,
    },
    /// There is more text than what the strictest cloud takes.
    #[error("has {length} characters, {limit} are allowed")]
    TooLong {
        /// How many characters there are.
        length: usize,
        /// How many there may be.
        limit: usize,
        /// What would be right.
        right: String,
    },
    /// The text has a meaning of its own elsewhere.
    #[error("{} is reserved: {because}", shown(.text))]
    Reserved {
        /// The text.
        text: String,
        /// Who else uses it.
        because: &'static str,
        /// What would be right.
        right: String,
    },
    /// The text is not of the shape that is asked for.
    #[error("{wrong}")]
    Shape {
        /// What is wrong with it.
        wrong: String,
        /// What would be right.
        right: String,
    },
}

impl Invalid {
    /// What would be right instead.
    pub fn right(&self) -> &str {
        match self {
            Self::Empty { right }
            | Self::TooLong { right, .. }
            | Self::Reserved { right, .. }
            | Self::Shape { right, .. } => right,
        }
    }

    pub(crate) fn shape(wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Shape { wrong: wrong.into(), right: right.into() }
    }

    /// Refuses empty text and text of more than `limit` characters.
    pub(crate) fn unless_sized(text: &str, limit: usize, right: &str) -> Result<(), Self> {
        let length = text.chars().count();
        if length == 0 {
            return Err(Self::Empty { right: right.to_owned() });
        }
        if length > limit {
            return Err(Self::TooLong { length, limit, right: right.to_owned() });
        }
        Ok(())
    }
}

/// Text from outside as it may stand in a message: quoted, cut, and without anything that a terminal obeys.
///
/// Control characters, bidirectional overrides and zero-width characters come out escaped.
pub fn shown(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut out = String::from("\"");
    for (at, character) in text.chars().enumerate() {
        if at == LIMIT {
            out.push('…');
            break;
        }
        match character {
            '\'' => out.push('\''),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{}", other.escape_debug());
            }
        }
    }
    out.push('"');
    out
}
