//! The first promise that this binary breaks.

use anyhow::{Result, bail};
use clusterctl::rehearsal::suites::{Extent, Outcome, Words};

use crate::chaos::{self, SUITES, Suite};

/// What the line begins with that says where: then follow the suite, the seed or `-`, and words for people.
pub(crate) const FOUND: &str = "FOUND ";
/// The suites by what they cost, and how many trials each gets unless it is told otherwise. Of those that are exhaustive
/// the first so many.
const ORDER: &[(&str, u64)] = &[
    ("double", 120),
    ("lag", 120),
    ("repeat", u64::MAX),
    ("clients", 120),
    ("corruption", 120),
    ("chaos", 56),
    ("single", 150),
];
/// The first portion; each is twice the one before.
const PORTION: u64 = 8;

/// Whether nothing was found: in the suite that was named, and unless it is to be asked alone then in the others.
pub(crate) fn run(options: &chaos::Options, others: Others) -> Result<bool> {
    let named = options.only.as_deref();
    let mut trials = 0;
    for (name, limit) in ORDER.iter().filter(|(name, _)| named == Some(name)) {
        let limit = options.trials.unwrap_or(*limit);
        if let Some(line) = portions(suite(name)?, options.seed.unwrap_or(1), limit, &mut trials) {
            return Ok(told(&line));
        }
    }
    if others == Others::No {
        return Ok(true);
    }
    for (name, limit) in ORDER.iter().filter(|(name, _)| named != Some(name)) {
        if let Some(line) = portions(suite(name)?, 1, *limit, &mut trials) {
            return Ok(told(&line));
        }
    }
    said(&format!("every promise was kept in {trials} trials"));
    Ok(true)
}

/// Whether suites that were not named are asked as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    Yes,
    No,
}

fn suite(name: &str) -> Result<&'static Suite> {
    match SUITES.iter().find(|(known, _, _)| *known == name) {
        Some(suite) => Ok(suite),
        None => bail!("there is no suite {name}"),
    }
}

/// Runs a suite in growing portions until it finds something; gives the line that says what.
fn portions((name, _, suite): &Suite, seed: u64, limit: u64, trials: &mut u64) -> Option<String> {
    // Its trials are not told by seeds.
    let exhaustive = *name == "repeat";
    let (mut done, mut portion) = (0, if exhaustive { limit } else { PORTION });
    while done < limit {
        let size = portion.min(limit - done);
        let outcome = match suite(Extent { seed: seed.wrapping_add(done), trials: size, words: Words::AsFound }) {
            Ok(outcome) => outcome,
            Err(why) => return Some(format!("{name} - caught by {name}, without any trouble: {why}")),
        };
        if let Some(line) = first(name, &outcome, exhaustive, *trials) {
            return Some(line);
        }
        *trials += outcome.trials;
        (done, portion) = (done.saturating_add(size), portion.saturating_mul(2));
        said(&format!("{name}: nothing in {done} trials from seed {seed} on"));
    }
    None
}

fn first(name: &str, outcome: &Outcome, exhaustive: bool, before: u64) -> Option<String> {
    let failed = outcome.failed.first()?;
    let after = before + outcome.trials;
    let (seed, words) = if exhaustive {
        ("-".to_owned(), String::new())
    } else {
        (failed.seed.to_string(), format!(", seed {}", failed.seed))
    };
    Some(format!("{name} {seed} caught by {name}{words}, after {after} trials: {}", failed.violation))
}

fn told(line: &str) -> bool {
    said(&format!("{FOUND}{}", line.replace('\n', " ")));
    false
}

#[expect(clippy::print_stdout, reason = "the one that started this reads it")]
fn said(line: &str) {
    println!("{line}");
}
