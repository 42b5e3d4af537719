//! Where the time of a run went: as planned, as it was, and the chain of steps that decided when it ended.
//!
//! ```text
//! Plan + Phases + Events ─Recorder─▶ Timeline (durable) ─┬─summary─▶ phases and critical path
//!                                                        └─trace───▶ trace events for Perfetto
//! ```
//! - `record` what is kept of a run: addresses, verbs and times, never an argument; [`Recorder`] writes it down
//! - [`schedule`] every step as soon as what it waits for is there, and the chain behind the last of them
//! - [`summary`](Timeline::summary) a run in few numbers
//! - [`trace`](Timeline::trace) every step as a trace event
//!
//! Times are seconds since the run began, to the millisecond.

mod phase;
mod record;
pub mod schedule;
mod summary;
mod trace;

pub use phase::{Phase, Phases};
pub use record::{Fate, Outcome, Purpose, Recorder, Refused, StepTime, Timeline};
pub use schedule::Slot;
pub use summary::{PathStep, PhaseTime, Summary, Window};

#[cfg(test)]
pub(crate) mod tests;
