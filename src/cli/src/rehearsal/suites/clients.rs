//! Two to five clients on one cluster at the same time.
//!
//! Their clocks are up to an hour apart; some are stopped in the middle for longer than their lock lasts and go on
//! afterwards; somebody breaks a lock that is held. Whoever loses says so, naming the holder, and whatever order it
//! came to, the cluster is what a calm run makes of it.

mod witness;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clusterctl_core::store::lock::{Liveness, break_lock, record};
use clusterctl_core::store::{Clock, ClusterKeys, Condition, Key, MemoryStore, Object, Store, StoreError, Version};
use clusterctl_core::transport::{Transport, TransportError};
use clusterctl_simulator::chance::Chance;
use clusterctl_simulator::transport::Simulation;
use clusterctl_simulator::weather::Weather;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{Extent, Outcome, crowd, scripts, seeds};
use crate::failure::{Failure, Kind};
use crate::operations::View;
use crate::operations::interrupt::Interrupt;
use crate::rehearsal::oracles::Violation;
use crate::rehearsal::process::{self, Came, Errand};
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::stage::Stage;
use crate::rehearsal::trial::Script;
use crate::simulated;
use witness::{Changes, Witness};

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let scripts = scripts(&[Scenario::Create, Scenario::Scale, Scenario::Delete])?;
    let trials = seeds(extent);
    let verdicts = crowd::each(&trials, |seed| {
        let script = &scripts[(seed % scripts.len() as u64) as usize];
        (script, trial(script, *seed))
    });
    let mut outcome = Outcome::of(trials.len());
    for (seed, (script, tried)) in trials.iter().zip(verdicts) {
        outcome.processes += tried.clients;
        outcome.injected += tried.disturbed;
        outcome.simulated += tried.took;
        if let Err(violation) = tried.verdict {
            outcome.fail("clients", script.scenario, *seed, &violation, vec![format!("{} clients", tried.clients)]);
        }
    }
    Ok(outcome)
}

struct Tried {
    clients: u64,
    disturbed: u64,
    took: Duration,
    verdict: Result<(), Violation>,
}

/// What one client is like.
#[derive(Debug, Clone)]
struct Client {
    number: u64,
    comes_after: Duration,
    skew: SignedDuration,
    /// When it is stopped, and for how long.
    stopped: Option<(Duration, Duration)>,
}

impl Client {
    /// The holder of its lock.
    fn name(&self) -> String {
        format!("client-{}", self.number)
    }
}

fn trial(script: &Script, seed: u64) -> Tried {
    let mut chance = Chance::new(seed);
    // Where nothing goes wrong the cloud is slow, so that there are long waits without a change, in which the lock has to
    // be kept all the same.
    let calm = chance.happens("calm", 0.25);
    let haste = if calm { 0.4 } else { 1.0 };
    // Who comes at the same moment finds the lock free together.
    let at_once = chance.happens("at once", 0.25);
    let clients: Vec<Client> = (0..2 + chance.number("clients") % 4)
        .map(|number| Client {
            number,
            comes_after: Duration::from_secs_f64(if at_once { 0.3 } else { 200.0 / haste } * chance.unit("comes")),
            skew: SignedDuration::from_secs((7200.0 * chance.unit("skew")) as i64 - 3600),
            stopped: (!calm && chance.happens("stopped", 0.5)).then(|| {
                let from = Duration::from_secs_f64(400.0 * chance.unit("from"));
                (from, Duration::from_secs_f64(30.0 + 200.0 * chance.unit("for")))
            }),
        })
        .collect();
    let theft =
        (!calm && chance.happens("theft", 0.3)).then(|| Duration::from_secs_f64(300.0 * chance.unit("theft at")));
    let mut stage = script.stage(seed, &Weather { haste, ..Weather::calm() });
    let disturbed =
        clients.iter().filter(|client| client.stopped.is_some()).count() as u64 + u64::from(theft.is_some());
    let mut tried = Tried { clients: clients.len() as u64, disturbed, took: Duration::ZERO, verdict: Ok(()) };
    tried.verdict = together(script, &mut stage, &clients, theft, &mut tried.took);
    tried
}

fn together(
    script: &Script,
    stage: &mut Stage,
    clients: &[Client],
    theft: Option<Duration>,
    took: &mut Duration,
) -> Result<(), Violation> {
    let broken = |e: &dyn std::fmt::Display| Violation::new("O5 truth", e.to_string());
    let Some(errand) = script.errands.first() else { return Ok(()) };
    let runtime = simulated::runtime().map_err(|e| broken(&e))?;
    let entered = runtime.enter();
    let simulation = Simulation::new(stage.world.take());
    let keys = ClusterKeys::new(&script.name).map_err(|e| broken(&e))?;
    let changes = Changes::default();
    let begun = Instant::now();
    let ends = runtime.block_on(async {
        let all = clients.iter().map(|client| one((stage, &keys), &simulation, client, errand, &changes));
        let thief = async {
            if let Some(at) = theft {
                tokio::time::sleep(at).await;
                steal(&stage.store, &keys, &simulation).await;
            }
        };
        tokio::join!(futures::future::join_all(all), thief).0
    });
    *took = begun.elapsed();
    stage.world = simulation.leave();
    drop(entered);
    drop(runtime);
    let calm = clients.iter().all(|client| client.stopped.is_none()) && theft.is_none();
    let mut winners = 0;
    for (client, came) in clients.iter().zip(&ends) {
        match came {
            Came::Well => winners += 1,
            Came::Failed(failure) if LOSES.contains(&failure.kind) => {
                let words = format!("{failure} {:?}", failure.details);
                let was_late = failure.kind == Kind::Locked && changes.of(client.number) == 0;
                let is_gone = failure.kind == Kind::NotFound && matches!(errand, Errand::Delete(_));
                if calm && !was_late && !is_gone {
                    let what = format!("client {} lost although nothing went wrong: {words}", client.number);
                    return Err(Violation::new("O7 single writer", what));
                }
                if failure.kind == Kind::Locked && !words.contains("client-") {
                    let what = format!("a loser does not name the holder: {failure}");
                    return Err(Violation::new("O7 single writer", what));
                }
            }
            other => {
                return Err(Violation::new("O7 single writer", format!("client {}: {other:?}", client.number)));
            }
        }
    }
    changes.judged()?;
    if winners == 0 && calm {
        return Err(Violation::new("O7 single writer", "nobody won although nothing went wrong"));
    }
    script.done(stage, 0)
}

