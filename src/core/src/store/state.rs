//! What exists of a cluster, as last written down.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud::Unready;

use super::envelope::{self, Document};
use super::error::StoreError;
use super::journal::{Intent, Op};
use super::layout::ClusterKeys;
use super::object::{Condition, Store, Version};
use super::settle::{self, Patience, within};

/// The random mark that every resource of a cluster carries; 16 hexadecimal digits.
///
/// Made at the first create and never again: it, not the name, says whose a resource is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OwnerUid(String);

/// Why a text is no owner uid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no owner uid: that is 16 digits of 0-9a-f")]
pub struct OwnerUidError(String);

impl OwnerUid {
    /// Makes a new one.
    pub fn random(rng: &mut dyn Rng) -> Self {
        Self(format!("{:016x}", rng.random::<u64>()))
    }

    /// Checks a text, as read from a tag.
    pub fn parse(text: impl Into<String>) -> Result<Self, OwnerUidError> {
        let text = text.into();
        let fits = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(text)) } else { Err(OwnerUidError(text)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for OwnerUid {
    type Error = OwnerUidError;
    fn try_from(text: String) -> Result<Self, OwnerUidError> {
        Self::parse(text)
    }
}

impl From<OwnerUid> for String {
    fn from(uid: OwnerUid) -> String {
        uid.0
    }
}

/// Everything clusterctl knows of a cluster that exists; it holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    pub uid: OwnerUid,
    pub name: String,
    pub cloud: String,
    /// The account, project or tenant that it lives in, so that nothing is ever done in another one.
    pub account: Option<String>,
    pub region: String,
    /// Made with the state and kept by its every version; tells apart two states that were never the same.
    pub lineage: String,
    /// Counts the writes.
    pub serial: u64,
    pub created_at: Timestamp,
    pub spec: AppliedSpec,
    /// Decisions that later runs must not take anew: zones, machine types, image ids, ladder rungs.
    pub choices: BTreeMap<String, Value>,
    /// Every kind of resource that was ever intended: what a search for leftovers must cover.
    pub kinds: BTreeSet<String>,
    /// What exists, by address.
    pub resources: BTreeMap<String, Recorded>,
    /// Ids that were replaced at an address and are not known to be gone.
    pub former: BTreeMap<String, BTreeSet<String>>,
    /// How many creations were begun and concluded at an address; part of the next one's token, so it outlives the
    /// resource.
    pub generations: BTreeMap<String, u32>,
    /// What was intended and is not known to have been concluded.
    pub pending: BTreeMap<Op, Intent>,
    /// When each address was changed last, or somebody died or failed trying: lists may tell of it as it was before for a
    /// while.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed: BTreeMap<String, Timestamp>,
    /// All that was ever created, and all that was seen to be gone, each as `ADDRESS ID`: sets, because what is folded
    /// twice must not count twice.
    #[serde(default)]
    pub created: BTreeSet<String>,
    #[serde(default)]
    pub gone: BTreeSet<String>,
    /// For each epoch, how many journal segments this state already contains.
    pub folded: BTreeMap<u64, u64>,
    /// Its deletion was begun: it can only be finished.
    pub deleting: bool,
    pub tombstone: Option<Tombstone>,
}

/// The cluster file as it was applied.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppliedSpec {
    /// The user's own text.
    pub text: String,
    /// The same with every default filled.
    pub resolved: Value,
}

/// One resource that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub id: String,
    pub outputs: BTreeMap<String, Value>,
    /// Addresses that it needs, which must therefore be deleted after it.
    pub depends: BTreeSet<String>,
    /// The generation whose token created it.
    pub generation: u32,
    /// When it was made, where that is known: lists may not show it for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// It was made and never seen ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unready: Option<Unready>,
}

/// What stays of a deleted cluster, so that its end is known to whoever comes late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    pub deleted_at: Timestamp,
    pub epoch: u64,
}

impl Document for State {
    const FORMAT: &'static str = "clusterctl.dev/state";
    const VERSION: u32 = 1;
}

/// What a new state is made from.
#[derive(Debug, Clone)]
pub struct Birth {
    pub name: String,
    pub cloud: String,
    pub account: Option<String>,
    pub region: String,
    pub spec: AppliedSpec,
    pub at: Timestamp,
}

