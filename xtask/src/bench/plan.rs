//! CPU time and memory of planning, by size: of this profile's build, which is slower than a release.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clusterctl_aws::resources::KINDS;
use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Live, Observed};
use clusterctl_core::graph::{Concern, Graph, Node, kind_of};
use clusterctl_core::plan::{check, plan};
use clusterctl_core::value;
use serde_json::{Value, json};

use super::{Figure, Part, peak_mebibytes};

/// From here to there the growth is measured.
const SIZES: [usize; 3] = [100, 1_000, LARGEST];
const LARGEST: usize = 10_000;

pub(super) fn figures() -> Part {
    let mut figures = Vec::new();
    let mut times = Vec::new();
    for size in SIZES {
        let said =
            crate::ground::step(Command::new(std::env::current_exe()?).args(["measure", "plan", &size.to_string()]))?;
        let measured: Value = serde_json::from_str(&said)?;
        let of = |name: &str| measured[name].as_f64().with_context(|| format!("{name} in {said}"));
        let time = Figure::new(format!("plan of {size} resources, CPU"), of("milliseconds")?, "ms");
        times.push(of("milliseconds")?);
        if size == LARGEST {
            let memory = Figure::new(format!("plan of {size} resources, peak memory"), of("mebibytes")?, "MiB");
            figures.extend([time.at_most(100.0), memory.at_most(300.0)]);
        } else {
            figures.push(time);
        }
    }
    let exponent = (times[2] / times[0]).ln() / (SIZES[2] as f64 / SIZES[0] as f64).ln();
    figures.push(Figure::new("growth exponent of the CPU time", exponent, "").at_most(1.1));
    Ok(Ok(figures))
}

/// Plans again and again, and prints the mean CPU time and the peak of the resident memory.
///
/// A process plans once, with nothing of it in the processor's cache. So that small clusters are measured like that too,
/// there are as many of them as make the largest one, and each has its turn.
///
/// The kernel brings its account up to date a few hundred times a second, so that only many plans together can be timed.
#[expect(clippy::print_stdout, reason = "the parent process reads it")]
pub(crate) fn measure(resources: usize) -> Result<bool> {
    let clusters = (0..LARGEST / resources).map(|_| Ok((synthetic(resources)?, observed(resources))));
    let clusters: Vec<(Graph, Observed)> = clusters.collect::<Result<_>>()?;
    let (mut rounds, begun) = (0, cpu_milliseconds()?);
    let spent = loop {
        for (graph, observed) in &clusters {
            let plan = plan(graph, observed, KINDS, &BTreeMap::new())?;
            check(&plan, observed)?;
            let summary = plan.summary();
            ensure!(
                summary.keep > 0 && summary.create > 0 && summary.update > 0,
                "nothing of some kind in {summary:?}"
            );
            rounds += 1;
        }
        let spent = cpu_milliseconds()? - begun;
        if spent >= LONG_ENOUGH {
            break spent;
        }
    };
    println!("{}", json!({ "milliseconds": spent / f64::from(rounds), "mebibytes": peak_mebibytes()? }));
    Ok(true)
}

const LONG_ENOUGH: f64 = 1_000.0;

/// What the kernel says this thread has computed.
fn cpu_milliseconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().context("schedstat")?.parse()?;
    Ok(nanoseconds / 1e6)
}

/// A cluster of that many resources: a network, then machines, each with an interface, a volume and its attachment.
fn synthetic(resources: usize) -> Result<Graph> {
    let mut graph = Graph::new();
    for number in 0..resources {
        let addr = at(number);
        let kind = kind_of(KINDS, &addr.kind).context("a kind of the table")?;
        let args = args(number, &|of, attr| value::output(of, attr));
        graph.insert(Node {
            addr,
            kind,
            concern: Concern::ControlPlane,
            args: args.into(),
            roll: None,
            ladder: Vec::new(),
        })?;
    }
    Ok(graph)
}

/// The same cluster as a cloud has it: one resource in twenty is missing, one in ten differs in a tag.
fn observed(resources: usize) -> Observed {
    let mut observed = Observed::default();
    for number in (0..resources).filter(|number| number % 20 != 19) {
        let mut args = args(number, &|of, attr| Value::String(known(of, attr)));
        if number % 10 == 9 {
            args["tags"]["team"] = json!("renamed by hand");
        }
        let addr = at(number);
        let live = Live { args, ..Live::new(known(&addr, "id")) };
        observed.insert(addr, live);
    }
    observed
}

fn known(of: &Addr, attr: &str) -> String {
    format!("{of}/{attr}")
}

const SUBNETS: usize = 6;

fn at(number: usize) -> Addr {
    let kind = match (number, number % 4) {
        (0, _) => "aws_vpc",
        (1..=SUBNETS, _) => "aws_subnet",
        (_, 0) => "aws_network_interface",
        (_, 1) => "aws_ebs_volume",
        (_, 2) => "aws_instance",
        _ => "aws_volume_attachment",
    };
    Addr::new(kind, &format!("n{number:05}"))
}

/// Arguments of the `number`th resource; what it needs has a smaller number.
fn args(number: usize, output: &dyn Fn(&Addr, &str) -> Value) -> Value {
    let tags = json!({
        "Name": format!("demo-n{number:05}"), "clusterctl.dev/uid": "00112233445566778899aabbccddeeff",
        "clusterctl.dev/cluster": "demo", "kubernetes.io/cluster/demo": "owned", "team": "vision",
    });
    let subnet = || output(&at(1 + number % SUBNETS), "id");
    match at(number).kind.as_str() {
        "aws_vpc" => json!({ "cidr_block": "10.0.0.0/8", "enable_dns_support": true, "tags": tags }),
        "aws_subnet" => {
            json!({ "vpc_id": output(&at(0), "id"), "cidr_block": format!("10.{number}.0.0/16"), "tags": tags })
        }
        "aws_network_interface" => {
            json!({ "subnet_id": subnet(), "description": "node", "source_dest_check": true, "tags": tags })
        }
        "aws_ebs_volume" => {
            json!({ "availability_zone": "a", "size": 20, "type": "gp3", "encrypted": true, "tags": tags })
        }
        "aws_instance" => json!({
            "ami": "ami-0123456789abcdef0", "instance_type": "m7i.xlarge", "subnet_id": subnet(),
            "root_block_device": { "volume_size": 50, "encrypted": true },
            "metadata_options": { "http_tokens": "required", "http_put_response_hop_limit": 1 }, "tags": tags,
        }),
        // The first machine's volume would be a subnet; it then hangs on that, which is all the same to a plan.
        _ => json!({
            "device_name": "/dev/sdf", "volume_id": output(&at(number - 2), "id"),
            "instance_id": output(&at(number - 1), "id"), "tags": tags,
        }),
    }
}
