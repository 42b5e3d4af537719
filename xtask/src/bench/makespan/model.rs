//! The latencies of the simulator, in the words of our kinds.

use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::graph::{Graph, Node};
use clusterctl_simulator::chance::Chance;
use clusterctl_simulator::latency::{self, Latency, WRITE};

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
        self.0.get(addr).copied().unwrap_or(Seconds { answer: WRITE.p50, ready: WRITE.p50 })
    }
}

/// By kind: what its answer takes, and what comes on top until it is ready, as figures of the simulator. A kind that is
/// not here, and one without a figure for its answer, is answered as any change is.
const FIGURES: &[(&str, Option<&str>, &[&str])] = &[
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
    ("aws_vpc_endpoint", None, &["aws.VpcEndpoint.gateway"]),
    ("aws_lb", None, &["aws.NLB.create"]),
    ("aws_ebs_volume", None, &["aws.EBS.createAttach"]),
    ("aws_instance", Some("aws.RunInstances.api"), &["aws.Instance.running"]),
    ("aws_autoscaling_group", None, &["aws.RunInstances.api", "aws.Instance.running"]),
    ("aws_iam_instance_profile", None, &["aws.IAM.instanceProfile"]),
    ("aws_route53_zone", None, &["aws.Route53.insync"]),
    ("aws_route53_record", None, &["aws.Route53.insync"]),
];

/// The same for groups of machines with GPUs.
const GPU_GROUP: &[&str] = &["aws.RunInstances.api", "aws.Instance.gpuRunning"];

/// Every call takes its median.
pub(super) fn medians(graph: &Graph) -> Durations {
    durations(graph, &mut |latency, _| latency.p50)
}

/// Every call takes a time drawn from its distribution.
pub(super) fn draw(graph: &Graph, seed: u64) -> Durations {
    let mut chance = Chance::new(seed);
    durations(graph, &mut |latency, label| latency.draw(&mut chance, label) as f64 / 1000.0)
}

fn durations(graph: &Graph, time: &mut dyn FnMut(Latency, &str) -> f64) -> Durations {
    let mut durations = BTreeMap::new();
    for node in graph.iter() {
        let mut seconds = |name: &str| {
            // A label for each, so that one more resource changes nothing for the others.
            time(latency::of(name).unwrap_or(WRITE), &format!("{}/{name}", node.addr))
        };
        let row = FIGURES.iter().find(|(kind, _, _)| *kind == node.addr.kind);
        let answer = seconds(row.and_then(|(_, answer, _)| *answer).unwrap_or("a change"));
        let more = if has_gpus(node) { GPU_GROUP } else { row.map_or(&[][..], |(_, _, more)| *more) };
        let more: f64 = more.iter().map(|name| seconds(name)).sum();
        durations.insert(node.addr.clone(), Seconds { answer, ready: answer + more });
    }
    Durations(durations)
}

/// Whether it is a group whose machines have GPUs: families `p` and `g`.
fn has_gpus(node: &Node) -> bool {
    let types = &node.args["mixed_instances_policy"]["launch_template"]["override"];
    types[0]["instance_type"].as_str().is_some_and(|machine| machine.starts_with(['p', 'g']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_one_of_the_simulator() {
        let names = FIGURES.iter().flat_map(|(_, answer, more)| answer.iter().chain(*more)).chain(GPU_GROUP);
        let missing: Vec<&&str> = names.filter(|name| latency::of(name).is_none()).collect();
        assert_eq!(missing, Vec::<&&str>::new());
    }
}
