//! From text to a [`Document`].

use std::collections::BTreeMap;

use super::problem::{Problem, Problems, Span};
use super::types::Spec;
use super::{check, path, tree};

/// A cluster file that was read: what it says, and where each thing stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What the file says.
    pub spec: Spec,
    spans: BTreeMap<String, Span>,
}

impl Document {
    /// Where the thing at `path` stands, or else the nearest thing around it that is in the file.
    pub fn span(&self, path: &str) -> Option<Span> {
        let mut at = path;
        loop {
            if let Some(span) = self.spans.get(at) {
                return Some(*span);
            }
            at = path::parent(at)?;
        }
    }

    /// The same problems, each with its place in the file.
    #[must_use]
    pub fn locate(&self, problems: Problems) -> Problems {
        problems.map(|problem| self.locate_one(problem))
    }

    /// The same problem (or warning) with its place in the file.
    #[must_use]
    pub fn locate_one(&self, problem: Problem) -> Problem {
        Problem { span: problem.span.or_else(|| self.span(&problem.path)), ..problem }
    }
}

/// Reads a cluster file, YAML or JSON.
///
/// # Errors
/// Everything that is wrong with the structure and with single values, in the order of the file. What is wrong between
/// values is for [`crate::cluster::resolve`] to say.
pub fn read(text: &str) -> Result<Document, Problems> {
    let root = tree::read(text)?;
    let checked = check::check(&root);
    Problems::unless_empty(checked.problems)?;
    // The schema and the types come from one source, so that this cannot fail where the check has passed; a test with
    // random files holds it to that.
    let spec: Spec = serde_json::from_value(checked.value)
        .map_err(|error| Problems::one(Problem::at("", format!("cannot be understood: {error}"))))?;
    Ok(Document { spec, spans: checked.spans })
}
