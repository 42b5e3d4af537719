//! The shared latency model, in the words of our kinds.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use clusterctl_core::addr::Addr;
use clusterctl_core::graph::Graph;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

/// How long a creation takes: until its answer, and until the resource is ready.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seconds {
    pub(super) answer: f64,
    pub(super) ready: f64,
}

/// By address.
#[derive(Debug, Clone)]
pub(super) struct Durations(BTreeMap<Addr, Seconds>);

impl Durations {
    pub(super) fn of(&self, addr: &Addr) -> Seconds {
        self.0.get(addr).copied().unwrap_or(Seconds { answer: QUICK, ready: QUICK })
    }
}

/// A call of which the model knows nothing: as long as its quick ones.
const QUICK: f64 = 1.0;

/// By kind: what its answer takes, and what comes on top until it is ready, as entries of the model.
const ENTRIES: &[(&str, Option<&str>, &[&str])] = &[
    ("aws_vpc", Some("aws.CreateVpc"), &["aws.ModifyVpcAttribute"]),
    ("aws_subnet", Some("aws.CreateSubnet"), &[]),
    ("aws_internet_gateway", Some("aws.InternetGateway"), &[]),
    ("aws_route_table", Some("aws.RouteTableOrAssoc"), &[]),
    ("aws_route", Some("aws.RouteTableOrAssoc"), &[]),
    ("aws_route_table_association", Some("aws.RouteTableOrAssoc"), &[]),
    ("aws_security_group", Some("aws.SecurityGroup"), &[]),
    ("aws_vpc_security_group_ingress_rule", Some("aws.SecurityGroupRule"), &[]),
    ("aws_vpc_security_group_egress_rule", Some("aws.SecurityGroupRule"), &[]),
    ("aws_eip", Some("aws.AllocateAddress"), &[]),
    ("aws_nat_gateway", None, &["aws.NatGateway.create"]),
    ("aws_lb", None, &["aws.NLB.create"]),
    ("aws_ebs_volume", None, &["aws.EBS.createAttach"]),
    ("aws_instance", Some("aws.RunInstances.api"), &["aws.Instance.running"]),
    ("aws_autoscaling_group", None, &["aws.RunInstances.api", "aws.Instance.running"]),
    ("aws_iam_instance_profile", None, &["aws.IAM.instanceProfile"]),
    ("aws_route53_zone", None, &["aws.Route53.insync"]),
    ("aws_route53_record", None, &["aws.Route53.insync"]),
];

/// Makes a time of an entry's fields.
type Time<'a> = dyn FnMut(&dyn Fn(&str) -> f64) -> f64 + 'a;

#[derive(Debug)]
pub(super) struct Model(Value);

impl Model {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let model = Self(serde_json::from_str(&text)?);
        for (_, answer, more) in ENTRIES {
            for entry in answer.iter().chain(*more) {
                model.0[*entry]["p50"].as_f64().with_context(|| format!("{entry} in {}", path.display()))?;
            }
        }
        Ok(model)
    }

    /// Every call takes its median.
    pub(super) fn medians(&self, graph: &Graph) -> Durations {
        self.durations(graph, &mut |entry| entry("p50"))
    }

    /// Every call takes a time drawn from its distribution: log-normal between the smallest and the largest.
    pub(super) fn draw(&self, graph: &Graph, seed: u64) -> Durations {
        let mut rng = StdRng::seed_from_u64(seed);
        self.durations(graph, &mut |entry| {
            // Box and Muller: two uniform numbers make a normal one.
            let (a, b): (f64, f64) = (rng.random_range(f64::EPSILON..1.0), rng.random());
            let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
            // 1.645 standard deviations lie between the median and the 95th percentile.
            let sigma = (entry("p95") / entry("p50")).ln() / 1.645;
            (entry("p50") * (sigma * normal).exp()).clamp(entry("min"), entry("max"))
        })
    }

    fn durations(&self, graph: &Graph, time: &mut Time<'_>) -> Durations {
        let mut durations = BTreeMap::new();
        for node in graph.iter() {
            let mut seconds = |name: &str| time(&|field| self.0[name][field].as_f64().unwrap_or(QUICK));
            let row = ENTRIES.iter().find(|(kind, _, _)| *kind == node.addr.kind);
            let answer = row.and_then(|(_, answer, _)| *answer).map_or(QUICK, &mut seconds);
            let more: f64 = row.map_or(0.0, |(_, _, more)| more.iter().map(|name| seconds(name)).sum());
            durations.insert(node.addr.clone(), Seconds { answer, ready: answer + more });
        }
        Durations(durations)
    }
}
