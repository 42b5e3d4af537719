//! Answers that are lost while lists are behind.
//!
//! Something is made and nobody is told; reads show it only later, for up to a minute and a half, and flap until then.
//! Whatever was made comes to light and is adopted, or is deleted with the rest by a user who gives up; nothing is made
//! twice, and nothing counts as gone because a list lacks it.

use std::collections::BTreeMap;

use clusterctl_simulator::chance::Chance;
use clusterctl_simulator::weather::Weather;

use super::{Extent, Outcome, calm, crowd, scripts, seeds, words};
use crate::failure::Failure;
use crate::rehearsal::faults::Fault;
use crate::rehearsal::oracles;
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::trial::{Hit, Script, Tried, aimed};

/// After these something may be there of which nobody knows.
const LOST: [Fault; 6] = [
    Fault::KillAfter,
    Fault::KillAnswered,
    Fault::ErrorAfter,
    Fault::ResetAfter,
    Fault::SilenceAfter,
    Fault::KillRecorded,
];

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let scripts = scripts(&[Scenario::Create, Scenario::Cycle])?;
    let trials = seeds(extent);
    let tried = crowd::each(&trials, |seed| {
        let script = &scripts[usize::from(seed % 3 == 0)];
        let (hits, weather) = drawn(script, *seed);
        let tried = match seed % 3 {
            0 => abandoned(script, *seed, &hits, &weather),
            _ => script.tried(*seed, &weather, |process| aimed(&hits, process)),
        };
        (script, hits, tried)
    });
    let mut outcome = Outcome::of(trials.len());
    for (seed, (script, hits, tried)) in trials.iter().zip(tried) {
        outcome.count(&tried);
        if let Some(violation) = tried.violation {
            outcome.fail("lag", script.scenario, *seed, &violation, words(&hits));
        }
    }
    Ok(outcome)
}

/// The faults and the lag of a seed: one answer is lost, or one in each of two processes.
fn drawn(script: &Script, seed: u64) -> (Vec<Vec<Hit>>, Weather) {
    let mut chance = Chance::new(seed ^ 0x6c61_6773);
    // Half of them are shorter than a create is looked for.
    let most = if seed.is_multiple_of(2) { 8_000.0 } else { 90_000.0 };
    let lag_max_ms = 2_000 + ((most - 2_000.0) * chance.unit("lag")) as u64;
    let weather = Weather { lag_p50_ms: lag_max_ms / 3, lag_max_ms, flap: 0.5 * chance.unit("flap"), ..calm() };
    let mut pick = |label: &str, of: usize| (chance.number(label) % of.max(1) as u64) as usize;
    // Rules of groups are many and the same: each action is as likely as any other.
    let mut creates: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for seen in script.requests.first().into_iter().flatten().filter(|seen| Fault::Quota.befalls(seen)) {
        creates.entry(seen.action.clone()).or_default().push(seen.occurrence);
    }
    // What has neither a token nor a name of its own can be there twice, an address complete in every part; what has a
    // token must not.
    const BARE: &[&str] = &["ec2:CreateVpc", "ec2:CreateSubnet", "ec2:AllocateAddress", "ec2:CreateInternetGateway"];
    const TOKENED: &[&str] =
        &["ec2:CreateVolume", "ec2:CreateNatGateway", "ec2:RunInstances", "ec2:CreateNetworkInterface"];
    if let Some(few) = [BARE, &["ec2:AllocateAddress"], TOKENED].get(pick("which", 4)) {
        creates.retain(|action, _| few.contains(&action.as_str()));
    }
    let creates: Vec<(String, Vec<u64>)> = creates.into_iter().collect();
    let mut hit = || {
        let (action, occurrences) = &creates[pick("target", creates.len())];
        let occurrence = occurrences[pick("occurrence", occurrences.len())];
        vec![Hit { action: action.clone(), occurrence, fault: LOST[pick("fault", LOST.len())] }]
    };
    let hits = if seed % 3 == 1 { vec![hit(), hit()] } else { vec![hit()] };
    (hits, weather)
}

/// A creation that met trouble, and a user who deletes what there is of it.
fn abandoned(script: &Script, seed: u64, hits: &[Vec<Hit>], weather: &Weather) -> Tried {
    let mut stage = script.stage(seed, weather);
    let mut tried = Tried::default();
    let [create, ..] = script.errands.as_slice() else { return tried };
    let ran = stage.run(create, aimed(hits, 0));
    tried.processes = 2;
    tried.took = ran.took;
    tried.met.push(hits.concat());
    tried.violation = oracles::always(&stage, &ran).and_then(|()| script.done(&mut stage, 1)).err();
    tried
}
