//! What CI runs after the tests, and the rewriting of golden files.
#![expect(clippy::print_stdout, reason = "CI reports on the console")]

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::chaos;
use crate::ground::{Ground, is_there};
use crate::judge::{self, Options, Verdict};

/// A step that passed or not.
type Step<'a> = (&'static str, Box<dyn Fn() -> Result<bool> + 'a>);

/// How many trials of each suite of the reliability programme CI runs, where not all; the whole of it takes an hour.
const PROGRAMME: &[(&str, Option<u64>)] = &[
    ("single", None),
    ("repeat", None),
    ("clients", Some(250)),
    ("corruption", Some(250)),
    ("double", Some(500)),
    ("lag", Some(250)),
    ("chaos", Some(500)),
    ("processes", Some(50)),
];

fn programme(ground: &Ground) -> Result<bool> {
    let mut kept = true;
    for (suite, trials) in PROGRAMME {
        kept &= chaos::run(ground, &chaos::Options { only: Some((*suite).to_owned()), trials: *trials, seed: None })?;
    }
    Ok(kept)
}

pub(crate) fn run(ground: &Ground) -> Result<bool> {
    let cargo = |args: &'static [&'static str]| {
        move || Ok(succeeds(Command::new(env!("CARGO")).args(args).current_dir(&ground.root)))
    };
    let steps: [Step<'_>; 8] = [
        ("format", Box::new(cargo(&["fmt", "--all", "--check"]))),
        ("clippy", Box::new(cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
        ("dependencies", Box::new(|| dependencies(ground))),
        ("judge shell", Box::new(|| sits(ground, "shell"))),
        ("judge terraform", Box::new(|| sits(ground, "terraform"))),
        ("judge simulator", Box::new(|| sits(ground, "simulator"))),
        ("chaos", Box::new(|| programme(ground))),
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
    let verdict = judge::run(ground, name, &Options { only: None, seed: None })?;
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
