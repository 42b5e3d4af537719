//! Clouds in the same process, for rehearsals, demonstrations and the proof of the engine.
//!
//! A cloud here answers the wire protocol of the real one behind [`clusterctl_core::transport::Transport`]: the drivers,
//! their SDK and their mapping of errors run unchanged, and nothing else knows that it is there. No sockets, no clock
//! but tokio's, no randomness but one seed.
//!
//! - [`world`] what an account holds: things, what will happen to them and when; plain data that can be saved
//! - [`weather`] how true to a bad day it is: lag, throttling, quotas, capacity
//! - [`chance`] every random draw, by seed and label; [`latency`] how long things take
//! - [`fault`] what goes wrong on purpose; [`transport`] requests in, answers out; [`file`] a world in a file
//! - [`wire`] forms, XML; [`aws`] the services of AWS as tables of kinds and what is special about each
//!
//! What is simulated from a vendor's page says so beside the code; [`aws::behaviours`] lists it.

pub mod aws;
pub mod chance;
pub mod fault;
pub mod file;
pub mod latency;
pub mod transport;
pub mod weather;
pub mod wire;
pub mod world;
