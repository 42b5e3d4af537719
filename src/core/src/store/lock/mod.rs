//! Who may change a cluster, until when.
//!
//! ```text
//! free ─acquire─▶ held ─renew every 15 s─▶ held ─release─▶ free          each arrow is one conditional write of
//!                  └── not renewed for 60 s + 15 s, or holder dead ──▶ held by the next, epoch + 1     lock.json
//! ```
//! - [`record`] the stored lease and its holder
//! - [`acquire`] waiting for it, and taking it over from a run that died
//! - [`lease`] keeping it: heartbeat, [`Lease::fence`] before each change, release
//! - [`admin`] listing leases, and breaking one by hand
//!
//! No decision compares two machines' clocks. A waiter measures with its own monotonic clock how long it has seen the
//! same version of the lease; the holder stops well before that, by its monotonic or its wall clock, whichever has run
//! further: the first stands still while a laptop sleeps, the second jumps. Every acquisition has a new epoch, and a
//! released lease stays stored, so that no epoch ever comes twice.

pub mod acquire;
pub mod admin;
pub mod lease;
pub mod record;
#[cfg(test)]
mod tests;

pub use acquire::{LockError, Locker, Timing, Waiting};
pub use admin::{BreakError, LockEntry, break_lock, list};
pub use lease::{Lease, Lost};
pub use record::{Holder, LeaseRecord, Liveness};
