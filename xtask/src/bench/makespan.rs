//! How long an apply takes beside its critical path, and beside other ways to walk the same graph.
//!
//! Nothing of an apply can be shorter than the longest chain of steps that wait for each other. What it takes more is
//! noticing late that something is ready, and waiting for a turn. That is measured on a cloud that only takes time, with
//! the latencies of the simulator: their medians, and some that are drawn.
//!
//! The whole command is also run on the simulator on an ordinary day. How long a step takes is then what the run itself
//! saw, noticing included, so that there only the other walks say something beside it.
//!
//! `model` how long each step takes · `walks` the critical path, waves, and ten at a time

mod model;
mod walks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow, ensure};
use async_trait::async_trait;
use clusterctl::rehearsal::bench;
use clusterctl_core::cloud::{AnyDriver, Call, Cloud, CloudError, Live, Observed, Owner, Progress, Scope};
use clusterctl_core::engine::{self, Ended, Intended, Ledger, LedgerError, Run, Stop};
use clusterctl_core::graph::{Graph, Kind};
use clusterctl_core::plan::{Plan, plan};
use clusterctl_core::timeline::{StepTime, Timeline};
use clusterctl_simulator::weather::Weather;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::{Figure, HA_GPU, Part, median};
use crate::offline;
use model::{Durations, Seconds};
use walks::Task;

/// How many clouds with drawn latencies, beside the one with the medians.
const DRAWS: u64 = 20;
const LIMIT: f64 = 1.05;
/// <https://developer.hashicorp.com/terraform/cli/commands/apply>, `-parallelism=n`.
const TERRAFORM: usize = 10;

pub(super) fn figures() -> Part {
    let graph = offline::graph(&offline::blueprint_of("ha-gpu", HA_GPU)?)?;
    let kinds = offline::provider().kinds();
    let plan = plan(&graph, &Observed::default(), kinds, &BTreeMap::new())?;
    let middle = measured(&graph, kinds, &plan, &model::medians(&graph))?;
    let mut drawn = Vec::new();
    for seed in 0..DRAWS {
        drawn.push(measured(&graph, kinds, &plan, &model::draw(&graph, seed))?);
    }
    let simulated = simulated()?;
    let mut figures = middle.figures("HA + GPU, median latencies", plan.steps.len());
    let of = |walk: fn(&Measured) -> f64| median(drawn.iter().map(walk).collect());
    let worst = drawn.iter().map(|one| one.ours / one.critical).fold(0.0, f64::max);
    let name = format!("HA + GPU, median of {DRAWS} draws");
    figures.extend([
        Figure::new(format!("{name}: apply ÷ critical path"), of(|one| one.ours / one.critical), "")
            .at_most(LIMIT)
            .beside(format!("worst {worst:.3}")),
        Figure::new(format!("{name}: in waves ÷ critical path"), of(|one| one.waves / one.critical), "")
            .beside(format!("{:.2} of ours", of(|one| one.waves / one.ours))),
        Figure::new(format!("{name}: ten at a time ÷ critical path"), of(|one| one.ten / one.critical), "")
            .beside(format!("{:.2} of ours", of(|one| one.ten / one.ours))),
    ]);
    figures.extend(simulated);
    Ok(Ok(figures))
}

/// One graph with one set of latencies, in seconds.
struct Measured {
    ours: f64,
    critical: f64,
    waves: f64,
    ten: f64,
}

