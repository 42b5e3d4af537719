//! A cluster from a file, from flags, or from the record.

use std::io::Read as _;

use clusterctl_core::cluster::{Cluster, resolve_document};
use clusterctl_core::names::ClusterName;
use clusterctl_core::spec::words::Cloud;
use clusterctl_core::spec::{self, SCHEMA_ID, Spec};
use clusterctl_core::store::journal::{Current, current};
use clusterctl_core::store::state::State;
use clusterctl_core::store::{ClusterKeys, LocalStore, Store};

use super::App;
use crate::args::ClusterFlags;
use crate::failure::{Failure, Kind};

/// A cluster file takes no more than this; the reader has the same bound.
const LARGEST_FILE: u64 = 1 << 20;

/// What is wanted, and the text that says so.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Where the text is from, for people.
    pub(crate) origin: String,
    pub(crate) text: String,
    pub(crate) cluster: Cluster,
}

impl Wanted {
    /// Reads a cluster file's text.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub(crate) fn read(origin: &str, text: String) -> Result<Self, Failure> {
        let document = spec::read(&text).map_err(|problems| Failure::problems(origin, &text, problems))?;
        let cluster = resolve_document(&document).map_err(|problems| Failure::problems(origin, &text, problems))?;
        Ok(Self { origin: origin.to_owned(), text, cluster })
    }

    /// Reads the file at `path`; `-` is standard input.
    pub(crate) fn from_file(path: &str) -> Result<Self, Failure> {
        let (origin, text) = if path == "-" {
            ("<stdin>", bounded(std::io::stdin().lock(), path)?)
        } else {
            let file = std::fs::File::open(path).map_err(|e| no_file(path, &e))?;
            (path, bounded(file, path)?)
        };
        Self::read(origin, text)
    }

    /// What the record says was applied last.
    pub(crate) fn recorded(state: &State) -> Result<Self, Failure> {
        if state.spec.text.is_empty() {
            return Err(Failure::new(Kind::NotFound, format!("the record of {} has no cluster file", state.name))
                .detail("it was rebuilt from the cloud, which does not know it")
                .hint(format!(
                    "apply one with `clusterctl apply -f FILE`, or delete it with `clusterctl delete {}`",
                    state.name
                )));
        }
        Self::read(&format!("the record of {}", state.name), state.spec.text.clone())
    }

    pub(crate) fn name(&self) -> &str {
        self.cluster.name.as_str()
    }
}

fn bounded(from: impl std::io::Read, path: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    from.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|e| no_file(path, &e))?;
    String::from_utf8(bytes).map_err(|_| Failure::new(Kind::Spec, format!("{path} is not UTF-8 text")))
}

fn no_file(path: &str, error: &std::io::Error) -> Failure {
    Failure::new(Kind::NotFound, format!("{path} cannot be read: {error}"))
}

/// A name that was typed.
///
/// # Errors
/// What is wrong with it and what would be right.
pub(crate) fn name(text: &str) -> Result<ClusterName, Failure> {
    text.parse().map_err(|e: clusterctl_core::names::Invalid| {
        Failure::usage(format!("`{text}` is no name for a cluster: {e}")).hint(format!("right would be {}", e.right()))
    })
}

/// The file that flags stand for.
pub(crate) fn from_flags(app: &App, flags: &ClusterFlags, name: ClusterName) -> Result<Wanted, Failure> {
    let cloud = match (flags.cloud, app.providers.as_slice()) {
        (Some(cloud), _) => cloud,
        (None, [only]) => Cloud::ALL
            .iter()
            .copied()
            .find(|cloud| cloud.as_str() == only.name())
            .ok_or_else(|| Failure::new(Kind::Bug, format!("the cluster file has no word for {}", only.name())))?,
        (None, _) => return Err(Failure::usage("--cloud is missing").hint("name the cloud, as in --cloud aws")),
    };
    let read = |path: &str| std::fs::read_to_string(path);
    let spec = flags.spec(name, cloud, &read).map_err(|e| Failure::usage(e.to_string()))?;
    Wanted::read("the file that the flags stand for", file_text(&spec)?)
}

/// A cluster file with the line that tells editors its schema.
pub(crate) fn file_text(spec: &Spec) -> Result<String, Failure> {
    let yaml = serde_yaml::to_string(spec).map_err(|e| Failure::new(Kind::Bug, e.to_string()))?;
    Ok(format!("# yaml-language-server: $schema={SCHEMA_ID}\n{yaml}"))
}

/// The record of a cluster: `None` where there is none, or one that was deleted.
pub(crate) async fn record(store: &dyn Store, name: &str) -> Result<Option<Current>, Failure> {
    let keys = ClusterKeys::new(name)?;
    Ok(current(store, &keys).await?.filter(|found| found.state.tombstone.is_none()))
}

/// The record of a cluster that has to be there.
pub(crate) async fn recorded(app: &App, store: &dyn Store, name: &str) -> Result<Current, Failure> {
    match record(store, name).await? {
        Some(current) => Ok(current),
        None => Err(unknown(app, store, name).await),
    }
}

/// There is no such cluster; perhaps a simulated one, or one whose name is near.
pub(crate) async fn unknown(app: &App, store: &dyn Store, name: &str) -> Failure {
    let mut failure = Failure::new(Kind::NotFound, format!("no cluster {name} is recorded in {}", store.describe()));
    if let Some(dir) = app.settings.simulated_beside()
        && let Ok(Some(_)) = record(&LocalStore::new(dir), name).await
    {
        return failure.hint(format!("there is a simulated cluster {name}: add --simulate"));
    }
    let known = clusterctl_core::store::state::list(store).await.unwrap_or_default();
    let known: Vec<&str> = known.iter().map(ClusterKeys::name).collect();
    if let Some(near) = known.iter().find(|other| near(name, other)) {
        failure = failure.hint(format!("did you mean {near}?"));
    } else if !known.is_empty() {
        failure = failure.hint("`clusterctl get clusters` lists what is recorded");
    }
    failure.hint(format!("if it exists and its record is lost: `clusterctl recover {name} --region REGION`"))
}

/// One character too many, too few or other.
fn near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let start = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let (short, long) = (&short[start..], &long[start..]);
    let end = short.iter().rev().zip(long.iter().rev()).take_while(|(x, y)| x == y).count();
    short.len() - end.min(short.len()) <= 1 && long.len() - end <= 2
}
