//! The empty plans of 1,000 clusters in one process.
//!
//! The clusters stand on the simulator, five in an account, and each is planned as `clusterctl plan NAME` plans it: its
//! record from the store, a connection of its own, everything observed by the drivers, and a plan that is empty. An
//! account for each core, copies of one, is there at a time. Making the first is not part of the time; the work of the
//! simulator is, as a cloud's is not.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use clusterctl::rehearsal::bench::Fleet;
use serde_json::{Value, json};

use super::{Extent, Figure, HA_GPU, Part, peak_mebibytes};

const CLUSTERS: usize = 1_000;
const EACH: usize = 5;

pub(super) fn figures(extent: Extent) -> Part {
    if extent == Extent::Quick {
        return Ok(Err("it takes a minute".to_owned()));
    }
    let args = ["measure", "fleet", &CLUSTERS.to_string()];
    let said = crate::ground::step(Command::new(std::env::current_exe()?).args(args))?;
    let measured: Value = serde_json::from_str(&said)?;
    let of = |name: &str| measured[name].as_f64().with_context(|| format!("{name} in {said}"));
    let name = format!("{CLUSTERS} clusters, each {} resources: empty plans", of("resources")?);
    Ok(Ok(vec![
        Figure::new(format!("{name}, wall"), of("seconds")?, "s").at_most(60.0).beside(format!(
            "{:.1} s of CPU, {} calls each",
            of("computed")?,
            of("calls")?
        )),
        // 500 MB.
        Figure::new(format!("{name}, peak memory"), of("mebibytes")?, "MiB")
            .at_most(476.0)
            .beside(format!("{:.0} MiB before the first plan", of("before")?)),
    ]))
}

/// Plans each once, and prints how long that took and the peak of the resident memory.
#[expect(clippy::print_stdout, reason = "the parent process reads it")]
pub(super) fn measure(clusters: usize) -> Result<bool> {
    let fleet = Fleet::standing(HA_GPU, EACH).map_err(|e| anyhow!(e))?;
    let before = peak_mebibytes()?;
    let (begun, computed) = (Instant::now(), cpu_seconds()?);
    let planned = fleet.plan(clusters / EACH).map_err(|e| anyhow!(e))?;
    let (seconds, computed) = (begun.elapsed().as_secs_f64(), cpu_seconds()? - computed);
    ensure!(planned.clusters == clusters, "{} clusters were planned", planned.clusters);
    ensure!(planned.empty == clusters, "{} plans are not empty", clusters - planned.empty);
    let each = |all: f64| all / clusters as f64;
    println!(
        "{}",
        json!({
            "seconds": seconds, "computed": computed, "mebibytes": peak_mebibytes()?, "before": before,
            "calls": each(planned.calls as f64), "resources": each(planned.resources as f64),
        })
    );
    Ok(true)
}

/// What all threads of this process have computed.
fn cpu_seconds() -> Result<f64> {
    // The second field is the name, in brackets, and may hold spaces.
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(')').context("stat")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    // The kernel tells programs hundredths of a second, whatever it counts by itself.
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
