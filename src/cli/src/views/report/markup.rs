//! Markup that values cannot break out of: tags and attribute names are the program's own text, everything else is escaped.

use std::fmt::{Display, Write as _};

pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// A document that grows.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// The program's own markup, which can hold no value.
    pub(super) fn raw(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    pub(super) fn text(&mut self, value: &dyn Display) {
        self.0.push_str(&escape(&value.to_string()));
    }

    pub(super) fn element(&mut self, name: &'static str, attributes: Attributes<'_>, body: impl FnOnce(&mut Self)) {
        let _ = write!(self.0, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.0, " {attribute}=\"{}\"", escape(&value.to_string()));
        }
        self.0.push('>');
        body(self);
        let _ = write!(self.0, "</{name}>");
    }

    /// An element with nothing but text in it.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, value: &dyn Display) {
        self.element(name, attributes, |markup| markup.text(value));
    }

    pub(super) fn line(&mut self) {
        self.0.push('\n');
    }

    /// A table whose first column names its rows.
    pub(super) fn table(&mut self, caption: &'static str, heads: &[&'static str], rows: &[Vec<String>]) {
        self.element("table", &[], |table| {
            table.leaf("caption", &[], &caption);
            table.element("thead", &[], |head| {
                head.element("tr", &[], |row| heads.iter().for_each(|head| row.leaf("th", &[("scope", &"col")], head)));
            });
            table.raw("\n<tbody>\n");
            for cells in rows {
                table.element("tr", &[], |row| {
                    for (column, cell) in cells.iter().enumerate() {
                        match column {
                            0 => row.leaf("th", &[("scope", &"row")], cell),
                            _ => row.leaf("td", &[], cell),
                        }
                    }
                });
                table.line();
            }
            table.raw("</tbody>");
        });
        self.line();
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// The one place where a value becomes part of the page: safe as text and between quotes.
///
/// Characters that are not seen, or that turn the direction of what follows, are shown as a replacement.
pub(super) fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '`' => text.push_str("&#96;"),
            '\n' | '\t' => text.push(c),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                text.push('\u{fffd}');
            }
            c if c.is_control() => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_becomes_markup() {
        for (hostile, harmless) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("' onload='x", "&#39; onload=&#39;x"),
            ("</title><svg>", "&lt;/title&gt;&lt;svg&gt;"),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
            ("`${x}`", "&#96;${x}&#96;"),
            ("]]><!--", "]]&gt;&lt;!--"),
            ("a\0b\u{1b}[31m\u{85}", "a\u{fffd}b\u{fffd}[31m\u{fffd}"),
            ("safe\u{202e}cod.exe\u{2066}\u{200b}", "safe\u{fffd}cod.exe\u{fffd}\u{fffd}"),
            ("Zürich, 日本", "Zürich, 日本"),
        ] {
            assert_eq!(escape(hostile), harmless, "{hostile:?}");
        }
    }

    #[test]
    fn attributes_and_cells_are_escaped_alike() {
        let mut markup = Markup::default();
        markup.leaf("p", &[("title", &"\"><img src=x>")], &"<b>");
        markup.table("All", &["A", "B"], &[vec!["<i>".to_owned(), "'".to_owned()]]);
        let text = markup.into_text();
        assert!(text.starts_with("<p title=\"&quot;&gt;&lt;img src=x&gt;\">&lt;b&gt;</p><table>"), "{text}");
        assert!(text.contains("<th scope=\"row\">&lt;i&gt;</th><td>&#39;</td>"), "{text}");
    }
}
