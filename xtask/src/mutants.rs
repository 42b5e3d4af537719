//! Seeded bugs of our own, each of which the reliability programme has to find: `cargo xtask chaos --mutants`.
//!
//! The list is `tests/mutants/mutants.yaml`. All bugs go into one copy of the sources at once, each behind a switch that the
//! environment names, so that one build serves all of them.
//!
//! - [`list`] what the list says · [`copy`] the copy with the switches · [`search`] the first promise that a binary breaks
#![expect(clippy::print_stdout, reason = "the programme reports on the console")]

mod copy;
mod list;
pub(crate) mod search;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::ground::Ground;
use crate::process::{Ran, Running};
use list::Mutant;

/// The variable that switches one of them on.
const SWITCH: &str = "CLUSTERCTL_MUTANT";
/// How long one of them is looked for.
const DEADLINE: Duration = Duration::from_secs(300);
/// What the binary without any of them must get through first, suite by suite.
const BASELINE: &[(&str, u64)] =
    &[("double", 24), ("lag", 24), ("repeat", u64::MAX), ("clients", 24), ("corruption", 24), ("chaos", 24)];

/// What became of one.
enum Came {
    Caught(Catch),
    /// Why that is not known.
    Missed(String),
}

/// Where a promise was broken first.
struct Catch {
    suite: String,
    /// Without one the suite cannot be told trial by trial, or broke before its first.
    seed: Option<u64>,
    words: String,
}

/// Whether every one was caught, and none where there is none.
pub(crate) fn run(ground: &Ground, only: Option<&str>) -> Result<bool> {
    let all = list::read(&ground.root.join("tests/mutants/mutants.yaml"))?;
    let chosen: Vec<&Mutant> = all.iter().filter(|mutant| only.is_none_or(|only| mutant.name.contains(only))).collect();
    ensure!(!chosen.is_empty(), "no mutant is called so");
    let begun = Instant::now();
    let binary = copy::built(ground, &all)?;
    println!("{} mutants, built in {:.0} s", all.len(), begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let trial = Trial { binary, dir: ground.target.join("mutants") };
    let mut sound = only.is_some() || trial.baseline()?;
    let mut caught: Vec<(&str, Catch)> = Vec::new();
    for mutant in &chosen {
        let since = Instant::now();
        let came = trial.hunted(mutant)?;
        let seconds = since.elapsed().as_secs_f64();
        match came {
            Came::Caught(catch) => {
                println!("{:<44} {} ({seconds:.0} s)", mutant.name, catch.words);
                caught.push((&mutant.name, catch));
            }
            Came::Missed(why) => println!("{:<44} NOT CAUGHT: {why} ({seconds:.0} s)", mutant.name),
        }
    }
    sound &= trial.innocent(&caught)?;
    println!("{} of {} caught in {:.0} s", caught.len(), chosen.len(), begun.elapsed().as_secs_f64());
    Ok(sound && caught.len() == chosen.len())
}

/// The binary with all the switches.
struct Trial {
    binary: PathBuf,
    dir: PathBuf,
}

impl Trial {
    /// Looks for the first broken promise with one of them switched on.
    fn hunted(&self, mutant: &Mutant) -> Result<Came> {
        let mut options: Vec<String> = Vec::new();
        let mut option = |name: &str, value: Option<String>| {
            options.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        };
        option("--only", mutant.suite.clone());
        option("--seed", mutant.seed.map(|seed| seed.to_string()));
        option("--trials", mutant.trials.map(|trials| trials.to_string()));
        let ran = match self.asked(&mutant.name, &options) {
            Ok(ran) => ran,
            Err(error) => return Ok(Came::Missed(format!("hung: {error:#}"))),
        };
        let last = ran.stdout.lines().last().unwrap_or_default().to_owned();
        Ok(match (ran.code(), last.strip_prefix(search::FOUND)) {
            (Some(1), Some(found)) => Came::Caught(Catch::read(found)?),
            (Some(0), _) => Came::Missed(last),
            _ => bail!("{}: {}\n{}", mutant.name, ran.status, crate::process::tail(&ran.stderr)),
        })
    }

    /// Without any of them nothing is found: otherwise what is found with one proves nothing.
    fn baseline(&self) -> Result<bool> {
        let mut sound = true;
        for (suite, trials) in BASELINE {
            let options = ["--only", suite, "--trials", &trials.to_string()].map(str::to_owned);
            sound &= self.kept(&options)?;
        }
        Ok(sound)
    }

    /// Whether the very trials that broke with a mutant keep every promise without it.
    fn innocent(&self, caught: &[(&str, Catch)]) -> Result<bool> {
        let mut sound = true;
        for (name, catch) in caught {
            let Some(seed) = catch.seed else { continue };
            let options = ["--only", &catch.suite, "--seed", &seed.to_string(), "--trials", "1"].map(str::to_owned);
            if !self.kept(&options)? {
                println!("{name}: the same trial breaks without it");
                sound = false;
            }
        }
        Ok(sound)
    }

    /// Whether these trials keep every promise with nothing switched on.
    fn kept(&self, options: &[String]) -> Result<bool> {
        let ran = self.asked("", &[&["--alone".to_owned()], options].concat())?;
        let kept = ran.code() == Some(0);
        if !kept {
            println!("without a mutant: {}", ran.stdout.lines().last().unwrap_or_default());
        }
        Ok(kept)
    }

    fn asked(&self, name: &str, options: &[String]) -> Result<Ran> {
        let mut command = Command::new(&self.binary);
        command.args(["chaos", "--first"]).args(options).env(SWITCH, name);
        let stem = self.dir.join(if name.is_empty() { "none" } else { name });
        Running::start(&mut command, &stem)?.end(DEADLINE)
    }
}

impl Catch {
    fn read(line: &str) -> Result<Self> {
        let mut words = line.splitn(3, ' ');
        let (Some(suite), Some(seed), Some(rest)) = (words.next(), words.next(), words.next()) else {
            bail!("not understood: {line}")
        };
        Ok(Self { suite: suite.to_owned(), seed: seed.parse().ok(), words: rest.to_owned() })
    }
}

/// Writes a file unless it has these bytes already, so that what did not change is not compiled again.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    Ok(fs::write(path, bytes)?)
}
