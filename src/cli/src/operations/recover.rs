//! A lost state, built anew from the ownership tags.

use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::{Observed, Scope};
use clusterctl_core::graph::Graph;
use clusterctl_core::provider::Connection;
use clusterctl_core::store::journal::{Current, Replay, salvage};
use clusterctl_core::store::state::{AppliedSpec, Birth, OwnerUid, State, Stored};
use clusterctl_core::store::{ClusterKeys, Store, StoreError};

use super::apply::Consent;
use super::filled::filled;
use super::load::Wanted;
use super::patience::patiently;
use super::prepare::{choices_map, look};
use super::session::{Expect, Session, locked};
use super::{App, cloud_failure, record};
use crate::failure::{Failure, Kind};

/// What is known for the recovery.
#[derive(Debug)]
pub(crate) struct Clues {
    pub(crate) name: String,
    pub(crate) uid: Option<String>,
    pub(crate) wanted: Option<Wanted>,
    pub(crate) cloud: String,
    pub(crate) region: Option<String>,
}

/// Builds the state of `clues.name` from what carries its uid in the cloud.
///
/// # Errors
/// When nothing carries it, or the record that is there is whole.
pub(crate) async fn recover(
    app: &App,
    clues: Clues,
    consent: impl AsyncFnOnce(&State, &Observed) -> Result<Consent, Failure>,
) -> Result<Option<State>, Failure> {
    let store = app.open_store().await?;
    let keys = ClusterKeys::new(&clues.name)?;
    let uid = uid(&*store, &keys, &clues).await?;
    let name = clues.name.clone();
    recovered(app, store, &name, clues, uid, consent).await
}

async fn recovered(
    app: &App,
    store: std::sync::Arc<dyn Store>,
    name: &str,
    clues: Clues,
    uid: Option<OwnerUid>,
    consent: impl AsyncFnOnce(&State, &Observed) -> Result<Consent, Failure>,
) -> Result<Option<State>, Failure> {
    locked(app, store, name, Expect::Anything, async |session| {
        let provider = app.provider(&clues.cloud)?;
        let region = clues.region.clone();
        let connection = app.connect(provider, region.as_deref()).await?;
        let account = patiently(app, "the account", async || connection.account().await).await;
        let account = account.map_err(|e| cloud_failure(&*connection, &e))?;
        let uid = match uid {
            Some(uid) => uid,
            None => owner(app, &*connection, &clues.name).await?,
        };
        let birth = Birth {
            name: clues.name.clone(),
            cloud: clues.cloud.clone(),
            account: Some(account.id),
            region: connection.region().to_owned(),
            spec: clues.wanted.as_ref().map_or_else(AppliedSpec::default, |wanted| AppliedSpec {
                text: wanted.text.clone(),
                resolved: filled(&wanted.cluster),
            }),
            at: app.clock.now(),
        };
        let mut state = State { uid, ..State::new(birth, &mut app.rng()) };
        let before = readable(session).await;
        if let Some(before) = before.as_ref().filter(|before| before.uid != state.uid) {
            let message = format!("{} is recorded with another uid, {}", clues.name, before.uid);
            return Err(Failure::new(Kind::Policy, message)
                .hint("two clusters cannot share a name in one store: recover into another one with --store"));
        }
        let observed = look(app, provider, &*connection, &state, &Scope::Everything).await?;
        if observed.is_empty() {
            let message = format!("nothing in {} carries the uid {}", state.region, state.uid);
            return Err(Failure::new(Kind::NotFound, message)
                .hint("check the uid, the region and the account; `clusterctl doctor` shows the latter two"));
        }
        if consent(&state, &observed).await? == Consent::Refused {
            return Ok(None);
        }
        record::reconcile(&mut state, &observed, &Graph::new());
        state.kinds = provider.kinds().iter().map(|kind| kind.name.to_owned()).collect();
        let choices = Choices { region: state.region.clone(), ..Choices::default() };
        state.choices = choices_map(&choices)?;
        if let Some(before) = before {
            // What can still be read is better than what would be chosen anew.
            state.choices = before.choices;
            state.generations = before.generations;
            if state.spec.text.is_empty() {
                state.spec = before.spec;
            }
        }
        replace(session, state).await.map(Some)
    })
    .await
}

