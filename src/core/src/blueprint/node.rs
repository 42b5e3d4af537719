//! What each machine's script is told.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::firewall::API_PORT;
use crate::bootstrap::{
    Architecture, AwsFacts, CloudFacts, CloudProvider, DataDisk, EtcdDisk, GpuDriver, Mirrors, Networking, NodeConfig,
    Role, Taint, TaintEffect,
};
use crate::choices::Chosen;
use crate::cluster::{Cluster, NodeGroup, PodMode};
use crate::names;
use crate::spec::words;

/// What all machines of a cluster have in common.
pub(super) struct Common<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) uid: &'a str,
    pub(super) kubernetes: &'a str,
    pub(super) region: &'a str,
    /// The subnets of the nodes.
    pub(super) nodes: Vec<Ipv4Net>,
    /// Bytes that fit a packet of the cloud's network.
    pub(super) mtu: u16,
}

/// What VXLAN takes of every packet: outer Ethernet, IP, UDP and its own header (RFC 7348).
const VXLAN: u16 = 50;

impl Common<'_> {
    fn config(&self, role: Role, machine: &Chosen) -> NodeConfig {
        let network = &self.cluster.network;
        let wrapped = if network.pods.mode == PodMode::Overlay { VXLAN } else { 0 };
        NodeConfig {
            role,
            cluster: self.cluster.name.to_string(),
            uid: self.uid.to_owned(),
            kubernetes: self.kubernetes.to_owned(),
            networking: Networking {
                api_port: API_PORT,
                pods: network.pods.cidr.net(),
                services: network.services.net(),
                nodes: self.nodes.clone(),
                plugin: network.pods.plugin.to_string(),
                mtu: self.mtu - wrapped,
            },
            mirrors: Mirrors::default(),
            architecture: if machine.arch == "arm64" { Architecture::Arm64 } else { Architecture::Amd64 },
            checksums: BTreeMap::new(),
            data_disk: if machine.instance_store { DataDisk::InstanceStore } else { DataDisk::Block },
            labels: BTreeMap::new(),
            taints: Vec::new(),
            gpu: None,
            cloud_provider: CloudProvider::None,
            cloud: CloudFacts::Aws(AwsFacts { region: self.region.to_owned(), ssm_endpoint: None, kms_key: None }),
        }
    }

    pub(super) fn control_plane(&self, machine: &Chosen) -> NodeConfig {
        let config = self.config(Role::ControlPlane { etcd: EtcdDisk::Volume }, machine);
        NodeConfig { data_disk: DataDisk::Root, ..config }
    }

    pub(super) fn worker(&self, group: &NodeGroup, machine: &Chosen) -> NodeConfig {
        let mut config = self.config(Role::Worker, machine);
        config.labels = group.labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        config.labels.insert(GROUP_LABEL.to_owned(), group.name.to_string());
        config.taints = group.taints.iter().map(taint).collect();
        config.gpu = group.gpu.map(|gpu| match gpu.driver {
            words::GpuDriver::Baked => GpuDriver::Baked,
            words::GpuDriver::Operator => GpuDriver::Operator,
        });
        config
    }
}

/// The label that tells a node's group.
pub const GROUP_LABEL: &str = "clusterctl.dev/node-group";

fn taint(taint: &names::Taint) -> Taint {
    Taint {
        key: taint.key.to_string(),
        value: taint.value.to_string(),
        effect: match taint.effect {
            names::TaintEffect::NoSchedule => TaintEffect::NoSchedule,
            names::TaintEffect::PreferNoSchedule => TaintEffect::PreferNoSchedule,
            names::TaintEffect::NoExecute => TaintEffect::NoExecute,
        },
    }
}
