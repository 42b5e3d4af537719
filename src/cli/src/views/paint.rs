//! Colours, or none.

/// Paints text where that is wanted; not one escape byte where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    pub(crate) on: bool,
}

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }
}

/// What came from elsewhere, so that no answer of a cloud can steer a terminal or the log of a CI.
///
/// Control characters and those that turn the direction of writing become U+FFFD. What a runner of GitHub's or of Azure's
/// would take for a command loses a sign: `::word ..::` at the start of a line, `##[` and `##vso[` anywhere.
pub(crate) fn tame(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let quiet: String = text
        .chars()
        .map(|c| if turns(c) || c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c })
        .collect();
    if !quiet.contains("::") && !quiet.contains("##") {
        return quiet;
    }
    let lines: Vec<String> = quiet.split('\n').map(no_command).collect();
    lines.join("\n")
}

/// The same as one line.
pub(crate) fn one_line(text: &str) -> String {
    tame(&text.replace(['\n', '\t'], " "))
}

/// As long as before, so that places in a text stay where they are.
fn no_command(line: &str) -> String {
    let line = line.replace("##[", "# [").replace("##vso[", "# vso[");
    let blank = line.len() - line.trim_start().len();
    match line[blank..].strip_prefix("::") {
        // An address of IPv6 has no second pair.
        Some(rest) if rest.contains("::") => format!("{}: {rest}", &line[..blank]),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_elsewhere_steers_neither_terminal_nor_log() {
        assert_eq!(tame("a\u{1b}[2Jb\rc\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
        assert_eq!(tame("a\n  ::add-mask::b\nc ::d::e"), "a\n  : add-mask::b\nc ::d::e");
        assert_eq!(tame("a ##[group]b"), "a # [group]b");
        assert_eq!(tame("::1 and\n::/0"), "::1 and\n::/0");
        assert_eq!(one_line("a\n::error::b\tc"), "a ::error::b c");
    }
}
