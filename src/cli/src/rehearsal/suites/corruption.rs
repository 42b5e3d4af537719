//! Records that were damaged: bit flips, cuts, swapped records, an older state, missing documents.
//!
//! Damage is detected, or it does not matter: whatever a command says is well leaves the account as it should be. And
//! `recover` builds the record anew from the cloud.

use clusterctl_core::store::{Condition, Key, Store as _};
use clusterctl_simulator::chance::Chance;
use clusterctl_simulator::weather::Weather;

use super::{Extent, Outcome, PRELUDE, cluster, crowd, seeds};
use crate::failure::{Failure, Kind};
use crate::operations::load::Wanted;
use crate::rehearsal::faults::{Fault, Mischief};
use crate::rehearsal::oracles::{self, Violation};
use crate::rehearsal::process::{Came, Errand};
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::stage::Stage;
use crate::simulated;

/// A cluster whose creation was killed somewhere, so that there are a state and a journal.
struct Subject {
    file: Wanted,
    stages: Vec<Stage>,
    /// The documents of the same cluster when less of it had been made.
    earlier: Vec<(String, Vec<u8>)>,
    expected: std::collections::BTreeMap<String, usize>,
}

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let subject = Subject::new()?;
    let trials = seeds(extent);
    let verdicts = crowd::each(&trials, |seed| subject.trial(*seed));
    let mut outcome = Outcome::of(trials.len());
    for (seed, (damage, verdict)) in trials.iter().zip(verdicts) {
        outcome.processes += 3;
        outcome.injected += 1;
        if let Err(violation) = verdict {
            outcome.fail("corruption", Scenario::Adopt, *seed, &violation, vec![damage]);
        }
    }
    Ok(outcome)
}

impl Subject {
    fn new() -> Result<Self, Failure> {
        let file = cluster()?;
        let apply = Errand::Apply(Box::new(file.clone()));
        let mut whole = Stage::new(PRELUDE, Weather::calm());
        let ran = whole.run(&apply, Mischief::default());
        let Came::Well = ran.came else {
            return Err(Failure::new(Kind::Failed, format!("without any trouble: {:?}", ran.came)));
        };
        whole.settle();
        let expected = whole.counts();
        let mut stages = vec![whole];
        let writes: Vec<_> = ran.mischief.requests().into_iter().filter(|request| request.writes).collect();
        for at in [writes.len() / 4, writes.len() / 2, writes.len() * 3 / 4] {
            let Some(target) = writes.get(at).cloned() else { continue };
            let mut stage = Stage::new(PRELUDE, Weather::calm());
            stage.run(&apply, Mischief::new(move |seen| (seen.number == target.number).then_some(Fault::KillAfter)));
            stages.push(stage);
        }
        let earlier = stages.get(1).map(documents).unwrap_or_default();
        Ok(Self { file, stages, earlier, expected })
    }

    fn trial(&self, seed: u64) -> (String, Result<(), Violation>) {
        let mut chance = Chance::new(seed);
        let mut stage = self.stages[(chance.number("stage") % self.stages.len() as u64) as usize].clone();
        let damage = damaged(&mut stage, &mut chance, &self.earlier);
        (damage, self.judged(stage))
    }

    fn judged(&self, mut stage: Stage) -> Result<(), Violation> {
        let apply = Errand::Apply(Box::new(self.file.clone()));
        let ran = stage.run(&apply, Mischief::default());
        oracles::always(&stage, &ran)?;
        match &ran.came {
            Came::Well => {
                stage.settle();
                return oracles::same(&stage, &self.expected);
            }
            Came::Failed(failure) if failure.kind == Kind::Store || failure.kind == Kind::Policy => {}
            other => return Err(Violation::new("O5 truth", format!("damage was met with {other:?}"))),
        }
        let recover = Errand::Recover(Box::new(self.file.clone()));
        let ran = stage.run(&recover, Mischief::default());
        oracles::always(&stage, &ran)?;
        let Came::Well = ran.came else {
            return Err(Violation::new("O1 converges", format!("it cannot be recovered: {:?}", ran.came)));
        };
        let ran = stage.run(&apply, Mischief::default());
        oracles::always(&stage, &ran)?;
        let Came::Well = ran.came else {
            return Err(Violation::new("O1 converges", format!("recovered, and then: {:?}", ran.came)));
        };
        stage.settle();
        oracles::same(&stage, &self.expected)
    }
}

/// A document as it is to be; without bytes, missing.
type Put = (String, Option<Vec<u8>>);

/// Every document but the lock, which nobody puts back from a copy.
fn documents(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    oracles::stored(stage).into_iter().filter(|(key, _)| !key.ends_with("lock.json")).collect()
}

/// Damages one document of the store; says what was done.
fn damaged(stage: &mut Stage, chance: &mut Chance, earlier: &[(String, Vec<u8>)]) -> String {
    let documents = documents(stage);
    let mut pick = |label: &str, of: usize| (chance.number(label) % of.max(1) as u64) as usize;
    let (key, bytes) = documents[pick("document", documents.len())].clone();
    let (words, put): (String, Vec<Put>) = match pick("damage", 7) {
        0 => {
            let mut flipped = bytes;
            let (at, bit) = (pick("at", flipped.len()), pick("bit", 8));
            flipped[at] ^= 1 << bit;
            (format!("bit {bit} of byte {at} of {key} is flipped"), vec![(key, Some(flipped))])
        }
        1 => {
            let at = pick("at", bytes.len());
            (format!("{key} is cut after {at} bytes"), vec![(key, Some(bytes[..at].to_vec()))])
        }
        2 => (format!("{key} is missing"), vec![(key, None)]),
        3 => {
            let (other, others) = documents[pick("other", documents.len())].clone();
            (format!("{key} and {other} are swapped"), vec![(key, Some(others)), (other, Some(bytes))])
        }
        4 => {
            // As somebody who puts a copy of the whole store back, and of no later journal.
            let puts = earlier.iter().map(|(key, bytes)| (key.clone(), Some(bytes.clone())));
            let later = documents.iter().filter(|(key, _)| earlier.iter().all(|(other, _)| other != key));
            let puts = puts.chain(later.map(|(key, _)| (key.clone(), None)));
            ("all documents are those of an earlier time".to_owned(), puts.collect())
        }
        5 => {
            let zeros = vec![0; bytes.len()];
            (format!("{key} is all zeros"), vec![(key, Some(zeros))])
        }
        _ => {
            // Readable, and another account; where there is none in it, the middle of it.
            let mark = b"\"account\": \"";
            let found = bytes.windows(mark.len()).position(|window| window == mark);
            let at = found.map_or(bytes.len() / 2, |at| at + mark.len());
            let mut flipped = bytes;
            flipped[at] ^= 1;
            (format!("bit 0 of byte {at} of {key} is flipped"), vec![(key, Some(flipped))])
        }
    };
    let Ok(runtime) = simulated::runtime() else { return words };
    let store = stage.store.clone();
    runtime.block_on(async {
        for (key, bytes) in put {
            let Ok(key) = Key::parse(key) else { continue };
            let _ = match bytes {
                Some(bytes) => store.put(&key, bytes.into(), Condition::Any).await.map(|_| ()),
                None => store.delete(&key).await,
            };
        }
    });
    words
}
