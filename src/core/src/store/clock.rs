//! The wall clock.

use std::fmt;

use jiff::Timestamp;

/// Tells the time of day.
///
/// Only for times that people read, and as a second opinion beside tokio's monotonic clock, which stands still while a
/// laptop sleeps. No decision compares the wall clocks of two machines.
pub trait Clock: fmt::Debug + Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
