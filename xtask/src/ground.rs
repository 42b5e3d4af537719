//! Where things lie on this machine: workspace, target directory, the shared emulators, Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clusterctl_core::value::sha256_hex;

#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// Emulators and schemas that are not part of the repository.
    shared: PathBuf,
}

impl Ground {
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?.to_owned();
        let shared = std::env::var_os("CLUSTERCTL_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Ok(Self { target: std::path::absolute(target)?, shared: std::path::absolute(shared)?, root })
    }

    /// Everything that judges make.
    pub(crate) fn judge_dir(&self) -> Result<PathBuf> {
        let dir = self.target.join("judge");
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    /// A file of the shared directory, or why it cannot be used.
    pub(crate) fn shared(&self, path: &str) -> Result<PathBuf, String> {
        let path = self.shared.join(path);
        if path.exists() {
            return Ok(path);
        }
        Err(format!("{} is not there; CLUSTERCTL_SHARED may name its directory", path.display()))
    }

    /// Python with what the judges need, in an environment of our own that is made once for each list of packages; or
    /// why there is none.
    pub(crate) fn python(&self) -> Result<Result<PathBuf, String>> {
        if !is_there("python3") {
            return Ok(Err("python3 is not installed".to_owned()));
        }
        let list = self.root.join("tests/judge/requirements.txt");
        let text = fs::read(&list).with_context(|| list.display().to_string())?;
        let venv = self.judge_dir()?.join(format!("venv-{}", &sha256_hex(&text)[..12]));
        let python = venv.join("bin/python");
        let ready = venv.join("ready");
        if ready.is_file() {
            return Ok(Ok(python));
        }
        say(&format!("setting up {} (once)", venv.display()));
        if venv.exists() {
            fs::remove_dir_all(&venv)?;
        }
        if let Err(error) = step(Command::new("python3").args(["-m", "venv"]).arg(&venv)) {
            return Ok(Err(format!("python3 has no venv: {error:#}")));
        }
        step(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&list))?;
        fs::write(ready, "")?;
        Ok(Ok(python))
    }

    /// A command that one of the Python packages brought along.
    pub(crate) fn tool(&self, name: &str) -> Result<Result<PathBuf, String>> {
        Ok(self.python()?.map(|python| python.with_file_name(name)))
    }

    /// Builds the command once and gives its path.
    pub(crate) fn binary(&self) -> Result<PathBuf> {
        let status = Command::new(env!("CARGO"))
            // The whole workspace, as the tests: alone the package has other features of what all share, and AWS's crates
            // would be compiled a second time.
            .args(["build", "--quiet", "--workspace"])
            .current_dir(&self.root)
            .status()
            .context("running cargo")?;
        ensure!(status.success(), "the binary does not build");
        Ok(self.target.join("debug/clusterctl"))
    }
}

#[expect(clippy::print_stdout, reason = "what takes a minute is announced")]
fn say(text: &str) {
    println!("{text}");
}

/// Whether a command can be started.
pub(crate) fn is_there(command: &str) -> bool {
    Command::new(command).arg("--version").output().is_ok()
}

/// Runs a command that has to succeed.
pub(crate) fn step(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{command:?} failed:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}
