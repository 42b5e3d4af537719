//! The copy of the sources with every bug in it, and the binary of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::list::Mutant;
use super::{SWITCH, write};
use crate::ground::{Ground, step};
use crate::process::tail;

/// The binary's name, so that it does not lie where ours does.
const NAME: &str = "mutants";
/// The crates of the copy have a version of their own: of the same name and version cargo would take one for the other.
const VERSION: (&str, &str) = ("version = \"0.1.0\"", "version = \"0.1.0-mutants\"");

/// Copies, patches and builds; gives the binary.
pub(super) fn built(ground: &Ground, all: &[Mutant]) -> Result<PathBuf> {
    let dir = ground.target.join("mutants");
    let copy = dir.join("src");
    let mut files = sources(&ground.root)?;
    patch(&mut files, all)?;
    switch(&mut files)?;
    for (path, bytes) in &files {
        write(&copy.join(path), bytes)?;
    }
    prune(&copy, &copy, &files)?;
    let output = Command::new(env!("CARGO"))
        // The whole workspace and the same target directory, so that the dependencies are those that are built already.
        .args(["build", "--workspace", "--bin", NAME])
        .env("CARGO_TARGET_DIR", &ground.target)
        .current_dir(&copy)
        .output()
        .context("running cargo")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    fs::write(dir.join("build.log"), &said)?;
    ensure!(output.status.success(), "the mutants do not build; see {}\n{}", dir.display(), tail(&said));
    Ok(ground.target.join("debug").join(NAME))
}

type Files = BTreeMap<String, Vec<u8>>;

/// Every file of the repository, as it lies there now.
fn sources(root: &Path) -> Result<Files> {
    let list = step(
        Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root),
    )?;
    let mut files = Files::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        // What was removed and is still in git's index is not there.
        if let Ok(bytes) = fs::read(root.join(path)) {
            files.insert(path.to_owned(), bytes);
        }
    }
    Ok(files)
}

/// Removes what an earlier copy had and this one has not.
fn prune(copy: &Path, dir: &Path, files: &Files) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            prune(copy, &path, files)?;
        } else if !files.contains_key(&path.strip_prefix(copy)?.to_string_lossy().into_owned()) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn patch(files: &mut Files, all: &[Mutant]) -> Result<()> {
    // Found in the sources as they are, not in what another bug has made of them.
    let before = files.clone();
    for mutant in all {
        for patch in &mutant.patches {
            let on = if patch.file.starts_with("src/core/") { "crate" } else { "clusterctl_core" };
            let put = patch.put.replace("MUTANT", &format!("{on}::mutant::on(\"{}\")", mutant.name));
            let found = |files: &Files| -> Result<String> {
                let bytes = files.get(&patch.file).with_context(|| format!("{}: no {}", mutant.name, patch.file))?;
                let text = String::from_utf8(bytes.clone())?;
                let times = text.matches(&patch.find).count();
                ensure!(times == 1, "{}: found {times} times in {}:\n{}", mutant.name, patch.file, patch.find);
                Ok(text)
            };
            found(&before)?;
            let patched = found(files)?.replace(&patch.find, &put);
            files.insert(patch.file.clone(), patched.into_bytes());
        }
    }
    Ok(())
}

/// Adds the module that knows which bug is on, and gives the crates and the binary of the copy names of their own.
fn switch(files: &mut Files) -> Result<()> {
    let module = format!(
        "//! Which seeded bug is on.\n\n\
         use std::sync::OnceLock;\n\n\
         pub fn on(name: &str) -> bool {{\n    \
             static ON: OnceLock<String> = OnceLock::new();\n    \
             ON.get_or_init(|| std::env::var(\"{SWITCH}\").unwrap_or_default()) == name\n\
         }}\n"
    );
    files.insert("src/core/src/mutant.rs".to_owned(), module.into_bytes());
    let renamed =
        format!("autobins = false\npublish.workspace = true\n\n[[bin]]\nname = \"{NAME}\"\npath = \"src/main.rs\"");
    let changes: [(&str, &str, &str); 3] = [
        ("src/core/src/lib.rs", "pub mod machine;", "pub mod machine;\npub mod mutant;"),
        ("xtask/Cargo.toml", "publish.workspace = true", &renamed),
        ("Cargo.toml", VERSION.0, VERSION.1),
    ];
    for (file, find, put) in changes {
        let text = String::from_utf8(files.get(file).with_context(|| format!("no {file}"))?.clone())?;
        ensure!(text.matches(find).count() == 1, "{file}: not exactly one `{find}`");
        files.insert(file.to_owned(), text.replace(find, put).into_bytes());
    }
    locked(files)
}

/// The lock file tells the versions of the crates here; cargo would change them itself, and the file each time.
fn locked(files: &mut Files) -> Result<()> {
    let manifests = files.iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let texts = manifests.filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok());
    let ours: BTreeSet<String> = texts
        .filter_map(|text| {
            text.lines().find_map(|line| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned()))
        })
        .collect();
    let bytes = files.get("Cargo.lock").context("no Cargo.lock")?;
    let mut text = String::from_utf8(bytes.clone())?;
    for name in ours {
        let of = |version: &str| format!("name = \"{name}\"\n{version}\n");
        text = text.replace(&of(VERSION.0), &of(VERSION.1));
    }
    files.insert("Cargo.lock".to_owned(), text.into_bytes());
    Ok(())
}
