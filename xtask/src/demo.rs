//! The first command of the README: a whole life of a cluster on an AWS that runs on this machine.
#![expect(clippy::print_stdout, reason = "it is shown")]

use anyhow::{Context as _, Result, bail};

use crate::ground::Ground;
use crate::judge::aws::Rig;
use crate::judge::aws::world::{Latency, REGION, World};

pub(crate) fn run(ground: &Ground) -> Result<bool> {
    let rig = match Rig::set_up(ground, Some(0))? {
        Ok(rig) => rig,
        Err(reason) => bail!("the emulator cannot be started: {reason}"),
    };
    let mut world = World::start(&rig, "demo", Latency::NONE)?;
    let before = world.account.read()?;
    println!("# moto, an emulator of AWS, answers at http://127.0.0.1:{}; nothing leaves this machine", world.port);
    let create =
        ["create", "demo", "--cloud", "aws", "--region", REGION, "--node-count", "3", "--gpu", "a10g:1", "--yes"];
    let lines: [(&str, &[&str]); 4] = [
        ("It is made,", &create),
        ("the same line again changes nothing,", &create),
        ("it consists of", &["get", "resources", "demo"]),
        ("and it is removed.", &["delete", "cluster", "demo", "--yes"]),
    ];
    for (what, line) in lines {
        println!("\n# {what}\n$ clusterctl {}", line.join(" "));
        let status = world.command(line).status().context("running the command")?;
        if !status.success() {
            println!("{status}");
            return Ok(false);
        }
    }
    world.unchanged_since(&before)?;
    println!("\n# boto3 has read the whole account before and after: it is what it was");
    Ok(true)
}
