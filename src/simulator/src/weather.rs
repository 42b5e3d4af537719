//! How true to a bad day a world is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What of a cloud's unpleasantness a world has. All of it is drawn from the world's seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Weather {
    /// How long what was just made, tagged or deleted may be seen differently by reads: half of it is shorter than this.
    pub lag_p50_ms: u64,
    /// No lag is longer.
    pub lag_max_ms: u64,
    /// Within the lag, how often a read is up to date all the same: lists flap.
    pub flap: f64,
    /// Whether token buckets refuse what is too much.
    pub throttle: bool,
    /// How many machines of a type a zone has, as `p5.48xlarge/eu-central-1a`; without an entry, enough. With `/spot`
    /// behind it, how many of them as spot.
    pub capacity: BTreeMap<String, u32>,
    /// Instead of the quotas that a new account has.
    pub quotas: BTreeMap<String, u32>,
    /// How often an operation that goes on after its answer fails in the end.
    pub accepted_then_failed: f64,
    /// How often a machine starts and never joins.
    pub never_joins: f64,
    /// How often a machine of a group dies in an hour.
    pub machine_deaths: f64,
    /// How many times faster than usual what takes its time comes to its end.
    pub haste: f64,
}

impl Default for Weather {
    /// An ordinary day.
    fn default() -> Self {
        Self {
            lag_p50_ms: 250,
            lag_max_ms: 4_000,
            flap: 0.3,
            throttle: true,
            capacity: BTreeMap::new(),
            quotas: BTreeMap::new(),
            accepted_then_failed: 0.0,
            never_joins: 0.0,
            machine_deaths: 0.0,
            haste: 1.0,
        }
    }
}

impl Weather {
    /// Nothing lags and nothing is refused for being too much.
    #[must_use]
    pub fn calm() -> Self {
        Self { lag_p50_ms: 0, lag_max_ms: 0, flap: 0.0, throttle: false, ..Self::default() }
    }
}
