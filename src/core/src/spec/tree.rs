//! YAML text as a tree that remembers where everything stood.
//!
//! Scalars keep the text they were written as, because only the schema knows whether `1.30` is a number or a version.
//! JSON is read the same way, being YAML. Read strictly: one document, no duplicate keys, no tags, no merge keys
//! (`<<`); anchors and aliases are followed. [`Budget`] bounds what a hostile file can cost.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as ParserSpan, StrInput};

use super::path;
use super::problem::{Problem, Problems, Span};
use crate::names::shown;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) content: Content,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// A word or a number, as written. `plain` without quotes.
    Scalar { text: String, style: Style },
    /// A list.
    Sequence(Vec<Node>),
    /// Fields, in the order of the file; keys are unique.
    Mapping(Vec<Field>),
}

/// Whether a scalar was written with quotes (or as a block), which makes it text whatever it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
}

/// A field of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

/// What a file may cost at most, counted after aliases have been replaced by what they stand for.
struct Budget;

impl Budget {
    const BYTES: usize = 1 << 20;
    const NODES: usize = 20_000;
    const DEPTH: usize = 32;
    const ALIASES: usize = 64;
}

/// Reads one YAML document.
///
/// # Errors
/// What the parser refuses and what goes over a budget ends the reading at once; duplicate keys, merge keys and tags
/// are collected.
pub(super) fn read(text: &str) -> Result<Node, Problems> {
    if text.len() > Budget::BYTES {
        return Err(Problems::one(
            Problem::at("", format!("the file has {} bytes", text.len()))
                .right(format!("at most {} bytes", Budget::BYTES)),
        ));
    }
    // A byte-order mark is no part of the document.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        parser: Parser::new_from_str(body),
        places: Places::of(body, text.len() - body.len()),
        nodes: 0,
        bytes: 0,
        aliases: 0,
        anchors: HashMap::new(),
        problems: Vec::new(),
    };
    let root = reader.document().map_err(|fatal| {
        let mut all = std::mem::take(&mut reader.problems);
        all.push(*fatal);
        // There is at least the fatal one.
        Problems::unless_empty(all).err().unwrap_or_else(|| Problems::one(Problem::at("", "unreadable")))
    })?;
    Problems::unless_empty(reader.problems)?;
    Ok(root)
}

