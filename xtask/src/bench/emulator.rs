//! Calls and seconds on moto, beside kops 1.36.2 on the same emulator: HA, private, 134 resources, measured 2026-11-22.

use anyhow::Result;

use super::{Extent, Figure, Part, median};
use crate::ground::Ground;
use crate::judge::aws::Rig;
use crate::judge::aws::budgets::{sum, sum_of_reads};
use crate::judge::aws::world::{Calls, Latency, World};

/// What kops does: calls to the cloud, calls for its state, seconds.
struct Kops {
    cloud: u64,
    state: u64,
    seconds: f64,
}

const APPLY: Kops = Kops { cloud: 388, state: 206, seconds: 12.4 };
const PLAN: Kops = Kops { cloud: 223, state: 95, seconds: 8.0 };
const DELETE: Kops = Kops { cloud: 129, state: 0, seconds: 17.0 };

/// Every call waits so long, as a client far from AWS does.
const FAR: Latency = Latency(100);

const CASE: &str = "ha-private";

pub(super) fn figures(ground: &Ground, extent: Extent) -> Part {
    let rig = match Rig::set_up(ground, Some(0))? {
        Ok(rig) => rig,
        Err(reason) => return Ok(Err(reason)),
    };
    let rounds = match extent {
        Extent::Quick => 1,
        Extent::Whole => 3,
    };
    let mut lives = Vec::new();
    for round in 0..rounds {
        lives.push(life(&rig, &format!("bench-{round}"))?);
    }
    let mut figures = Vec::new();
    for (nth, (name, kops)) in
        [("first apply", APPLY), ("empty plan", PLAN), ("delete", DELETE)].into_iter().enumerate()
    {
        let seconds = median(lives.iter().map(|life| life[nth].0).collect());
        let calls = &lives[0][nth].1;
        let (all, reads) = (sum(calls), sum_of_reads(calls));
        figures.push(
            Figure::new(format!("{CASE}, 100 ms a call: {name}"), seconds, "s")
                // Under a third is wanted of the apply; the others have to be no slower.
                .at_most(if nth == 0 { kops.seconds / 3.0 } else { kops.seconds })
                .beside(format!("kops {} s, {:.2} of it", kops.seconds, seconds / kops.seconds)),
        );
        let figure = Figure::new(format!("{CASE}: calls of {name}"), all as f64, "calls").beside(format!(
            "{reads} reads, {} writes; kops {} + {} for its state, {:.2} of it",
            all - reads,
            kops.cloud,
            kops.state,
            all as f64 / (kops.cloud + kops.state) as f64
        ));
        figures.push(if nth == 1 { figure.at_most(25.0) } else { figure });
    }
    if extent == Extent::Whole {
        let calls = empty_plan(&rig, "large")?;
        figures
            .push(Figure::new("large, 1,000 nodes: calls of an empty plan", sum(&calls) as f64, "calls").at_most(35.0));
    }
    Ok(Ok(figures))
}

/// Seconds and calls of a first apply, of the plan after it, and of the deletion.
fn life(rig: &Rig, name: &str) -> Result<[(f64, Calls); 3]> {
    let world = World::start(rig, name, Latency::NONE)?;
    let case = world.case(CASE)?;
    // Moto loads a service at its first call; that is not what is measured.
    world.run(&["plan", "-f", &case.file])?.expect(0, "plan")?;
    world.set_latency(FAR)?;
    world.forget_calls()?;
    let apply = (world.apply(&case)?.seconds, world.calls()?);
    world.forget_calls()?;
    let ran = world.run(&["plan", "-f", &case.file, "--detailed-exitcode"])?.expect(0, "plan")?;
    let plan = (ran.seconds, world.calls()?);
    world.forget_calls()?;
    let delete = (world.delete(&case)?.seconds, world.calls()?);
    Ok([apply, plan, delete])
}

fn empty_plan(rig: &Rig, name: &str) -> Result<Calls> {
    let world = World::start(rig, &format!("bench-{name}"), Latency::NONE)?;
    let case = world.case(name)?;
    world.apply(&case)?;
    world.forget_calls()?;
    world.plan_is_empty(&case)?;
    let calls = world.calls()?;
    world.delete(&case)?;
    Ok(calls)
}
