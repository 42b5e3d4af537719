//! One scenario under some faults, until it converges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clusterctl_simulator::fault::Seen;
use clusterctl_simulator::weather::Weather;

use super::effort;
use super::faults::{Fault, Mischief};
use super::oracles::{self, Violation};
use super::process::{Came, Errand, Ran};
use super::scenario::Scenario;
use super::stage::Stage;
use crate::failure::Failure;
use crate::operations::load::Wanted;

/// A scenario with everything that is needed to judge it: the stage before it, and what a calm run makes of it.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) scenario: Scenario,
    pub(crate) errands: Arc<Vec<Errand>>,
    pub(crate) name: String,
    before: Arc<Stage>,
    /// What is there after each errand.
    after: Arc<Vec<BTreeMap<String, usize>>>,
    /// Everything that each errand asks of the cloud when nothing goes wrong.
    pub(crate) requests: Arc<Vec<Vec<Seen>>>,
    /// Of each kind that costs by the hour, the most that there are at a time when nothing goes wrong.
    most: Arc<BTreeMap<&'static str, usize>>,
    /// Volumes and what else holds data, by id, that must outlive the scenario.
    data: Arc<Vec<String>>,
    pub(crate) calm: Duration,
    /// What had to be asked again although nothing went wrong.
    pub(crate) remedies: Vec<String>,
}

/// Which fault meets which request: the errand, the action and which occurrence of it in that process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) action: String,
    pub(crate) occurrence: u64,
    pub(crate) fault: Fault,
}

impl std::fmt::Display for Hit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} #{}: {}", self.action, self.occurrence + 1, self.fault.word())
    }
}

/// What came of a trial.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    pub(crate) violation: Option<Violation>,
    /// What was injected, process by process.
    pub(crate) met: Vec<Vec<Hit>>,
    pub(crate) remedies: Vec<String>,
    pub(crate) processes: u64,
    pub(crate) took: Duration,
    pub(crate) hash: String,
    /// What the first killed process had made was found again on a copy of the stage.
    looked: bool,
}

/// How often the same command may be needed when nothing goes wrong any more, where lists are behind. Where they are not,
/// once is enough.
const RERUNS: usize = 3;

impl Script {
    /// Plays a scenario without trouble and remembers what it makes.
    ///
    /// # Errors
    /// When even that does not work.
    pub(crate) fn rehearsed(scenario: Scenario, file: &Wanted, seed: u64, weather: &Weather) -> Result<Self, Failure> {
        let bug = |text: String| Failure::new(crate::failure::Kind::Failed, text);
        let mut before = Stage::new(seed, weather.clone());
        let run = |stage: &mut Stage, errand: &Errand| {
            let ran = stage.run(errand, Mischief::new(|_| None));
            match ran.came {
                Came::Well => Ok(ran),
                Came::Failed(failure) => Err(*failure),
                other => Err(bug(format!("without any trouble: {other:?}"))),
            }
        };
        if scenario.begins_with_a_cluster() {
            run(&mut before, &Errand::Apply(Box::new(file.clone())))?;
        }
        if scenario == Scenario::Adopt {
            before.store = clusterctl_core::store::MemoryStore::new();
        }
        let errands = scenario.errands(file)?;
        let mut stage = before.clone();
        let (mut after, mut requests, mut calm) = (Vec::new(), Vec::new(), Duration::ZERO);
        let mut remedies = Vec::new();
        let mut most: BTreeMap<&'static str, usize> = BTreeMap::new();
        for errand in &errands {
            let ran = run(&mut stage, errand)?;
            for (kind, number) in &ran.most {
                let most = most.entry(kind).or_default();
                *most = (*most).max(*number);
            }
            calm += ran.took;
            remedies.extend(ran.remedies.iter().cloned());
            stage.settle();
            // What everything else is measured by has to be right itself.
            match errand {
                Errand::Delete(_) if !stage.counts().is_empty() => {
                    return Err(bug(format!("deleted, and still there: {:?}", stage.counts())));
                }
                Errand::Apply(_) if scenario.edits() && ran.writes == 0 => {
                    return Err(bug("the file was changed, and nothing was done about it".to_owned()));
                }
                _ => {}
            }
            after.push(stage.counts());
            requests.push(ran.mischief.requests());
        }
        let data = if matches!(scenario, Scenario::Delete | Scenario::Cycle) { Vec::new() } else { before.data() };
        Ok(Self {
            scenario,
            errands: Arc::new(errands),
            name: file.name().to_owned(),
            before: Arc::new(before),
            after: Arc::new(after),
            requests: Arc::new(requests),
            most: Arc::new(most),
            data: Arc::new(data),
            calm,
            remedies,
        })
    }

