//! The record in a bucket: kills, the lock and the end of a life are the same with `--store s3://`.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::kills::{converged, struck};
use super::world::{Latency, World};
use super::{Rig, Scenario};
use crate::process::http;

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>) {
    scenarios.push(("store on S3".to_owned(), Box::new(on_s3)));
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
