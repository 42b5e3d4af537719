mod interleavings;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::*;
use crate::store::state::tests::{keys, state};
use crate::store::state::{self as states, StateMark};
use crate::store::{Clock, Condition, Key, MemoryStore, Object, Store, StoreError, Version};

/// A wall clock that runs like tokio's and can be set.
#[derive(Debug)]
struct Wall {
    start: Instant,
    skew_s: AtomicI64,
}

impl Wall {
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), skew_s: AtomicI64::new(1_000_000) })
    }

    fn step(&self, seconds: i64) {
        self.skew_s.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.start.elapsed()).expect("it fits");
        Timestamp::UNIX_EPOCH + elapsed + SignedDuration::from_secs(self.skew_s.load(Ordering::Relaxed))
    }
}

/// One machine's way to the store, which can be cut for a while: requests then never return.
#[derive(Debug, Clone)]
struct Link {
    store: MemoryStore,
    cut_until: Arc<std::sync::Mutex<Option<Instant>>>,
}

impl Link {
    fn new(store: &MemoryStore) -> Self {
        Self { store: store.clone(), cut_until: Arc::default() }
    }

    fn cut(&self, span: Duration) {
        *self.cut_until.lock().expect("not poisoned") = Some(Instant::now() + span);
    }

    /// Hangs for longer than anybody waits if the link is cut.
    async fn pass(&self) {
        let until = *self.cut_until.lock().expect("not poisoned");
        if until.is_some_and(|until| Instant::now() < until) {
            sleep(Duration::from_secs(3600)).await;
        }
    }
}

#[async_trait]
impl Store for Link {
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.pass().await;
        let answer = self.store.get(key).await;
        self.pass().await;
        answer
    }
    async fn put(&self, key: &Key, bytes: Bytes, condition: Condition) -> Result<Version, StoreError> {
        self.pass().await;
        let answer = self.store.put(key, bytes, condition).await;
        self.pass().await;
        answer
    }
    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.pass().await;
        self.store.delete(key).await
    }
    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        self.pass().await;
        self.store.list(above).await
    }
    fn describe(&self) -> String {
        self.store.describe()
    }
}

fn holder(run: &str) -> Holder {
    Holder {
        run: run.into(),
        user: "ada".into(),
        host: "laptop".into(),
        pid: 7,
        pid_start: Some(1),
        boot_id: None,
        ci_url: None,
        command: "clusterctl apply -f demo.yaml".into(),
    }
}

fn locker(store: &(impl Store + Clone + 'static), clock: &Arc<Wall>) -> Locker {
    Locker::new(Arc::new(store.clone()), Arc::clone(clock) as Arc<dyn Clock>)
}

async fn acquire(locker: &Locker, run: &str, wait: u64) -> Result<Lease, LockError> {
    let unknown = |_: &Holder| Liveness::Unknown;
    locker.acquire(&keys(), holder(run), Duration::from_secs(wait), &mut |_| {}, &unknown).await
}

async fn stored(store: &MemoryStore) -> LeaseRecord {
    record::read(store, &keys()).await.expect("a read").expect("a lease").0
}

#[tokio::test(start_paused = true)]
async fn one_holds_it_and_the_other_learns_who() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    let lease = acquire(&locker, "a", 0).await.expect("it is free");
    sleep(Duration::from_secs(600)).await;
    lease.fence().await.expect("it is renewed");

    let mut seen = Vec::new();
    let start = Instant::now();
    let mut on_wait = |waiting: Waiting<'_>| seen.push((waiting.holder.run.clone(), waiting.expires_in));
    let unknown = |_: &Holder| Liveness::Unknown;
    let wait = Duration::from_secs(200);
    let error = locker.acquire(&keys(), holder("b"), wait, &mut on_wait, &unknown).await.expect_err("it is held");
    assert_eq!(start.elapsed(), wait);
    let LockError::Held { holder, expires_in, .. } = error else { unreachable!("{error}") };
    assert_eq!(holder.run, "a");
    assert!(expires_in > Duration::from_secs(55), "{expires_in:?}");
    assert!(seen.len() > 90 && seen.iter().all(|(run, _)| run == "a"));
    lease.release().await.expect("it was ours all the time");
}