/// The record, if it can be read after all.
async fn readable(session: &Session) -> Option<State> {
    let current = session.current().await.ok().flatten()?;
    Some(current.state).filter(|state| state.tombstone.is_none())
}

/// Puts the state where the lost one was.
async fn replace(session: &Session, mut state: State) -> Result<State, Failure> {
    let replay: Replay = salvage(&*session.store, &session.keys).await?;
    for id in replay.ids() {
        state.folded.insert(id.epoch, id.seq + 1);
    }
    let there = session.store.get(&session.keys.state).await?;
    let Some(object) = there else {
        return Ok(session.create(state, None).await?.value);
    };
    // Compaction saves over exactly the version that was found damaged.
    let stored = Stored { value: state.clone(), version: object.version };
    Ok(session.save(Current { state, stored, replay, gaps: Vec::new() }).await?.value)
}

/// The uid that was given, or what is left of it in the damaged state.
async fn uid(store: &dyn Store, keys: &ClusterKeys, clues: &Clues) -> Result<Option<OwnerUid>, Failure> {
    if let Some(given) = &clues.uid {
        return OwnerUid::parse(given.as_str()).map(Some).map_err(|e| Failure::usage(format!("--uid: {e}")));
    }
    let object = match store.get(&keys.state).await {
        Ok(object) => object,
        Err(StoreError::Corrupt { .. }) => None,
        Err(other) => return Err(other.into()),
    };
    let text = object.map(|object| String::from_utf8_lossy(&object.bytes).into_owned()).unwrap_or_default();
    Ok(uid_in(&text))
}

/// The one owner of what carries the cluster's name.
async fn owner(app: &App, connection: &dyn Connection, name: &str) -> Result<OwnerUid, Failure> {
    let owners = patiently(app, "whose resources carry its name", async || connection.owners(name).await)
        .await
        .map_err(|e| cloud_failure(connection, &e))?;
    // A tag may hold anything.
    let owners: Vec<OwnerUid> = owners.into_iter().filter_map(|uid| OwnerUid::parse(uid).ok()).collect();
    match owners.as_slice() {
        [owner] => Ok(owner.clone()),
        [] => {
            let message = format!("nothing in {} carries the name {name}", connection.region());
            Err(Failure::new(Kind::NotFound, message)
                .hint("check the region and the account with `clusterctl doctor`, or give the owner's uid with --uid"))
        }
        several => {
            let mut failure = Failure::usage(format!("{} clusters called {name} are there", several.len()));
            failure.details.extend(several.iter().map(|uid| format!("owner uid {uid}")));
            Err(failure.hint("say which one with --uid"))
        }
    }
}

/// The first uid in what may be a damaged text.
fn uid_in(text: &str) -> Option<OwnerUid> {
    text.match_indices("\"uid\"").find_map(|(at, found)| {
        let rest = text[at + found.len()..].trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        OwnerUid::parse(rest.get(..16)?).ok().filter(|_| rest[16..].starts_with('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_found_in_what_is_left() {
        let found = |text: &str| uid_in(text).map(|uid| uid.to_string());
        assert_eq!(found("{\"uid\": \"00c0ffee00c0ffee\", garb"), Some("00c0ffee00c0ffee".to_owned()));
        assert_eq!(found("{\"uid\": \"00c0ffee"), None);
        assert_eq!(found("{\"uid\": \"00c0ffee00c0ffee0\""), None);
        assert_eq!(
            found("\"uid\": \"xxxxxxxxxxxxxxxx\", \"uid\":\"0123456789abcdef\""),
            Some("0123456789abcdef".to_owned())
        );
    }
}
