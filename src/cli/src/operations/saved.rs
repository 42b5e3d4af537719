//! A plan in a file: carried out exactly, or refused because the world has moved.

use std::collections::BTreeMap;
use std::path::Path;

use clusterctl_core::blueprint::design;
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::{Observed, Scope};
use clusterctl_core::plan::{self, Plan};
use clusterctl_core::store::journal::Current;
use clusterctl_core::store::state::State;
use clusterctl_core::value::sha256_hex;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::load::Wanted;
use super::prepare::{Ready, kept_choices, look, owner};
use super::{App, guard};
use crate::failure::{Failure, Kind};

pub(crate) const SCHEMA: &str = "clusterctl.dev/v1/SavedPlan";
/// What was seen a day ago says little.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The file: a body and its digest. It holds no credentials and no secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SavedPlan {
    pub(crate) schema: String,
    /// SHA-256 of the body's JSON.
    pub(crate) digest: String,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Body {
    pub(crate) cluster: String,
    pub(crate) made_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// The record that it was made from; without a serial there was none.
    pub(crate) lineage: String,
    pub(crate) serial: Option<u64>,
    pub(crate) account: Option<String>,
    /// Of everything that was seen.
    pub(crate) observation: String,
    /// The record as it is to be.
    pub(crate) state: State,
    pub(crate) plan: Plan,
}

/// The file for a plan.
pub(crate) fn save(app: &App, ready: &Ready, before: Option<&Current>) -> Result<SavedPlan, Failure> {
    let serial = before.filter(|_| !ready.newborn).map(|before| before.stored.value.serial);
    let made_at = app.clock.now();
    let expires_at = made_at.checked_add(LIFE).map_err(|e| Failure::new(Kind::Bug, e.to_string()))?;
    let body = Body {
        cluster: ready.state.name.clone(),
        made_at,
        expires_at,
        lineage: ready.state.lineage.clone(),
        serial,
        account: ready.observed.account.clone(),
        observation: observation(&ready.observed),
        state: ready.state.clone(),
        plan: ready.plan.clone(),
    };
    Ok(SavedPlan { schema: SCHEMA.to_owned(), digest: digest(&body)?, body })
}

/// Writes it, readable by its owner only.
pub(crate) fn write(path: &str, plan: &SavedPlan) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(plan).map_err(|e| Failure::new(Kind::Bug, e.to_string()))?;
    let failed = |e: std::io::Error| Failure::new(Kind::Failed, format!("{path} cannot be written: {e}"));
    std::fs::write(path, text + "\n").map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    }
    Ok(())
}

/// Whether there is a saved plan at `path`, rather than a cluster of that name.
pub(crate) fn is_one(path: &str) -> bool {
    Path::new(path).is_file()
}

/// Reads it and checks that it is whole and not too old.
pub(crate) fn read(app: &App, path: &str) -> Result<SavedPlan, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::new(Kind::NotFound, format!("{path} cannot be read: {e}")))?;
    let not_one = |why: String| {
        Failure::new(Kind::Spec, format!("{path} is no saved plan: {why}"))
            .hint(format!("a cluster file is applied with -f: clusterctl apply -f {path}"))
    };
    let plan: SavedPlan = serde_json::from_str(&text).map_err(|e| not_one(e.to_string()))?;
    if plan.schema != SCHEMA {
        return Err(not_one(format!("its schema is {}, not {SCHEMA}", plan.schema)));
    }
    if digest(&plan.body)? != plan.digest {
        return Err(Failure::new(Kind::Spec, format!("{path} was changed after it was saved")).hint(again(&plan.body)));
    }
    if app.clock.now() > plan.body.expires_at {
        let message = format!("{path} is too old: it was valid until {}", plan.body.expires_at);
        return Err(Failure::new(Kind::Spec, message).hint(again(&plan.body)));
    }
    Ok(plan)
}

/// The saved plan, ready to be carried out, when everything is as it was.
pub(crate) async fn ready(app: &App, saved: &SavedPlan, before: Option<&Current>) -> Result<Ready, Failure> {
    let body = &saved.body;
    let moved = |what: &str| {
        Failure::new(Kind::Resumable, format!("the plan is outdated: {what}"))
            .detail("nothing was changed")
            .hint(again(body))
    };
    let before = before.filter(|before| before.state.tombstone.is_none());
    let found = before.map(|before| (before.stored.value.lineage.as_str(), before.stored.value.serial));
    match (found, body.serial) {
        (None, None) => {}
        (Some((lineage, serial)), Some(planned)) if lineage == body.lineage && serial == planned => {}
        (Some(_), None) => return Err(moved("the cluster has been created in the meantime")),
        (None, Some(_)) => return Err(moved("the cluster has been deleted in the meantime")),
        (Some(_), Some(_)) => return Err(moved("another run has changed the cluster in the meantime")),
    }
    if let Some(before) = before {
        guard::not_deleting(&before.state)?;
        if !before.replay.records_after(&before.stored.value.folded).is_empty() {
            return Err(moved("another run has begun to change the cluster"));
        }
    }
    let state = body.state.clone();
    let wanted = Wanted::recorded(&state)?;
    let provider = app.provider(&state.cloud)?;
    let connection = app.connect(provider, Some(&state.region)).await?;
    let choices: Choices = kept_choices(&state)?;
    let owner = owner(&state);
    let observed = match before {
        // Of a new uid nothing can exist; only the account has to be the same.
        None => {
            let account = connection.account().await.map_err(|e| super::cloud_failure(&*connection, &e))?;
            Observed { account: Some(account.id), ..Observed::default() }
        }
        Some(before) => {
            let scope = Scope::Kinds(before.state.kinds.clone());
            look(app, provider, &*connection, &before.state, &scope).await?
        }
    };
    if observed.account != body.account {
        return Err(moved("it was made with the credentials of another account"));
    }
    if observation(&observed) != body.observation {
        return Err(moved("what is there has changed since"));
    }
    plan::check(&body.plan, &observed)?;
    let blueprint = design(&wanted.cluster, &choices, &owner.uid, provider.traits())?;
    let graph = provider.lower(&blueprint, &owner)?;
    let (plan, newborn) = (body.plan.clone(), body.serial.is_none());
    Ok(Ready { provider, connection, owner, blueprint, graph, observed, plan, state, choices, newborn })
}

fn again(body: &Body) -> String {
    format!("make a new one with `clusterctl plan {} -o FILE`", body.cluster)
}

fn digest(body: &Body) -> Result<String, Failure> {
    let text = serde_json::to_string(body).map_err(|e| Failure::new(Kind::Bug, e.to_string()))?;
    Ok(sha256_hex(text.as_bytes()))
}

/// What was seen, as one digest: ids and arguments. Outputs may change by themselves, such as a status.
fn observation(observed: &Observed) -> String {
    let seen: BTreeMap<String, BTreeMap<&str, &serde_json::Value>> = observed
        .resources
        .iter()
        .map(|(addr, lives)| (addr.to_string(), lives.iter().map(|live| (live.id.as_str(), &live.args)).collect()))
        .collect();
    sha256_hex(serde_json::json!(seen).to_string().as_bytes())
}
