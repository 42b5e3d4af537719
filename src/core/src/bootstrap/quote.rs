//! POSIX shell quoting, as the escape function of the node templates.

use std::io::{self, ErrorKind, Write};

/// Writes `text` as one single-quoted shell word.
///
/// In single quotes nothing is special but the quote itself, which is written as `'\''`. A NUL byte cannot be in a
/// shell word at all and is an error.
pub(super) fn shell_word(text: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.contains('\0') {
        return Err(io::Error::new(ErrorKind::InvalidInput, "a shell word cannot hold a NUL byte"));
    }
    write!(out, "'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Option<String> {
        let mut out = Vec::new();
        shell_word(text, &mut out).ok()?;
        String::from_utf8(out).ok()
    }

    #[test]
    fn only_the_quote_itself_is_rewritten() {
        assert_eq!(word("plain").as_deref(), Some("'plain'"));
        assert_eq!(word("").as_deref(), Some("''"));
        assert_eq!(word("it's $(x) `y` \\ \"z\"\n").as_deref(), Some("'it'\\''s $(x) `y` \\ \"z\"\n'"));
        assert_eq!(word("a\0b"), None);
    }
}
