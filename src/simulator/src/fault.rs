//! What goes wrong on purpose.

use std::fmt;

/// A request, as trouble sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Counted from 0 over all requests of a process.
    pub number: u64,
    /// As IAM spells it, such as `ec2:CreateVpc`.
    pub action: String,
    /// How many requests of this action came before it.
    pub occurrence: u64,
    pub writes: bool,
}

/// Whether a request that gets no proper answer was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Done {
    Before,
    After,
}

/// What happens to one request instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injection {
    /// The process that asks dies: before the request was carried out, or after, without its answer.
    Kill(Done),
    /// An error as the service writes it.
    Refuse { done: Done, status: u16, code: String, message: String, retry_after: Option<u64> },
    /// The connection breaks.
    Reset(Done),
    /// No answer, for longer than anybody waits.
    Silence(Done),
    /// The connection is never made.
    NoConnection,
    /// An answer that is none: carried out, and this body with status 200.
    Poison(String),
    /// Whatever was made in the last two minutes is not there yet: an empty list, or an id that nobody knows.
    Stale,
    /// Accepted, and what was begun fails in the end.
    FailsLater,
    /// Accepted, and what was begun never ends.
    NeverEnds,
    /// Of what is asked for together, one is not done; the answer says so where this action's answers can.
    Partial,
}

/// Decides what goes wrong.
pub trait Trouble: Send + fmt::Debug {
    fn meets(&mut self, request: &Seen) -> Option<Injection>;
}

impl<F> Trouble for Told<F>
where
    F: FnMut(&Seen) -> Option<Injection> + Send,
{
    fn meets(&mut self, request: &Seen) -> Option<Injection> {
        (self.0)(request)
    }
}

/// Trouble as a closure.
pub struct Told<F>(pub F);

impl<F> fmt::Debug for Told<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}
