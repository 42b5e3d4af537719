//! The flags that describe a cluster, and the file they stand for.

use clap::Args;
use clusterctl_core::names::gpu::GpuRequest;
use clusterctl_core::names::{
    Cidr, ClusterName, DnsZone, GroupName, KubernetesVersion, MachineType, RegionName, ResourceId, SshKey, ZoneName,
};
use clusterctl_core::spec::words::{
    ApiVersion, Capacity, Cloud, DnsVisibility, Kind, NatGateways, Topology, Visibility,
};
use clusterctl_core::spec::{
    AccessSpec, ApiAccessSpec, ClusterSpec, ControlPlaneSpec, CountSpec, DnsSpec, ExistingNetworkSpec,
    MachineGpuSpec, MachineSpec, MachineTypeSpec, Metadata, NetworkSpec, NodeGroupSpec, Spec, SshAccessSpec,
    SubnetsSpec, Zones,
};

use super::verbs::Doing;

/// `create cluster NAME`, or `create NAME`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// `cluster`, which may be left out, and the name
    #[arg(value_name = "[cluster] NAME", num_args = 0..=2)]
    pub(crate) words: Vec<String>,
    /// The cluster file, instead of flags
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// Print the cluster file that the flags stand for, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterFlags,
    #[command(flatten)]
    pub(crate) doing: Doing,
}

/// A cluster in flags: the most common fields of the cluster file.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "The cluster")]
pub(crate) struct ClusterFlags {
    /// The cloud; needed where this clusterctl knows several
    #[arg(long, value_parser = cloud)]
    pub(crate) cloud: Option<Cloud>,
    /// The region, otherwise the one that the cloud's own configuration names
    #[arg(long)]
    pub(crate) region: Option<RegionName>,
    /// How many zones, or which, separated by commas
    #[arg(long, value_parser = zones, value_name = "N|NAMES")]
    pub(crate) zones: Option<Zones>,
    /// The Kubernetes version, as in 1.36
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<KubernetesVersion>,
    /// Nodes with private or with public addresses
    #[arg(long, value_parser = topology)]
    pub(crate) topology: Option<Topology>,
    /// NAT gateways: perZone or shared
    #[arg(long, value_parser = nat)]
    pub(crate) egress: Option<NatGateways>,
    /// Addresses of the machines
    #[arg(long, value_name = "CIDR")]
    pub(crate) network_cidr: Option<Cidr>,
    /// An existing network, with --subnets
    #[arg(long, value_name = "ID", requires = "subnets")]
    pub(crate) network: Option<ResourceId>,
    /// The subnets of the existing network
    #[arg(long, value_name = "IDS", value_delimiter = ',', requires = "network")]
    pub(crate) subnets: Vec<ResourceId>,
    /// How many machines run the control plane: 1, 3 or 5
    #[arg(long, value_name = "N")]
    pub(crate) control_plane_count: Option<u8>,
    /// The machine type of the control plane
    #[arg(long, value_name = "TYPE")]
    pub(crate) control_plane_type: Option<MachineType>,
    /// How many workers
    #[arg(long, value_name = "N")]
    pub(crate) node_count: Option<u32>,
    /// The machine type of the workers
    #[arg(long, value_name = "TYPE")]
    pub(crate) node_type: Option<MachineType>,
    /// A group of GPU machines: model and how many in each, as in a10g:1; may be repeated
    #[arg(long, value_name = "MODEL[:N]")]
    pub(crate) gpu: Vec<GpuRequest>,
    /// How many machines each GPU group has
    #[arg(long, value_name = "N", requires = "gpu")]
    pub(crate) gpu_nodes: Option<u32>,
    /// Buy GPU machines as spot, with on-demand after it
    #[arg(long, requires = "gpu")]
    pub(crate) gpu_spot: bool,
    /// Networks that may reach the API from the internet; makes it public
    #[arg(long, value_name = "CIDRS", value_delimiter = ',')]
    pub(crate) api_from: Vec<Cidr>,
    /// A public key that may log in: the key, or a file with it; may be repeated
    #[arg(long, value_name = "KEY|FILE")]
    pub(crate) ssh_key: Vec<String>,
    /// Networks that may log in
    #[arg(long, value_name = "CIDRS", value_delimiter = ',', requires = "ssh_key")]
    pub(crate) ssh_from: Vec<Cidr>,
    /// A small machine that SSH goes through
    #[arg(long, requires = "ssh_key")]
    pub(crate) bastion: bool,
    /// The DNS zone of the cluster's names
    #[arg(long, value_name = "ZONE")]
    pub(crate) dns_zone: Option<DnsZone>,
    /// Whether the DNS zone is public (and exists) or private (and is made)
    #[arg(long, value_parser = dns, value_name = "WHERE", requires = "dns_zone")]
    pub(crate) dns: Option<DnsVisibility>,
}

/// A flag that cannot be made into a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag}: {message}")]
pub(crate) struct FlagError {
    pub(crate) flag: &'static str,
    pub(crate) message: String,
}

impl ClusterFlags {
    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The file that the flags stand for. `read` gives the content of a key file.
    pub(crate) fn spec(
        &self,
        name: ClusterName,
        cloud: Cloud,
        read: &dyn Fn(&str) -> std::io::Result<String>,
    ) -> Result<Spec, FlagError> {
        Ok(Spec {
            api_version: ApiVersion::V1,
            kind: Kind::Cluster,
            metadata: Metadata { name, labels: None },
            spec: ClusterSpec {
                cloud,
                region: self.region.clone(),
                zones: self.zones.clone(),
                kubernetes: self.kubernetes,
                network: self.network(),
                access: self.access(read)?,
                dns: self.dns_zone.clone().map(|zone| DnsSpec {
                    visibility: Some(self.dns.unwrap_or(DnsVisibility::Private)),
                    zone: Some(zone),
                }),
                control_plane: self.control_plane(),
                node_groups: self.node_groups(),
                platform: None,
                ttl: None,
                deletion_protection: None,
                options: None,
            },
        })
    }

