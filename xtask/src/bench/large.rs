//! A cluster of 1,000 machines, made on the simulator on an ordinary day: with token buckets as AWS has them.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{anyhow, ensure};
use clusterctl::rehearsal::bench;
use clusterctl_simulator::weather::Weather;

use super::{Extent, Figure, Part};

const GROUPS: usize = 20;
const MACHINES: usize = 50;
const CONTROL_PLANE: usize = 3;

pub(super) fn figures(extent: Extent) -> Part {
    if extent == Extent::Quick {
        return Ok(Err("it takes a minute".to_owned()));
    }
    let begun = Instant::now();
    let applied = bench::applied(&file(), 1, Weather::default()).map_err(|e| anyhow!(e))?;
    let wall = begun.elapsed().as_secs_f64();
    ensure!(applied.machines == GROUPS * MACHINES + CONTROL_PLANE, "{} machines are there", applied.machines);
    let calls: u64 = applied.calls.values().sum();
    let share = 100.0 * applied.throttled as f64 / calls as f64;
    let mut most: Vec<(&String, &u64)> = applied.calls.iter().collect();
    most.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
    let most: Vec<String> = most.iter().take(3).map(|(action, number)| format!("{number} {action}")).collect();
    let name = format!("{} machines in {GROUPS} groups: apply", GROUPS * MACHINES);
    Ok(Ok(vec![
        Figure::new(format!("{name}, calls"), calls as f64, "calls").beside(most.join(", ")),
        Figure::new(format!("{name}, throttled"), share, "%")
            .at_most(1.0)
            .beside(format!("{} calls", applied.throttled)),
        Figure::new(format!("{name}, simulated"), applied.took.as_secs_f64(), "s").beside(format!("{wall:.0} s wall")),
        Figure::new(format!("{name}, steps of the plan after it"), applied.left as f64, "").at_most(0.0),
    ]))
}

fn file() -> String {
    let mut file = format!(
        "\
apiVersion: clusterctl.dev/v1
kind: Cluster
metadata: {{name: large}}
spec:
  cloud: aws
  region: eu-central-1
  zones: [eu-central-1a, eu-central-1b, eu-central-1c]
  controlPlane: {{count: {CONTROL_PLANE}, machine: {{cpu: 16, memory: 64Gi}}}}
  nodeGroups:
"
    );
    for group in 0..GROUPS {
        let _ = writeln!(file, "  - {{name: g{group:02}, machine: {{cpu: 4, memory: 16Gi}}, count: {MACHINES}}}");
    }
    file
}
