//! SIGKILL at random instants, and after every action that made something: the same line again finishes it.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::account::Reading;
use super::case::Case;
use super::lifecycle::no_duplicates;
use super::world::{Latency, World};
use super::{Calm, Rig, Scenario};
use crate::judge::Extent;

/// Kills while creating and while deleting, for each case.
const RANDOM: [(&str, usize, usize); 5] =
    [("gpu-spot", 10, 2), ("ha-private", 10, 2), ("bastion", 10, 2), ("dns-private", 10, 2), ("public", 10, 2)];

/// The cases in which every call is once the last before a kill.
const AFTER_EACH: [&str; 2] = ["gpu-spot", "bastion"];

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>, extent: Extent) {
    let (part, cases) = match extent {
        Extent::Whole => (1, &AFTER_EACH[..]),
        Extent::Brief => (5, &AFTER_EACH[..1]),
    };
    for (case, creating, deleting) in RANDOM {
        let (creating, deleting) = (creating / part, deleting.div_ceil(part));
        scenarios.push((format!("kill {case}"), Box::new(move |rig| random(rig, case, creating, deleting))));
    }
    for &case in cases {
        scenarios.push((format!("kill after each call, {case}"), Box::new(move |rig| after_each(rig, case))));
    }
}

/// The same line, killed at a random instant and said again, until it comes to its end before its instant; and that with
/// new clusters until it was killed often enough.
fn random(rig: &Rig, name: &str, creating: usize, deleting: usize) -> Result<String> {
    let calm = rig.calm(name)?;
    // The cases' own randomness is apart, so that one can be repeated alone.
    let salt = name.bytes().fold(0_u64, |salt, byte| salt.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut rng = StdRng::seed_from_u64(rig.seed ^ salt);
    let mut world = World::start(rig, &format!("kill-{name}"), Latency::SHORT)?;
    let case = world.case(name)?;
    world.add_decoys(&case)?;
    let before = world.account.read()?;
    let (mut killed, mut killed_deleting, mut clusters) = (0, 0, 0);
    while killed < creating || killed_deleting < deleting {
        clusters += 1;
        ensure!(clusters <= (creating + deleting).max(12), "only {killed} kills struck in {clusters} clusters");
        killed += struck(&world, &case.apply_args(), calm.create_seconds, creating - killed.min(creating), &mut rng)?;
        converged(&mut world, &case, &before, &calm)?;
        killed_deleting += struck(
            &world,
            &case.delete_args(),
            calm.delete_seconds,
            deleting - killed_deleting.min(deleting),
            &mut rng,
        )?;
        world.unchanged_since(&before)?;
    }
    Ok(format!("{killed} kills while creating, {killed_deleting} while deleting, {clusters} clusters: all went on"))
}

/// Says a line until it succeeds, and kills it up to `most` times at random instants; gives how many kills struck.
pub(super) fn struck(world: &World, line: &[&str], seconds: f64, most: usize, rng: &mut StdRng) -> Result<usize> {
    let mut kills = 0;
    while kills < most {
        let mut running = world.start_command(line)?;
        std::thread::sleep(Duration::from_secs_f64(rng.random_range(0.0..seconds)));
        if !running.kill()? {
            // It had come to its end by itself; said again, it has nothing to do.
            break;
        }
        kills += 1;
    }
    world.run(line)?.expect(0, &format!("the same line after {kills} kills"))?;
    Ok(kills)
}

pub(super) fn converged(world: &mut World, case: &Case, before: &Reading, calm: &Calm) -> Result<()> {
    world.plan_is_empty(case)?;
    let now = world.account.read()?;
    no_duplicates(&now.duplicates())?;
    let shape = now.since(before);
    ensure!(shape == calm.shape, "{shape:?} is there, and undisturbed it is {:?}", calm.shape);
    Ok(())
}

/// Whether a call makes or changes something, and moto can be told to kill after it: that takes a name, which the calls
/// of Route 53 do not have. Their answers are lost on another wire (`faults`).
fn mutates(action: &str) -> bool {
    !super::budgets::reads(action) && !action.contains(' ')
}

/// Every mutation of a life is once the last thing that happens before a kill: carried out, and never answered.
fn after_each(rig: &Rig, name: &str) -> Result<String> {
    let calm = rig.calm(name)?;
    let mut world = World::start(rig, &format!("kill-after-{name}"), Latency(10))?;
    let case = world.case(name)?;
    world.add_decoys(&case)?;
    let before = world.account.read()?;
    let mut creating: Vec<String> = calm.create.iter().filter(|action| mutates(action)).cloned().collect();
    let mut deleting: Vec<String> = calm.delete.iter().filter(|action| mutates(action)).cloned().collect();
    let (all, mut clusters) = (creating.len() + deleting.len(), 0);
    while !creating.is_empty() || !deleting.is_empty() {
        let left = creating.len() + deleting.len();
        clusters += 1;
        one_each(&world, &case.apply_args(), &mut creating)?;
        converged(&mut world, &case, &before, &calm)?;
        one_each(&world, &case.delete_args(), &mut deleting)?;
        world.unchanged_since(&before)?;
        if creating.len() + deleting.len() == left {
            bail!("no kill struck after {creating:?} {deleting:?}");
        }
    }
    Ok(format!("{all} calls, each carried out and never answered, {clusters} clusters: all went on"))
}

/// Goes through the actions, one kill after each; those that did not come up any more in this life are left over.
fn one_each(world: &World, line: &[&str], actions: &mut Vec<String>) -> Result<()> {
    let mut left = Vec::new();
    for action in std::mem::take(actions) {
        let running = world.start_command(line)?;
        world.kill_on(&action, running.id())?;
        let ran = running.end(Duration::from_secs(300))?;
        world.kill_nobody()?;
        match ran.code() {
            // No exit code: it was killed.
            None => {}
            Some(_) => {
                ran.expect(0, &format!("the line that was to be killed after {action}"))?;
                left.push(action);
            }
        }
    }
    world.run(line)?.expect(0, "the same line after all kills")?;
    *actions = left;
    Ok(())
}
