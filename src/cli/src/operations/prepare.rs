//! From what is wanted to a plan: connect, choose, design, lower, observe, compare.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::blueprint::{Blueprint, design};
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::{Observed, Owner, Scope};
use clusterctl_core::engine;
use clusterctl_core::graph::Graph;
use clusterctl_core::plan::{self, Plan};
use clusterctl_core::provider::{Connection, Provider, Refusal};
use clusterctl_core::store::journal::{Current, fold};
use clusterctl_core::store::state::{AppliedSpec, Birth, State};
use serde_json::Value;

use super::filled::filled;
use super::load::Wanted;
use super::patience::patiently;
use super::{App, Notice, cloud_failure, guard, lag, record};
use crate::failure::{BadFile, Failure, Kind};

/// A plan and all that it was made of.
pub(crate) struct Ready {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) connection: Arc<dyn Connection>,
    pub(crate) owner: Owner,
    pub(crate) blueprint: Blueprint,
    pub(crate) graph: Graph,
    pub(crate) observed: Observed,
    pub(crate) plan: Plan,
    /// The record as it is to be when the plan is carried out: file, choices, account, kinds.
    pub(crate) state: State,
    pub(crate) choices: Choices,
    /// There was no record.
    pub(crate) newborn: bool,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("owner", &self.owner).field("newborn", &self.newborn).finish_non_exhaustive()
    }
}

/// Plans `wanted` against the cloud and the record.
///
/// # Errors
/// What is wrong with the wish, the record, the credentials or the cloud.
pub(crate) async fn prepare(app: &App, wanted: &Wanted, before: Option<&Current>) -> Result<Ready, Failure> {
    let before = before.filter(|current| current.state.tombstone.is_none());
    let provider = app.provider(wanted.cluster.cloud.as_str())?;
    match before {
        None => newborn(app, provider, wanted).await,
        Some(before) => existing(app, provider, wanted, before).await,
    }
}

/// Of a cluster without a record nothing can exist: its uid is new. So nothing is read.
async fn newborn(app: &App, provider: &'static dyn Provider, wanted: &Wanted) -> Result<Ready, Failure> {
    let region = wanted.cluster.region.as_ref().map(ToString::to_string);
    let connection = app.connect(provider, region.as_deref()).await?;
    let kept = Choices::default();
    let (account, choices) = tokio::join!(
        patiently(app, "the account", async || connection.account().await),
        choose(app, &*connection, wanted, &kept),
    );
    let account = account.map_err(|e| cloud_failure(&*connection, &e))?;
    let choices = choices?;
    let birth = Birth {
        name: wanted.name().to_owned(),
        cloud: provider.name().to_owned(),
        account: Some(account.id.clone()),
        region: choices.region.clone(),
        spec: AppliedSpec::default(),
        at: app.clock.now(),
    };
    let state = State::new(birth, &mut app.rng());
    let observed = Observed { account: Some(account.id), ..Observed::default() };
    finish(provider, connection, wanted, state, choices, observed, true)
}

async fn existing(
    app: &App,
    provider: &'static dyn Provider,
    wanted: &Wanted,
    before: &Current,
) -> Result<Ready, Failure> {
    let state = &before.state;
    guard::same_place(wanted, state)?;
    let connection = app.connect(provider, Some(&state.region)).await?;
    let kept = kept_choices(state)?;
    let (choices, observed) =
        tokio::join!(choose(app, &*connection, wanted, &kept), observe(app, provider, &*connection, before));
    // A wrong account explains every other error.
    let observed = match observed {
        Ok(observed) => observed,
        Err(failure) => return Err(failure),
    };
    finish(provider, connection, wanted, state.clone(), choices?, observed, false)
}

fn finish(
    provider: &'static dyn Provider,
    connection: Arc<dyn Connection>,
    wanted: &Wanted,
    mut state: State,
    choices: Choices,
    observed: Observed,
    newborn: bool,
) -> Result<Ready, Failure> {
    let owner = owner(&state);
    let blueprint = design(&wanted.cluster, &choices, &owner.uid, provider.traits())?;
    let graph = provider.lower(&blueprint, &owner)?;
    let plan = plan::plan(&graph, &observed, provider.kinds(), &depends(&state))?;
    plan::check(&plan, &observed)?;
    state.spec = AppliedSpec { text: wanted.text.clone(), resolved: filled(&wanted.cluster) };
    state.choices = choices_map(&choices)?;
    if state.account.is_none() {
        state.account.clone_from(&observed.account);
    }
    state.kinds.extend(graph.iter().map(|node| node.addr.kind.clone()));
    Ok(Ready { provider, connection, owner, blueprint, graph, observed, plan, state, choices, newborn })
}

pub(crate) fn owner(state: &State) -> Owner {
    Owner { uid: state.uid.as_str().to_owned(), cluster: state.name.clone() }
}

async fn choose(app: &App, connection: &dyn Connection, wanted: &Wanted, kept: &Choices) -> Result<Choices, Failure> {
    let chosen = patiently(app, "what the region offers", async || connection.choose(&wanted.cluster, kept).await);
    chosen.await.map_err(|refusal| refused(connection, wanted, refusal))
}

/// A refusal as a problem of the file, where it is one.
pub(crate) fn refused_offline(wanted: &Wanted, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Cluster { path, message, right } => {
            let mut problem = clusterctl_core::spec::Problem::at(path, message);
            problem.right = right;
            // The text was read before, so that reading it again only finds the places.
            if let Ok(document) = clusterctl_core::spec::read(&wanted.text) {
                problem = document.locate_one(problem);
            }
            let file = BadFile { name: wanted.origin.clone(), text: wanted.text.clone(), problems: vec![problem] };
            Failure {
                file: Some(Box::new(file)),
                ..Failure::new(Kind::Spec, format!("1 problem in {}", wanted.origin))
            }
        }
        other => other.into(),
    }
}

