//! Node scripts before `bash -n` and shellcheck: the templates' parts as they lie, and every script of a golden case.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::{Options, Sitting, Tally};
use crate::ground::{Ground, step};

pub(super) fn run(ground: &Ground, options: &Options) -> Sitting {
    let shellcheck = match ground.tool("shellcheck")? {
        Ok(tool) => tool,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut scripts = Vec::new();
    for dir in ["templates", "tests", ".ci"] {
        find(&ground.root.join(dir), &mut scripts)?;
    }
    scripts.sort();
    let tally = Tally::default();
    for script in &scripts {
        let name = script.strip_prefix(&ground.root).unwrap_or(script).display().to_string();
        if options.wants(&name) {
            tally.case(&name, || check(&shellcheck, script));
        }
    }
    Ok(Ok(tally))
}

fn check(shellcheck: &Path, script: &Path) -> Result<String> {
    let text = fs::read_to_string(script)?;
    // Parts that tera fills in are no shell until they are; the golden cases hold them filled.
    ensure!(!text.contains("{{"), "a template under the name of a script");
    step(Command::new("bash").arg("-n").arg(script))?;
    step(Command::new(shellcheck).args(["--shell=bash", "--severity=style", "--external-sources"]).arg(script))?;
    Ok(format!("{} lines", text.lines().count()))
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
