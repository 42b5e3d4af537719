//! Makes a failing trial small: as few faults as will do.

use clusterctl_simulator::weather::Weather;

use crate::rehearsal::trial::{Hit, Script, aimed};

/// Leaves out what can be left out while the trial still fails. Every try is a whole trial, so that there are not many.
pub(crate) fn hits(script: &Script, seed: u64, weather: &Weather, found: Vec<Vec<Hit>>) -> Vec<Vec<Hit>> {
    let fails = |hits: &[Vec<Hit>]| script.tried(seed, weather, |process| aimed(hits, process)).violation.is_some();
    // Aimed one by one the same requests are hit; where that is not so, what was found is the answer.
    if !fails(&found) {
        return found;
    }
    let mut small = found;
    let mut tries = 0;
    let mut size = small.iter().map(Vec::len).sum::<usize>().div_ceil(2);
    while size > 0 && tries < 60 {
        let mut at = 0;
        while at < small.iter().map(Vec::len).sum::<usize>() && tries < 60 {
            let fewer = without(&small, at, size);
            tries += 1;
            if fails(&fewer) {
                small = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    small
}

/// Without `size` hits from the `at`-th on, counted over all processes.
fn without(hits: &[Vec<Hit>], at: usize, size: usize) -> Vec<Vec<Hit>> {
    let mut count = 0;
    let mut keep = |_: &Hit| {
        count += 1;
        !(at + 1..=at + size).contains(&count)
    };
    hits.iter().map(|of| of.iter().filter(|hit| keep(hit)).cloned().collect()).collect()
}
