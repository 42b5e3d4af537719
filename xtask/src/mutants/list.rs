//! The list of mutants, as it is written.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

/// A bug that somebody might make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mutant {
    pub(super) name: String,
    pub(super) patches: Vec<Patch>,
    /// Which suite finds it, from which seed on, in at most how many trials.
    pub(super) suite: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) trials: Option<u64>,
}

/// A text of a file and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) file: String,
    pub(super) find: String,
    pub(super) put: String,
}

pub(super) fn read(path: &Path) -> Result<Vec<Mutant>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    parsed(&text).with_context(|| path.display().to_string())
}

fn parsed(text: &str) -> Result<Vec<Mutant>> {
    let all: Vec<Map<String, Value>> = serde_yaml::from_str(text)?;
    let all: Vec<Mutant> = all.iter().map(mutant).collect::<Result<_>>()?;
    let mut names = BTreeSet::new();
    for mutant in &all {
        ensure!(names.insert(&mutant.name), "{} is there twice", mutant.name);
    }
    Ok(all)
}

fn mutant(entry: &Map<String, Value>) -> Result<Mutant> {
    let name = text(entry, "name")?;
    let number = |field: &str| entry.get(field).and_then(Value::as_u64);
    let known = ["name", "file", "find", "put", "also", "suite", "seed", "trials"];
    if let Some(odd) = entry.keys().find(|field| !known.contains(&field.as_str())) {
        bail!("{name}: `{odd}` means nothing here");
    }
    let mut patches = vec![patch(entry).with_context(|| name.clone())?];
    for more in entry.get("also").and_then(Value::as_array).into_iter().flatten() {
        patches.push(patch(more.as_object().context("`also` holds patches")?).with_context(|| name.clone())?);
    }
    let suite = entry.get("suite").and_then(Value::as_str).map(str::to_owned);
    Ok(Mutant { name, patches, suite, seed: number("seed"), trials: number("trials") })
}

fn patch(entry: &Map<String, Value>) -> Result<Patch> {
    let patch = Patch { file: text(entry, "file")?, find: text(entry, "find")?, put: text(entry, "put")? };
    ensure!(patch.put.contains("MUTANT"), "what is put asks for no switch");
    Ok(patch)
}

fn text(entry: &Map<String, Value>, field: &str) -> Result<String> {
    let value = entry.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    value.map(str::to_owned).with_context(|| format!("`{field}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_has_a_name_of_its_own_and_a_switch() {
        let entry = |name: &str, put: &str| format!("- {{name: {name}, file: a.rs, find: x, put: \"{put}\"}}\n");
        let one = entry("one", "MUTANT || x");
        assert_eq!(parsed(&one).expect("a list").len(), 1);
        assert!(parsed(&format!("{one}{one}")).is_err());
        assert!(parsed(&entry("two", "y")).is_err());
        assert!(parsed("- {name: three, file: a.rs, put: MUTANT}\n").is_err());
        assert!(parsed("- {name: four, file: a.rs, find: x, put: MUTANT, sweet: double}\n").is_err());
    }

    #[test]
    fn every_text_of_the_list_is_found_exactly_once() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let all = read(&root.join("tests/mutants/mutants.yaml")).expect("the list");
        assert!(all.len() >= 42, "{}", all.len());
        for patch in all.iter().flat_map(|mutant| &mutant.patches) {
            let text = fs::read_to_string(root.join(&patch.file)).expect(&patch.file);
            assert_eq!(text.matches(&patch.find).count(), 1, "{}: {}", patch.file, patch.find);
        }
    }
}
