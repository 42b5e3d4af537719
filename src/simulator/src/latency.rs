//! How long things take: lognormal by median and 95th percentile, cut at the shortest and longest seen.
//!
//! The figures stand in `latency.json`, each with its source; what is not there is an answer of the API itself.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::chance::Chance;

/// Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Latency {
    pub p50: f64,
    pub p95: f64,
    pub min: f64,
    pub max: f64,
}

/// An answer to a read within a region.
pub const READ: Latency = Latency { p50: 0.08, p95: 0.3, min: 0.02, max: 2.0 };
/// An answer to a change.
pub const WRITE: Latency = Latency { p50: 0.35, p95: 1.0, min: 0.1, max: 5.0 };

/// The 95th percentile of the normal distribution.
const Z95: f64 = 1.644_853_6;

impl Latency {
    /// Milliseconds, drawn.
    pub fn draw(&self, chance: &mut Chance, label: &str) -> u64 {
        let sigma = (self.p95 / self.p50).ln().max(0.0) / Z95;
        let seconds = self.p50 * (sigma * chance.normal(label)).exp();
        (seconds.clamp(self.min, self.max) * 1000.0) as u64
    }
}

/// The figure of that name, such as `aws.NatGateway.create`.
#[must_use]
pub fn of(name: &str) -> Option<Latency> {
    static TABLE: OnceLock<BTreeMap<String, Latency>> = OnceLock::new();
    TABLE.get_or_init(|| serde_json::from_str(include_str!("latency.json")).unwrap_or_default()).get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_median_and_the_tail_of_the_figures() {
        let figure = of("aws.NatGateway.create").expect("a figure");
        let mut chance = Chance::new(3);
        let mut drawn: Vec<u64> = (0..2001).map(|_| figure.draw(&mut chance, "nat")).collect();
        drawn.sort_unstable();
        assert!((113_000..117_000).contains(&drawn[1000]), "{}", drawn[1000]);
        assert!((120_000..124_000).contains(&drawn[1900]), "{}", drawn[1900]);
    }
}
