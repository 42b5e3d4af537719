//! The engine: carries a plan out, one step as soon as what it waits for is there.
//!
//! - [`run`] the loop: one owner of the run's state, workers that send it what happened
//! - `queue`: which steps are free, longest remaining path first
//! - `work`: one step against one driver: record, call, look, wait
//! - `retry`: when to call again, by [`crate::cloud::Fault`] alone
//! - `budget`: how many calls at once and how fast, per kind and read or write
//! - [`Ledger`] where intents and outcomes become durable; [`Event`] what a view shows
//!
//! Rules that hold at every instant: an intent is durable before its call is sent; an outcome is durable before anything
//! that depends on it starts; the fence is asked before every mutation.

mod budget;
mod event;
mod ledger;
mod queue;
mod retry;
mod run;
mod work;

pub use event::{Event, Failure, Report, Timing};
pub use ledger::{Ended, Intended, Ledger, LedgerError};
pub use run::{Run, Settings, Stop, Waiting, run};

#[cfg(test)]
mod tests;
