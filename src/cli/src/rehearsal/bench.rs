//! Whole commands on simulated clouds, for `cargo xtask bench`: what they ask of the cloud and what they come to.
//!
//! - [`applied`] one cluster is made on an ordinary day
//! - [`Fleet`] many clusters that stand, each planned from its record

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::store::MemoryStore;
use clusterctl_core::timeline::Timeline;
use clusterctl_simulator::transport::Simulation;
use clusterctl_simulator::weather::Weather;

use super::faults::Mischief;
use super::process::{self, Came, Errand, Remedies};
use super::stage::Stage;
use super::suites::{calm, crowd, told};
use crate::failure::{Failure, Kind};
use crate::operations::App;
use crate::operations::apply::{Consent, DataLoss, Options, Target, Verify, apply};
use crate::operations::load::{self, Wanted, file_text};
use crate::operations::prepare::prepare;
use crate::simulated;

/// An apply of a cluster that was not there.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Of its run.
    pub timeline: Timeline,
    /// Every request of the command, by action, with those that were refused as too many.
    pub calls: BTreeMap<String, u64>,
    pub throttled: u64,
    /// What the engine did about what went wrong.
    pub remedies: Vec<String>,
    /// Machines that are there afterwards.
    pub machines: usize,
    /// The whole command, simulated.
    pub took: Duration,
    /// What a plan would still do.
    pub left: usize,
}

/// Makes the cluster of a file and plans it again.
///
/// # Errors
/// When it cannot be made, in words.
pub fn applied(file: &str, seed: u64, weather: Weather) -> Result<Applied, String> {
    make(file, seed, weather).map_err(told)
}

fn make(file: &str, seed: u64, weather: Weather) -> Result<Applied, Failure> {
    let wanted = Wanted::read("the file of the benchmark", file.to_owned())?;
    let mut stage = Stage::new(seed, weather);
    let target = Target::Wanted(Box::new(wanted.clone()));
    let mut remedies = Remedies::default();
    let (applied, took) = stage.ask(async |app| {
        let begun = tokio::time::Instant::now();
        let options = Options {
            waiting: clusterctl_core::engine::Waiting::ForMachines,
            data_loss: DataLoss::Refused,
            verify: Verify::Yes,
        };
        let applied = apply(app, &target, options, async |_| Ok(Consent::Given), &mut remedies).await?;
        Ok((applied, begun.elapsed()))
    })?;
    let (calls, throttled) = (stage.world.calls.clone(), stage.world.throttled);
    let timeline = applied.and_then(|applied| applied.timeline);
    let timeline = timeline.ok_or_else(|| Failure::new(Kind::Bug, "the apply had nothing to do"))?;
    let planned = stage.ask(async |app| planned(app, wanted.name()).await)?;
    Ok(Applied {
        timeline,
        calls,
        throttled,
        remedies: remedies.0,
        machines: stage.world.all("instance").filter(|instance| !instance.foreign).count(),
        took,
        left: planned.steps,
    })
}

/// What a plan says.
struct Said {
    steps: usize,
    resources: usize,
}

/// `clusterctl plan NAME`.
async fn planned(app: &App, name: &str) -> Result<Said, Failure> {
    let store = app.open_store().await?;
    let before = load::recorded(app, &*store, name).await?;
    let wanted = Wanted::recorded(&before.state)?;
    let ready = prepare(app, &wanted, Some(&before)).await?;
    Ok(Said { steps: ready.plan.steps.len(), resources: ready.graph.iter().count() })
}

/// Clusters that stand in an account.
#[derive(Debug)]
pub struct Fleet {
    account: Stage,
    names: Vec<String>,
}

/// What came of planning each of them once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Planned {
    pub clusters: usize,
    /// Those whose plan was empty.
    pub empty: usize,
    /// Of all clusters together.
    pub resources: usize,
    pub calls: u64,
}

impl Fleet {
    /// Makes the cluster of a file `clusters` times in one account, under names of their own.
    ///
    /// # Errors
    /// When they cannot be made, in words.
    pub fn standing(file: &str, clusters: usize) -> Result<Self, String> {
        let wanted = Wanted::read("the file of the benchmark", file.to_owned()).map_err(told)?;
        let mut stage = Stage::new(1, roomy());
        let mut names = Vec::new();
        for number in 0..clusters {
            let one = named(&wanted, &format!("c{number:03}")).map_err(told)?;
            names.push(one.name().to_owned());
            match stage.run(&Errand::Apply(Box::new(one)), Mischief::default()).came {
                Came::Well => {}
                Came::Failed(failure) => return Err(told(*failure)),
                other => return Err(format!("a cluster cannot be made: {other:?}")),
            }
        }
        stage.settle();
        // What is planned has stood for a while, and is planned on an ordinary day.
        stage.world.weather = Weather { quotas: stage.world.weather.quotas.clone(), ..Weather::default() };
        Ok(Self { account: stage, names })
    }

