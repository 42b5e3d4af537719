//! Every random draw of a world.
//!
//! A draw depends on the seed, on a label and on how often that label was drawn before, and on nothing else: a fault
//! injected in one place does not change the weather in another, so that a failing run can be made smaller.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The seed and how often each label was drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    seed: u64,
    drawn: BTreeMap<String, u64>,
}

impl Chance {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: BTreeMap::new() }
    }

    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The next number of that label.
    pub fn number(&mut self, label: &str) -> u64 {
        let count = match self.drawn.get_mut(label) {
            Some(count) => count,
            None => self.drawn.entry(label.to_owned()).or_insert(0),
        };
        *count += 1;
        let mut hash = mix(self.seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for byte in label.bytes() {
            hash = mix(hash ^ u64::from(byte));
        }
        hash
    }

    /// Between 0 and 1, without 1.
    pub fn unit(&mut self, label: &str) -> f64 {
        // 53 bits fit into a float exactly.
        (self.number(label) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True that often out of 1.
    pub fn happens(&mut self, label: &str, often: f64) -> bool {
        often > 0.0 && self.unit(label) < often
    }

    /// Normally distributed around 0 with deviation 1 (Box and Muller).
    pub fn normal(&mut self, label: &str) -> f64 {
        let (first, second) = (1.0 - self.unit(label), self.unit(label));
        (-2.0 * first.ln()).sqrt() * (std::f64::consts::TAU * second).cos()
    }
}

/// The finaliser of splitmix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_does_not_disturb_another() {
        let (mut one, mut two) = (Chance::new(7), Chance::new(7));
        one.number("b");
        assert_eq!(one.number("a"), two.number("a"));
        assert_ne!(one.number("a"), one.number("a"));
        assert_ne!(Chance::new(8).number("a"), Chance::new(7).number("a"));
    }

    #[test]
    fn draws_are_spread_evenly() {
        let mut chance = Chance::new(1);
        let mean = (0..10_000).map(|_| chance.unit("x")).sum::<f64>() / 10_000.0;
        assert!((0.48..0.52).contains(&mean), "{mean}");
        let normal: Vec<f64> = (0..10_000).map(|_| chance.normal("y")).collect();
        let variance = normal.iter().map(|n| n * n).sum::<f64>() / 10_000.0;
        assert!((0.95..1.05).contains(&variance), "{variance}");
    }
}
