//! One run of one command on a stage, perhaps killed in the middle.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clusterctl_core::engine::{Event, Report, Waiting};
use clusterctl_core::plan::Plan;
use clusterctl_core::provider::Provider;
use clusterctl_core::store::lock::Liveness;
use clusterctl_core::store::{Store, SystemClock};
use clusterctl_simulator::transport::Simulation;

use super::faults::Mischief;
use super::habits::Habitual;
use super::stage::Stage;
use super::store::Breaking;
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::operations::apply::{self, Consent, DataLoss, Options, Target, Verify};
use crate::operations::carry::Watcher;
use crate::operations::delete::{Protection, delete};
use crate::operations::interrupt::Interrupt;
use crate::operations::load::Wanted;
use crate::operations::recover::{Clues, recover};
use crate::operations::{App, View};
use crate::settings::{Environment, Settings, Terminals};
use crate::{providers, simulated, views};

/// What a process is to do.
#[derive(Debug, Clone)]
pub(crate) enum Errand {
    Apply(Box<Wanted>),
    Delete(String),
    /// The record is lost: it is built anew from the cloud, for this file.
    Recover(Box<Wanted>),
}

/// How a process ended.
#[derive(Debug)]
pub(crate) enum Came {
    /// Exit 0.
    Well,
    Failed(Box<Failure>),
    Killed,
    Panicked(String),
    /// It would never have ended.
    Endless,
}

/// One process, when it is over.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) came: Came,
    /// Simulated time.
    pub(crate) took: Duration,
    pub(crate) writes: usize,
    /// What the engine did about what went wrong.
    pub(crate) remedies: Vec<String>,
    pub(crate) mischief: Mischief,
    /// Of each kind that costs by the hour, the most that there were.
    pub(crate) most: BTreeMap<&'static str, usize>,
}

/// What its calls to the cloud do besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    None,
    /// Every first create is carried out and its answer lost.
    ThrowsFirstAnswersAway,
    /// Every deletion is asked for twice.
    DeletesTwice,
}

/// Longer than any run may take.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

impl Stage {
    /// Runs a process to its end and leaves the stage as it left it.
    pub(crate) fn run(&mut self, errand: &Errand, mischief: Mischief) -> Ran {
        self.run_with(errand, mischief, Habit::None)
    }

    /// The same, with a habit.
    pub(crate) fn run_with(&mut self, errand: &Errand, mischief: Mischief, habit: Habit) -> Ran {
        self.processes += 1;
        let run = std::panic::catch_unwind(AssertUnwindSafe(|| self.process(errand, &mischief, habit)));
        run.unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Ran {
                came: Came::Panicked(words.unwrap_or_else(|| "without a word".to_owned())),
                took: Duration::ZERO,
                writes: 0,
                remedies: Vec::new(),
                mischief,
                most: BTreeMap::new(),
            }
        })
    }

    fn process(&mut self, errand: &Errand, mischief: &Mischief, habit: Habit) -> Ran {
        let failed = |text: String| Ran {
            came: Came::Failed(Box::new(Failure::new(Kind::Bug, text))),
            took: Duration::ZERO,
            writes: 0,
            remedies: Vec::new(),
            mischief: mischief.clone(),
            most: BTreeMap::new(),
        };
        let runtime = match simulated::runtime() {
            Ok(runtime) => runtime,
            Err(error) => return failed(format!("no runtime: {error}")),
        };
        let entered = runtime.enter();
        let simulation = Simulation::new(self.world.take()).troubled(Box::new(mischief.clone()));
        simulation.logs(self.log.clone());
        let said = Arc::new(Mutex::new(String::new()));
        let app = match self.app(&simulation, mischief, &said) {
            Ok(app) => with(app, habit),
            Err(failure) => return failed(failure.to_string()),
        };
        let mut watching = Remedies::default();
        let begun = tokio::time::Instant::now();
        let came = runtime.block_on(async {
            let carried = tokio::time::timeout(LONGEST, watched(&app, errand, &mut watching));
            tokio::select! {
                biased;
                () = simulation.killed() => Came::Killed,
                came = carried => came.unwrap_or(Came::Endless),
            }
        });
        let took = begun.elapsed();
        self.world = simulation.leave();
        self.log = simulation.log();
        drop(app);
        drop(entered);
        // What the process had spawned dies with its runtime.
        drop(runtime);
        let said = said.lock().unwrap_or_else(PoisonError::into_inner);
        self.said.push_str(&said);
        if let Came::Failed(failure) = &came {
            self.said.push_str(&views::failure::data(failure).to_string());
        }
        let requests = mischief.requests();
        let writes = requests.iter().filter(|request| request.writes).count();
        Ran { came, took, writes, remedies: watching.0, mischief: mischief.clone(), most: simulation.most() }
    }

    /// Does something else as a process of its own, without trouble.
    pub(crate) fn ask<T>(&mut self, what: impl AsyncFnOnce(&App) -> Result<T, Failure>) -> Result<T, Failure> {
        self.processes += 1;
        let runtime = simulated::runtime().map_err(|e| Failure::new(Kind::Failed, format!("no runtime: {e}")))?;
        let entered = runtime.enter();
        let simulation = Simulation::new(self.world.take());
        let app = self.app(&simulation, &Mischief::default(), &Arc::default())?;
        let answer = runtime.block_on(what(&app));
        self.world = simulation.leave();
        drop(app);
        drop(entered);
        answer
    }

    fn app(&self, simulation: &Simulation, mischief: &Mischief, said: &Arc<Mutex<String>>) -> Result<App, Failure> {
        let breaking =
            Breaking { inner: self.store.clone(), mischief: mischief.clone(), simulation: simulation.clone() };
        let seed = self.seed.wrapping_mul(1000).wrapping_add(self.processes);
        let mut app = app(seed, simulated::view(simulation), Arc::new(breaking))?;
        app.settings.holder.run = format!("{:032x}", self.processes);
        app.clock = Arc::new(simulated::WorldClock(simulation.clone()));
        let said = Arc::clone(said);
        app.notify = Box::new(move |notice| {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&views::notice::text(notice));
            said.push('\n');
        });
        Ok(app)
    }
}