    /// Plans every cluster in each of so many accounts: an account on each core, and its clusters at the same time.
    ///
    /// The accounts are copies of the one, made when it is their turn: a cloud takes none of a client's memory.
    ///
    /// # Errors
    /// The first that could not be planned, in words.
    pub fn plan(&self, accounts: usize) -> Result<Planned, String> {
        let mut planned = Planned::default();
        for account in crowd::each(&vec![(); accounts], |()| account(&self.account, &self.names)) {
            let account = account.map_err(told)?;
            planned.clusters += account.clusters;
            planned.empty += account.empty;
            planned.resources += account.resources;
            planned.calls += account.calls;
        }
        Ok(planned)
    }
}

fn account(stage: &Stage, names: &[String]) -> Result<Planned, Failure> {
    let runtime = simulated::runtime().map_err(|e| Failure::new(Kind::Failed, format!("no runtime: {e}")))?;
    let entered = runtime.enter();
    let simulation = Simulation::new(stage.world.clone());
    let calls = |simulation: &Simulation| simulation.with(|world| world.calls.values().sum::<u64>());
    let before = calls(&simulation);
    let all = names.iter().map(|name| one(stage.seed, &simulation, stage.store.copy(), name));
    let said = runtime.block_on(futures::future::join_all(all));
    let mut planned = Planned { calls: calls(&simulation) - before, ..Planned::default() };
    drop(entered);
    for said in said {
        let Said { steps, resources } = said?;
        planned.clusters += 1;
        planned.empty += usize::from(steps == 0);
        planned.resources += resources;
    }
    Ok(planned)
}

async fn one(seed: u64, simulation: &Simulation, store: MemoryStore, name: &str) -> Result<Said, Failure> {
    let mut app = process::app(seed, simulated::view(simulation), Arc::new(store))?;
    app.clock = Arc::new(simulated::WorldClock(simulation.clone()));
    planned(&app, name).await
}

/// An account that has been granted what many clusters need.
fn roomy() -> Weather {
    let kinds = ["elastic-ip", "vpc", "internet-gateway", "natgateway"];
    Weather { quotas: kinds.into_iter().map(|kind| (kind.to_owned(), 1_000)).collect(), ..calm() }
}

/// The same file under another name.
fn named(file: &Wanted, name: &str) -> Result<Wanted, Failure> {
    let bug = |e: &dyn std::fmt::Display| Failure::new(Kind::Bug, format!("the file cannot be changed: {e}"));
    let document = clusterctl_core::spec::read(&file.text).map_err(|_| bug(&"it is not valid"))?;
    let mut whole = serde_json::to_value(&document.spec).map_err(|e| bug(&e))?;
    whole["metadata"]["name"] = name.into();
    let spec = serde_json::from_value(whole).map_err(|e| bug(&e))?;
    Wanted::read("the file of the benchmark", file_text(&spec)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
apiVersion: clusterctl.dev/v1
kind: Cluster
metadata: {name: demo}
spec:
  cloud: aws
  region: eu-central-1
  zones: 1
  network: {egress: shared}
  controlPlane: {count: 1}
  nodeGroups:
  - {name: general, machine: {cpu: 4, memory: 16Gi}, count: 2}
";

    #[test]
    fn an_apply_is_told_with_its_calls_its_machines_and_what_is_left() {
        let applied = applied(FILE, 1, Weather::default()).expect("it is made");
        assert_eq!((applied.machines, applied.left), (3, 0));
        assert_eq!(applied.calls.get("ec2:CreateVpc"), Some(&1));
        assert!(applied.took.as_secs_f64() >= applied.timeline.elapsed && applied.timeline.elapsed > 60.0);
    }

    #[test]
    fn every_cluster_of_a_fleet_is_planned_and_has_nothing_to_do() {
        let fleet = Fleet::standing(FILE, 2).expect("they stand");
        let planned = fleet.plan(2).expect("a plan");
        assert_eq!((planned.clusters, planned.empty), (4, 4));
        assert!(planned.resources > 4 * 30 && planned.calls > 4 * 10, "{planned:?}");
    }

    #[test]
    fn a_cluster_that_differs_has_no_empty_plan() {
        let mut fleet = Fleet::standing(FILE, 2).expect("they stand");
        let world = &mut fleet.account.world;
        let vpc = world.all("vpc").find(|vpc| !vpc.foreign).map(|vpc| vpc.id.clone()).expect("a network");
        let vpc = world.get_mut("vpc", &vpc).expect("it is there");
        vpc.tags.insert("Name".to_owned(), "renamed by hand".to_owned());
        assert_eq!(fleet.plan(1).map(|planned| (planned.clusters, planned.empty)), Ok((2, 1)));
    }
}
