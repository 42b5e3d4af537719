//! The whole of clusterctl against clouds that break: the proof of its two laws, and `clusterctl rehearse`.
//!
//! ```text
//! Stage (world, store) ─process─▶ one run of one command, perhaps killed ─▶ Stage ─▶ … ─oracles─▶ Violation | nothing
//! ```
//! - [`stage`] an account and a store that outlive processes; [`process`] one run on them
//! - [`faults`] what can go wrong, by name; [`store`] a store that breaks
//! - [`habits`] a provider whose calls are repeated
//! - [`oracles`] what must hold after every run; [`effort`] how much may be asked for it
//! - [`scenario`] what a user does
//! - [`show`] a rehearsal for the user
//! - [`bench`] whole commands for the benchmark
//! - [`trial`] one scenario under some faults, until it converges; [`suites`] many of them, counted

pub mod bench;
pub(crate) mod effort;
pub(crate) mod faults;
pub(crate) mod habits;
pub(crate) mod oracles;
pub(crate) mod process;
pub(crate) mod scenario;
pub(crate) mod show;
pub(crate) mod stage;
pub(crate) mod store;
pub mod suites;
pub(crate) mod trial;
