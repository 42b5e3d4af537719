use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::cloud::Unready;
use crate::store::state::tests::{keys, state};
use crate::store::{
    ClusterKeys, Condition, Damage, Fault, MemoryStore, Store, StoreError, SystemClock, state as states,
};

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn intent(op: u64, addr: &str, action: Action, id: Option<&str>) -> Record {
    Record::Intent(Intent {
        op: Op(op),
        addr: addr.into(),
        action,
        id: id.map(str::to_owned),
        generation: 0,
        token: format!("token-{op}"),
        digest: "d".into(),
        depends: BTreeSet::from(["cumulus_project.main".into()]),
        awaited: false,
        at: AT,
    })
}

fn awaited(record: Record) -> Record {
    match record {
        Record::Intent(intent) => Record::Intent(Intent { awaited: true, ..intent }),
        other => other,
    }
}

fn outcome(op: u64, came: Came) -> Record {
    Record::Outcome(Outcome { op: Op(op), at: AT, came })
}

fn applied(op: u64, id: &str) -> Record {
    outcome(op, Came::Applied { id: id.into(), outputs: BTreeMap::new() })
}

fn note(text: &str) -> Record {
    Record::Note(Note { at: AT, text: text.into() })
}

async fn journal(store: &MemoryStore, epoch: u64, unsealed: &[u64]) -> Journal {
    let (store, clock) = (Arc::new(store.clone()), Arc::new(SystemClock));
    Journal::open(store, clock, keys(), epoch, unsealed).await.expect("a journal")
}

async fn records(store: &MemoryStore) -> Vec<Record> {
    replay(store, &keys()).await.expect("a sound journal").records_after(&BTreeMap::new())
}

fn away() -> StoreError {
    StoreError::Unavailable { what: "reset".into(), retryable: true }
}