/// How a client may lose: somebody else holds the lock, or took it over.
const LOSES: [Kind; 6] = [Kind::Locked, Kind::Resumable, Kind::Store, Kind::Unavailable, Kind::Failed, Kind::NotFound];

async fn one(
    (stage, keys): (&Stage, &ClusterKeys),
    simulation: &Simulation,
    client: &Client,
    errand: &Errand,
    changes: &Changes,
) -> Came {
    tokio::time::sleep(client.comes_after).await;
    let stop = client.stopped.map(|(from, span)| (Instant::now() + from, Instant::now() + from + span));
    let witness = Witness {
        number: client.number,
        holder: client.name(),
        store: stage.store.clone(),
        keys: keys.clone(),
        changes: changes.clone(),
    };
    let store = Slow { inner: stage.store.clone(), stop, witness: witness.clone() };
    let wire = Watched { inner: simulation.clone(), stop, witness };
    let view = View { transport: Arc::new(wire), ..simulated::view(simulation) };
    let mut app = match process::app(stage.seed.wrapping_add(client.number), view, Arc::new(store)) {
        Ok(app) => app,
        Err(failure) => return Came::Failed(Box::new(failure)),
    };
    app.settings.holder.run = format!("{:032x}", client.number + 1);
    app.settings.holder.user = client.name();
    app.settings.lock_timeout = Duration::from_secs(120);
    app.clock = Arc::new(Skewed { inner: simulated::WorldClock(simulation.clone()), by: client.skew });
    app.interrupt = Arc::new(Interrupt::default());
    app.alive = |_| Liveness::Unknown;
    let work = process::carried_out(&app, errand);
    Frozen { inner: Box::pin(work), stop, waking: None }.await
}

/// Breaks the lock of whoever holds it.
async fn steal(store: &MemoryStore, keys: &ClusterKeys, simulation: &Simulation) {
    if let Ok(Some((lease, _))) = record::read(store, keys).await {
        let clock = simulated::WorldClock(simulation.clone());
        // Somebody gave it back in the meantime: then there is nothing to break.
        let _ = break_lock(store, &clock, keys, lease.epoch, lease.holder).await;
    }
}

type Stop = Option<(Instant, Instant)>;

/// Waits while the process is stopped.
async fn awake(stop: Stop) {
    if let Some((from, until)) = stop
        && Instant::now() >= from
        && Instant::now() < until
    {
        tokio::time::sleep_until(until).await;
    }
}

/// A future that is not polled while its process is stopped.
struct Frozen<F> {
    inner: Pin<Box<F>>,
    stop: Stop,
    waking: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<F: Future> Future for Frozen<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if let Some((from, until)) = self.stop
            && Instant::now() >= from
        {
            let waking = self.waking.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
            if waking.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.stop = None;
        }
        self.inner.as_mut().poll(context)
    }
}

#[derive(Debug)]
struct Slow {
    inner: MemoryStore,
    stop: Stop,
    witness: Witness,
}

/// How long a request to the store is under way. Without it nobody could come in between a look and a write.
const WAY: Duration = Duration::from_millis(80);

impl Slow {
    async fn way(&self) {
        awake(self.stop).await;
        tokio::time::sleep(WAY).await;
    }
}

#[async_trait]
impl Store for Slow {
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.way().await;
        self.inner.get(key).await
    }

    async fn put(&self, key: &Key, bytes: Bytes, condition: Condition) -> Result<Version, StoreError> {
        self.way().await;
        let put = self.inner.put(key, bytes, condition).await;
        if put.is_ok() {
            self.witness.sees_a_write(key).await;
        }
        put
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.way().await;
        self.inner.delete(key).await
    }

    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        self.way().await;
        self.inner.list(above).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[derive(Debug)]
struct Watched {
    inner: Simulation,
    stop: Stop,
    witness: Witness,
}

#[async_trait]
impl Transport for Watched {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        if clusterctl_simulator::aws::name(&request).1 {
            self.witness.sees_a_change().await;
        }
        awake(self.stop).await;
        self.inner.send(request).await
    }
}

#[derive(Debug)]
struct Skewed {
    inner: simulated::WorldClock,
    by: SignedDuration,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.inner.now().checked_add(self.by).unwrap_or(Timestamp::MAX)
    }
}

/// A store that does not keep the promise of conditional writes must be found out before anything hangs on it.
pub(crate) fn liars() -> Result<(), Violation> {
    let runtime = simulated::runtime().map_err(|e| Violation::new("O5 truth", e.to_string()))?;
    runtime.block_on(async {
        let store = MemoryStore::new();
        store.ignore_conditions();
        let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
        match clusterctl_core::store::probe::check_conditional_writes(&store, &mut rng).await {
            Err(StoreError::ConditionsIgnored { .. }) => Ok(()),
            other => Err(Violation::new("O7 single writer", format!("a lying store was believed: {other:?}"))),
        }
    })
}
