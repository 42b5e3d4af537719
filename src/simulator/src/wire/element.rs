//! XML that a client sends, read into elements.
//!
//! Enough for what SDKs write: elements, text, entities and a declaration; attributes are passed over.

/// An element with its text and what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a document; `None` when it is none.
    #[must_use]
    pub fn read(document: &str) -> Option<Self> {
        let mut open: Vec<Self> = Vec::new();
        let mut rest = document.trim_start();
        loop {
            let (text, after) = rest.split_once('<')?;
            if let Some(inner) = open.last_mut() {
                inner.text.push_str(&plain(text));
            }
            let (tag, after) = after.split_once('>')?;
            rest = after;
            if tag.starts_with(['?', '!']) {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                let done = open.pop().filter(|element| element.name == name.trim())?;
                match open.last_mut() {
                    Some(outer) => outer.children.push(done),
                    None => return Some(done),
                }
                continue;
            }
            let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let name = tag.split_whitespace().next()?.to_owned();
            let element = Self { name, ..Self::default() };
            match (is_empty, open.last_mut()) {
                (false, _) => open.push(element),
                (true, Some(outer)) => outer.children.push(element),
                (true, None) => return Some(element),
            }
        }
    }

    /// The first element of that name at a path such as `ChangeBatch.Changes`.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |element, name| element.children.iter().find(|child| child.name == name))
    }

    /// The text at a path; empty ones are none.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path).map(|element| element.text.trim()).filter(|text| !text.is_empty())
    }

    /// All elements of a name in the element at a path.
    pub fn all<'a>(&'a self, path: &str, name: &'a str) -> impl Iterator<Item = &'a Self> + use<'a> {
        let inside = self.at(path).map(|element| element.children.as_slice()).unwrap_or_default();
        inside.iter().filter(move |child| child.name == name)
    }
}

/// Undoes the entities of XML.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let Some((entity, after)) = after.split_once(';') else {
            plain.push('&');
            rest = after;
            continue;
        };
        match entity {
            "lt" => plain.push('<'),
            "gt" => plain.push('>'),
            "amp" => plain.push('&'),
            "quot" => plain.push('"'),
            "apos" => plain.push('\''),
            other => {
                let code = other.strip_prefix('#').and_then(|number| match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => number.parse().ok(),
                });
                plain.extend(code.and_then(char::from_u32));
            }
        }
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_an_sdk_is_read_with_entities_and_empty_elements() {
        let text = "<?xml version=\"1.0\"?><A xmlns=\"u:r\"><B>x &amp; &#34;y&quot;</B><C/><D><E>1</E><E>2</E></D></A>";
        let read = Element::read(text).expect("a document");
        assert_eq!((read.name.as_str(), read.text("B"), read.text("C")), ("A", Some("x & \"y\""), None));
        assert_eq!(read.all("D", "E").map(|e| e.text.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(read.text("D.E"), Some("1"));
    }

    #[test]
    fn what_is_cut_short_or_crossed_is_no_document() {
        for text in ["", "<A>", "<A></B>", "<A><B></A></B>", "plain"] {
            assert_eq!(Element::read(text), None, "{text}");
        }
    }
}
