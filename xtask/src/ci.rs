//! What CI runs after the tests, and the rewriting of golden files.
#![expect(clippy::print_stdout, reason = "CI reports on the console")]

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::ground::{Ground, is_there};
use crate::judge::{self, Extent, Options, Verdict};
use crate::{chaos, mutants};

/// A step that passed or not.
type Step<'a> = (&'static str, Box<dyn Fn() -> Result<bool> + 'a>);

/// The whole reliability programme but for the hostile strings, which are among the tests.
fn programme(ground: &Ground) -> Result<bool> {
    let mut kept = true;
    for suite in chaos::SUITES.iter().map(|(name, ..)| *name).chain(["processes"]) {
        kept &= chaos::run(ground, &chaos::Options { only: Some(suite.to_owned()), trials: None, seed: None })?;
    }
    Ok(kept)
}

pub(crate) fn run(ground: &Ground) -> Result<bool> {
    let cargo = |args: &'static [&'static str]| {
        move || Ok(succeeds(Command::new(env!("CARGO")).args(args).current_dir(&ground.root)))
    };
    let steps: [Step<'_>; 9] = [
        ("format", Box::new(cargo(&["fmt", "--all", "--check"]))),
        ("clippy", Box::new(cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
        ("dependencies", Box::new(|| dependencies(ground))),
        ("judge shell", Box::new(|| sits(ground, "shell"))),
        ("judge terraform", Box::new(|| sits(ground, "terraform"))),
        ("judge simulator", Box::new(|| sits(ground, "simulator"))),
        ("chaos", Box::new(|| programme(ground))),
        ("mutants", Box::new(|| mutants::run(ground, None))),
        ("judge aws", Box::new(|| sits(ground, "aws"))),
    ];
    let (mut passed, mut failed, mut lines) = (0, 0, Vec::new());
    for (name, step) in steps {
        println!("== {name}");
        let begun = Instant::now();
        let good = match step() {
            Ok(good) => good,
            Err(error) => {
                println!("error: {error:#}");
                false
            }
        };
        if good {
            passed += 1
        } else {
            failed += 1
        }
        let word = if good { "ok" } else { "failed" };
        lines.push(format!("{word:<8}{name} ({:.0} s)", begun.elapsed().as_secs_f64()));
    }
    println!("== ci\n{}\n{passed} passed, {failed} failed", lines.join("\n"));
    Ok(failed == 0)
}

/// A judge that has everything it needs on this machine must not have stayed away.
fn sits(ground: &Ground, name: &str) -> Result<bool> {
    let verdict = judge::run(ground, name, &Options { only: None, seed: None, extent: Extent::Brief })?;
    let Verdict::Skipped = verdict else { return Ok(verdict.passed()) };
    let needs: &[&str] = match name {
        "terraform" => &["python3", "terraform"],
        _ => &["python3"],
    };
    let shared = name == "shell" || ground.shared("aws/moto_counted.py").is_ok();
    let expected = shared && needs.iter().all(|command| is_there(command));
    if expected {
        println!("judge {name} has everything it needs here, and was skipped all the same");
    }
    Ok(!expected)
}

/// Licences, sources and doubles of the dependencies, by deny.toml. Advisories need a database from elsewhere and are not
/// asked here.
fn dependencies(ground: &Ground) -> Result<bool> {
    match ground.tool("cargo-deny")? {
        Ok(deny) => {
            let args = ["--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
            Ok(succeeds(Command::new(deny).args(args).current_dir(&ground.root)))
        }
        Err(reason) => {
            println!("skipped: {reason}");
            Ok(!is_there("python3"))
        }
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Rewrites every golden file and inline snapshot from what the code says now.
pub(crate) fn bless(ground: &Ground) -> Result<bool> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--quiet"])
        .env("UPDATE_EXPECT", "1")
        .current_dir(&ground.root)
        .status()
        .context("running cargo")?;
    println!("`git diff` shows what changed; read it before it is committed");
    Ok(status.success())
}
