//! Every kind done twice, undone twice, and done again after it was undone.
//!
//! - twice done: the first create of every resource is carried out and its answer thrown away
//! - twice undone: every deletion is asked for twice
//! - done after undone: each resource, with whatever needs it, is deleted behind the back of the record
//! - moved: a file that would put a disk elsewhere is refused, and nothing is touched
//!
//! A kind that is not in the list below does not compile.

use std::collections::{BTreeMap, BTreeSet};

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Call, Remains};
use clusterctl_core::graph::Graph;
use clusterctl_core::plan;
use clusterctl_core::store::ClusterKeys;
use clusterctl_core::store::journal::current;
use clusterctl_simulator::weather::Weather;

use super::{Extent, Outcome, crowd};
use crate::failure::{Failure, Kind};
use crate::operations::App;
use crate::operations::load::Wanted;
use crate::operations::prepare;
use crate::rehearsal::faults::Mischief;
use crate::rehearsal::oracles::{self, Violation};
use crate::rehearsal::process::{Came, Errand, Habit};
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::stage::Stage;

/// Together these files have every kind of resource.
const FILES: [&str; 2] = [
    "\
apiVersion: clusterctl.dev/v1
kind: Cluster
metadata: {name: demo}
spec:
  cloud: aws
  region: eu-central-1
  zones: 1
  network: {egress: perZone}
  access: {ssh: {from: [198.51.100.0/24], keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYNgPUMLbnl4yvk1cXTzXcTnHsTKS21YTP8OtSYIqDm demo]}}
  dns: {zone: demo.internal, visibility: private}
  controlPlane: {count: 1}
  nodeGroups:
  - {name: general, machine: {cpu: 4, memory: 16Gi}, count: 1}
",
    "\
apiVersion: clusterctl.dev/v1
kind: Cluster
metadata: {name: demo}
spec:
  cloud: aws
  region: eu-central-1
  zones: 1
  controlPlane: {count: 1}
  nodeGroups:
  - {name: close, machine: {gpu: {model: a10g, count: 1}}, count: 1, options: {aws: {placementGroup: cluster}}}
",
];

/// Every kind that is repeated here.
#[cfg(feature = "aws")]
const REPEATED: &[&str] = &[
    "aws_vpc",
    "aws_subnet",
    "aws_internet_gateway",
    "aws_eip",
    "aws_nat_gateway",
    "aws_route_table",
    "aws_route",
    "aws_route_table_association",
    "aws_vpc_endpoint",
    "aws_security_group",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
    "aws_lb",
    "aws_lb_target_group",
    "aws_lb_listener",
    "aws_lb_target_group_attachment",
    "aws_network_interface",
    "aws_ebs_volume",
    "aws_instance",
    "aws_volume_attachment",
    "aws_placement_group",
    "aws_launch_template",
    "aws_autoscaling_group",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_instance_profile",
    "aws_key_pair",
    "aws_route53_zone",
    "aws_route53_record",
];

#[cfg(feature = "aws")]
const _: () = assert!(names_every_kind(), "a kind of AWS is missing in REPEATED, or one too many is there");

