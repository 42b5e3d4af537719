//! A cluster as files, and the policy it needs: nothing is changed and, without imports, nobody is asked.

use std::collections::BTreeMap;
use std::path::Path;

use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Blueprint, design};
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::{Owner, Scope};
use clusterctl_core::graph::Graph;
use clusterctl_core::provider::Provider;
use clusterctl_core::store::state::State;
use clusterctl_core::terraform;
use clusterctl_core::value::sha256_hex;
use serde_json::Value;

use super::load::Wanted;
use super::prepare::{kept_choices, look, owner, refused_offline};
use super::{App, load};
use crate::failure::{Failure, Kind};

/// A graph that was lowered without an account.
pub(crate) struct Offline {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) owner: Owner,
    pub(crate) blueprint: Blueprint,
    pub(crate) graph: Graph,
    pub(crate) state: Option<State>,
}

/// What is exported: a file, or a recorded name.
pub(crate) async fn offline(app: &App, name: Option<&str>, file: Option<&str>) -> Result<Offline, Failure> {
    let (wanted, state) = match (name, file) {
        (_, Some(file)) => {
            let wanted = Wanted::from_file(file)?;
            // A recorded cluster keeps its uid and its choices, so that the module describes what is there.
            let store = app.open_store().await?;
            let recorded = load::record(&*store, wanted.name()).await?.map(|current| current.state);
            let same = recorded.filter(|state| state.cloud == wanted.cluster.cloud.as_str());
            (wanted, same)
        }
        (Some(name), None) => {
            let store = app.open_store().await?;
            let state = load::recorded(app, &*store, name).await?.state;
            (Wanted::recorded(&state)?, Some(state))
        }
        (None, None) => return Err(Failure::usage("which cluster? give a NAME or -f FILE")),
    };
    lowered(app, &wanted, state)
}

/// The graph of a cluster, with what its record says was chosen.
pub(crate) fn lowered(app: &App, wanted: &Wanted, state: Option<State>) -> Result<Offline, Failure> {
    let provider = app.provider(wanted.cluster.cloud.as_str())?;
    let kept = match &state {
        Some(state) => kept_choices(state)?,
        None => Choices::default(),
    };
    let choices = provider.choose_offline(&wanted.cluster, &kept).map_err(|e| refused_offline(wanted, e))?;
    let owner = state.as_ref().map_or_else(|| unrecorded(wanted), owner);
    let blueprint = design(&wanted.cluster, &choices, &owner.uid, provider.traits())?;
    let graph = provider.lower(&blueprint, &owner)?;
    Ok(Offline { provider, owner, blueprint, graph, state })
}

/// The owner of what nobody has created yet: the same for the same cluster, so that the export is.
fn unrecorded(wanted: &Wanted) -> Owner {
    let cluster = &wanted.cluster;
    let region = cluster.region.as_ref().map(ToString::to_string).unwrap_or_default();
    let digest = sha256_hex(format!("export\n{}\n{region}\n{}", cluster.cloud, cluster.name).as_bytes());
    Owner { uid: digest[..16].to_owned(), cluster: cluster.name.to_string() }
}

/// The module: file name to text.
pub(crate) fn module(
    offline: &Offline,
    imports: Option<BTreeMap<Addr, String>>,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut settings = offline.provider.terraform(&offline.blueprint, &offline.graph);
    settings.imports = imports;
    Ok(terraform::export(&offline.graph, &settings)?)
}

/// The ids of what is there, in the form that Terraform's import takes.
pub(crate) async fn imports(app: &App, offline: &Offline) -> Result<BTreeMap<Addr, String>, Failure> {
    let Some(state) = &offline.state else {
        return Err(Failure::usage("--import is for a cluster that exists, and this one is not recorded"));
    };
    let connection = app.connect(offline.provider, Some(&state.region)).await?;
    let scope = Scope::Kinds(state.kinds.clone());
    let observed = look(app, offline.provider, &*connection, state, &scope).await?;
    let ids = offline.graph.iter().filter_map(|node| {
        let live = observed.get(&node.addr)?;
        Some((node.addr.clone(), offline.provider.import_id(&node.addr, live)?))
    });
    Ok(ids.collect())
}

pub(crate) fn policy(offline: &Offline) -> Value {
    offline.provider.policy(&offline.graph, &offline.blueprint, &offline.owner)
}

/// Writes the files below `dir`.
///
/// # Errors
/// When Terraform would read other files there as part of the module, or the disk refuses.
pub(crate) fn write(dir: &str, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    let root = Path::new(dir);
    let failed = |path: &Path, e: std::io::Error| {
        Failure::new(Kind::Failed, format!("{} cannot be written: {e}", path.display()))
    };
    if let Ok(entries) = std::fs::read_dir(root) {
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut strangers: Vec<String> =
            names.filter(|name| name.ends_with(".tf") && !files.contains_key(name)).collect();
        strangers.sort();
        if !strangers.is_empty() {
            let message = format!("{dir} holds other Terraform files, which would become part of the module");
            return Err(Failure::new(Kind::Policy, message)
                .detail(strangers.join(", "))
                .hint("choose another directory, or move them away"));
        }
    }
    for (name, text) in files {
        let path = root.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
        }
        std::fs::write(&path, text).map_err(|e| failed(&path, e))?;
    }
    Ok(())
}