/// Ends the reading. Boxed, because it is large and rare.
type Fatal = Box<Problem>;

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    places: Places,
    nodes: usize,
    bytes: usize,
    aliases: usize,
    anchors: HashMap<usize, Node>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn next(&mut self, path: &str) -> Result<(Event<'a>, Span), Fatal> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.places.span(&span))),
            Some(Err(error)) => Err(Box::new(self.unreadable(path, &error))),
            None => Err(Box::new(Problem::at(path, "the file ends too early"))),
        }
    }

    fn unreadable(&self, path: &str, error: &ScanError) -> Problem {
        let place = self.places.span(&ParserSpan::empty(*error.marker()));
        Problem::at(path, format!("is not YAML: {}", error.info())).spanning(place)
    }

    fn document(&mut self) -> Result<Node, Fatal> {
        let empty = || Problem::at("", "the file is empty").right("a cluster: `clusterctl schema` describes it");
        loop {
            match self.next("")? {
                (Event::StreamStart | Event::Nothing, _) => {}
                (Event::DocumentStart(_), _) => break,
                (_, span) => return Err(Box::new(empty().spanning(span))),
            }
        }
        let first = self.next("")?;
        let root = self.node("", 0, first)?;
        if matches!(&root.content, Content::Scalar { text, style: Style::Plain } if text.is_empty()) {
            return Err(Box::new(empty().spanning(root.span)));
        }
        loop {
            match self.next("")? {
                (Event::DocumentEnd | Event::Nothing, _) => {}
                (Event::StreamEnd, _) => return Ok(root),
                (_, span) => {
                    return Err(Box::new(
                        Problem::at("", "the file holds more than one document")
                            .right("one cluster in each file")
                            .spanning(span),
                    ));
                }
            }
        }
    }

    fn node(&mut self, path: &str, depth: usize, (event, span): (Event<'a>, Span)) -> Result<Node, Fatal> {
        if depth > Budget::DEPTH {
            return Err(Box::new(
                Problem::at(path, format!("is nested more than {} levels deep", Budget::DEPTH)).spanning(span),
            ));
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, text.len(), path, span)?;
                self.refuse_tag(path, tag.is_some(), span);
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                (Node { span, content: Content::Scalar { text: text.into_owned(), style } }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.count(1, 0, path, span)?;
                self.refuse_tag(path, tag.is_some(), span);
                (self.sequence(path, depth, span)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.count(1, 0, path, span)?;
                self.refuse_tag(path, tag.is_some(), span);
                (self.mapping(path, depth, span)?, anchor)
            }
            Event::Alias(anchor) => return self.alias(path, depth, anchor, span),
            _ => return Err(Box::new(Problem::at(path, "ends where a value should be").spanning(span))),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, path: &str, depth: usize, start: Span) -> Result<Node, Fatal> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next(path)?;
            if event == Event::SequenceEnd {
                return Ok(Node { span: start.until(span), content: Content::Sequence(items) });
            }
            let here = path::item(path, items.len());
            items.push(self.node(&here, depth + 1, (event, span))?);
        }
    }

    fn mapping(&mut self, path: &str, depth: usize, start: Span) -> Result<Node, Fatal> {
        let mut fields: Vec<Field> = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let (event, key_span) = self.next(path)?;
            let (key, style) = match event {
                Event::MappingEnd => {
                    return Ok(Node { span: start.until(key_span), content: Content::Mapping(fields) });
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.count(1, text.len(), path, key_span)?;
                    self.refuse_tag(path, tag.is_some() || anchor != 0, key_span);
                    (text.into_owned(), style)
                }
                _ => {
                    return Err(Box::new(
                        Problem::at(path, "has a key that is not a word")
                            .right("plain words as keys")
                            .spanning(key_span),
                    ));
                }
            };
            let here = path::field(path, &key);
            let first = self.next(&here)?;
            let value = self.node(&here, depth + 1, first)?;
            if key == "<<" && style == ScalarStyle::Plain {
                self.problems.push(
                    Problem::at(path, "merge keys (<<) are not supported")
                        .right("repeat the fields, or use an alias for a whole value")
                        .spanning(key_span),
                );
                continue;
            }
            if let Some(line) = lines.insert(key.clone(), key_span.line) {
                lines.insert(key.clone(), line);
                self.problems.push(
                    Problem::at(here, format!("{} is written twice, first on line {line}", shown(&key)))
                        .right("one of the two")
                        .spanning(key_span),
                );
                continue;
            }
            fields.push(Field { key, key_span, value });
        }
    }

    fn alias(&mut self, path: &str, depth: usize, anchor: usize, span: Span) -> Result<Node, Fatal> {
        self.aliases += 1;
        if self.aliases > Budget::ALIASES {
            return Err(Box::new(
                Problem::at(path, format!("is one alias too many: {} are allowed", Budget::ALIASES)).spanning(span),
            ));
        }
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Box::new(Problem::at(path, "is an alias for something that contains it").spanning(span)));
        };
        let size = Size::of(&node);
        self.count(size.nodes, size.bytes, path, span)?;
        if depth + size.depth > Budget::DEPTH {
            return Err(Box::new(
                Problem::at(path, format!("is nested more than {} levels deep", Budget::DEPTH)).spanning(span),
            ));
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, bytes: usize, path: &str, span: Span) -> Result<(), Fatal> {
        self.nodes += nodes;
        self.bytes += bytes;
        if self.nodes > Budget::NODES {
            return Err(Box::new(
                Problem::at(path, format!("the file has more than {} values", Budget::NODES)).spanning(span),
            ));
        }
        if self.bytes > Budget::BYTES {
            return Err(Box::new(
                Problem::at(path, format!("aliases make the file larger than {} bytes", Budget::BYTES)).spanning(span),
            ));
        }
        Ok(())
    }

    fn refuse_tag(&mut self, path: &str, tagged: bool, span: Span) {
        if tagged {
            self.problems.push(
                Problem::at(path, "has a YAML tag or an anchor on a key, which have no meaning here")
                    .right("the value alone")
                    .spanning(span),
            );
        }
    }
}

/// How large a tree is.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

impl Size {
    fn of(node: &Node) -> Self {
        let add = |sum: Self, node: &Node| {
            let inner = Self::of(node);
            Self {
                nodes: sum.nodes + inner.nodes,
                bytes: sum.bytes + inner.bytes,
                depth: sum.depth.max(inner.depth + 1),
            }
        };
        let start = Self { nodes: 1, ..Self::default() };
        match &node.content {
            Content::Scalar { text, .. } => Self { bytes: text.len(), ..start },
            Content::Sequence(items) => items.iter().fold(start, add),
            Content::Mapping(fields) => fields.iter().fold(start, |sum, field| {
                let sum = add(sum, &field.value);
                Self { nodes: sum.nodes + 1, bytes: sum.bytes + field.key.len(), ..sum }
            }),
        }
    }
}

/// Turns the parser's places, counted in characters, into byte offsets.
struct Places {
    /// Byte offset of every character, and one behind the last.
    offsets: Vec<usize>,
    skipped: usize,
}

impl Places {
    fn of(text: &str, skipped: usize) -> Self {
        let offsets = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        Self { offsets, skipped }
    }

    fn span(&self, span: &ParserSpan) -> Span {
        let last = self.offsets.last().copied().unwrap_or(0);
        let offset = |index: usize| self.offsets.get(index).copied().unwrap_or(last) + self.skipped;
        let start = offset(span.start.index());
        Span { line: span.start.line(), column: span.start.col() + 1, start, end: offset(span.end.index()).max(start) }
    }
}

impl Span {
    /// From the start of this one to the end of the other.
    fn until(self, other: Self) -> Self {
        Self { end: other.end.max(self.end), ..self }
    }
}