    /// Plays it under trouble: `trouble` gives the mischief of the n-th process.
    pub(crate) fn tried(&self, seed: u64, weather: &Weather, mut trouble: impl FnMut(u64) -> Mischief) -> Tried {
        let mut stage = self.stage(seed, weather);
        let mut tried = Tried::default();
        for at in 0..self.errands.len() {
            if let Err(violation) = self.converged(&mut stage, at, &mut trouble, &mut tried) {
                tried.violation = Some(violation);
                break;
            }
        }
        tried.hash = stage.log.hash();
        tried
    }

    /// The stage before it, with chances of its own.
    pub(crate) fn stage(&self, seed: u64, weather: &Weather) -> Stage {
        let mut stage = (*self.before).clone();
        stage.seed = seed;
        stage.world.chance = clusterctl_simulator::chance::Chance::new(seed);
        stage.world.weather = weather.clone();
        stage
    }

    /// Whether the `at`-th errand, once more and without trouble, comes to what a calm run makes of it.
    pub(crate) fn done(&self, stage: &mut Stage, at: usize) -> Result<(), Violation> {
        self.converged(stage, at, &mut |_| Mischief::default(), &mut Tried::default())
    }

    /// Runs one errand until it is done and stays done.
    fn converged(
        &self,
        stage: &mut Stage,
        at: usize,
        trouble: &mut impl FnMut(u64) -> Mischief,
        tried: &mut Tried,
    ) -> Result<(), Violation> {
        let (errand, expected, calm) = (&self.errands[at], &self.after[at], &self.requests[at]);
        // With trouble, as often as it is killed; then without.
        let mut calm_runs = 0;
        let mut record = BTreeMap::new();
        loop {
            let mischief = trouble(tried.processes);
            let ran = stage.run(errand, mischief);
            tried.processes += 1;
            tried.took += ran.took;
            tried.remedies.extend(ran.remedies.iter().cloned());
            let met = hits(&ran);
            let undisturbed = met.is_empty();
            oracles::always(stage, &ran)?;
            oracles::bounded(&ran, calm)?;
            oracles::once(stage)?;
            oracles::spending(stage, &ran, &self.most)?;
            // Where lists are behind, or something never comes to its end, a run may have to leave it to the next one.
            let current = stage.world.weather.lag_max_ms == 0;
            let endless = met.iter().chain(tried.met.iter().flatten()).any(|hit| hit.fault == Fault::NeverEnds);
            let runs = if current && !endless { 1 } else { RERUNS };
            let effort = if current { effort::judged(&met, &ran) } else { Ok(()) };
            tried.met.push(met);
            effort?;
            self.data_is_there(stage)?;
            if matches!(errand, Errand::Apply(_)) && !self.scenario.edits() && !comes_to_nothing(&tried.met) {
                let now = oracles::recorded(stage, &self.name);
                oracles::kept(&record, &now)?;
                record = now;
            }
            match &ran.came {
                Came::Well => break,
                Came::Killed if !tried.looked => {
                    tried.looked = true;
                    self.can_be_removed(stage)?;
                }
                Came::Failed(failure) if undisturbed => {
                    calm_runs += 1;
                    if calm_runs >= runs {
                        let what = format!("after {runs} runs without trouble: {failure} {:?}", failure.details);
                        return Err(Violation::new("O1 converges", what));
                    }
                }
                _ => {}
            }
            if tried.processes > 40 {
                return Err(Violation::new("O1 converges", "forty processes were not enough"));
            }
        }
        if matches!(errand, Errand::Apply(_)) {
            oracles::stands(stage)?;
        }
        stage.settle();
        oracles::same(stage, expected)?;
        // The first law: what was just done leaves nothing to do.
        let ran = stage.run(errand, Mischief::new(|_| None));
        oracles::always(stage, &ran)?;
        match &ran.came {
            Came::Well if ran.writes == 0 || matches!(errand, Errand::Recover(_)) => {}
            Came::Well => {
                let writes: Vec<String> =
                    ran.mischief.requests().into_iter().filter(|r| r.writes).map(|r| r.action).collect();
                return Err(Violation::new("O1 converges", format!("done, and then again: {}", writes.join(", "))));
            }
            other => return Err(Violation::new("O5 truth", format!("done, and then: {other:?}"))),
        }
        oracles::same(stage, expected)
    }