impl Measured {
    fn new(ours: f64, tasks: &[Task<'_>]) -> Result<Self> {
        let walked = || Some((walks::critical_path(tasks)?, walks::waves(tasks)?, walks::at_a_time(tasks, TERRAFORM)?));
        let (critical, waves, ten) = walked().context("the plan has a cycle")?;
        Ok(Self { ours, critical, waves, ten })
    }

    fn figures(&self, name: &str, steps: usize) -> Vec<Figure> {
        let Self { ours, critical, waves, ten } = self;
        let beside = |took: f64| format!("{took:.1} s, {:.2} of ours", took / ours);
        vec![
            Figure::new(format!("{name}: apply ÷ critical path"), ours / critical, "")
                .at_most(LIMIT)
                .beside(format!("{ours:.1} s of {critical:.1} s, {steps} steps")),
            Figure::new(format!("{name}: in waves ÷ critical path"), waves / critical, "").beside(beside(*waves)),
            Figure::new(format!("{name}: ten at a time ÷ critical path"), ten / critical, "").beside(beside(*ten)),
        ]
    }
}

fn measured(graph: &Graph, kinds: &'static [&'static Kind], plan: &Plan, durations: &Durations) -> Result<Measured> {
    let cloud = Slow {
        kinds,
        driver: Driver { durations: durations.clone(), outputs: outputs(graph), ready: Mutex::default() },
    };
    let owner = Owner { uid: "0".to_owned(), cluster: "demo".to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let report = runtime.block_on(engine::run(
        Run {
            plan,
            cloud: &cloud,
            owner: &owner,
            ledger: &Forgetful,
            generation: &|_| 0,
            settings: &engine::Settings::default(),
            stop: &Stop::default(),
        },
        &mut |_| {},
    ));
    ensure!(report.succeeded(), "the apply failed: {:?}", report.failures);
    let tasks: Vec<Task<'_>> =
        plan.steps.iter().map(|step| Task { after: &step.after, seconds: durations.of(&step.addr) }).collect();
    Measured::new(report.elapsed.as_secs_f64(), &tasks)
}

/// The whole command on the simulator.
fn simulated() -> Result<Vec<Figure>> {
    let applied = bench::applied(HA_GPU, 1, Weather::default()).map_err(|e| anyhow!(e))?;
    ensure!(applied.left == 0, "{} steps are left after the apply", applied.left);
    let Timeline { steps, elapsed, .. } = &applied.timeline;
    let tasks: Option<Vec<Task<'_>>> = steps.iter().map(task).collect();
    let Measured { ours, waves, ten, .. } = Measured::new(*elapsed, &tasks.context("a step never ended")?)?;
    let name = "HA + GPU, on the simulator";
    Ok(vec![
        Figure::new(format!("{name}: apply"), ours, "s").beside(format!("{} steps", steps.len())),
        Figure::new(format!("{name}: in waves"), waves, "s").beside(format!("{:.2} of ours", waves / ours)),
        Figure::new(format!("{name}: ten at a time"), ten, "s").beside(format!("{:.2} of ours", ten / ours)),
    ])
}

/// A step with the time that it took.
fn task(step: &StepTime) -> Option<Task<'_>> {
    let (started, ended) = (step.started?, step.ended?);
    let seconds = Seconds { answer: step.created.unwrap_or(ended) - started, ready: ended - started };
    Some(Task { after: &step.after, seconds })
}

/// What each resource's outputs have to hold for the others.
fn outputs(graph: &Graph) -> BTreeMap<String, BTreeSet<String>> {
    let mut outputs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in graph.iter() {
        for (of, attr) in clusterctl_core::value::mentions(&node.args) {
            outputs.entry(of.to_string()).or_default().insert(attr);
        }
    }
    outputs
}

/// A cloud that makes nothing and takes its time for it.
struct Slow {
    kinds: &'static [&'static Kind],
    driver: Driver,
}

#[async_trait]
impl Cloud for Slow {
    async fn observe(&self, _: &Owner, _: &Scope) -> Result<Observed, CloudError> {
        Ok(Observed::default())
    }

    fn driver(&self, _: &str) -> Option<&dyn AnyDriver> {
        Some(&self.driver)
    }

    fn kinds(&self) -> &'static [&'static Kind] {
        self.kinds
    }

    async fn sweep(&self, _: &Owner) -> Result<Vec<String>, CloudError> {
        Ok(Vec::new())
    }
}

struct Driver {
    durations: Durations,
    outputs: BTreeMap<String, BTreeSet<String>>,
    ready: Mutex<BTreeMap<String, Instant>>,
}

/// How long a question takes.
const LOOK: Duration = Duration::from_millis(100);

impl Driver {
    fn seconds(&self, call: &Call) -> Seconds {
        self.durations.of(&call.addr)
    }

    fn ready_at(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AnyDriver for Driver {
    async fn create(&self, call: &Call, want: &Value) -> Result<Live, CloudError> {
        let begun = Instant::now();
        sleep(Duration::from_secs_f64(self.seconds(call).answer)).await;
        let mut live = Live { args: want.clone(), ..Live::new(call.addr.to_string()) };
        for attr in self.outputs.get(&call.addr.to_string()).into_iter().flatten() {
            live.outputs.insert(attr.clone(), json!(format!("{}.{attr}", call.addr)));
        }
        let ready = begun + Duration::from_secs_f64(self.seconds(call).ready);
        self.ready_at().insert(call.addr.to_string(), ready);
        Ok(live)
    }

    async fn update(&self, _: &Call, live: &Live, _: &Value, _: &[String]) -> Result<Live, CloudError> {
        Ok(live.clone())
    }

    async fn delete(&self, _: &Call, _: &Live) -> Result<(), CloudError> {
        Ok(())
    }

    async fn find(&self, _: &Call, _: &Value) -> Result<Vec<Live>, CloudError> {
        Ok(Vec::new())
    }

    async fn ready(&self, call: &Call, live: &Live, _: &Value) -> Result<Progress, CloudError> {
        let seconds = self.seconds(call);
        if seconds.ready > seconds.answer {
            sleep(LOOK).await;
        }
        let ready = self.ready_at().get(&call.addr.to_string()).copied();
        match ready {
            Some(ready) if Instant::now() < ready => Ok(Progress::Pending("not yet".to_owned())),
            _ => Ok(Progress::Done(live.clone())),
        }
    }
}

/// A ledger for a run that nothing comes after.
struct Forgetful;

#[async_trait]
impl Ledger for Forgetful {
    async fn fence(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn intend(&self, _: Intended) -> Result<u64, LedgerError> {
        Ok(0)
    }

    async fn end(&self, _: u64, _: Ended) -> Result<(), LedgerError> {
        Ok(())
    }
}
