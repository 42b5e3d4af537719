//! The record in a bucket: kills and the end of a life are the same with `--store s3://`. The record lost: it is rebuilt
//! from the account.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::kills::{converged, struck};
use super::world::{Latency, REGION, World};
use super::{Rig, Scenario, budgets};
use crate::process::http;

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>) {
    scenarios.push(("store on S3".to_owned(), Box::new(on_s3)));
    scenarios.push(("store lost".to_owned(), Box::new(lost)));
}

fn on_s3(rig: &Rig) -> Result<String> {
    let calm = rig.calm("minimal")?;
    let mut world = World::start(rig, "store-s3", Latency::SHORT)?;
    http(world.port, "PUT", "/records", "")?;
    world.store = "s3://records/clusters".to_owned();
    let case = world.case("minimal")?;
    let before = world.account.read()?;
    let mut rng = StdRng::seed_from_u64(rig.seed);
    let created = struck(&world, &case.apply_args(), calm.create_seconds, 4, &mut rng)?;
    converged(&mut world, &case, &before, &calm)?;
    let deleted = struck(&world, &case.delete_args(), calm.delete_seconds, 2, &mut rng)?;
    let now = world.account.read()?;
    let changed = before.kinds_changed(&now);
    ensure!(changed == BTreeSet::from(["bucket".to_owned()]), "the account differs: {changed:?}");
    ensure!(!world.dir.join("home").exists(), "something was kept on this machine");
    Ok(format!("{created} kills while creating, {deleted} while deleting; only the bucket is not as it was"))
}

fn lost(rig: &Rig) -> Result<String> {
    let mut world = World::start(rig, "store-lost", Latency::NONE)?;
    let case = world.case("minimal")?;
    world.add_decoys(&case)?;
    let before = world.account.read()?;
    world.apply(&case)?;
    std::fs::remove_dir_all(&world.store)?;
    // Without a record the name is free, and nothing says that the cluster is there.
    world.run(&case.delete_args())?.expect(66, "delete without a record")?;
    world.run(&["recover", &case.cluster, "--region", REGION, "--yes"])?.expect(0, "recover")?;
    world.forget_calls()?;
    world.apply(&case)?;
    let written = world.calls()?.into_keys().find(|action| !budgets::reads(action));
    ensure!(written.is_none(), "the same file again changed something: {written:?}");
    world.plan_is_empty(&case)?;
    world.delete(&case)?;
    world.unchanged_since(&before)?;
    Ok("found by its name, taken over as it is, deleted to the last".to_owned())
}