impl State {
    /// The state of a cluster of which nothing exists yet.
    pub fn new(birth: Birth, rng: &mut dyn Rng) -> Self {
        let Birth { name, cloud, account, region, spec, at } = birth;
        Self {
            uid: OwnerUid::random(rng),
            name,
            cloud,
            account,
            region,
            lineage: format!("{:032x}", rng.random::<u128>()),
            serial: 0,
            created_at: at,
            spec,
            choices: BTreeMap::new(),
            kinds: BTreeSet::new(),
            resources: BTreeMap::new(),
            former: BTreeMap::new(),
            generations: BTreeMap::new(),
            pending: BTreeMap::new(),
            changed: BTreeMap::new(),
            created: BTreeSet::new(),
            gone: BTreeSet::new(),
            folded: BTreeMap::new(),
            deleting: false,
            tombstone: None,
        }
    }

    /// The generation that the next creation at this address has.
    pub fn generation(&self, addr: &str) -> u32 {
        self.generations.get(addr).copied().unwrap_or(0)
    }

    pub fn mark(&self) -> StateMark {
        StateMark { lineage: self.lineage.clone(), serial: self.serial }
    }
}

/// Which state was seen last; kept with the lock, so that a state put back from a backup is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateMark {
    pub lineage: String,
    pub serial: u64,
}

/// The stored state is not the successor of the one that was seen last.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolledBack {
    #[error("the stored state has serial {found}, but serial {seen} was already written: an old copy was put back")]
    Older { found: u64, seen: u64 },
    #[error("the stored state has lineage {found}, not {seen}: it is the state of another cluster of this name")]
    OtherLineage { found: String, seen: String },
    #[error("there is no stored state, but serial {seen} was already written")]
    Missing { seen: u64 },
}

impl StateMark {
    /// Checks that the stored state follows on the one marked here.
    pub fn check(&self, stored: Option<&State>) -> Result<(), RolledBack> {
        let seen = self.serial;
        match stored {
            None => Err(RolledBack::Missing { seen }),
            Some(state) if state.lineage != self.lineage => {
                Err(RolledBack::OtherLineage { found: state.lineage.clone(), seen: self.lineage.clone() })
            }
            Some(state) if state.serial < seen => Err(RolledBack::Older { found: state.serial, seen }),
            Some(_) => Ok(()),
        }
    }
}

/// A document together with the version under which it may be replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    pub value: T,
    pub version: Version,
}

/// Reads a cluster's state; `None` if there never was one.
pub async fn load(store: &dyn Store, keys: &ClusterKeys) -> Result<Option<Stored<State>>, StoreError> {
    let Some(object) = within(Patience::default().timeout, store.get(&keys.state)).await? else { return Ok(None) };
    Ok(Some(Stored { value: envelope::open(&keys.state, &object.bytes)?, version: object.version }))
}

/// Writes a state where none may be yet.
pub async fn create(store: &dyn Store, keys: &ClusterKeys, state: State) -> Result<Stored<State>, StoreError> {
    write(store, keys, state, Condition::Absent).await
}

/// Replaces the state that was read, unless someone else did so since.
pub async fn save(store: &dyn Store, keys: &ClusterKeys, state: Stored<State>) -> Result<Stored<State>, StoreError> {
    write(store, keys, state.value, Condition::Matches(state.version)).await
}

async fn write(
    store: &dyn Store,
    keys: &ClusterKeys,
    mut state: State,
    condition: Condition,
) -> Result<Stored<State>, StoreError> {
    state.serial += 1;
    let bytes = envelope::seal(&keys.state, &state)?;
    let version = settle::put(store, &keys.state, bytes, condition, Patience::default()).await?;
    Ok(Stored { value: state, version })
}