#[cfg(feature = "aws")]
const fn names_every_kind() -> bool {
    let kinds = clusterctl_aws::resources::KINDS;
    if kinds.len() != REPEATED.len() {
        return false;
    }
    let mut at = 0;
    while at < kinds.len() {
        if !same(kinds[at].name.as_bytes(), REPEATED[at].as_bytes()) {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(feature = "aws")]
const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// One trial.
#[derive(Debug, Clone)]
enum Repeat {
    DoneTwice(usize),
    UndoneTwice(usize),
    Moved(usize),
    DoneAfterUndone(usize, Addr),
}

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let mut played = Vec::new();
    for text in FILES {
        let file = Wanted::read("a file of the programme", text.to_owned())?;
        played.push(Played::calmly(file, extent.seed)?);
    }
    let covered: BTreeSet<&str> =
        played.iter().flat_map(|one| one.addrs.iter().map(|addr| addr.kind.as_str())).collect();
    if let Some(kind) = REPEATED.iter().find(|kind| !covered.contains(**kind)) {
        return Err(Failure::new(Kind::Bug, format!("no file of the programme has a {kind}")));
    }
    let mut trials = Vec::new();
    for (at, one) in played.iter().enumerate() {
        trials.extend([Repeat::DoneTwice(at), Repeat::UndoneTwice(at), Repeat::Moved(at)]);
        trials.extend(one.addrs.iter().map(|addr| Repeat::DoneAfterUndone(at, addr.clone())));
    }
    trials.truncate(usize::try_from(extent.trials).unwrap_or(usize::MAX));
    let verdicts = crowd::each(&trials, |trial| match trial {
        Repeat::DoneTwice(at) => played[*at].done_twice(),
        Repeat::UndoneTwice(at) => played[*at].undone_twice(),
        Repeat::Moved(at) => played[*at].moved(),
        Repeat::DoneAfterUndone(at, addr) => played[*at].done_after_undone(addr),
    });
    let mut outcome = Outcome::of(trials.len());
    for (trial, verdict) in trials.iter().zip(verdicts) {
        outcome.processes += 2;
        outcome.injected += 1;
        if let Err(violation) = verdict {
            outcome.fail("repeat", Scenario::Create, extent.seed, &violation, vec![format!("{trial:?}")]);
        }
    }
    Ok(outcome)
}

/// A file, and what a calm run makes of it.
struct Played {
    file: Wanted,
    fresh: Stage,
    made: Stage,
    expected: BTreeMap<String, usize>,
    addrs: Vec<Addr>,
}

impl Played {
    fn calmly(file: Wanted, seed: u64) -> Result<Self, Failure> {
        let fresh = Stage::new(seed, Weather::calm());
        let mut made = fresh.clone();
        let ran = made.run(&Errand::Apply(Box::new(file.clone())), Mischief::default());
        match ran.came {
            Came::Well => {}
            Came::Failed(failure) => return Err(*failure),
            other => return Err(Failure::new(Kind::Failed, format!("without any trouble: {other:?}"))),
        }
        made.settle();
        let expected = made.counts();
        let addrs = made.ask(async |app| {
            let store = app.open_store().await?;
            let found = current(&*store, &ClusterKeys::new(file.name())?).await?;
            Ok(found
                .map(|found| found.state.resources.keys().filter_map(|a| a.parse().ok()).collect())
                .unwrap_or_default())
        })?;
        Ok(Self { file, fresh, made, expected, addrs })
    }

    fn done_twice(&self) -> Result<(), Violation> {
        let mut stage = self.fresh.clone();
        let ran = stage.run_with(&self.apply(), Mischief::default(), Habit::ThrowsFirstAnswersAway);
        well(&ran.came)?;
        stage.settle();
        oracles::same(&stage, &self.expected)?;
        let ran = stage.run(&self.apply(), Mischief::default());
        if ran.writes > 0 {
            return Err(Violation::new("O1 converges", "done twice, and there is still something to do"));
        }
        well(&ran.came)
    }

    fn undone_twice(&self) -> Result<(), Violation> {
        let mut stage = self.made.clone();
        let errand = Errand::Delete(self.file.name().to_owned());
        let ran = stage.run_with(&errand, Mischief::default(), Habit::DeletesTwice);
        well(&ran.came)?;
        stage.settle();
        oracles::same(&stage, &BTreeMap::new())
    }

    /// O11: a disk cannot go to another zone, and is not given up without a word from the user.
    fn moved(&self) -> Result<(), Violation> {
        let mut stage = self.made.clone();
        let text = self.file.text.replace("zones: 1", "zones: [eu-central-1b]");
        let file = Wanted::read("a file with another zone", text)
            .map_err(|failure| Violation::new("O11 no data lost", format!("it cannot be read: {failure}")))?;
        let ran = stage.run(&Errand::Apply(Box::new(file)), Mischief::default());
        match ran.came {
            Came::Failed(failure) if failure.kind == Kind::Policy && ran.writes == 0 => {
                oracles::same(&stage, &self.expected)
            }
            came => {
                let what = format!("a disk was to move, and {} requests were sent: {came:?}", ran.writes);
                Err(Violation::new("O11 no data lost", what))
            }
        }
    }

    fn done_after_undone(&self, addr: &Addr) -> Result<(), Violation> {
        let mut stage = self.made.clone();
        let undone = stage.ask(async |app| undo(app, &self.file, addr).await);
        undone.map_err(|failure| Violation::new("O1 converges", format!("it cannot be undone: {failure}")))?;
        let ran = stage.run(&self.apply(), Mischief::default());
        well(&ran.came)?;
        stage.settle();
        oracles::same(&stage, &self.expected)
    }

    fn apply(&self) -> Errand {
        Errand::Apply(Box::new(self.file.clone()))
    }
}

fn well(came: &Came) -> Result<(), Violation> {
    match came {
        Came::Well => Ok(()),
        Came::Failed(failure) => Err(Violation::new("O1 converges", format!("{failure} {:?}", failure.details))),
        other => Err(Violation::new("O1 converges", format!("{other:?}"))),
    }
}

/// Deletes a resource and everything that needs it, as somebody on the console would.
async fn undo(app: &App, file: &Wanted, addr: &Addr) -> Result<(), Failure> {
    let store = app.open_store().await?;
    let Some(found) = current(&*store, &ClusterKeys::new(file.name())?).await? else {
        return Err(Failure::new(Kind::Bug, "there is no record"));
    };
    let provider = app.provider(&found.state.cloud)?;
    let connection = app.connect(provider, Some(&found.state.region)).await?;
    let scope = clusterctl_core::cloud::Scope::Everything;
    let observed = prepare::read(app, &*connection, &found.state, &scope).await?;
    let needs = prepare::depends(&found.state);
    let plan = plan::plan(&Graph::new(), &observed, provider.kinds(), &needs)?;
    let mut doomed = BTreeSet::from([addr.clone()]);
    // Whatever needs something doomed is doomed.
    loop {
        let more: Vec<Addr> = needs
            .iter()
            .filter(|(addr, needs)| !doomed.contains(*addr) && needs.iter().any(|need| doomed.contains(need)))
            .map(|(addr, _)| addr.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        doomed.extend(more);
    }
    let owner = prepare::owner(&found.state);
    // The order of a deletion's steps is one in which everything can be deleted.
    let mut left: Vec<usize> = (0..plan.steps.len()).filter(|at| doomed.contains(&plan.steps[*at].addr)).collect();
    for _ in 0..400 {
        let mut later = Vec::new();
        for at in left {
            let step = &plan.steps[at];
            let (Some(live), Some(driver)) = (&step.live, connection.driver(&step.addr.kind)) else { continue };
            let call = Call { addr: step.addr.clone(), owner: owner.clone(), token: String::new() };
            let gone = match driver.delete(&call, live).await {
                Ok(()) => matches!(driver.gone(&call, live).await, Ok(Remains::Nothing)),
                Err(_) => false,
            };
            if !gone {
                later.push(at);
            }
        }
        if later.is_empty() {
            return Ok(());
        }
        left = later;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    }
    Err(Failure::new(Kind::Failed, format!("{} of its resources would not go", left.len())))
}
