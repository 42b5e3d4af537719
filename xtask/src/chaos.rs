//! The reliability programme on the simulator, with its counts: `cargo xtask chaos`.
#![expect(clippy::print_stdout, reason = "the programme reports on the console")]

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use clusterctl::rehearsal::suites::{self, Extent, Outcome, Words};

use crate::ground::{Ground, is_there};

/// What to run of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Only suites whose name contains this.
    pub(crate) only: Option<String>,
    pub(crate) seed: Option<u64>,
    /// Instead of each suite's own number.
    pub(crate) trials: Option<u64>,
}

pub(crate) type Suite = (&'static str, u64, fn(Extent) -> Result<Outcome, String>);

/// Every suite with the number of its trials; those that are exhaustive have as many as there are.
pub(crate) const SUITES: &[Suite] = &[
    ("single", u64::MAX, suites::every_single_fault),
    ("repeat", u64::MAX, suites::every_kind_repeated),
    ("clients", 1_000, suites::many_clients),
    ("corruption", 1_000, suites::damaged_records),
    ("double", 5_000, suites::double_faults),
    ("lag", 2_000, suites::lost_answers),
    ("chaos", 10_000, suites::chaos_seeds),
];

/// The suite with the most in it, of which the first few trials are run twice more.
const REPEATED: &str = "chaos";

/// The same seeds twice: the same events, to the byte.
fn twice(suite: fn(Extent) -> Result<Outcome, String>, extent: Extent) -> Result<(bool, String)> {
    let few = Extent { trials: extent.trials.min(16), words: Words::AsFound, ..extent };
    let log = || suite(few).map(|outcome| outcome.log).map_err(|e| anyhow!("{REPEATED}: {e}"));
    let (first, second) = (log()?, log()?);
    let word = if first == second { "the same log" } else { "VIOLATION: another log" };
    let line =
        format!("{:<12}seeds {} to {} twice: {word}, {}", "", few.seed, few.seed + few.trials - 1, short(&second));
    Ok((first == second, line))
}

fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}

/// How many trials of real processes there are.
const PROCESSES: u64 = 200;

/// Whether every promise was kept.
pub(crate) fn run(ground: &Ground, options: &Options) -> Result<bool> {
    let wanted = |name: &str| options.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut lines = Vec::new();
    let mut kept = true;
    if wanted("hostile") {
        let begun = Instant::now();
        let counts = clusterctl_tests::hostile::programme().map_err(|violation| anyhow!("hostile: {violation}"))?;
        lines.push(format!("{:<12}{counts}  0 violations  {:.0} s", "hostile", begun.elapsed().as_secs_f64()));
    }
    for (name, trials, suite) in SUITES.iter().filter(|(name, ..)| wanted(name)) {
        let extent =
            Extent { seed: options.seed.unwrap_or(1), trials: options.trials.unwrap_or(*trials), words: Words::Fewest };
        let begun = Instant::now();
        let outcome = suite(extent).map_err(|e| anyhow!("{name}: {e}"))?;
        kept &= outcome.failed.is_empty();
        report(&outcome);
        lines.push(line(name, &outcome, extent.seed, begun.elapsed()));
        if *name == REPEATED {
            let (same, line) = twice(*suite, extent)?;
            kept &= same;
            lines.push(line);
        }
    }
    if wanted("processes") {
        let (good, line) = processes(ground, options)?;
        kept &= good;
        lines.push(line);
    }
    println!("{}", lines.join("\n"));
    Ok(kept)
}

/// The real binary, killed, interrupted, stopped, on full and failing disks; gives the line with the counts.
fn processes(ground: &Ground, options: &Options) -> Result<(bool, String)> {
    if !is_there("python3") {
        return Ok((false, "processes   skipped: python3 is not installed".to_owned()));
    }
    let trials = options.trials.unwrap_or(PROCESSES).to_string();
    let output = Command::new("python3")
        .args(["-B", "tests/judge/processes.py", "--trials", &trials])
        .args(["--seed", &options.seed.unwrap_or(1).to_string(), "--binary"])
        .arg(ground.binary()?)
        .current_dir(&ground.root)
        .output()
        .context("python3")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let (before, last) = said.trim_end().rsplit_once('\n').unwrap_or(("", said.trim_end()));
    print!("{before}{}{}", if before.is_empty() { "" } else { "\n" }, String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), last.to_owned()))
}

fn line(name: &str, outcome: &Outcome, seed: u64, wall: Duration) -> String {
    let log = if outcome.log.is_empty() { String::new() } else { format!("  log {}", short(&outcome.log)) };
    format!(
        "{name:<12}{:>7} trials {:>7} processes {:>7} faults {:>4} violations  seed {seed}  {:.0} s ({:.0} h simulated){log}",
        outcome.trials,
        outcome.processes,
        outcome.injected,
        outcome.failed.len(),
        wall.as_secs_f64(),
        outcome.simulated.as_secs_f64() / 3600.0,
    )
}

/// The first violations, each with what was injected and the command that shows it again.
fn report(outcome: &Outcome) {
    for failed in outcome.failed.iter().take(20) {
        println!("VIOLATION {} {} seed {}: {}", failed.suite, failed.scenario, failed.seed, failed.violation);
        for hit in &failed.hits {
            println!("    {hit}");
        }
        // It is exhaustive, and its trials have no seeds of their own.
        let seed = match failed.suite {
            "repeat" => String::new(),
            _ => format!(" --seed {} --trials 1", failed.seed),
        };
        println!("    again: cargo xtask chaos --only {}{seed}", failed.suite);
    }
    let more = outcome.failed.len().saturating_sub(20);
    if more > 0 {
        println!("and {more} more");
    }
}
