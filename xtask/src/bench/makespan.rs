//! How long an apply takes beside its critical path, on a paused clock.
//!
//! The cloud is one that only takes time, as long as was measured on AWS (the shared latency model); the graph is that of
//! a real case and the engine is the real one. Nothing of an apply can be shorter than the longest chain of steps that
//! wait for each other.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use clusterctl_core::cloud::{AnyDriver, Call, Cloud, CloudError, Live, Observed, Owner, Progress, Scope};
use clusterctl_core::engine::{self, Ended, Intended, Ledger, LedgerError, Run, Stop};
use clusterctl_core::graph::{Graph, Kind};
use clusterctl_core::plan::{Plan, Point, plan};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::{Figure, Part, median};
use crate::ground::Ground;
use crate::offline;
use model::{Durations, Model, Seconds};

const CASE: &str = "ha-private";

/// How many clouds with drawn latencies, beside the one with the medians.
const DRAWS: u64 = 20;

pub(super) fn figures(ground: &Ground) -> Part {
    let path = match ground.shared("facts/latency-model.json") {
        Ok(path) => path,
        Err(reason) => return Ok(Err(reason)),
    };
    let model = Model::read(&path)?;
    let graph = offline::graph(&offline::blueprint(ground, CASE)?)?;
    let kinds = offline::provider().kinds();
    let plan = plan(&graph, &Observed::default(), kinds, &BTreeMap::new())?;
    let middle = measured(&graph, kinds, &plan, &model.medians(&graph))?;
    let mut ratios = Vec::new();
    for seed in 0..DRAWS {
        ratios.push(measured(&graph, kinds, &plan, &model.draw(&graph, seed))?.ratio());
    }
    let worst = ratios.iter().copied().fold(0.0, f64::max);
    Ok(Ok(vec![
        Figure::new(format!("{CASE}: apply ÷ critical path, median latencies"), middle.ratio(), "")
            .at_most(1.05)
            .beside(format!("{:.1} s of {:.1} s, {} steps", middle.took, middle.critical, plan.steps.len())),
        Figure::new(format!("{CASE}: apply ÷ critical path, median of {DRAWS} draws"), median(ratios), "")
            .at_most(1.05)
            .beside(format!("worst {worst:.3}")),
    ]))
}

struct Measured {
    /// Virtual seconds.
    took: f64,
    critical: f64,
}

impl Measured {
    fn ratio(&self) -> f64 {
        self.took / self.critical
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
    Ok(Measured { took: report.elapsed.as_secs_f64(), critical: critical_path(plan, durations)? })
}

/// The longest chain of steps that wait for each other.
fn critical_path(plan: &Plan, durations: &Durations) -> Result<f64> {
    let mut begins: Vec<Option<f64>> = vec![None; plan.steps.len()];
    let mut longest: f64 = 0.0;
    // Each round settles at least one step, or the plan has a cycle.
    while let Some(id) = (0..plan.steps.len())
        .find(|&id| begins[id].is_none() && plan.steps[id].after.iter().all(|(other, _)| begins[*other].is_some()))
    {
        let mut begin: f64 = 0.0;
        for (other, point) in &plan.steps[id].after {
            let theirs = durations.of(&plan.steps[*other].addr);
            let length = if *point == Point::Created { theirs.answer } else { theirs.ready };
            begin = begin.max(begins[*other].unwrap_or_default() + length);
        }
        begins[id] = Some(begin);
        longest = longest.max(begin + durations.of(&plan.steps[id].addr).ready);
    }
    ensure!(begins.iter().all(Option::is_some), "the plan has a cycle");
    Ok(longest)
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