fn refused(connection: &dyn Connection, wanted: &Wanted, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Cloud(error) => cloud_failure(connection, &error),
        other => refused_offline(wanted, other),
    }
}

/// What the record says was chosen.
pub(crate) fn kept_choices(state: &State) -> Result<Choices, Failure> {
    let map: serde_json::Map<String, Value> = state.choices.clone().into_iter().collect();
    serde_json::from_value(Value::Object(map)).map_err(|e| {
        Failure::new(Kind::Store, format!("the choices in the record of {} cannot be read: {e}", state.name))
            .hint("use the clusterctl that wrote them, or a newer one")
    })
}

pub(crate) fn choices_map(choices: &Choices) -> Result<BTreeMap<String, Value>, Failure> {
    match serde_json::to_value(choices) {
        Ok(Value::Object(map)) => Ok(map.into_iter().collect()),
        Ok(_) | Err(_) => Err(Failure::new(Kind::Bug, "the choices cannot be written down")),
    }
}

/// Who needed whom when it was made, by the record.
pub(crate) fn depends(state: &State) -> BTreeMap<Addr, BTreeSet<Addr>> {
    let addrs = |names: &BTreeSet<String>| names.iter().filter_map(|name| name.parse().ok()).collect();
    state.resources.iter().filter_map(|(addr, r)| Some((addr.parse().ok()?, addrs(&r.depends)))).collect()
}

/// Where to look: at the kinds that were ever intended, or everywhere when part of the record is lost.
fn scope(before: &Current) -> Scope {
    if before.gaps.is_empty() && before.replay.damaged.is_empty() {
        Scope::Kinds(before.state.kinds.clone())
    } else {
        Scope::Everything
    }
}

async fn observe(
    app: &App,
    provider: &dyn Provider,
    connection: &dyn Connection,
    before: &Current,
) -> Result<Observed, Failure> {
    look(app, provider, connection, &before.state, &scope(before)).await
}

/// Reads what there is, once it must be visible, and makes sure that it is the right account.
pub(crate) async fn look(
    app: &App,
    provider: &dyn Provider,
    connection: &dyn Connection,
    state: &State,
    scope: &Scope,
) -> Result<Observed, Failure> {
    let (unanswered, wait) = unsettled(app, provider, state);
    if !wait.is_zero() {
        app.tell(Notice::Settling { unanswered, wait });
        tokio::time::sleep(wait).await;
    }
    let kinds = match scope {
        Scope::Kinds(kinds) => kinds.len(),
        Scope::Everything => provider.kinds().len(),
    };
    app.tell(Notice::Observing { kinds });
    let mut observed = read(app, connection, state, scope).await?;
    // One absence is no proof: lists are behind, flap, and may not show what was left half made.
    for (looks, pause) in lag::pauses().enumerate() {
        let unseen = lag::unseen(state, &observed, app.clock.now(), app.settings.lag);
        if unseen.addrs.is_empty() || (looks > 0 && !unseen.young) {
            break;
        }
        app.tell(Notice::Unseen { resources: unseen.addrs.len(), wait: pause });
        tokio::time::sleep(pause).await;
        let mut again = read(app, connection, state, &Scope::Everything).await?;
        let missing = lag::unseen(state, &again, app.clock.now(), app.settings.lag).addrs;
        lag::add(&mut again, observed.resources, &missing);
        observed = again;
    }
    Ok(observed)
}

/// Reads what there is, without a word and without waiting, and makes sure that it is the right account.
pub(crate) async fn read(
    app: &App,
    connection: &dyn Connection,
    state: &State,
    scope: &Scope,
) -> Result<Observed, Failure> {
    connection.recall(&kept_choices(state)?);
    let owner = owner(state);
    let observed = patiently(app, "what is there", async || connection.observe(&owner, scope).await).await;
    let mut observed = observed.map_err(|e| cloud_failure(connection, &e))?;
    // What an earlier run never saw the answer of is on record as far as it is seen now.
    let settled = record::conclusions(state, state.pending.values(), &observed, &*app.clock);
    let known = if settled.is_empty() { Cow::Borrowed(state) } else { Cow::Owned(fold(state.clone(), &settled)) };
    for (text, recorded) in &known.resources {
        let Ok(addr) = text.parse::<Addr>() else { continue };
        observed.unready.extend(recorded.unready.map(|unready| (addr.clone(), unready)));
        observed.recorded.insert(addr, recorded.id.clone());
    }
    if let Some(recorded) = &state.account {
        let live = match &observed.account {
            Some(account) => account.clone(),
            None => {
                patiently(app, "the account", async || connection.account().await)
                    .await
                    .map_err(|e| cloud_failure(connection, &e))?
                    .id
            }
        };
        if live != *recorded {
            return Err(guard::other_account(state, recorded, &live));
        }
        observed.account = Some(live);
    }
    Ok(observed)
}

/// How many creates of an earlier run were never answered, and how long what they made may stay invisible.
fn unsettled(app: &App, provider: &dyn Provider, state: &State) -> (usize, Duration) {
    let visible = engine::Settings::default().visible_within;
    let now = app.clock.now();
    let ages = lag::unanswered(state, provider.kinds()).map(|intent| {
        // A clock that was set back must not make this wait for ever.
        Duration::try_from(now.duration_since(intent.at)).unwrap_or(Duration::ZERO)
    });
    let waits: Vec<Duration> = ages.filter(|age| *age < visible).map(|age| visible - age).collect();
    (waits.len(), waits.into_iter().max().unwrap_or(Duration::ZERO))
}