    fn network(&self) -> Option<NetworkSpec> {
        let network = NetworkSpec {
            cidr: self.network_cidr,
            topology: self.topology,
            egress: self.egress,
            existing: self.network.clone().map(|network| ExistingNetworkSpec {
                network,
                subnets: SubnetsSpec::Nodes(self.subnets.clone()),
            }),
            ..NetworkSpec::default()
        };
        (network != NetworkSpec::default()).then_some(network)
    }

    fn access(&self, read: &dyn Fn(&str) -> std::io::Result<String>) -> Result<Option<AccessSpec>, FlagError> {
        let mut keys = Vec::new();
        for given in &self.ssh_key {
            keys.extend(ssh_keys(given, read)?);
        }
        let list = |cidrs: &[Cidr]| (!cidrs.is_empty()).then(|| cidrs.to_vec());
        let access = AccessSpec {
            api: list(&self.api_from)
                .map(|from| ApiAccessSpec { visibility: Some(Visibility::Public), from: Some(from) }),
            ssh: (!keys.is_empty()).then(|| SshAccessSpec { from: list(&self.ssh_from), keys }),
            bastion: self.bastion.then_some(true),
        };
        Ok((access != AccessSpec::default()).then_some(access))
    }

    fn control_plane(&self) -> Option<ControlPlaneSpec> {
        let plane = ControlPlaneSpec {
            count: self.control_plane_count,
            machine: self.control_plane_type.clone().map(of_type),
            ..ControlPlaneSpec::default()
        };
        (plane != ControlPlaneSpec::default()).then_some(plane)
    }

    fn node_groups(&self) -> Option<Vec<NodeGroupSpec>> {
        if self.node_count.is_none() && self.node_type.is_none() && self.gpu.is_empty() {
            return None;
        }
        let mut groups = Vec::new();
        if let Ok(name) = "general".parse() {
            groups.push(NodeGroupSpec {
                count: self.node_count.map(CountSpec::Exactly),
                machine: self.node_type.clone().map(of_type),
                ..NodeGroupSpec::named(name)
            });
        }
        for (at, request) in self.gpu.iter().enumerate() {
            // The group is called after what it has; a second one of the same is told apart by its number.
            let twice = self.gpu[..at].iter().any(|other| other.model == request.model);
            let name = if twice { format!("{}-{}", request.model, at + 1) } else { request.model.to_string() };
            let Ok(name) = name.parse::<GroupName>() else { continue };
            groups.push(NodeGroupSpec {
                count: self.gpu_nodes.map(CountSpec::Exactly),
                capacity: self.gpu_spot.then(|| vec![Capacity::Spot, Capacity::OnDemand]),
                machine: Some(MachineSpec {
                    gpu: Some(MachineGpuSpec { model: request.model, count: Some(request.count) }),
                    ..MachineSpec::default()
                }),
                ..NodeGroupSpec::named(name)
            });
        }
        Some(groups)
    }
}

fn of_type(name: MachineType) -> MachineSpec {
    MachineSpec { machine_type: Some(MachineTypeSpec::Here(name)), ..MachineSpec::default() }
}

fn ssh_keys(given: &str, read: &dyn Fn(&str) -> std::io::Result<String>) -> Result<Vec<SshKey>, FlagError> {
    let wrong = |message: String| FlagError { flag: "ssh-key", message };
    if given.contains("PRIVATE KEY") {
        return Err(wrong("this is a private key; the public one is asked for".to_owned()));
    }
    if given.contains(' ') && let Ok(key) = given.parse() {
        return Ok(vec![key]);
    }
    let text = read(given).map_err(|e| wrong(format!("{given} is neither a public key nor a readable file: {e}")))?;
    if text.contains("PRIVATE KEY") {
        return Err(wrong(format!("{given} holds a private key; the public one is asked for, as in {given}.pub")));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<SshKey> = lines
        .map(|line| line.parse().map_err(|e: clusterctl_core::names::Invalid| wrong(format!("{given}: {e}"))))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(wrong(format!("{given} holds no key"))) } else { Ok(keys) }
}

/// A word of one of the file's vocabularies.
fn word<T: Copy>(text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
    all.iter().copied().find(|word| name(*word) == text).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|word| name(*word)).collect();
        format!("right would be one of {}", known.join(", "))
    })
}

fn cloud(text: &str) -> Result<Cloud, String> {
    word(text, Cloud::ALL, Cloud::as_str)
}

fn topology(text: &str) -> Result<Topology, String> {
    word(text, Topology::ALL, Topology::as_str)
}

fn nat(text: &str) -> Result<NatGateways, String> {
    word(text, NatGateways::ALL, NatGateways::as_str)
}

fn dns(text: &str) -> Result<DnsVisibility, String> {
    word(text, &[DnsVisibility::Public, DnsVisibility::Private], DnsVisibility::as_str)
}

fn zones(text: &str) -> Result<Zones, String> {
    if let Ok(count) = text.parse::<u8>() {
        let right = || "right would be a number from 1 to 6, or names".to_owned();
        return if (1..=6).contains(&count) { Ok(Zones::Count(count)) } else { Err(right()) };
    }
    let names: Result<Vec<ZoneName>, _> = text.split(',').map(str::parse).collect();
    names.map(Zones::Named).map_err(|e: clusterctl_core::names::Invalid| format!("{e}; right would be {}", e.right()))
}