    /// O6: whatever a killed process has made can be found and removed.
    fn can_be_removed(&self, stage: &Stage) -> Result<(), Violation> {
        // Of a cluster without a record nothing but its file is known.
        if self.scenario == Scenario::Adopt {
            return Ok(());
        }
        let mut copy = stage.clone();
        let lost = |what: String| Violation::new("O6 discoverable", format!("killed, and then deleted: {what}"));
        for runs in 1.. {
            match copy.run(&Errand::Delete(self.name.clone()), Mischief::default()).came {
                Came::Well => break,
                Came::Failed(_) if runs < RERUNS => {}
                other => return Err(lost(format!("{other:?}"))),
            }
        }
        copy.settle();
        oracles::same(&copy, &BTreeMap::new()).map_err(|violation| lost(violation.what))
    }

    /// O11: what holds data is still there.
    fn data_is_there(&self, stage: &Stage) -> Result<(), Violation> {
        match self.data.iter().find(|id| stage.world.get("volume", id).is_none()) {
            Some(id) => Err(Violation::new("O11 no data lost", format!("{id} is gone"))),
            None => Ok(()),
        }
    }

    /// What may be hit: errand, and each action with how often it is asked.
    pub(crate) fn targets(&self) -> Vec<(usize, Seen)> {
        let all = self.requests.iter().enumerate();
        all.flat_map(|(errand, requests)| requests.iter().map(move |request| (errand, request.clone()))).collect()
    }
}

/// Whether something was accepted and never made, so that it has to be replaced.
fn comes_to_nothing(met: &[Vec<Hit>]) -> bool {
    met.iter().flatten().any(|hit| matches!(hit.fault, Fault::FailsLater | Fault::NeverEnds))
}

fn hits(ran: &Ran) -> Vec<Hit> {
    let met = ran.mischief.met().into_iter();
    met.map(|(seen, fault)| Hit { action: seen.action, occurrence: seen.occurrence, fault }).collect()
}

/// Trouble in the processes where these hits stand, and none afterwards.
pub(crate) fn aimed(hits: &[Vec<Hit>], process: u64) -> Mischief {
    let mine = usize::try_from(process).ok().and_then(|at| hits.get(at)).cloned().unwrap_or_default();
    Mischief::new(move |seen| {
        let hit = mine.iter().find(|hit| hit.action == seen.action && hit.occurrence == seen.occurrence);
        hit.map(|hit| hit.fault)
    })
}

impl Stage {
    /// Lets what goes on by itself come to its end: groups start machines, services let go of interfaces.
    pub(crate) fn settle(&mut self) {
        let later = self.world.now() + 3_600_000 * 2;
        self.world.pass(later, clusterctl_simulator::aws::happened);
    }

    /// The volumes that do not go with the machine they are attached to.
    fn data(&self) -> Vec<String> {
        let of_ours = self.world.all("volume").filter(|volume| !volume.foreign && !volume.tags.is_empty());
        let lasting = of_ours.filter(|volume| {
            volume.at("attachmentSet.deleteOnTermination").iter().all(|goes| **goes != true && **goes != "true")
        });
        lasting.map(|volume| volume.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::suites::{calm, cluster};

    #[test]
    fn the_same_seed_gives_the_same_log_and_another_seed_another_one() {
        let file = cluster().expect("the programme's file is valid");
        let script = Script::rehearsed(Scenario::Create, &file, 1, &calm()).expect("a calm run works");
        let hits = vec![vec![Hit { action: "ec2:RunInstances".to_owned(), occurrence: 0, fault: Fault::KillAfter }]];
        let hash = |seed| {
            let tried = script.tried(seed, &calm(), |process| aimed(&hits, process));
            assert_eq!(tried.violation, None);
            assert_eq!(tried.met.concat(), hits.concat());
            tried.hash
        };
        assert_eq!(hash(7), hash(7));
        assert_ne!(hash(7), hash(8));
    }
}
