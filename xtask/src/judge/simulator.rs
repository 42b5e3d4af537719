//! Our simulator of AWS before moto and before AWS's pages: every request that the drivers can make goes to both, by
//! boto3, and status, error code and what our code reads are compared.
//!
//! Where the two differ, `tests/judge/simulator_differences.json` says what each answers, and which page says who is right.

#[path = "../../../src/simulator/examples/serve/front.rs"]
pub(crate) mod front;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::aws::account::environment;
use super::aws::world::{Latency, moto};
use super::{Options, Sitting, Tally};
use crate::ground::{Ground, step};
use crate::process::{Running, free_port, wait_for};

pub(super) fn run(ground: &Ground, options: &Options) -> Sitting {
    let script = match ground.shared("aws/moto_counted.py") {
        Ok(script) => script,
        Err(reason) => return Ok(Err(reason)),
    };
    let python = match ground.python()? {
        Ok(python) => python,
        Err(reason) => return Ok(Err(reason)),
    };
    let tally = Tally::default();
    if options.wants("requests") {
        tally.case("requests", || compared(ground, &python, &script));
    }
    Ok(Ok(tally))
}

/// What the comparison says in its last line.
fn compared(ground: &Ground, python: &Path, script: &Path) -> Result<String> {
    let dir = ground.judge_dir()?.join("simulator");
    fs::create_dir_all(&dir)?;
    let (theirs, ours) = (free_port()?, free_port()?);
    let mut moto = moto(python, script, &ground.root, &dir, theirs, Latency::NONE)?;
    // Its time stands still, and passes when the script says so: then nothing depends on this machine's speed.
    let mut serve = Command::new(std::env::current_exe()?);
    let mut simulator = Running::start(serve.args(["serve", &ours.to_string(), "0"]), &dir.join("simulator"))?;
    wait_for(&mut moto, theirs, "/__stats").context("moto")?;
    wait_for(&mut simulator, ours, "/__stats").context("the simulator")?;
    let mut compare = Command::new(python);
    compare.arg("-B").arg(ground.root.join("tests/judge/simulator.py"));
    compare.args([theirs, ours].map(|port| format!("http://127.0.0.1:{port}")));
    compare.arg(ground.root.join("providers/aws/src"));
    let said = step(environment(&mut compare))?;
    Ok(said.lines().last().unwrap_or_default().to_owned())
}
