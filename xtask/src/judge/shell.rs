//! Node scripts before bash and shellcheck: as they are rendered for the machines of the cases, and our own scripts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clusterctl_core::bootstrap::{NodeConfig, SlotName, render};

use super::{Options, Sitting, Tally};
use crate::ground::{Ground, step};
use crate::offline;

/// Cases whose machines differ in what their scripts have: GPUs, local disks, a routed network, public addresses.
const CASES: [&str; 5] = ["minimal", "ha-private", "public", "gpu-spot", "routed"];

/// 2034: some values are only recorded. 2317, 2329: a function that one role does not call.
const RENDERED: &[&str] = &["--exclude=SC2034,SC2317,SC2329"];

pub(super) fn run(ground: &Ground, options: &Options) -> Sitting {
    let shellcheck = match ground.tool("shellcheck")? {
        Ok(tool) => tool,
        Err(reason) => return Ok(Err(reason)),
    };
    let tally = Tally::default();
    for case in CASES.into_iter().filter(|case| options.wants(case)) {
        tally.case(case, || rendered(ground, &shellcheck, case));
    }
    let mut scripts = Vec::new();
    for dir in ["tests", ".ci"] {
        find(&ground.root.join(dir), &mut scripts)?;
    }
    scripts.sort();
    for script in &scripts {
        let name = script.strip_prefix(&ground.root).unwrap_or(script).display().to_string();
        if options.wants(&name) {
            let flags = if name.starts_with("tests/cases") { RENDERED } else { &[] };
            tally.case(&name, || check(&shellcheck, script, flags));
        }
    }
    Ok(Ok(tally))
}

/// Every script of a case, with its slots filled.
fn rendered(ground: &Ground, shellcheck: &Path, case: &str) -> Result<String> {
    let blueprint = offline::blueprint(ground, case)?;
    let dir = ground.judge_dir()?.join("shell").join(case);
    fs::create_dir_all(&dir)?;
    let control_plane = blueprint.control_plane.iter().map(|node| (node.name.clone(), &node.config));
    let groups = blueprint.groups.iter().map(|group| (group.name.clone(), &group.config));
    let mut names = Vec::new();
    for (name, config) in control_plane.chain(groups) {
        let script = dir.join(&name).with_extension("sh");
        fs::write(&script, filled(config)?)?;
        check(shellcheck, &script, RENDERED).with_context(|| name.clone())?;
        names.push(name);
    }
    Ok(format!("scripts of {}", names.join(", ")))
}

fn filled(config: &NodeConfig) -> Result<String> {
    Ok(render(config)?.fill(|slot| match slot {
        SlotName::ApiEndpoint => "demo-0123456789abcdef.elb.eu-central-1.amazonaws.com".to_owned(),
        SlotName::EtcdVolume => "vol-0abc1234def567890".to_owned(),
    }))
}

fn check(shellcheck: &Path, script: &Path, args: &[&str]) -> Result<String> {
    step(Command::new("bash").arg("-n").arg(script))?;
    step(Command::new(shellcheck).args(["--shell=bash", "--severity=style"]).args(args).arg(script))?;
    Ok(format!("{} lines", fs::read_to_string(script)?.lines().count()))
}

fn find(dir: &Path, scripts: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, scripts)?;
        } else if path.extension().is_some_and(|ext| ext == "sh") || path.ends_with(".ci/run") {
            scripts.push(path);
        }
    }
    Ok(())
}
