//! Several runs at once, cut off, killed, with wrong clocks: never two that may change the cluster.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::store::journal::{Journal, JournalError, Note, Record, replay};

/// How many interleavings one test run tries.
const SEEDS: u64 = 200;

/// One change of the cluster: by which run, under which epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    run: String,
    epoch: u64,
}

#[derive(Debug, Default)]
struct World {
    changes: Mutex<Vec<Change>>,
    acknowledged: Mutex<Vec<String>>,
}

fn seconds(rng: &mut StdRng, most: u64) -> Duration {
    Duration::from_millis(rng.random_range(0..=most * 1000))
}

/// One machine: takes the lock, changes the cluster a few times, and again; things happen to it meanwhile.
async fn machine(name: usize, store: MemoryStore, world: Arc<World>, mut rng: StdRng) {
    let clock = Wall::new();
    let link = Link::new(&store);
    clock.step(rng.random_range(-3600..=3600));
    for round in 0..3 {
        sleep(seconds(&mut rng, 60)).await;
        let run = format!("{name}.{round}");
        let locker = locker(&link, &clock);
        // A cut link may outlast the patience of one acquisition; then the user runs the command again.
        let lease = loop {
            if let Ok(lease) = acquire(&locker, &run, 100_000).await {
                break lease;
            }
            sleep(seconds(&mut rng, 30)).await;
        };
        let _ = work(&run, &link, &clock, &lease, &world, &mut rng).await;
        if rng.random_bool(0.3) {
            drop(lease);
        } else {
            let _ = lease.release().await;
        }
    }
}

async fn begin_journal(link: &Link, clock: &Arc<Wall>, lease: &Lease) -> Result<Journal, JournalError> {
    let (store, clock) = (Arc::new(link.clone()), Arc::clone(clock) as Arc<dyn Clock>);
    let journal = Journal::open(store, clock, keys(), lease.epoch(), &lease.unsealed()).await?;
    lease.note_sealed();
    Ok(journal)
}

/// What one run does under its lease, until it learns that it lost it.
async fn work(
    run: &str,
    link: &Link,
    clock: &Arc<Wall>,
    lease: &Lease,
    world: &World,
    rng: &mut StdRng,
) -> Result<(), JournalError> {
    // The seal of the journal alone would stop a superseded run; half of the runs show that the lease does too.
    let journal = if rng.random() { Some(begin_journal(link, clock, lease).await?) } else { None };
    for n in 0..rng.random_range(1..12) {
        match rng.random_range(0..8) {
            0 => link.cut(seconds(rng, 150)),
            1 => clock.step(rng.random_range(-3600..=3600)),
            _ => {}
        }
        if let Some(journal) = &journal {
            let text = format!("{run}/{n}");
            journal.append(vec![Record::Note(Note { at: clock.now(), text: text.clone() })]).await?;
            world.acknowledged.lock().expect("not poisoned").push(text);
        }
        if lease.fence().await.is_ok() {
            let change = Change { run: run.to_owned(), epoch: lease.epoch() };
            world.changes.lock().expect("not poisoned").push(change);
        }
        sleep(seconds(rng, 25)).await;
    }
    Ok(())
}

#[test]
fn at_no_instant_may_two_runs_change_the_cluster() {
    let mut changes_in_all = 0;
    let mut takeovers = 0;
    for seed in 0..SEEDS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let mut rng = StdRng::seed_from_u64(seed);
            let (store, world) = (MemoryStore::new(), Arc::new(World::default()));
            store.set_latency(Duration::from_millis(rng.random_range(0..2000)));
            let mut machines = tokio::task::JoinSet::new();
            for name in 0..rng.random_range(2..=5) {
                let rng = StdRng::seed_from_u64(rng.random());
                machines.spawn(machine(name, store.clone(), Arc::clone(&world), rng));
            }
            while let Some(done) = machines.join_next().await {
                done.expect("no machine panics");
            }

            let changes = world.changes.lock().expect("not poisoned").clone();
            assert!(
                changes.is_sorted_by_key(|change| change.epoch),
                "seed {seed}: a superseded run changed the cluster"
            );
            let mut owners = BTreeMap::new();
            for Change { run, epoch } in &changes {
                assert_eq!(owners.entry(*epoch).or_insert(run), &run, "seed {seed}: epoch {epoch} came twice");
            }
            // What was acknowledged is in the journal, and nobody wrote to an epoch that was sealed.
            let read = replay(&store.copy(), &keys()).await.expect("a sound journal");
            assert_eq!(read.gaps(&BTreeMap::new()), [], "seed {seed}");
            let written: Vec<_> = read.records_after(&BTreeMap::new());
            let there = |text: &String| written.iter().any(|r| matches!(r, Record::Note(note) if &note.text == text));
            assert!(world.acknowledged.lock().expect("not poisoned").iter().all(there), "seed {seed}");
            changes_in_all += changes.len();
            takeovers += read.seals().len();
        });
    }
    // The interleavings were worth something.
    assert!(changes_in_all > 3_000 && takeovers > 150, "{changes_in_all} changes, {takeovers} takeovers");
}
