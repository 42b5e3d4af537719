//! The table of firewall intents: default deny, and each rule with its reason.

use ipnet::Ipv4Net;

use super::types::{Direction, FirewallRule, Peer, Role, Traffic, Visibility};
use crate::cluster::{Access, PodMode, PodPlugin, Pods};

/// The port of the Kubernetes API, on the nodes and on the load balancer.
pub(super) const API_PORT: u16 = 6443;

/// What the table needs to know.
pub(super) struct Facts<'a> {
    pub(super) access: &'a Access,
    pub(super) visibility: Visibility,
    pub(super) pods: &'a Pods,
    /// The network that nodes are in.
    pub(super) network: Ipv4Net,
}

pub(super) fn table(facts: &Facts<'_>) -> Vec<FirewallRule> {
    let mut rules = Vec::new();
    let mut allow = |role: Role, direction, name: &str, peer: Peer, traffic, reason: &str| {
        rules.push(FirewallRule { name: name.into(), role, direction, peer, traffic, reason: reason.into() });
    };
    let api = Traffic::Tcp(API_PORT, API_PORT);
    let node = || Peer::Role(Role::Node);

    for (index, from) in facts.access.api.from.iter().enumerate() {
        let name = format!("api-{index}");
        allow(Role::LoadBalancer, Direction::In, &name, Peer::Net(from.net()), api, "Kubernetes API for users");
    }
    // A node reaches the balancer by its public name from the public side, by its private one from inside.
    match facts.visibility {
        Visibility::Public => {
            allow(Role::LoadBalancer, Direction::In, "api-nodes", Peer::OwnEgress, api, "Kubernetes API for nodes");
        }
        Visibility::Private => {
            allow(Role::LoadBalancer, Direction::In, "api-nodes", node(), api, "Kubernetes API for nodes");
        }
    }
    let cp = || Peer::Role(Role::ControlPlane);
    allow(Role::LoadBalancer, Direction::Out, "api", cp(), api, "Kubernetes API and its health check");

    let balancer = Peer::Role(Role::LoadBalancer);
    allow(Role::ControlPlane, Direction::In, "api-balancer", balancer, api, "Kubernetes API and its health check");
    allow(Role::ControlPlane, Direction::In, "api-nodes", node(), api, "Kubernetes API for pods and kubelets");
    allow(Role::ControlPlane, Direction::In, "etcd", cp(), Traffic::Tcp(2379, 2380), "etcd clients and peers");

    let kubelet = Traffic::Tcp(10250, 10250);
    allow(Role::Node, Direction::In, "kubelet", node(), kubelet, "kubelet for API servers and metrics");
    for (name, traffic, reason) in overlay(facts.pods) {
        allow(Role::Node, Direction::In, name, node(), traffic, reason);
    }
    if facts.pods.mode == PodMode::Routed {
        // A pod's own address is its packets' source: no rule about a group of machines sees them.
        let pods = Peer::Net(facts.pods.cidr.net());
        allow(Role::Node, Direction::In, "pods", pods, Traffic::All, "pods, which the network routes");
    }
    let network = Peer::Net(facts.network);
    let fragmentation = Traffic::Icmp(3, 4);
    allow(Role::Node, Direction::In, "mtu", network, fragmentation, "fragmentation needed, for path MTU discovery");

    let ssh = Traffic::Tcp(22, 22);
    if let Some(access) = &facts.access.ssh {
        let role = if facts.access.bastion { Role::Bastion } else { Role::Node };
        for (index, from) in access.from.iter().enumerate() {
            let name = format!("ssh-{index}");
            allow(role, Direction::In, &name, Peer::Net(from.net()), ssh, "SSH for users");
        }
    }
    if facts.access.bastion {
        allow(Role::Node, Direction::In, "ssh-bastion", Peer::Role(Role::Bastion), ssh, "SSH from the bastion");
        allow(Role::Bastion, Direction::Out, "ssh", node(), ssh, "SSH to nodes");
    }

    let anywhere = Peer::Net(Ipv4Net::default());
    allow(Role::Node, Direction::Out, "all", anywhere, Traffic::All, "images, packages, APIs of the cloud");
    rules
}

/// What the plugin sends between nodes, by its own documentation:
/// <https://docs.cilium.io/en/stable/operations/system_requirements/#firewall-rules>,
/// <https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements#network-requirements>,
/// <https://github.com/flannel-io/flannel/blob/master/Documentation/troubleshooting.md#firewalls>.
fn overlay(pods: &Pods) -> Vec<(&'static str, Traffic, &'static str)> {
    let wrapped = pods.mode == PodMode::Overlay;
    let mut rules = Vec::new();
    match pods.plugin {
        PodPlugin::Cilium => {
            if wrapped {
                rules.push(("vxlan", Traffic::Udp(8472, 8472), "pod traffic in VXLAN"));
            }
            rules.push(("health", Traffic::Tcp(4240, 4240), "cilium health checks"));
            rules.push(("ping", Traffic::Icmp(8, 0), "cilium health checks"));
        }
        PodPlugin::Calico => {
            if wrapped {
                rules.push(("vxlan", Traffic::Udp(4789, 4789), "pod traffic in VXLAN"));
            }
            rules.push(("typha", Traffic::Tcp(5473, 5473), "calico agents to typha"));
        }
        PodPlugin::Flannel => {
            if wrapped {
                rules.push(("vxlan", Traffic::Udp(8472, 8472), "pod traffic in VXLAN"));
            }
        }
    }
    rules
}
