//! Whole cases: a cluster file, the graph it becomes and its Terraform. Nobody is asked; the same in every run.
//!
//! - [`cases`] the files under `tests/cases`, held to their goldens
//! - [`hostile`] strings that try to be more than strings, through everything that writes and back

pub mod hostile;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clusterctl_core::blueprint::{Blueprint, design};
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::Owner;
use clusterctl_core::cluster::resolve_document;
use clusterctl_core::graph::Graph;
use clusterctl_core::{spec, terraform};

/// The owner of every case: goldens must not change from run to run.
pub const UID: &str = "00112233445566778899aabbccddeeff";

/// A case under `tests/cases`.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub file: PathBuf,
    pub text: String,
}

/// Every case, by name.
///
/// # Errors
/// When a file cannot be read.
pub fn cases() -> std::io::Result<Vec<Case>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_some_and(|e| e == "yaml") {
            let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            cases.push(Case { name, text: std::fs::read_to_string(&file)?, file });
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

impl Case {
    /// The graph and what it was designed from.
    ///
    /// # Errors
    /// Whatever the file is refused for, in words.
    pub fn graph(&self) -> Result<(Blueprint, Graph), String> {
        let words = |e: &dyn std::fmt::Display| format!("{}: {e}", self.name);
        let document = spec::read(&self.text).map_err(|e| words(&e))?;
        let cluster = resolve_document(&document).map_err(|e| words(&e))?;
        let provider = clusterctl_aws::provider();
        let choices = provider.choose_offline(&cluster, &Choices::default()).map_err(|e| words(&e))?;
        let blueprint = design(&cluster, &choices, UID, provider.traits()).map_err(|e| words(&e))?;
        let owner = Owner { uid: UID.to_owned(), cluster: cluster.name.to_string() };
        let graph = provider.lower(&blueprint, &owner).map_err(|e| words(&e))?;
        Ok((blueprint, graph))
    }

    /// The Terraform module, file by file.
    ///
    /// # Errors
    /// Whatever the file is refused for, in words.
    pub fn terraform(&self) -> Result<BTreeMap<String, String>, String> {
        let (blueprint, graph) = self.graph()?;
        let settings = clusterctl_aws::provider().terraform(&blueprint, &graph);
        terraform::export(&graph, &settings).map_err(|e| format!("{}: {e}", self.name))
    }
}
