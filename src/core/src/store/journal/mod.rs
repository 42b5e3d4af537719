//! What was intended, written before it is done, and what came of it.
//!
//! ```text
//! Journal::append ─▶ segments clusters/<name>/journal/<epoch>-<seq>.json ─replay─▶ records ─fold─▶ State
//!                                          compact: save the folded state, then delete the segments
//! ```
//! - [`record`] intents, outcomes, notes
//! - [`segment`] the objects that hold them; [`writer`] many records in one write; [`replay`] reads them back
//! - [`fold`] the state after the records; [`compact`] the state takes the journal over
//!
//! Each epoch of the lock has its own row of segments, created only where there is none. Whoever takes the lock over
//! from a run that did not give it back first *seals* that run's row: from then on the old run cannot write an intent,
//! and so can begin nothing more, however its clock goes.

pub mod compact;
pub mod fold;
pub mod record;
pub mod replay;
pub mod segment;
#[cfg(test)]
mod tests;
pub mod writer;

pub use compact::{Current, compact, current};
pub use fold::fold;
pub use record::{Action, Came, Intent, Note, Op, Outcome, Record};
pub(super) use replay::last_epoch;
pub use replay::{Replay, replay, salvage};
pub use segment::SegmentId;
pub use writer::{Journal, JournalError};
