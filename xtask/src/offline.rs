//! A case of tests/cases as far as it goes without an account: its blueprint and its graph.

use anyhow::{Context as _, Result, anyhow};
use clusterctl_core::blueprint::{Blueprint, design};
use clusterctl_core::choices::{Choices, Image};
use clusterctl_core::cloud::Owner;
use clusterctl_core::cluster::resolve_document;
use clusterctl_core::graph::Graph;
use clusterctl_core::provider::Provider;
use clusterctl_core::spec;

use crate::ground::Ground;

/// The same in every run.
const UID: &str = "00112233445566778899aabbccddeeff";

/// # Errors
/// Also when the case builds on something that only an account can tell of, such as a network that is there already.
pub(crate) fn blueprint(ground: &Ground, case: &str) -> Result<Blueprint> {
    let path = ground.root.join("tests/cases").join(case).with_extension("yaml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    blueprint_of(case, &text)
}

/// The same for the text of a file; `case` is its name for people.
///
/// # Errors
/// As [`blueprint`].
pub(crate) fn blueprint_of(case: &str, text: &str) -> Result<Blueprint> {
    let document = spec::read(text).map_err(|problems| anyhow!("{case}: {problems:?}"))?;
    let cluster = resolve_document(&document).map_err(|problems| anyhow!("{case}: {problems:?}"))?;
    let mut choices = provider().choose_offline(&cluster, &Choices::default())?;
    // An account names the newest images; without one they would stay something to be looked up.
    for arch in ["amd64", "arm64"] {
        let image = Image { id: format!("ami-0{arch}"), name: "ubuntu-noble".to_owned() };
        choices.images.insert(arch.to_owned(), image);
    }
    Ok(design(&cluster, &choices, UID, provider().traits())?)
}

pub(crate) fn graph(blueprint: &Blueprint) -> Result<Graph> {
    let owner = Owner { uid: UID.to_owned(), cluster: blueprint.cluster.clone() };
    Ok(provider().lower(blueprint, &owner)?)
}

pub(crate) fn provider() -> &'static dyn Provider {
    clusterctl_aws::provider()
}
