//! Two faults, kills while a kill is recovered from, five kills in a row.

use clusterctl_simulator::chance::Chance;
use clusterctl_simulator::fault::Seen;
use clusterctl_simulator::weather::Weather;

use super::{Extent, Failed, Outcome, cluster, crowd, scripts, smaller, words};
use crate::failure::Failure;
use crate::rehearsal::faults::Fault;
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::trial::{Hit, Script, aimed};

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let scripts = scripts(&cluster()?, extent.seed, &Scenario::ALL)?;
    let trials: Vec<u64> = (0..extent.trials).map(|number| extent.seed.wrapping_add(number)).collect();
    let tried = crowd::each(&trials, |seed| {
        let (script, hits) = drawn(&scripts, *seed);
        let tried = script.tried(*seed, &Weather::calm(), |process| aimed(&hits, process));
        (script, hits, tried)
    });
    let mut outcome = Outcome { trials: trials.len() as u64, ..Outcome::default() };
    for (seed, (script, hits, tried)) in trials.iter().zip(tried) {
        outcome.processes += tried.processes;
        outcome.injected += tried.met.iter().map(|met| met.len() as u64).sum::<u64>();
        outcome.simulated += tried.took;
        if let Some(violation) = tried.violation {
            let small = smaller::hits(script, *seed, &Weather::calm(), hits);
            outcome.failed.push(Failed {
                suite: "double",
                scenario: script.scenario.name(),
                seed: *seed,
                hits: words(&small),
                violation: format!("{}: {}", violation.oracle, violation.what),
            });
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
