//! Two faults, kills while a kill is recovered from, five kills in a row.

use super::{Extent, Outcome, Words, calm, crowd, scripts, seeds, smaller, words};
use crate::failure::Failure;
use crate::rehearsal::faults::Fault;
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::trial::{Hit, Script, aimed};
use clusterctl_simulator::chance::Chance;
use clusterctl_simulator::fault::Seen;

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let scripts = scripts(&Scenario::ALL)?;
    let trials = seeds(extent);
    let tried = crowd::each(&trials, |seed| {
        let (script, hits) = drawn(&scripts, *seed);
        let tried = script.tried(*seed, &calm(), |process| aimed(&hits, process));
        (script, hits, tried)
    });
    let mut outcome = Outcome::of(trials.len());
    for (seed, (script, hits, tried)) in trials.iter().zip(tried) {
        outcome.count(&tried);
        if let Some(violation) = tried.violation {
            let small = match extent.words {
                Words::Fewest => smaller::hits(script, *seed, &calm(), hits),
                Words::AsFound => hits,
            };
            outcome.fail("double", script.scenario, *seed, &violation, words(&small));
        }
    }
    Ok(outcome)
}

/// The script and the faults of a seed.
fn drawn(scripts: &[Script], seed: u64) -> (&Script, Vec<Vec<Hit>>) {
    let mut chance = Chance::new(seed);
    let mut pick = |label: &str, of: usize| (chance.number(label) % of.max(1) as u64) as usize;
    let script = &scripts[pick("script", scripts.len())];
    let targets: Vec<Seen> = script.targets().into_iter().map(|(_, seen)| seen).collect();
    let kills: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.kills()).collect();
    let mut hit = |faults: &[Fault]| {
        let seen = &targets[pick("target", targets.len())];
        let possible: Vec<Fault> = faults.iter().copied().filter(|fault| fault.befalls(seen)).collect();
        let fault = possible[pick("fault", possible.len())];
        Hit { action: seen.action.clone(), occurrence: seen.occurrence, fault }
    };
    let hits = match seed % 4 {
        // Two in one run; one after the other; a kill while a kill is recovered from; five kills in a row.
        0 => vec![vec![hit(&Fault::ALL), hit(&Fault::ALL)]],
        1 => vec![vec![hit(&Fault::ALL)], vec![hit(&Fault::ALL)]],
        2 => vec![vec![hit(&kills)], vec![hit(&kills), hit(&Fault::ALL)]],
        _ => (0..5).map(|_| vec![hit(&kills)]).collect(),
    };
    (script, hits)
}