#[tokio::test(start_paused = true)]
async fn many_records_share_few_writes_and_are_durable_when_acknowledged() {
    let store = MemoryStore::new();
    let journal = journal(&store, 1, &[]).await;
    store.set_latency(Duration::from_millis(100));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200_u64 {
        let (journal, store) = (journal.clone(), store.clone());
        tasks.spawn(async move {
            tokio::time::sleep(Duration::from_millis(n)).await;
            let record = note(&n.to_string());
            journal.append(vec![record.clone()]).await.expect("it is written");
            assert!(records(&store.copy()).await.contains(&record), "{n} was acknowledged too early");
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a caller finishes");
    }
    assert_eq!(records(&store.copy()).await.len(), 200);
    assert!(store.writes() <= 4, "{} writes", store.writes());
}

#[tokio::test(start_paused = true)]
async fn what_one_caller_appends_stays_in_order() {
    let store = MemoryStore::new();
    let journal = journal(&store, 1, &[]).await;
    for n in 0..20 {
        journal.append(vec![note(&format!("{n}a")), note(&format!("{n}b"))]).await.expect("it is written");
    }
    let expected: Vec<_> = (0..20).flat_map(|n| [note(&format!("{n}a")), note(&format!("{n}b"))]).collect();
    assert_eq!(records(&store).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_neither_doubles_nor_loses_a_record() {
    let store = MemoryStore::new();
    let journal = journal(&store, 1, &[]).await;
    store.fail_next(1, Fault::LoseAnswer(away()));
    store.fail_next(2, Fault::Refuse(away()));
    journal.append(vec![note("a")]).await.expect("it is written");
    journal.append(vec![note("b")]).await.expect("it is written");
    assert_eq!(records(&store).await, [note("a"), note("b")]);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_nothing_more_is_taken() {
    let store = MemoryStore::new();
    let journal = journal(&store, 1, &[]).await;
    store.fail_next(1, Fault::Refuse(StoreError::Full { what: "disk".into() }));
    for n in 0..3 {
        let error = journal.append(vec![note(&n.to_string())]).await;
        assert!(matches!(error, Err(JournalError::Store(StoreError::Full { .. }))), "{error:?}");
    }
    assert_eq!(records(&store).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_sealed_run_cannot_write_another_intent() {
    let store = MemoryStore::new();
    let old = journal(&store, 4, &[]).await;
    old.append(vec![note("before")]).await.expect("it is written");
    let older = journal(&store, 3, &[]).await;
    let new = journal(&store, 5, &[3, 4]).await;
    for fenced in [old, older] {
        let error = fenced.append(vec![note("too late")]).await;
        assert!(matches!(error, Err(JournalError::Fenced { by: Some(5) })), "{error:?}");
    }
    new.append(vec![note("after")]).await.expect("it is written");
    assert_eq!(records(&store).await, [note("before"), note("after")]);
}

#[tokio::test(start_paused = true)]
async fn a_seal_follows_a_writer_that_is_faster() {
    let store = MemoryStore::new();
    store.set_latency(Duration::from_millis(100));
    let old = journal(&store, 1, &[]).await;
    let busy = tokio::spawn(async move {
        let mut written = 0;
        while old.append(vec![note(&written.to_string())]).await.is_ok() {
            written += 1;
        }
        written
    });
    tokio::time::sleep(Duration::from_millis(950)).await;
    journal(&store, 2, &[1]).await;
    // The sealed run stops at once, and what it was told is written was seen by whoever reads now.
    let read = replay(&store.copy(), &keys()).await.expect("a sound journal");
    let seen = read.records_after(&BTreeMap::new()).len();
    assert_eq!(busy.await.expect("it ends"), seen);
    assert!((5..25).contains(&seen), "{seen}");
    assert_eq!(read.gaps(&BTreeMap::new()), []);
}

#[tokio::test(start_paused = true)]
async fn a_torn_last_write_is_passed_over_and_damage_elsewhere_is_not() {
    let whole = MemoryStore::new();
    let first = journal(&whole, 1, &[]).await;
    for n in 0..3 {
        first.append(vec![note(&n.to_string())]).await.expect("it is written");
    }
    let id = |seq| SegmentId { epoch: 1, seq };
    let damage = async |seq: u64, change: fn(&mut Vec<u8>)| {
        let store = whole.copy();
        let key = id(seq).key(&keys()).expect("a key");
        let mut bytes = store.get(&key).await.expect("a read").expect("an object").bytes.to_vec();
        change(&mut bytes);
        store.put(&key, bytes.into(), Condition::Any).await.expect("a write");
        store
    };
    let cut: fn(&mut Vec<u8>) = |bytes| bytes.truncate(bytes.len() / 2);
    let zero: fn(&mut Vec<u8>) = |bytes| bytes.fill(0);
    let empty: fn(&mut Vec<u8>) = Vec::clear;
    let flip: fn(&mut Vec<u8>) = |bytes| bytes[150] ^= 4;

    for torn in [cut, zero, empty] {
        let store = damage(2, torn).await;
        let read = replay(&store, &keys()).await.expect("a torn last write is no damage");
        assert_eq!((read.torn.clone(), read.records_after(&BTreeMap::new()).len()), (vec![id(2)], 2));
        assert_eq!(read.gaps(&BTreeMap::new()), []);
        // A new run seals behind it and goes on.
        journal(&store, 2, &[1]).await.append(vec![note("next")]).await.expect("it is written");
        assert_eq!(records(&store).await, [note("0"), note("1"), note("next")]);
    }
    for (seq, change) in [(1, cut), (1, empty), (1, flip), (2, flip), (0, zero)] {
        let store = damage(seq, change).await;
        let error = replay(&store, &keys()).await.expect_err("it is damaged");
        assert!(matches!(error, StoreError::Corrupt { .. }) && error.way_out().is_some(), "{error}");
        let saved = salvage(&store, &keys()).await.expect("the rest");
        assert_eq!((saved.damaged, saved.segments.len()), (vec![id(seq)], 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_segment_in_the_place_of_another_is_damage() {
    let store = MemoryStore::new();
    let journal = journal(&store, 1, &[]).await;
    for n in 0..2 {
        journal.append(vec![note(&n.to_string())]).await.expect("it is written");
    }
    let [a, b] = [0, 1].map(|seq| SegmentId { epoch: 1, seq }.key(&keys()).expect("a key"));
    let bytes = store.get(&a).await.expect("a read").expect("an object").bytes;
    store.put(&b, bytes, Condition::Any).await.expect("a write");
    let error = replay(&store, &keys()).await.expect_err("it is the first one twice");
    assert!(matches!(error, StoreError::Corrupt { damage: Damage::Misplaced { .. }, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn missing_segments_are_named() {
    let store = MemoryStore::new();
    let journal = journal(&store, 7, &[]).await;
    for n in 0..4 {
        journal.append(vec![note(&n.to_string())]).await.expect("it is written");
    }
    let id = |seq| SegmentId { epoch: 7, seq };
    for seq in [0, 2] {
        store.delete(&id(seq).key(&keys()).expect("a key")).await.expect("a deletion");
    }
    let read = replay(&store, &keys()).await.expect("a gap is no damage");
    assert_eq!(read.gaps(&BTreeMap::new()), [id(0), id(2)]);
    assert_eq!(read.gaps(&BTreeMap::from([(7, 1)])), [id(2)]);
    assert_eq!(read.gaps(&BTreeMap::from([(7, 3)])), []);
}

#[tokio::test(start_paused = true)]
async fn a_journal_without_its_state_is_an_error() {
    let store = MemoryStore::new();
    assert_eq!(current(&store, &keys()).await.expect("nothing is there"), None);
    journal(&store, 1, &[]).await.append(vec![note("made something")]).await.expect("it is written");
    assert!(matches!(current(&store, &keys()).await, Err(StoreError::NotFound { .. })));
}

#[test]
fn what_was_made_is_unready_until_somebody_saw_it_ready() {
    let (made, check) = (
        [awaited(intent(1, "cumulus_nat.a", Action::Create, None)), applied(1, "nat-1")],
        intent(2, "cumulus_nat.a", Action::Check, Some("nat-1")),
    );
    let late = outcome(2, Came::Failed { fault: "not ready".into(), code: "Timeout".into() });
    let after = |records: &[&[Record]]| {
        let after = fold(state(), records.concat().iter());
        after.resources["cumulus_nat.a"].unready
    };
    assert_eq!(after(&[&made]), Some(Unready::Waiting));
    assert_eq!(after(&[&made, &[check.clone(), applied(2, "nat-1")]]), None);
    assert_eq!(after(&[&made, &[check.clone(), late.clone()]]), Some(Unready::Stuck));
    assert_eq!(after(&[&made, &[check, outcome(2, Came::Abandoned)]]), Some(Unready::Waiting));
    // Of another resource it says nothing, and what was ready once is only late.
    let other = intent(2, "cumulus_nat.a", Action::Check, Some("nat-0"));
    assert_eq!(after(&[&made, &[other, late.clone()]]), Some(Unready::Waiting));
    let ready = [intent(3, "cumulus_nat.a", Action::Check, Some("nat-1")), applied(3, "nat-1")];
    let again = [intent(2, "cumulus_nat.a", Action::Check, Some("nat-1")), late];
    assert_eq!(after(&[&made, &ready, &again]), None);
}

#[test]
fn an_update_is_remembered_whether_it_was_answered_or_not() {
    let made = [intent(1, "cumulus_net.a", Action::Create, None), applied(1, "net-1")];
    let after = |last: Record| {
        let records = [&made[..], &[intent(2, "cumulus_net.a", Action::Update, Some("net-1")), last]].concat();
        fold(state(), &records).changed.contains_key("cumulus_net.a")
    };
    assert!(fold(state(), &made).changed.is_empty());
    assert!(after(applied(2, "net-1")));
    assert!(after(outcome(2, Came::Failed { fault: "lost".into(), code: "Timeout".into() })));
    assert!(after(outcome(2, Came::Abandoned)));
    assert!(!after(note("nothing")));
}

#[test]
fn folding_says_what_exists() {
    let records = [
        intent(1, "cumulus_net.main", Action::Create, None),
        applied(1, "net-1"),
        intent(2, "cumulus_vm.a", Action::Create, None),
        intent(3, "cumulus_vm.b", Action::Create, None),
        outcome(3, Came::Failed { fault: "quota".into(), code: "TooMany".into() }),
        intent(4, "cumulus_net.main", Action::Create, None),
        applied(4, "net-2"),
        intent(5, "cumulus_disk.x", Action::Create, None),
        outcome(5, Came::Abandoned),
    ];
    let after = fold(state(), &records);
    assert_eq!(after.kinds, ["cumulus_disk", "cumulus_net", "cumulus_vm"].map(String::from).into());
    assert_eq!(after.pending.keys().copied().collect::<Vec<_>>(), [Op(2)]);
    assert_eq!(after.resources.len(), 1);
    assert_eq!(after.resources["cumulus_net.main"].id, "net-2");
    // The replaced one is not forgotten until it is known to be gone.
    assert_eq!(after.former["cumulus_net.main"], ["net-1".to_owned()].into());
    let generations = ["cumulus_net.main", "cumulus_vm.a", "cumulus_vm.b", "cumulus_disk.x"];
    assert_eq!(generations.map(|addr| after.generation(addr)), [1, 0, 1, 0]);

    let gone = [intent(6, "cumulus_net.main", Action::Delete, Some("net-1")), outcome(6, Came::Gone)];
    let after = fold(after, &gone);
    assert_eq!((after.resources.len(), after.former.len()), (1, 0));
    let gone = [intent(7, "cumulus_net.main", Action::Delete, Some("net-2")), outcome(7, Came::Gone)];
    let after = fold(after, &gone);
    assert_eq!(after.resources.len(), 0);
    // A later creation must not repeat the token of the first one.
    assert_eq!(after.generation("cumulus_net.main"), 1);
    let again = fold(after.clone(), &[intent(8, "cumulus_vm.a", Action::Create, None)]);
    let text = serde_json::to_string(&again).expect("JSON");
    assert_eq!(serde_json::from_str::<states::State>(&text).expect("a state"), again);
}

/// A run of changes as an engine would write them: some intents have no outcome yet.
fn histories() -> impl Strategy<Value = Vec<Record>> {
    let step = (0..4_usize, 0..3_usize, 0..6_usize, 0..3_usize);
    prop::collection::vec(step, 1..25).prop_map(|steps| {
        let mut records = Vec::new();
        for (op, (addr, action, came, id)) in steps.into_iter().enumerate() {
            let addr = ["a_net.x", "a_vm.x", "a_vm.y", "a_disk.x"][addr];
            let (id, op) = (format!("id-{id}"), op as u64);
            let action = [Action::Create, Action::Update, Action::Delete][action];
            records.push(intent(op, addr, action, (action != Action::Create).then_some(&id)));
            records.extend(match came {
                0 => None,
                1 => Some(outcome(op, Came::Gone)),
                2 => Some(outcome(op, Came::Failed { fault: "quota".into(), code: "x".into() })),
                3 => Some(outcome(op, Came::Abandoned)),
                _ => Some(applied(op, &id)),
            });
        }
        records
    })
}

async fn write_history(store: &MemoryStore, records: &[Record], keys: &ClusterKeys) {
    states::create(store, keys, state()).await.expect("a write");
    // Two runs; the first one did not end properly.
    let (first, second) = records.split_at(records.len() / 2);
    for (epoch, unsealed, part) in [(1, &[][..], first), (2, &[1][..], second)] {
        let journal = journal(store, epoch, unsealed).await;
        for chunk in part.chunks(3) {
            journal.append(chunk.to_vec()).await.expect("it is written");
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// The part of a state that must not depend on how often the journal was compacted, or where that was cut short.
fn content(state: states::State) -> states::State {
    states::State { serial: 0, folded: BTreeMap::new(), ..state }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn folding_twice_is_folding_once(records in histories()) {
        let once = fold(state(), &records);
        prop_assert_eq!(fold(once.clone(), &records), once);
    }

    #[test]
    fn folding_piece_by_piece_is_folding_at_once(records in histories(), cut in any::<prop::sample::Index>()) {
        let (head, tail) = records.split_at(cut.index(records.len()));
        prop_assert_eq!(fold(fold(state(), head), tail), fold(state(), &records));
    }

    /// A compaction that is killed after any of its writes loses nothing and repeats nothing.
    #[test]
    fn a_crash_anywhere_in_a_compaction_is_harmless(records in histories(), more in histories()) {
        run(async {
            let (store, keys) = (MemoryStore::new(), keys());
            write_history(&store, &records, &keys).await;
            let expected = content(fold(state(), &records));
            let before = store.copy();
            let whole = current(&store, &keys).await.expect("a read").expect("a state");
            assert_eq!(content(whole.state.clone()), expected);
            compact(&store, &keys, whole).await.expect("a compaction");
            let writes = store.writes() - before.writes();

            for killed_after in 0..=writes {
                let store = before.copy();
                let ahead = current(&store, &keys).await.expect("a read").expect("a state");
                store.stop_after_writes(killed_after);
                assert_eq!(compact(&store, &keys, ahead).await.is_err(), killed_after < writes);
                store.resume();

                let read = current(&store, &keys).await.expect("a read").expect("a state");
                assert_eq!(content(read.state), expected, "killed after {killed_after} writes");
                assert_eq!(read.gaps, []);
                // The first write is the state: from then on no segment that is still there counts once more.
                let fresh = read.replay.records_after(&read.stored.value.folded);
                assert_eq!(fresh.is_empty(), killed_after > 0 || records.is_empty());

                // The next run goes on in its own epoch, with ops of its own.
                let later: Vec<_> = more.iter().cloned().map(|record| renumber(record, 3_000)).collect();
                journal(&store, 3, &[2]).await.append(later.clone()).await.expect("it is written");
                let read = current(&store, &keys).await.expect("a read").expect("a state");
                let expected = content(fold(expected.clone(), &later));
                assert_eq!(content(read.state.clone()), expected);
                compact(&store, &keys, read).await.expect("a compaction");
                let read = current(&store, &keys).await.expect("a read").expect("a state");
                assert_eq!(content(read.state), expected);
                assert!(read.replay.segments.values().all(|segment| segment.sealed_by.is_some()));
            }
        });
    }

    /// Flipped bits in any stored object are errors, never another state.
    #[test]
    fn a_flipped_bit_never_makes_another_state(records in histories(), which in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        run(async {
            let (store, keys) = (MemoryStore::new(), keys());
            write_history(&store, &records, &keys).await;
            let all = store.list(keys.root()).await.expect("a list");
            let key = &all[which.index(all.len())];
            let mut bytes = store.get(key).await.expect("a read").expect("an object").bytes.to_vec();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            store.put(key, bytes.into(), Condition::Any).await.expect("a write");
            match current(&store, &keys).await {
                Err(error) => assert!(matches!(error, StoreError::Corrupt { .. }), "{error}"),
                // Only the very end of an epoch's last write may look as if it had been cut short, and is named then.
                Ok(read) => assert!(!read.expect("a state").replay.torn.is_empty(), "{key}, bit {bit}"),
            }
        });
    }
}

fn renumber(record: Record, by: u64) -> Record {
    match record {
        Record::Intent(intent) => Record::Intent(Intent { op: Op(intent.op.0 + by), ..intent }),
        Record::Outcome(outcome) => Record::Outcome(Outcome { op: Op(outcome.op.0 + by), ..outcome }),
        note => note,
    }
}
