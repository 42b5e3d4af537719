//! Hostile strings through everything that writes, and back.
//!
//! ```text
//! strings × positions ─file──▶ read, printed, read again          (YAML)
//!                     ─cloud─▶ resolved, lowered, exported, packed (JSON, HCL, user-data)
//! strings ─node──▶ the script of a node, its words and documents   (shell)
//!         ─module▶ a Terraform module of nothing but hostile text  (HCL)
//!         ─record▶ state, lock, journal, plan                      (JSON)
//! ```
//! - [`strings()`] the one list, which other packages' tests use too
//! - `positions` where a string can stand in the cluster file, by its schema
//! - `export` a graph against its Terraform and its user-data
//! - `parse` and `evaluate`, `shell`, `flat` what reads back: none of it shares code with what wrote
//!
//! A string is either refused with a problem at the very place, or comes out of every renderer as it went in and
//! changes nothing else.

mod cloud;
mod evaluate;
mod export;
mod file;
mod flat;
mod module;
mod node;
mod parse;
mod positions;
mod record;
mod shell;
mod strings;

use std::collections::BTreeMap;
use std::fmt;

pub use strings::strings;

/// What was proven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Hostile strings.
    pub strings: usize,
    /// Places of the cluster file where a string can stand.
    pub fields: usize,
    /// How many pairs of place and text each renderer gave back equal, by renderer.
    pub renderers: BTreeMap<&'static str, usize>,
    /// How many pairs the reader refused, each at its very path.
    pub refused: usize,
    /// Fields that take hostile strings and that no file which can be lowered has.
    pub unlowered: Vec<String>,
}

impl Counts {
    /// Every pair of place and text that was looked at.
    #[must_use]
    pub fn combinations(&self) -> usize {
        self.refused + self.renderers.values().sum::<usize>()
    }

    fn proven(&mut self, renderer: &'static str, pairs: usize) {
        *self.renderers.entry(renderer).or_default() += pairs;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hostile strings, {} string fields: {} refused in place",
            self.strings, self.fields, self.refused
        )?;
        self.renderers.iter().try_for_each(|(renderer, pairs)| write!(f, ", {pairs} equal in {renderer}"))
    }
}

/// A string that did not come back, or was refused in the wrong way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub renderer: &'static str,
    pub field: String,
    pub text: String,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} = {:?}: {}", self.renderer, self.field, self.text, self.what)
    }
}

impl std::error::Error for Violation {}

/// What is told when a proof fails; boxed, because it is large and rare.
type Proof<T> = Result<T, Box<Violation>>;

fn violation<T>(renderer: &'static str, field: &str, text: &str, what: impl Into<String>) -> Proof<T> {
    Err(Box::new(Violation { renderer, field: field.to_owned(), text: text.to_owned(), what: what.into() }))
}

/// Runs `work`; a panic in it is a violation like any other.
fn guarded<T>(renderer: &'static str, field: &str, text: &str, work: impl FnOnce() -> T) -> Proof<T> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
        Ok(done) => Ok(done),
        Err(_) => violation(renderer, field, text, "panics"),
    }
}

/// Everything, in one go.
///
/// # Errors
/// The first string that did not come back equal or was not refused in place.
pub fn programme() -> Result<Counts, Box<Violation>> {
    let strings = strings();
    let positions = positions::positions();
    let mut counts = Counts { strings: strings.len(), fields: positions.len(), ..Counts::default() };
    let accepted = file::check(&strings, &positions, &mut counts)?;
    record::check(&strings, &mut counts)?;
    module::check(&strings, &mut counts)?;
    node::check(&strings, &mut counts)?;
    cloud::check(&accepted, &mut counts)?;
    Ok(counts)
}
