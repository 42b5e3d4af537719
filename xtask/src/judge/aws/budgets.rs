//! How many calls: a plan reads in a constant number of them, and an apply reads only what it has to wait for.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::world::{Calls, Latency, World};
use super::{Rig, Scenario, plan};

/// A plan of an unchanged cluster.
const PLAN: u64 = 25;

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>) {
    scenarios.push(("budget at 1,000 nodes".to_owned(), Box::new(large)));
    scenarios.push(("budget at 3 nodes".to_owned(), Box::new(small)));
}

/// Whether a call only looks.
pub(crate) fn reads(action: &str) -> bool {
    let word = action.split_once(':').map_or(action, |(_, word)| word);
    ["Describe", "Get", "List", "Lookup", "HEAD "].iter().any(|start| word.starts_with(start))
        || word.starts_with("GET ")
}

pub(crate) fn sum(calls: &Calls) -> u64 {
    calls.values().sum()
}

pub(crate) fn sum_of_reads(calls: &Calls) -> u64 {
    calls.iter().filter(|(action, _)| reads(action)).map(|(_, count)| count).sum()
}

/// Kinds that are not ready when their creation is answered, so that somebody has to look.
const SLOW: [&str; 10] = [
    "aws_vpc",
    "aws_nat_gateway",
    "aws_vpc_endpoint",
    "aws_lb",
    "aws_network_interface",
    "aws_ebs_volume",
    "aws_instance",
    "aws_volume_attachment",
    "aws_autoscaling_group",
    "aws_route53_record",
];

fn small(rig: &Rig) -> Result<String> {
    let world = World::start(rig, "budget-small", Latency::NONE)?;
    let case = world.case("ha-private")?;
    world.forget_calls()?;
    let planned = plan::actions(&world, &case)?;
    let choosing = world.calls()?;
    world.forget_calls()?;
    world.apply(&case)?;
    let creating = world.calls()?;
    world.forget_calls()?;
    world.plan_is_empty(&case)?;
    let planning = world.calls()?;
    let waits: usize =
        planned.keys().filter(|address| SLOW.contains(&address.split('.').next().unwrap_or_default())).count();
    // An apply begins as the first plan does, and ends with a look whether the cloud shows what was planned; what it reads
    // beyond that it must have had to wait for.
    let looked = sum_of_reads(&creating).saturating_sub(sum_of_reads(&choosing) + sum_of_reads(&planning));
    super::super::say(&table(&[("first plan", &choosing), ("apply", &creating), ("plan", &planning)]));
    ensure!(sum(&planning) <= PLAN, "a plan of nothing takes {} calls, more than {PLAN}", sum(&planning));
    ensure!(looked as usize <= waits, "an apply with {waits} waits looks {looked} times");
    world.delete(&case)?;
    Ok(format!(
        "plan {} of {PLAN} calls; apply of {} resources {} writes, {looked} looks for {waits} waits",
        sum(&planning),
        planned.len(),
        sum(&creating) - sum_of_reads(&creating),
    ))
}

/// The calls of a plan at a thousand nodes are those at three, and further pages of the same.
fn large(rig: &Rig) -> Result<String> {
    let mut counts = BTreeMap::new();
    for name in ["ha-private", "large"] {
        let world = World::start(rig, &format!("budget-{name}"), Latency::NONE)?;
        let case = world.case(name)?;
        world.apply(&case)?;
        world.forget_calls()?;
        world.plan_is_empty(&case)?;
        counts.insert(name, world.calls()?);
        world.run(&case.delete_args())?.expect(0, "delete")?;
    }
    let (small, large) = (&counts["ha-private"], &counts["large"]);
    let new: Vec<&String> = large.keys().filter(|action| !small.contains_key(*action)).collect();
    ensure!(new.is_empty(), "at 1,000 nodes a plan makes other calls: {new:?}");
    super::super::say(&table(&[("3 nodes", small), ("1,000", large)]));
    // A page of EC2 holds up to 1,000 things; volumes, interfaces and instances of a thousand machines are a few of them.
    ensure!(sum(large) <= sum(small) + 10, "{} calls instead of {}: more than pages", sum(large), sum(small));
    Ok(format!("a plan takes {} calls at 3 nodes and {} at 1,000", sum(small), sum(large)))
}

/// Counts side by side.
pub(crate) fn table(columns: &[(&str, &Calls)]) -> String {
    let mut actions: Vec<&String> = columns.iter().flat_map(|(_, calls)| calls.keys()).collect();
    actions.sort();
    actions.dedup();
    let mut text = format!("  {:<56}", "");
    for (name, _) in columns {
        text.push_str(&format!("{name:>11}"));
    }
    for action in actions {
        text.push_str(&format!("\n  {action:<56}"));
        for (_, calls) in columns {
            text.push_str(&format!("{:>11}", calls.get(action).copied().unwrap_or(0)));
        }
    }
    text.push_str(&format!("\n  {:<56}", "all"));
    for (_, calls) in columns {
        text.push_str(&format!("{:>11}", sum(calls)));
    }
    text
}