/// Names every cluster that has a state.
pub async fn list(store: &dyn Store) -> Result<Vec<ClusterKeys>, StoreError> {
    super::layout::clusters_with(store, "state.json").await
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::{Fault, MemoryStore};
    use expect_test::expect;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    pub(crate) fn keys() -> ClusterKeys {
        ClusterKeys::new("demo").expect("a name")
    }

    pub(crate) fn state() -> State {
        let birth = Birth {
            name: "demo".into(),
            cloud: "cumulus".into(),
            account: None,
            region: "north".into(),
            spec: AppliedSpec { text: "kind: Cluster\n".into(), resolved: serde_json::json!({"name": "demo"}) },
            at: Timestamp::UNIX_EPOCH,
        };
        let uid = OwnerUid::parse("00c0ffee00c0ffee").expect("an owner uid");
        State { uid, lineage: "1".repeat(32), ..State::new(birth, &mut StdRng::seed_from_u64(1)) }
    }

    #[test]
    fn two_clusters_share_neither_uid_nor_lineage() {
        let birth = || Birth {
            name: "demo".into(),
            cloud: "cumulus".into(),
            account: None,
            region: "north".into(),
            spec: AppliedSpec::default(),
            at: Timestamp::UNIX_EPOCH,
        };
        let rng = &mut StdRng::seed_from_u64(1);
        let (a, b) = (State::new(birth(), rng), State::new(birth(), rng));
        assert!(a.uid != b.uid && a.lineage != b.lineage);
        assert_eq!(OwnerUid::parse(a.uid.as_str()), Ok(a.uid.clone()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_is_replaced_only_by_who_read_it_last() {
        let (store, keys) = (MemoryStore::new(), keys());
        assert_eq!(load(&store, &keys).await.expect("a read"), None);
        let first = create(&store, &keys, state()).await.expect("a write");
        let other = State { lineage: "2".repeat(32), ..state() };
        assert!(matches!(create(&store, &keys, other).await, Err(StoreError::Conflict { .. })));
        let second = save(&store, &keys, first.clone()).await.expect("a write");
        assert_eq!((first.value.serial, second.value.serial), (1, 2));
        let mut late = first;
        late.value.deleting = true;
        assert!(matches!(save(&store, &keys, late).await, Err(StoreError::Conflict { .. })));
        assert_eq!(load(&store, &keys).await.expect("a read"), Some(second));
        assert_eq!(list(&store).await.expect("a list"), [keys]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_save_whose_answer_is_lost_is_still_one_save() {
        let (store, keys) = (MemoryStore::new(), keys());
        let first = create(&store, &keys, state()).await.expect("a write");
        store.fail_next(1, Fault::LoseAnswer(StoreError::Unavailable { what: "reset".into(), retryable: true }));
        let second = save(&store, &keys, first).await.expect("it was written");
        assert_eq!(second.value.serial, 2);
        save(&store, &keys, second).await.expect("the version is the right one");
    }

    #[test]
    fn an_old_copy_and_a_foreign_state_are_refused() {
        let mut state = state();
        state.serial = 7;
        let mark = state.mark();
        assert_eq!(mark.check(Some(&state)), Ok(()));
        state.serial = 6;
        assert_eq!(mark.check(Some(&state)), Err(RolledBack::Older { found: 6, seen: 7 }));
        state.lineage = "other".into();
        assert!(matches!(mark.check(Some(&state)), Err(RolledBack::OtherLineage { .. })));
        assert_eq!(mark.check(None), Err(RolledBack::Missing { seen: 7 }));
    }

    /// This text is a promise: every later clusterctl reads it.
    #[test]
    fn version_1_looks_like_this() {
        let mut state = state();
        let recorded = Recorded {
            id: "net-1".into(),
            outputs: BTreeMap::from([("id".into(), Value::String("net-1".into()))]),
            depends: BTreeSet::from(["cumulus_project.main".into()]),
            generation: 0,
            made_at: None,
            unready: None,
        };
        state.resources.insert("cumulus_net.main".into(), recorded);
        expect![[r#"
            {
              "uid": "00c0ffee00c0ffee",
              "name": "demo",
              "cloud": "cumulus",
              "account": null,
              "region": "north",
              "lineage": "11111111111111111111111111111111",
              "serial": 0,
              "created_at": "1970-01-01T00:00:00Z",
              "spec": {
                "text": "kind: Cluster\n",
                "resolved": {
                  "name": "demo"
                }
              },
              "choices": {},
              "kinds": [],
              "resources": {
                "cumulus_net.main": {
                  "id": "net-1",
                  "outputs": {
                    "id": "net-1"
                  },
                  "depends": [
                    "cumulus_project.main"
                  ],
                  "generation": 0
                }
              },
              "former": {},
              "generations": {},
              "pending": {},
              "created": [],
              "gone": [],
              "folded": {},
              "deleting": false,
              "tombstone": null
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&state).expect("JSON"));
    }

    #[test]
    fn only_16_hexadecimal_digits_are_an_owner_uid() {
        assert!(OwnerUid::parse("0123456789abcdef").is_ok());
        for text in ["", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdef0", "../../../../../../"] {
            assert!(OwnerUid::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
