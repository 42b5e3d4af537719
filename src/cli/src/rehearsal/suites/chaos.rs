//! Many faults at once, and a cloud that lags: by seed.

use clusterctl_simulator::chance::Chance;
use clusterctl_simulator::weather::Weather;

use super::{Extent, Outcome, Words, crowd, scripts, seeds, smaller, words};
use crate::failure::Failure;
use crate::rehearsal::faults::{Fault, Mischief};
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::trial::{Script, Tried};

/// How bad it is.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    /// How many requests out of one meet a fault.
    pub(crate) rate: f64,
    pub(crate) weather: Weather,
}

/// Faults strike the first processes only: whoever runs the same command again finds a cloud that works in the end.
const PROCESSES: u64 = 6;

pub(crate) fn run(extent: Extent) -> Result<Outcome, Failure> {
    let scripts = scripts(&Scenario::ALL)?;
    let trials = seeds(extent);
    let tried = crowd::each(&trials, |seed| {
        let script = &scripts[(seed % scripts.len() as u64) as usize];
        let day = Day::of(*seed);
        (script, trial(script, *seed, &day), day)
    });
    let mut outcome = Outcome::of(trials.len());
    for (seed, (script, tried, day)) in trials.iter().zip(tried) {
        outcome.count(&tried);
        if let Some(violation) = tried.violation {
            let small = match extent.words {
                Words::Fewest => smaller::hits(script, *seed, &day.weather, tried.met),
                Words::AsFound => tried.met,
            };
            outcome.fail("chaos", script.scenario, *seed, &violation, words(&small));
        }
    }
    Ok(outcome)
}

impl Day {
    /// One to thirty percent faults, and a lag of up to three minutes.
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x6461_7973);
        let rate = 0.01 + 0.29 * chance.unit("rate").powi(2);
        let lag_max_ms = (180_000.0 * chance.unit("lag").powi(2)) as u64;
        let weather = Weather {
            lag_p50_ms: lag_max_ms / 6,
            lag_max_ms,
            flap: 0.5 * chance.unit("flap"),
            throttle: chance.happens("throttle", 0.5),
            haste: 20.0_f64.powf(chance.unit("haste")),
            ..Weather::default()
        };
        Self { rate, weather }
    }
}

/// One scenario on such a day.
pub(crate) fn trial(script: &Script, seed: u64, day: &Day) -> Tried {
    script.tried(seed, &day.weather, |process| {
        let rate = if process < PROCESSES { day.rate } else { 0.0 };
        let mut chance = Chance::new(seed.wrapping_add(process.wrapping_mul(7919)));
        Mischief::new(move |seen| {
            // By the request, not by its turn, so that one fault less does not move all the others.
            let label = format!("{}#{}", seen.action, seen.occurrence);
            if !chance.happens(&label, rate) {
                return None;
            }
            let possible: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.befalls(seen)).collect();
            possible.get((chance.number(&label) % possible.len().max(1) as u64) as usize).copied()
        })
    })
}
