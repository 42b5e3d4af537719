//! What a user does with a cluster.

use clusterctl_core::spec::Spec;
use serde_json::{Value, json};

use super::process::Errand;
use crate::failure::{Failure, Kind};
use crate::operations::load::{Wanted, file_text};

/// Something a user does, after what was done before without trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scenario {
    Create,
    /// A node group becomes larger.
    Scale,
    /// A node group with GPUs is added.
    Add,
    /// Another version of Kubernetes.
    Upgrade,
    /// Who may reach the API, and labels.
    Edit,
    /// The record is lost, built anew from the cloud, and the file is applied.
    Adopt,
    Delete,
    /// Created, deleted and created again.
    Cycle,
}

impl Scenario {
    pub(crate) const ALL: [Self; 8] =
        [Self::Create, Self::Scale, Self::Add, Self::Upgrade, Self::Edit, Self::Adopt, Self::Delete, Self::Cycle];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Scale => "scale",
            Self::Add => "add",
            Self::Upgrade => "upgrade",
            Self::Edit => "edit",
            Self::Adopt => "adopt",
            Self::Delete => "delete",
            Self::Cycle => "cycle",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Whether the cluster is there before.
    pub(crate) fn begins_with_a_cluster(self) -> bool {
        !matches!(self, Self::Create | Self::Cycle)
    }

    /// Whether the file is another one than before.
    pub(crate) fn edits(self) -> bool {
        matches!(self, Self::Scale | Self::Add | Self::Upgrade | Self::Edit)
    }

    /// What is done, one after another.
    ///
    /// # Errors
    /// When the file cannot be changed in that way.
    pub(crate) fn errands(self, file: &Wanted) -> Result<Vec<Errand>, Failure> {
        let apply = |wanted: Wanted| Errand::Apply(Box::new(wanted));
        let name = file.name().to_owned();
        Ok(match self {
            Self::Create => vec![apply(file.clone())],
            Self::Scale | Self::Add | Self::Upgrade | Self::Edit => vec![apply(self.edited(file)?)],
            Self::Adopt => vec![Errand::Recover(Box::new(file.clone())), apply(file.clone())],
            Self::Delete => vec![Errand::Delete(name)],
            Self::Cycle => vec![apply(file.clone()), Errand::Delete(name), apply(file.clone())],
        })
    }

    /// The file after the change.
    fn edited(self, file: &Wanted) -> Result<Wanted, Failure> {
        let bug = |e: &dyn std::fmt::Display| Failure::new(Kind::Bug, format!("the file cannot be changed: {e}"));
        let document = clusterctl_core::spec::read(&file.text).map_err(|_| bug(&"it is not valid"))?;
        let mut whole = serde_json::to_value(&document.spec).map_err(|e| bug(&e))?;
        let spec = &mut whole["spec"];
        match self {
            Self::Scale => scale(spec),
            Self::Add => add(spec),
            Self::Upgrade => {
                let exact = file.cluster.kubernetes.to_string();
                spec["kubernetes"] = if exact.starts_with("1.35") { "1.36" } else { "1.35" }.into();
            }
            Self::Edit => {
                spec["access"]["api"]["from"] = json!(["10.0.0.0/8", "198.51.100.0/24"]);
                whole["metadata"]["labels"]["rehearsed"] = "yes".into();
            }
            Self::Create | Self::Adopt | Self::Delete | Self::Cycle => {}
        }
        let spec: Spec = serde_json::from_value(whole).map_err(|e| bug(&e))?;
        Wanted::read("the rehearsed file", file_text(&spec)?)
    }
}

fn groups(spec: &mut Value) -> &mut Vec<Value> {
    if !spec["nodeGroups"].is_array() {
        spec["nodeGroups"] = json!([{ "name": "general", "count": 2 }]);
    }
    match &mut spec["nodeGroups"] {
        Value::Array(groups) => groups,
        _ => unreachable!("it was made an array"),
    }
}

fn scale(spec: &mut Value) {
    let Some(group) = groups(spec).first_mut() else { return };
    let more = |value: &Value| value.as_u64().unwrap_or(1) + 1;
    group["count"] = match &group["count"] {
        Value::Object(range) => json!({ "min": more(&range["min"]), "max": more(&range["max"]) + 1 }),
        exactly => more(exactly).into(),
    };
}

fn add(spec: &mut Value) {
    groups(spec).push(json!({
        "name": "rehearsed-gpu",
        "machine": { "gpu": { "model": "a10g", "count": 1 } },
        "count": 1,
    }));
}
