//! A wire that throttles, breaks, loses answers and hides what was just made: the command still converges.

use anyhow::{Result, ensure};

use super::lifecycle::no_duplicates;
use super::world::{Latency, World};
use super::{Rig, Scenario};
use crate::process::Running;

/// What goes wrong.
#[derive(Clone, Copy)]
enum Wire {
    /// The first so many calls of every action are refused as too many.
    Throttled(u32),
    /// The first so many calls of every action are answered with an internal error, without being carried out.
    Broken(u32),
    /// The connection breaks before the first calls of every action are carried out.
    Lost(u32),
    /// The first calls of every action are carried out, and the answer is lost.
    Unanswered(u32),
    /// What was made cannot be seen for so many seconds.
    Lagging(u32),
}

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>) {
    let wires = [
        ("lost answers", "gpu-spot", Wire::Unanswered(2)),
        ("lost answers, ha-private", "ha-private", Wire::Unanswered(1)),
        ("lost answers, dns-private", "dns-private", Wire::Unanswered(1)),
        ("10 s until visible", "ha-private", Wire::Lagging(10)),
        ("throttling", "gpu-spot", Wire::Throttled(3)),
        ("500s", "gpu-spot", Wire::Broken(1)),
        ("lost connections", "bastion", Wire::Lost(1)),
    ];
    for (name, case, wire) in wires {
        scenarios.push((format!("fault {name}"), Box::new(move |rig| life(rig, name, case, wire))));
    }
}

/// How often the same line may have to be said before it succeeds.
const LINES: usize = 3;

fn life(rig: &Rig, name: &str, case: &str, wire: Wire) -> Result<String> {
    let calm = rig.calm(case)?;
    let mut world = World::start(rig, &format!("fault-{}", name.replace([' ', ','], "-")), Latency::NONE)?;
    let case = world.case(case)?;
    world.add_decoys(&case)?;
    let before = world.account.read()?;
    let made = said(&mut world, wire, &calm.create, &case.apply_args())?;
    world.plan_is_empty(&case)?;
    let now = world.account.read()?;
    no_duplicates(&now.duplicates())?;
    let shape = now.since(&before);
    ensure!(shape == calm.shape, "{shape:?} was made, and undisturbed it is {:?}", calm.shape);
    let removed = said(&mut world, wire, &calm.delete, &case.delete_args())?;
    world.unchanged_since(&before)?;
    Ok(format!("made at line {made}, removed at line {removed}, nothing doubled, nothing left"))
}

/// Says a line through the bad wire until it succeeds; gives how often.
fn said(world: &mut World, wire: Wire, actions: &[String], line: &[&str]) -> Result<usize> {
    let (proxy, port) = bad_wire(world, wire, actions)?;
    world.endpoint = port;
    let outcome = until_done(world, line);
    world.endpoint = world.port;
    drop(proxy);
    outcome
}

fn until_done(world: &World, line: &[&str]) -> Result<usize> {
    for nth in 1..LINES {
        // Retries may run out under so many faults; then the exit code must say that the same line goes on.
        let ran = world.run(line)?;
        if ran.code() == Some(0) {
            return Ok(nth);
        }
        ensure!(
            matches!(ran.code(), Some(69 | 75)),
            "a line that did not come to its end: {}, which does not ask for the same line again:\n{}",
            ran.status,
            crate::process::tail(&ran.stderr)
        );
    }
    world.run(line)?.expect(0, "the last line")?;
    Ok(LINES)
}

fn bad_wire(world: &World, wire: Wire, actions: &[String]) -> Result<(Running, u16)> {
    let rules = |kind: &str, times: u32| -> Vec<String> {
        let rule = |action: &String| ["--rule".to_owned(), format!("^{}$,{kind},{times}", pattern(action))];
        actions.iter().flat_map(rule).collect()
    };
    match wire {
        Wire::Throttled(times) => world.fault_proxy(&rules("throttle", times)),
        Wire::Broken(times) => world.fault_proxy(&rules("500", times)),
        Wire::Lost(times) => world.fault_proxy(&rules("drop", times)),
        Wire::Lagging(seconds) => world.fault_proxy(&["--lag".to_owned(), seconds.to_string()]),
        Wire::Unanswered(times) => world.lossy_proxy(".", times),
    }
}

/// An action as moto's log names it, as the proxy does: ids of REST paths are whole there, and the query is not part.
fn pattern(action: &str) -> String {
    let path = action.split('?').next().unwrap_or(action);
    path.replace('.', "\\.").replace("/ID", "/[^/]+")
}
