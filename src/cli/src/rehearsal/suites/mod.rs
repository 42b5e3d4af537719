//! Many trials, counted: the reliability programme.
//!
//! - [`single`] every operation × every fault × every scenario; [`double`] two faults, kills during recovery
//! - [`repeat`] every kind done and undone twice
//! - [`clients`] several at once; [`corruption`] damaged records
//! - [`lag`] answers that are lost while lists are behind
//! - [`chaos`] seeds with many faults and lag; [`smaller`] makes a failing one small
//! - [`crowd`] trials on all cores

pub(crate) mod chaos;
pub(crate) mod clients;
pub(crate) mod corruption;
pub(crate) mod crowd;
pub(crate) mod double;
pub(crate) mod lag;
pub(crate) mod repeat;
pub(crate) mod single;
pub(crate) mod smaller;

use std::time::Duration;

use clusterctl_core::value::sha256_hex;
use clusterctl_simulator::weather::Weather;

use super::oracles::Violation;
use super::scenario::Scenario;
use super::trial::{Hit, Script, Tried};
use crate::failure::Failure;
use crate::operations::load::Wanted;

/// The cluster of the programme: every kind of resource, and no more of each than it takes.
const CLUSTER: &str = "\
apiVersion: clusterctl.dev/v1
kind: Cluster
metadata: {name: demo}
spec:
  cloud: aws
  region: eu-central-1
  zones: 1
  network: {egress: shared}
  controlPlane: {count: 1}
  nodeGroups:
  - {name: general, machine: {cpu: 4, memory: 16Gi}, count: 1}
";

/// A trial that failed, and how to see it again.
#[derive(Debug, Clone)]
pub struct Failed {
    pub suite: &'static str,
    pub scenario: &'static str,
    pub seed: u64,
    /// The faults, process by process, as few as will do.
    pub hits: Vec<String>,
    pub violation: String,
}

/// What a suite came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub trials: u64,
    pub processes: u64,
    pub injected: u64,
    pub failed: Vec<Failed>,
    /// Simulated.
    pub simulated: Duration,
    /// A hash of every event of every trial, in order; the same seeds give the same. Empty where trials have no log.
    pub log: String,
}

impl Outcome {
    fn of(trials: usize) -> Self {
        Self { trials: trials as u64, ..Self::default() }
    }

    /// Counts what a trial of a script was.
    fn count(&mut self, tried: &Tried) {
        self.processes += tried.processes;
        self.injected += tried.met.iter().map(|met| met.len() as u64).sum::<u64>();
        self.simulated += tried.took;
        self.log = sha256_hex(format!("{}{}", self.log, tried.hash).as_bytes());
    }

    fn fail(&mut self, suite: &'static str, scenario: Scenario, seed: u64, violation: &Violation, hits: Vec<String>) {
        let violation = violation.to_string();
        self.failed.push(Failed { suite, scenario: scenario.name(), seed, hits, violation });
    }
}

/// How much of a suite to run.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    pub seed: u64,
    pub trials: u64,
    pub words: Words,
}

/// Which faults a failing trial is told with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// As few as will do, which takes many more trials.
    Fewest,
    /// All that it met.
    AsFound,
}

/// The file of the programme.
pub(crate) fn cluster() -> Result<Wanted, Failure> {
    Wanted::read("the programme's cluster", CLUSTER.to_owned())
}

/// A calm cloud in a hurry: waiting is asked after as often as it lasts long, and long waits prove no more than short ones.
pub(crate) fn calm() -> Weather {
    Weather { haste: 20.0, ..Weather::calm() }
}

/// What comes before a trial has a seed of its own, so that a trial is the same alone as among thousands.
const PRELUDE: u64 = 1;

/// Every scenario, played calmly once.
pub(crate) fn scripts(scenarios: &[Scenario]) -> Result<Vec<Script>, Failure> {
    let file = cluster()?;
    // Where nothing is in a hurry, what is not waited for is missed for longer.
    in_order(Script::rehearsed(Scenario::Create, &file, PRELUDE, &Weather::calm())?)?;
    let rehearsed = |scenario: &Scenario| in_order(Script::rehearsed(*scenario, &file, PRELUDE, &calm())?);
    scenarios.iter().map(rehearsed).collect()
}

/// A script that asked for nothing before its time: where nothing goes wrong, only what AWS itself does in the background
/// may have to be waited for. Services let go of their interfaces late, and a machine stops before its disk is taken.
fn in_order(script: Script) -> Result<Script, Failure> {
    const LATE: [(&str, &str); 3] = [
        ("aws_volume_attachment.", "(Stopping)"),
        ("aws_subnet.", "(DependencyViolation)"),
        ("aws_security_group.", "(DependencyViolation)"),
    ];
    let late = |remedy: &&String| LATE.iter().any(|(of, code)| remedy.starts_with(of) && remedy.contains(code));
    match script.remedies.iter().find(|remedy| !late(remedy)) {
        None => Ok(script),
        Some(remedy) => {
            let text = format!("{}: asked for before its time: {remedy}", script.scenario.name());
            Err(Failure::new(crate::failure::Kind::Failed, text))
        }
    }
}

/// The seeds of a suite's trials.
fn seeds(extent: Extent) -> Vec<u64> {
    (0..extent.trials).map(|number| extent.seed.wrapping_add(number)).collect()
}

pub(crate) fn told(failure: Failure) -> String {
    format!("{failure} {:?}", failure.details)
}

pub(crate) fn words(hits: &[Vec<Hit>]) -> Vec<String> {
    let numbered = hits.iter().enumerate();
    numbered.flat_map(|(at, hits)| hits.iter().map(move |hit| format!("process {}: {hit}", at + 1))).collect()
}

/// Every operation × every fault × every scenario.
///
/// # Errors
/// When a scenario does not even work without trouble.
pub fn every_single_fault(extent: Extent) -> Result<Outcome, String> {
    single::run(extent).map_err(told)
}

/// Two to five clients on one cluster; and a store that lies is found out.
///
/// # Errors
/// When a scenario does not even work without trouble.
pub fn many_clients(extent: Extent) -> Result<Outcome, String> {
    let mut outcome = clients::run(extent).map_err(told)?;
    if let Err(violation) = clients::liars() {
        let hits = vec!["a store that ignores conditions".to_owned()];
        outcome.fail("clients", Scenario::Create, 0, &violation, hits);
    }
    Ok(outcome)
}

/// Damaged records: detected, and built anew from the cloud.
///
/// # Errors
/// When a cluster cannot even be made without trouble.
pub fn damaged_records(extent: Extent) -> Result<Outcome, String> {
    corruption::run(extent).map_err(told)
}

/// Every kind done twice, undone twice, done after it was undone.
///
/// # Errors
/// When a file does not even work without trouble.
pub fn every_kind_repeated(extent: Extent) -> Result<Outcome, String> {
    repeat::run(extent).map_err(told)
}

/// Pairs of faults, kills during recovery, five kills in a row.
///
/// # Errors
/// When a scenario does not even work without trouble.
pub fn double_faults(extent: Extent) -> Result<Outcome, String> {
    double::run(extent).map_err(told)
}

/// Answers that are lost while lists are behind.
///
/// # Errors
/// When a scenario does not even work without trouble.
pub fn lost_answers(extent: Extent) -> Result<Outcome, String> {
    lag::run(extent).map_err(told)
}

/// Many faults at once, by seed.
///
/// # Errors
/// When a scenario does not even work without trouble.
pub fn chaos_seeds(extent: Extent) -> Result<Outcome, String> {
    chaos::run(extent).map_err(told)
}
