//! Two at once: one holds the lock, the other says who does.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::world::{Latency, World};
use super::{Rig, Scenario};

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>) {
    scenarios.push(("two at once".to_owned(), Box::new(two_at_once)));
}

fn two_at_once(rig: &Rig) -> Result<String> {
    let mut world = World::start(rig, "two-at-once", Latency(250))?;
    let case = world.case("minimal")?;
    let before = world.account.read()?;
    world.forget_calls()?;
    let mut first = world.start_command(&case.apply_args())?;
    let begun = Instant::now();
    // It holds the lock when it changes something.
    while world.calls()?.keys().all(|action| super::budgets::reads(action)) {
        ensure!(
            first.is_running()? && begun.elapsed() < Duration::from_secs(60),
            "the first made nothing:\n{}",
            first.said()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut args = case.apply_args().to_vec();
    args.extend(["--lock-timeout", "1s"]);
    let second = world.run(&args)?.expect(73, "a second apply")?;
    ensure!(
        second.stderr.contains(&first.id().to_string()),
        "it does not name process {}:\n{}",
        first.id(),
        second.stderr
    );
    let waits = world.run(&case.apply_args())?;
    first.end(Duration::from_secs(240))?.expect(0, "the first apply")?;
    waits.expect(0, "an apply that waits for the lock")?;
    world.set_latency(Latency::NONE)?;
    world.plan_is_empty(&case)?;
    super::lifecycle::no_duplicates(&world.account.read()?.duplicates())?;
    world.delete(&case)?;
    world.unchanged_since(&before)?;
    Ok("with little patience the second names the holder, with more it waits".to_owned())
}
