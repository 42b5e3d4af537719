//! The command against moto, on real processes and real HTTP, read by boto3 and never by our own code.
//!
//! - `world` an AWS account of its own for every scenario: moto, decoys, a reader, the command's own folders
//! - `case` a cluster file of tests/cases, made to fit that account, and its edits
//! - `account` what boto3 saw, compared
//! - scenarios: `lifecycle` · `faults` · `kills` · `lock` · `stores` · `callers` · `budgets`
//!
//! What moto gets wrong, and what is therefore not judged here, is written down where it matters: moto's instances do not
//! take over what their launch template says, it ignores client tokens, it knows neither resources nor conditions of IAM
//! policies, and it has no placement groups.

pub(crate) mod account;
pub(crate) mod budgets;
mod callers;
mod case;
mod faults;
mod kills;
mod lifecycle;
mod lock;
pub(crate) mod plan;
mod stores;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Result;

use super::{Options, Sitting, Tally, two_at_a_time};
use crate::ground::Ground;
use account::Shape;
use world::{Latency, World};

/// What all scenarios share.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) ground_root: PathBuf,
    /// Where every scenario gets a folder.
    pub(crate) dir: PathBuf,
    pub(crate) python: PathBuf,
    pub(crate) moto: PathBuf,
    pub(crate) fault_proxy: PathBuf,
    pub(crate) binary: PathBuf,
    pub(crate) seed: u64,
    calm: Mutex<BTreeMap<String, Slot>>,
}

/// Filled by whoever needs it first; the others wait.
type Slot = Arc<OnceLock<Result<Arc<Calm>, String>>>;

/// What an undisturbed life of a case looks like.
#[derive(Debug)]
struct Calm {
    /// What it is made of.
    shape: Shape,
    create_seconds: f64,
    delete_seconds: f64,
    /// Calls in the order in which they were first made.
    create: Vec<String>,
    delete: Vec<String>,
}

impl Rig {
    /// The rig, or why it cannot stand on this machine.
    pub(crate) fn set_up(ground: &Ground, seed: Option<u64>) -> Result<Result<Self, String>> {
        let shared =
            ground.shared("aws/moto_counted.py").and_then(|moto| Ok((moto, ground.shared("aws/fault_proxy.py")?)));
        let (moto, fault_proxy) = match shared {
            Ok(paths) => paths,
            Err(reason) => return Ok(Err(reason)),
        };
        let python = match ground.python()? {
            Ok(python) => python,
            Err(reason) => return Ok(Err(reason)),
        };
        let dir = own_folder(&ground.judge_dir()?.join("aws"))?;
        // A copy, so that a build that goes on elsewhere changes nothing for a judge that sits.
        let binary = dir.join("clusterctl");
        std::fs::copy(ground.binary()?, &binary)?;
        Ok(Ok(Self {
            ground_root: ground.root.clone(),
            dir,
            python,
            moto,
            fault_proxy,
            binary,
            seed: seed.unwrap_or_else(rand::random),
            calm: Mutex::default(),
        }))
    }

    /// The undisturbed life of a case, lived once and for all scenarios.
    fn calm(&self, case: &str) -> Result<Arc<Calm>> {
        let slot = {
            let mut calm = self.calm.lock().unwrap_or_else(PoisonError::into_inner);
            Slot::clone(calm.entry(case.to_owned()).or_default())
        };
        let lived = slot.get_or_init(|| live(self, case).map(Arc::new).map_err(|error| format!("{error:#}")));
        lived.clone().map_err(|error| anyhow::anyhow!("an undisturbed life of {case} failed: {error}"))
    }
}

/// A folder for this process; those of processes that ended are removed.
fn own_folder(all: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(all)?;
    for entry in std::fs::read_dir(all)? {
        let folder = entry?.path();
        let ended = folder.file_name().is_none_or(|pid| !Path::new("/proc").join(pid).exists());
        if ended && folder.is_dir() {
            std::fs::remove_dir_all(folder)?;
        }
    }
    let own = all.join(std::process::id().to_string());
    std::fs::create_dir_all(&own)?;
    Ok(own)
}

fn live(rig: &Rig, name: &str) -> Result<Calm> {
    let mut world = World::start(rig, &format!("calm-{name}"), Latency::SHORT)?;
    let case = world.case(name)?;
    world.add_decoys(&case)?;
    let before = world.account.read()?;
    world.forget_calls()?;
    let created = world.apply(&case)?;
    let create = world.calls_in_order()?;
    let shape = world.account.read()?.since(&before);
    world.forget_calls()?;
    let deleted = world.delete(&case)?;
    let delete = world.calls_in_order()?;
    world.unchanged_since(&before)?;
    Ok(Calm { shape, create_seconds: created.seconds, delete_seconds: deleted.seconds, create, delete })
}

type Scenario = Box<dyn Fn(&Rig) -> Result<String> + Sync>;

pub(super) fn run(ground: &Ground, options: &Options) -> Sitting {
    let rig = match Rig::set_up(ground, options.seed)? {
        Ok(rig) => rig,
        Err(reason) => return Ok(Err(reason)),
    };
    super::say(&format!("seed {}", rig.seed));
    let mut scenarios: Vec<(String, Scenario)> = Vec::new();
    // The long ones first, so that two workers end at about the same time.
    budgets::scenarios(&mut scenarios);
    callers::scenarios(&mut scenarios);
    kills::scenarios(&mut scenarios, options.extent);
    faults::scenarios(&mut scenarios);
    lifecycle::scenarios(&mut scenarios);
    lock::scenarios(&mut scenarios);
    stores::scenarios(&mut scenarios);
    scenarios.retain(|(name, _)| options.wants(name));
    let tally = Tally::default();
    two_at_a_time(&scenarios, |(name, scenario)| tally.case(name, || scenario(&rig)));
    Ok(Ok(tally))
}