/// What a process on a stage has: nothing of the environment of this one.
pub(crate) fn app(seed: u64, view: View, store: Arc<dyn Store>) -> Result<App, Failure> {
    let line = vec!["clusterctl".to_owned(), "rehearse".to_owned()];
    let pipe = Terminals { stdin: false, stdout: false, stderr: false };
    let mut settings = Settings::new(&Global::default(), line, &Nowhere, pipe)?;
    settings.seed = Some(seed);
    Ok(App {
        settings,
        providers: providers::all(),
        clock: Arc::new(SystemClock),
        interrupt: Arc::new(Interrupt::default()),
        notify: Box::new(|_| ()),
        sight: Box::new(move |_| Ok(view.clone())),
        store: Some(store),
        // There is one process at a time, and whoever held the lock before is dead.
        alive: |_| Liveness::Dead,
        held: Default::default(),
    })
}

/// Carries an errand out as a process of its own would.
pub(crate) async fn carried_out(app: &App, errand: &Errand) -> Came {
    watched(app, errand, &mut Remedies::default()).await
}

/// The providers of `app` with a habit.
fn with(app: App, habit: Habit) -> App {
    if habit == Habit::None {
        return app;
    }
    // A provider lives as long as the process.
    let providers = app.providers.iter().map(|inner| &*Box::leak(Box::new(Habitual { inner: *inner, habit })));
    let providers = providers.map(|provider| provider as &'static dyn Provider).collect();
    App { providers, ..app }
}

async fn watched(app: &App, errand: &Errand, watcher: &mut Remedies) -> Came {
    let outcome = match errand {
        Errand::Apply(wanted) => {
            let options = Options { waiting: Waiting::ForMachines, data_loss: DataLoss::Refused, verify: Verify::Yes };
            let target = Target::Wanted(wanted.clone());
            let applied = apply::apply(app, &target, options, async |_| Ok(Consent::Given), watcher).await;
            applied.map(drop)
        }
        Errand::Delete(name) => {
            let deleted = delete(app, name, Protection::Kept, async |_, _| Ok(Consent::Given), watcher).await;
            match deleted {
                Ok(_) => Ok(()),
                // It was never recorded: nothing can exist.
                Err(failure) if failure.kind == Kind::NotFound => Ok(()),
                Err(failure) => Err(failure),
            }
        }
        Errand::Recover(wanted) => {
            let clues = Clues {
                name: wanted.name().to_owned(),
                uid: None,
                wanted: Some((**wanted).clone()),
                cloud: wanted.cluster.cloud.as_str().to_owned(),
                region: wanted.cluster.region.as_ref().map(ToString::to_string),
            };
            recover(app, clues, async |_, _| Ok(Consent::Given)).await.map(drop)
        }
    };
    match outcome {
        Ok(()) => Came::Well,
        Err(failure) => Came::Failed(Box::new(failure)),
    }
}

/// An environment without a variable but the place of a store that is never opened.
#[derive(Debug)]
struct Nowhere;

impl Environment for Nowhere {
    fn get(&self, name: &str) -> Option<String> {
        (name == "CLUSTERCTL_STORE").then(|| "memory".to_owned())
    }

    fn all(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// Notes what the engine did about what went wrong.
#[derive(Debug, Default)]
pub(crate) struct Remedies(pub(crate) Vec<String>);

impl Watcher for Remedies {
    fn begin(&mut self, _: &Plan) {}

    fn event(&mut self, event: &Event) {
        match event {
            Event::Retrying { addr, fault, code, wait, .. } => {
                self.0.push(format!("{addr}: {fault} ({code}), again in {}", views::span(*wait)));
            }
            Event::Adopted { addr, id, .. } => self.0.push(format!("{addr}: its answer was lost; {id} was found")),
            Event::Rung { addr, name, .. } => self.0.push(format!("{addr}: no capacity; {name} is next")),
            Event::Failed { addr, code, .. } => self.0.push(format!("{addr}: given up after {code}")),
            _ => {}
        }
    }

    fn tick(&mut self) {}

    fn end(&mut self, _: &Report) {}
}
