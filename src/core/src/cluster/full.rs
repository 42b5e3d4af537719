//! A cluster as a file again, with every default written out.

use std::collections::BTreeMap;

use super::types::{
    Cluster, ControlPlane, Dns, Egress, ExistingNetwork, Machine, MachineGpu, Network, NodeGroup, ZoneChoice,
};
use crate::spec::words::{ApiVersion, DnsVisibility, Kind, NatGateways, Profile};
use crate::spec::{
    AccessSpec, ApiAccessSpec, AwsGroupOptions, AwsOptions, CloudOptions, ClusterSpec, ControlPlaneSpec,
    CountRangeSpec, CountSpec, DiskSpec, DnsSpec, ExistingNetworkSpec, GpuSpec, GroupOptions, MachineGpuSpec,
    MachineSpec, MachineTypeSpec, Metadata, NetworkSpec, NodeGroupSpec, PlatformSpec, PodsSpec, ServicesSpec, Spec,
    SplitSubnetsSpec, SshAccessSpec, SubnetsSpec, Zones, print,
};

/// What a printed cluster says besides its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comments {
    /// Nothing.
    None,
    /// Beside each default, why it is what it is.
    Defaults,
}

impl Cluster {
    /// The file that says everything about this cluster. It resolves to the same cluster, with no default left.
    pub fn to_spec(&self) -> Spec {
        Spec {
            api_version: ApiVersion::V1,
            kind: Kind::Cluster,
            metadata: Metadata { name: self.name.clone(), labels: filled(&self.labels) },
            spec: ClusterSpec {
                cloud: self.cloud,
                region: self.region.clone(),
                zones: Some(match &self.zones {
                    ZoneChoice::Count(count) => Zones::Count(*count),
                    ZoneChoice::Named(names) => Zones::Named(names.clone()),
                }),
                kubernetes: Some(self.kubernetes),
                network: Some(network(&self.network)),
                access: Some(self.access()),
                dns: Some(dns(&self.dns)),
                control_plane: Some(control_plane(&self.control_plane)),
                node_groups: Some(self.node_groups.iter().map(node_group).collect()),
                platform: Some(PlatformSpec { profile: Some(Profile::None) }),
                ttl: self.ttl,
                deletion_protection: Some(self.deletion_protection),
                options: self.options(),
            },
        }
    }

    /// The same as YAML.
    pub fn to_yaml(&self, comments: Comments) -> String {
        let comments: BTreeMap<String, String> = match comments {
            Comments::None => BTreeMap::new(),
            Comments::Defaults => {
                self.defaults().iter().map(|(path, reason)| (path.clone(), format!("default: {reason}"))).collect()
            }
        };
        print(&self.to_spec(), &comments)
    }

    fn access(&self) -> AccessSpec {
        let access = &self.access;
        AccessSpec {
            api: Some(ApiAccessSpec { visibility: Some(access.api.visibility), from: Some(access.api.from.clone()) }),
            ssh: access.ssh.as_ref().map(|ssh| SshAccessSpec { from: Some(ssh.from.clone()), keys: ssh.keys.clone() }),
            bastion: Some(access.bastion),
        }
    }

    fn options(&self) -> Option<CloudOptions> {
        let aws = &self.options.aws;
        let aws = AwsOptions { ami: aws.ami.clone(), tags: filled(&aws.tags), routes_per_table: aws.routes_per_table };
        (aws != AwsOptions::default()).then_some(CloudOptions { aws: Some(aws) })
    }
}

/// Serialises as the full file.
impl serde::Serialize for Cluster {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_spec().serialize(serializer)
    }
}

fn filled<K: Clone + Ord, V: Clone>(map: &BTreeMap<K, V>) -> Option<BTreeMap<K, V>> {
    (!map.is_empty()).then(|| map.clone())
}

fn network(network: &Network) -> NetworkSpec {
    NetworkSpec {
        cidr: Some(network.cidr),
        topology: Some(network.topology),
        egress: match network.egress {
            Egress::NatPerZone => Some(NatGateways::PerZone),
            Egress::NatShared => Some(NatGateways::Shared),
            Egress::Direct | Egress::Existing => None,
        },
        pods: Some(PodsSpec {
            plugin: Some(network.pods.plugin),
            mode: Some(network.pods.mode),
            cidr: Some(network.pods.cidr),
        }),
        services: Some(ServicesSpec { cidr: Some(network.services) }),
        existing: network.existing.as_ref().map(existing),
        peers: (!network.peers.is_empty()).then(|| network.peers.clone()),
    }
}

fn existing(existing: &ExistingNetwork) -> ExistingNetworkSpec {
    let some = |ids: &Vec<_>| (!ids.is_empty()).then(|| ids.clone());
    ExistingNetworkSpec {
        network: existing.network.clone(),
        subnets: SubnetsSpec::Split(SplitSubnetsSpec {
            private: some(&existing.private_subnets),
            public: some(&existing.public_subnets),
        }),
    }
}

fn dns(dns: &Dns) -> DnsSpec {
    let (visibility, zone) = match dns {
        Dns::None => (DnsVisibility::None, None),
        Dns::Public { zone } => (DnsVisibility::Public, Some(zone.clone())),
        Dns::Private { zone } => (DnsVisibility::Private, Some(zone.clone())),
    };
    DnsSpec { visibility: Some(visibility), zone }
}

fn machine(machine: &Machine) -> MachineSpec {
    let gpu = |gpu: &MachineGpu| MachineGpuSpec { model: gpu.model, count: Some(gpu.count) };
    match machine {
        Machine::Request(request) => MachineSpec {
            cpu: request.cpu,
            memory: request.memory,
            gpu: request.gpu.as_ref().map(gpu),
            arch: Some(request.arch),
            machine_type: None,
        },
        Machine::Type { name, arch, gpu: gpus } => MachineSpec {
            cpu: None,
            memory: None,
            gpu: gpus.as_ref().map(gpu),
            arch: *arch,
            machine_type: Some(MachineTypeSpec::Here(name.clone())),
        },
    }
}

fn control_plane(control_plane: &ControlPlane) -> ControlPlaneSpec {
    ControlPlaneSpec {
        count: Some(control_plane.count),
        machine: Some(machine(&control_plane.machine)),
        disk: Some(DiskSpec { size: control_plane.disk }),
        etcd_disk: Some(DiskSpec { size: control_plane.etcd_disk }),
    }
}

fn node_group(group: &NodeGroup) -> NodeGroupSpec {
    let aws = AwsGroupOptions {
        ami: group.aws.ami.clone(),
        efa: group.aws.efa.then_some(true),
        placement_group: group.aws.placement,
        capacity_reservation: group.aws.reservation.clone(),
    };
    NodeGroupSpec {
        name: group.name.clone(),
        machine: Some(machine(&group.machine)),
        count: Some(CountSpec::Between(CountRangeSpec { min: group.count.min, max: group.count.max })),
        capacity: Some(group.capacity.clone()),
        disk: Some(DiskSpec { size: group.disk }),
        zones: group.zones.clone(),
        gpu: group.gpu.map(|gpu| GpuSpec { driver: Some(gpu.driver), sharing: Some(gpu.sharing) }),
        labels: filled(&group.labels),
        taints: (!group.taints.is_empty()).then(|| group.taints.clone()),
        options: (aws != AwsGroupOptions::default()).then_some(GroupOptions { aws: Some(aws) }),
    }
}
