//! A rehearsal for the user: acts with faults, one scenario after another, until there were enough.

use std::time::Duration;

use clusterctl_simulator::weather::Weather;

use super::scenario::Scenario;
use super::suites::chaos::{self, Day};
use super::suites::smaller;
use super::trial::Script;
use crate::failure::Failure;
use crate::operations::load::Wanted;

/// What is to be played.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) scenarios: Vec<Scenario>,
    /// At least so many are injected.
    pub(crate) faults: u64,
    pub(crate) seed: u64,
}

/// One scenario under trouble.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    pub(crate) hits: Vec<String>,
    pub(crate) remedies: Vec<String>,
    pub(crate) processes: u64,
    pub(crate) took: Duration,
    /// What it takes when nothing goes wrong.
    pub(crate) calm: Duration,
    pub(crate) violation: Option<String>,
}

/// The whole rehearsal.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) acts: Vec<Act>,
    pub(crate) faults: usize,
    pub(crate) kills: usize,
    pub(crate) processes: u64,
}

/// More acts than this are not played, however rarely a fault finds something to hit.
const MOST: u64 = 2_000;

/// Plays until enough went wrong, or a promise was broken; then the faults are made as few as will do.
pub(crate) fn play(file: &Wanted, program: &Program, each: &mut dyn FnMut(&Act)) -> Result<Shown, Failure> {
    let scripts: Result<Vec<Script>, Failure> = program
        .scenarios
        .iter()
        .map(|scenario| Script::rehearsed(*scenario, file, program.seed, &Weather::calm()))
        .collect();
    let scripts = scripts?;
    let mut shown = Shown::default();
    for number in 0..MOST {
        let every = number >= scripts.len() as u64;
        if every && shown.faults as u64 >= program.faults {
            break;
        }
        let seed = program.seed.wrapping_add(number);
        let script = &scripts[(number % scripts.len() as u64) as usize];
        let day = Day::of(seed);
        let tried = chaos::trial(script, seed, &day);
        shown.processes += tried.processes;
        shown.faults += tried.met.iter().map(Vec::len).sum::<usize>();
        shown.kills += tried.met.iter().flatten().filter(|hit| hit.fault.kills()).count();
        let broken = tried.violation.is_some();
        let met = if broken { smaller::hits(script, seed, &day.weather, tried.met) } else { tried.met };
        let act = Act {
            scenario: script.scenario,
            seed,
            hits: super::suites::words(&met),
            remedies: tried.remedies,
            processes: tried.processes,
            took: tried.took,
            calm: script.calm,
            violation: tried.violation.map(|violation| violation.to_string()),
        };
        each(&act);
        shown.acts.push(act);
        if broken {
            break;
        }
    }
    Ok(shown)
}
