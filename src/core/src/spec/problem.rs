//! What is wrong with a cluster file, where, and what would be right.

use std::fmt;

use serde::Serialize;

/// A stretch of the cluster file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// Line of its first character, from 1.
    pub line: usize,
    /// Column of its first character, from 1, in characters.
    pub column: usize,
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset behind its last character; equal to `start` when it is empty.
    pub end: usize,
}

/// One thing that is wrong with a cluster, or deserves a warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where in the cluster: `spec.nodeGroups[1].count.max`. Empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// Where in the text, when there is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

impl Problem {
    /// A problem at `path`, of which the place in the text is not known yet.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), right: None, span: None }
    }

    /// The same with what would be right.
    #[must_use]
    pub fn right(self, right: impl Into<String>) -> Self {
        Self { right: Some(right.into()), ..self }
    }

    /// The same with its place in the text.
    #[must_use]
    pub fn spanning(self, span: Span) -> Self {
        Self { span: Some(span), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = self.span {
            write!(f, "{}:{}: ", span.line, span.column)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(right) = &self.right {
            write!(f, "; right would be: {right}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a cluster, in the order of the file; at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// All of `problems`, or `Ok` when there are none.
    pub(crate) fn unless_empty(mut problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        in_order(&mut problems);
        Err(Self(problems))
    }

    pub(crate) fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// Each problem changed, and the order of the file again.
    pub(crate) fn map(self, change: impl FnMut(Problem) -> Problem) -> Self {
        let mut problems: Vec<Problem> = self.0.into_iter().map(change).collect();
        in_order(&mut problems);
        Self(problems)
    }

    /// The problems.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// The problems, to keep.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// What has no place comes last; sorting is stable, so that the order of the rules decides between equals.
fn in_order(problems: &mut [Problem]) {
    problems.sort_by_key(|problem| problem.span.map_or((usize::MAX, 0), |span| (span.start, span.end)));
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
