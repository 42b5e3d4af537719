//! Clouds in the same process: `--simulate`.
//!
//! The account lives in a file beside the records of simulated clusters, which are kept apart from the real ones. Time
//! runs faster by a factor, or as fast as there is nothing left to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::provider::Caller;
use clusterctl_core::store::Clock;
use clusterctl_core::transport::Transport;
use clusterctl_simulator::aws;
use clusterctl_simulator::file::FileWorld;
use clusterctl_simulator::transport::Simulation;
use clusterctl_simulator::weather::Weather;
use jiff::{SignedDuration, Timestamp};

use crate::failure::{Failure, Kind};
use crate::operations::View;

/// How fast time runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    Times(f64),
    /// Whenever nothing is under way, to the next thing that happens.
    Max,
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.trim_end_matches('x').parse::<f64>() {
            Ok(times) if (0.1..=10_000.0).contains(&times) => Ok(Self::Times(times)),
            _ => Err("it is no speed; right would be 40, or max".to_owned()),
        }
    }
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}"),
            Self::Max => f.write_str("max"),
        }
    }
}

impl Default for Speed {
    /// Three control-plane nodes and GPUs stand after about three minutes, and then after about 20 seconds.
    fn default() -> Self {
        Self::Times(10.0)
    }
}

/// What `--simulate` asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Simulated {
    pub(crate) speed: Speed,
    /// Where the accounts lie.
    pub(crate) dir: PathBuf,
    /// Of the accounts that are new.
    pub(crate) seed: u64,
}

/// A runtime whose time is the simulated one.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}

/// Moves time on while the runtime lives. Without it time jumps whenever nothing else is to be done.
pub(crate) async fn pace(speed: Speed) {
    const TICK: Duration = Duration::from_millis(20);
    const STEP: Duration = Duration::from_millis(20);
    let Speed::Times(times) = speed else { return std::future::pending().await };
    let mut owed = Duration::ZERO;
    loop {
        // Time stands still while a blocking task runs, and one always does: only `advance` moves it.
        let _ = tokio::task::spawn_blocking(|| std::thread::sleep(TICK)).await;
        owed += TICK.mul_f64(times);
        // In small steps, so that what is due at different times does not happen at once.
        while owed >= STEP {
            tokio::time::advance(STEP).await;
            owed -= STEP;
        }
    }
}

/// The account of a cloud, opened on the runtime that it is used on.
pub(crate) fn open(cloud: &str, simulated: &Simulated) -> Result<Simulation, Failure> {
    let path = simulated.dir.join(format!("{cloud}.json"));
    match cloud {
        "aws" => opened(&path, || aws::account::account(aws::REGION, simulated.seed, Weather::default())),
        other => Err(Failure::usage(format!("{other} cannot be simulated yet")).hint("aws can")),
    }
}

fn opened(path: &Path, new: impl FnOnce() -> clusterctl_simulator::world::World) -> Result<Simulation, Failure> {
    let (world, keep) = FileWorld::open(path, new).map_err(|e| Failure::new(Kind::Store, e))?;
    Ok(Simulation::new(world).kept(Box::new(keep)))
}

/// The key of whoever calls a simulated account. No text may ever have it.
pub(crate) const SECRET: &str = "canary-of-a-caller-key";

/// The way to a simulated account.
pub(crate) fn view(simulation: &Simulation) -> View {
    let seed = simulation.with(|world| world.chance.number("caller"));
    let caller = Caller::Keys { id: "AKIASIMULATED".to_owned(), secret: SECRET.to_owned(), seed };
    let transport: Arc<dyn Transport> = Arc::new(simulation.clone());
    View { transport, caller, region: Some(aws::REGION.to_owned()) }
}

/// The time of day in a world.
#[derive(Debug)]
pub(crate) struct WorldClock(pub(crate) Simulation);

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::from_millis(i64::try_from(self.0.now()).unwrap_or(i64::MAX));
        clusterctl_simulator::world::begin().checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}