#[tokio::test(start_paused = true)]
async fn epochs_only_grow_and_a_release_hands_over_at_once() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    for epoch in 1..=3 {
        let lease = acquire(&locker, "a", 0).await.expect("it is free");
        assert_eq!((lease.epoch(), lease.unsealed()), (epoch, vec![]));
        lease.release().await.expect("it is ours");
    }
    let lease = acquire(&locker, "a", 0).await.expect("it is free");
    let waiting = tokio::spawn(async move { (acquire(&locker, "b", 60).await, Instant::now()) });
    sleep(Duration::from_secs(10)).await;
    lease.release().await.expect("it is ours");
    let released = Instant::now();
    let (next, at) = waiting.await.expect("it ends");
    assert_eq!(next.expect("it was released").epoch(), 5);
    assert!(at - released <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_crashed_run_is_succeeded_after_its_time_and_never_before() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let lease = acquire(&locker(&store, &clock), "a", 0).await.expect("it is free");
    sleep(Duration::from_secs(100)).await;
    drop(lease);
    // The wall clocks of the two machines differ by an hour; nobody compares them.
    for skew in [-3600, 3600] {
        let store = store.copy();
        let other = Wall::new();
        other.step(skew);
        let start = Instant::now();
        let next = acquire(&locker(&store, &other), "b", 600).await.expect("it expires");
        assert!(
            (Duration::from_secs(75)..=Duration::from_secs(77)).contains(&start.elapsed()),
            "{:?}",
            start.elapsed()
        );
        assert_eq!((next.epoch(), next.unsealed()), (2, vec![1]));
        next.note_sealed();
        next.release().await.expect("it is ours");
        assert_eq!(stored(&store).await.unsealed, [0; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_sealed_is_handed_on() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    for _ in 0..2 {
        drop(acquire(&locker, "a", 100).await.expect("it expires"));
    }
    // This one ended properly, but before it began its journal.
    acquire(&locker, "b", 100).await.expect("it expires").release().await.expect("it is ours");
    let last = acquire(&locker, "c", 0).await.expect("it is free");
    assert_eq!((last.epoch(), last.unsealed()), (4, vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn a_provably_dead_run_is_succeeded_at_once() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    drop(acquire(&locker, "a", 0).await.expect("it is free"));
    let dead = |holder: &Holder| if holder.run == "a" { Liveness::Dead } else { Liveness::Alive };
    let start = Instant::now();
    let next = locker.acquire(&keys(), holder("b"), Duration::ZERO, &mut |_| {}, &dead).await.expect("it is dead");
    assert_eq!((next.epoch(), start.elapsed()), (2, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_run_cut_off_from_the_store_stops_before_anyone_takes_over() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let link = Link::new(&store);
    let lease = acquire(&locker(&link, &clock), "a", 0).await.expect("it is free");
    sleep(Duration::from_secs(20)).await;
    link.cut(Duration::from_secs(1000));
    let start = Instant::now();
    let other = locker(&store, &clock);
    let next = tokio::spawn(async move { (acquire(&other, "b", 600).await, Instant::now()) });
    let stopped = loop {
        sleep(Duration::from_millis(100)).await;
        if let Err(lost) = lease.fence().await {
            assert!(matches!(lost, Lost::Unsure(_)), "{lost}");
            break Instant::now();
        }
    };
    let (next, taken) = next.await.expect("it ends");
    let next = next.expect("it expires");
    assert!(stopped - start < Duration::from_secs(60), "{:?}", stopped - start);
    assert!(stopped < taken, "two could have changed the cluster");
    // When the store is back it learns the truth, for good.
    sleep(Duration::from_secs(1000)).await;
    assert!(matches!(lease.fence().await, Err(Lost::Taken { epoch: 2, .. })));
    assert!(lease.watch_lost().borrow().is_some());
    assert!(matches!(lease.release().await, Err(Lost::Taken { .. })));
    next.fence().await.expect("the new one holds it");
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_or_a_clock_step_the_lease_is_renewed_or_lost_but_never_trusted() {
    for (step, taken) in [(7200, false), (7200, true), (-3600, false), (-3600, true)] {
        let (store, clock) = (MemoryStore::new(), Wall::new());
        let lease = acquire(&locker(&store, &clock), "a", 0).await.expect("it is free");
        // A sleeping laptop: its wall clock went on, its monotonic clock and its heartbeat did not.
        clock.step(step);
        let writes = store.writes();
        if taken {
            let dead = |_: &Holder| Liveness::Dead;
            let other = locker(&store, &Wall::new());
            let next =
                other.acquire(&keys(), holder("b"), Duration::ZERO, &mut |_| {}, &dead).await.expect("taken over");
            assert!(matches!(lease.fence().await, Err(Lost::Taken { epoch: 2, .. })));
            drop(next);
        } else {
            lease.fence().await.expect("nobody took it over");
            assert_eq!(store.writes(), writes + 1, "it was renewed first");
            lease.fence().await.expect("it is fresh now");
            assert_eq!(store.writes(), writes + 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn renewals_whose_answers_are_lost_do_not_lose_the_lease() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let lease = acquire(&locker(&store, &clock), "a", 0).await.expect("it is free");
    for _ in 0..20 {
        let away = StoreError::Unavailable { what: "reset".into(), retryable: true };
        store.fail_next(1, crate::store::Fault::LoseAnswer(away));
        sleep(Duration::from_secs(15)).await;
        lease.fence().await.expect("it is ours");
    }
    let away = StoreError::Unavailable { what: "reset".into(), retryable: true };
    store.fail_next(1, crate::store::Fault::LoseAnswer(away));
    lease.release().await.expect("it is ours");
    assert!(!stored(&store).await.is_held());
}

#[tokio::test(start_paused = true)]
async fn breaking_needs_the_epoch_that_was_looked_at() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    let broken = async |epoch| break_lock(&store, &*clock, &keys(), epoch, holder("admin")).await;
    assert!(matches!(broken(1).await, Err(BreakError::Free { .. })));
    let lease = acquire(&locker, "a", 0).await.expect("it is free");
    assert!(matches!(broken(2).await, Err(BreakError::Changed { found: 1, expected: 2, .. })));
    broken(1).await.expect("it has epoch 1");
    assert!(matches!(broken(1).await, Err(BreakError::Free { .. })));
    let mut lost = lease.watch_lost();
    lost.changed().await.expect("the heartbeat notices");
    assert!(matches!(lease.fence().await, Err(Lost::Broken)));
    // Whoever comes next cannot know that it has noticed.
    assert!(matches!(acquire(&locker, "b", 0).await, Err(LockError::Held { .. })));
    let next = acquire(&locker, "b", 30).await.expect("it is free");
    assert_eq!((next.epoch(), next.unsealed()), (2, vec![1]));

    let entries = list(&store).await.expect("a list");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].lease.as_ref().expect("readable").holder.run, "b");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_lease_is_reported_and_can_be_broken() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    drop(acquire(&locker, "a", 0).await.expect("it is free"));
    store.put(&keys().lock, "garbage".into(), Condition::Any).await.expect("a write");
    assert!(matches!(acquire(&locker, "b", 0).await, Err(LockError::Store(StoreError::Corrupt { .. }))));
    assert!(list(&store).await.expect("a list")[0].lease.is_err());
    break_lock(&store, &*clock, &keys(), 1, holder("admin")).await.expect("it is damaged");
    let next = acquire(&locker, "b", 30).await.expect("it is free");
    assert_eq!((next.epoch(), next.unsealed()), (2, vec![1]));
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_document_does_not_make_epochs_come_twice() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    let mut folded = state();
    folded.folded.insert(41, 3);
    states::create(&store, &keys(), folded).await.expect("a write");
    let lease = acquire(&locker, "a", 0).await.expect("it is free");
    assert_eq!(lease.epoch(), 42);
}

#[tokio::test(start_paused = true)]
async fn the_next_holder_knows_which_state_was_seen_last() {
    let (store, clock) = (MemoryStore::new(), Wall::new());
    let locker = locker(&store, &clock);
    let lease = acquire(&locker, "a", 0).await.expect("it is free");
    assert_eq!(lease.state_seen(), None);
    let mark = StateMark { lineage: "x".into(), serial: 9 };
    lease.note_state(mark.clone());
    lease.release().await.expect("it is ours");
    assert_eq!(acquire(&locker, "b", 0).await.expect("it is free").state_seen(), Some(mark));
}
