//! Outside judges: whatever nobody here wrote says whether our work is right.
//!
//! - [`aws`] the command against moto, read by boto3 · [`terraform`] the export before the real terraform
//! - [`shell`] node scripts before bash and shellcheck · [`simulator`] the simulator before moto and AWS's pages
//!
//! Each prints a line a case and a closing line; one that cannot sit on this machine says so and judges nothing.
#![expect(clippy::print_stdout, reason = "a judge reports on the console")]

pub(crate) mod aws;
mod shell;
pub(crate) mod simulator;
mod terraform;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::ground::Ground;

#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) only: Option<String>,
    pub(crate) seed: Option<u64>,
    pub(crate) extent: Extent,
}

/// How much of a judge's repetitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    #[default]
    Whole,
    /// A few of the kills at random, and one case of a kill after each call: the simulator sees thousands.
    Brief,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

#[derive(Debug)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    Skipped,
}

impl Verdict {
    /// A judge that could not sit has not failed; who needed it looks for [`Verdict::Skipped`].
    pub(crate) fn passed(&self) -> bool {
        !matches!(self, Self::Failed)
    }
}

pub(crate) fn run(ground: &Ground, name: &str, options: &Options) -> Result<Verdict> {
    println!("judge {name}");
    let tally = match name {
        "aws" => aws::run(ground, options)?,
        "terraform" => terraform::run(ground, options)?,
        "shell" => shell::run(ground, options)?,
        "simulator" => simulator::run(ground, options)?,
        _ => bail!("there is no judge {name}"),
    };
    Ok(match tally {
        Ok(tally) => tally.close(),
        Err(reason) => {
            println!("skipped: {reason}");
            Verdict::Skipped
        }
    })
}

fn say(text: &str) {
    println!("{text}");
}

/// A tally, or why the judge cannot sit here.
type Sitting = Result<Result<Tally, String>>;

#[derive(Debug, Default)]
struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: Vec<String>,
}

impl Tally {
    /// Runs one case and prints how it went.
    fn case(&self, name: &str, case: impl FnOnce() -> Result<String>) {
        let begun = Instant::now();
        let outcome = case();
        let seconds = begun.elapsed().as_secs_f64();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(said) => {
                counts.passed += 1;
                println!("ok      {name}: {said} ({seconds:.1} s)");
            }
            Err(error) => {
                counts.failed.push(name.to_owned());
                println!("failed  {name} ({seconds:.1} s): {error:#}");
            }
        }
    }

    fn close(self) -> Verdict {
        let counts = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !counts.failed.is_empty() {
            println!("failed: {}", counts.failed.join(", "));
        }
        println!("{} passed, {} failed", counts.passed, counts.failed.len());
        if counts.failed.is_empty() && counts.passed > 0 { Verdict::Passed } else { Verdict::Failed }
    }
}

/// Takes jobs from a list, two at a time: as many as the smallest machine that has to do this has cores.
fn two_at_a_time<T: Sync>(jobs: &[T], work: impl Fn(&T) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2.min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    work(job);
                }
            });
        }
    });
}
