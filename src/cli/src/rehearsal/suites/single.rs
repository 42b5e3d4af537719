//! Every operation × every fault × every scenario.
//!
//! An operation is an action of the cloud's API in a scenario; it is hit where it is asked first, and one that changes
//! something also where it is asked last. Trials are numbered from 1, and the seed says with which one to begin.

use std::collections::{BTreeMap, BTreeSet};

use clusterctl_simulator::fault::Seen;

use super::{Extent, Outcome, calm, crowd, scripts, words};
use crate::failure::Failure;
use crate::rehearsal::faults::Fault;
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::trial::{Hit, Script, aimed};

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let scripts = scripts(&Scenario::ALL)?;
    let mut trials: Vec<(u64, &Script, Hit)> = Vec::new();
    for script in &scripts {
        trials.extend(hits(script).into_iter().map(|hit| (0, script, hit)));
    }
    (1..).zip(&mut trials).for_each(|(number, trial)| trial.0 = number);
    trials.retain(|(number, ..)| *number >= extent.seed);
    trials.truncate(usize::try_from(extent.trials).unwrap_or(usize::MAX));
    let tried = crowd::each(&trials, |(number, script, hit)| {
        let hits = vec![vec![hit.clone()]];
        script.tried(*number, &calm(), |process| aimed(&hits, process))
    });
    let mut outcome = Outcome::of(trials.len());
    for ((number, script, hit), tried) in trials.iter().zip(tried) {
        outcome.count(&tried);
        if let Some(violation) = tried.violation {
            outcome.fail("single", script.scenario, *number, &violation, words(&[vec![hit.clone()]]));
        }
    }
    Ok(outcome)
}

/// What a scenario's requests can be hit by.
fn hits(script: &Script) -> Vec<Hit> {
    // Only the first process of a trial is hit, so that it is its requests that count.
    let Some(requests) = script.requests.first() else { return Vec::new() };
    let mut places: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let mut seen: BTreeMap<(&str, u64), &Seen> = BTreeMap::new();
    for request in requests {
        let of = places.entry(request.action.as_str()).or_default();
        if of.len() > usize::from(request.writes) {
            of.pop_last();
        }
        of.insert(request.occurrence);
        seen.insert((request.action.as_str(), request.occurrence), request);
    }
    let mut hits = Vec::new();
    for (action, occurrences) in places {
        for occurrence in occurrences {
            let Some(request) = seen.get(&(action, occurrence)) else { continue };
            for fault in Fault::ALL.into_iter().filter(|fault| fault.befalls(request)) {
                hits.push(Hit { action: action.to_owned(), occurrence, fault });
            }
        }
    }
    hits
}
