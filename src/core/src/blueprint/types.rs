//! What a blueprint consists of: plain data.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::bootstrap::NodeConfig;

/// Every decision about a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    pub cluster: String,
    pub region: String,
    /// The user's labels and extra tags, for everything.
    pub tags: BTreeMap<String, String>,
    pub network: Network,
    pub firewall: Vec<FirewallRule>,
    pub api: Api,
    pub identities: Vec<Identity>,
    pub dns: Option<Dns>,
    pub control_plane: Vec<ControlPlaneNode>,
    pub groups: Vec<Group>,
    pub bastion: Option<Bastion>,
    /// Keys of whoever may log in; the first is also the cloud's own key pair.
    pub ssh_keys: Vec<String>,
    /// Images by architecture; a missing one is looked up.
    pub images: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Network {
    Own(OwnNetwork),
    /// The user's; nothing of it is ours.
    Existing {
        id: String,
        nodes: Vec<Subnet>,
        public: Vec<Subnet>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct OwnNetwork {
    pub cidr: Ipv4Net,
    /// Where nodes are, one in each zone.
    pub nodes: Vec<ZoneSubnet>,
    /// Where what faces the internet is, one in each zone; empty when the nodes' own subnets face it.
    pub public: Vec<ZoneSubnet>,
    pub egress: Egress,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSubnet {
    pub zone: String,
    pub cidr: Ipv4Net,
}

/// A subnet that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    pub id: String,
    pub zone: String,
    pub cidr: Ipv4Net,
}

/// How nodes reach the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Egress {
    NatPerZone,
    NatShared,
    /// By public addresses of their own.
    Direct,
}

/// Whom a firewall rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Every machine of the cluster.
    Node,
    ControlPlane,
    LoadBalancer,
    Bastion,
}

impl Role {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::ControlPlane => "control-plane",
            Self::LoadBalancer => "load-balancer",
            Self::Bastion => "bastion",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    Role(Role),
    Net(Ipv4Net),
    /// The addresses by which the cluster's own nodes reach the internet.
    OwnEgress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    All,
    Tcp(u16, u16),
    Udp(u16, u16),
    /// Type and code.
    Icmp(u8, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    In,
    Out,
}

/// One thing that is let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirewallRule {
    /// Unique among the rules of a role and direction.
    pub name: String,
    pub role: Role,
    pub direction: Direction,
    pub peer: Peer,
    pub traffic: Traffic,
    /// Why; it becomes the rule's description.
    pub reason: String,
}

/// The way to the Kubernetes API.
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    pub visibility: Visibility,
    pub port: u16,
    pub health: Health,
    /// Seconds that connections get to end when a node is taken out.
    pub draining: u32,
    pub source: SourceAddress,
}

/// Whether a node behind a load balancer sees the client's address or the balancer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceAddress {
    /// A node must be able to reach itself through it.
    Balancer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    Private,
    Public,
}

/// An HTTPS check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub path: String,
    /// Seconds between checks.
    pub interval: u32,
    /// Seconds until a check has failed.
    pub timeout: u32,
    pub healthy_after: u32,
    pub unhealthy_after: u32,
}

/// Who a machine is to the cloud, and what it may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub role: IdentityRole,
    pub may: Vec<Permission>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdentityRole {
    ControlPlane,
    Worker,
}

impl IdentityRole {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Read, create and replace everything in the cluster's folder of the secret store.
    KeepSecrets,
    /// Read what a node needs to join, and nothing else.
    ReadJoinMaterial,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    pub visibility: Visibility,
    pub zone: String,
    /// The user's zone, where it is known.
    pub zone_id: Option<String>,
    /// The full name of the API.
    pub api: String,
}

/// A fixed address, a disk for etcd, and a replaceable machine.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlPlaneNode {
    /// `control-plane-0`.
    pub name: String,
    pub zone: String,
    /// In a network of our own; otherwise the cloud picks one that is free, once.
    pub address: Option<Ipv4Addr>,
    /// The addresses of its pods, where the network routes them itself.
    pub pods: Option<Ipv4Net>,
    pub machine: Machine,
    /// GiB.
    pub etcd_disk: u32,
    pub config: NodeConfig,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    pub r#type: String,
    pub arch: String,
    /// The disk that the image is on, GiB.
    pub root_disk: u32,
    /// The empty disk that images and containers live on, GiB; none where the machine has one inside.
    pub data_disk: Option<u32>,
    /// An image of its own.
    pub image: Option<String>,
    /// Whether it gets a public address.
    pub address: Visibility,
}

/// A group of equal machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub name: String,
    pub machine: Machine,
    /// Further types, in order of preference.
    pub alternatives: Vec<String>,
    pub zones: Vec<String>,
    pub min: u32,
    pub max: u32,
    /// From the first rung to the last.
    pub ladder: Vec<Market>,
    /// The rung that is in use.
    pub rung: usize,
    pub config: NodeConfig,
    /// CPUs, memory and GPUs of a node, for scaling from zero.
    pub size: Size,
    pub placement: Option<Placement>,
    pub efa: Efa,
    pub reservation: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    pub cpu: u32,
    pub memory_mib: u64,
    pub gpu: Option<(String, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Market {
    Spot,
    OnDemand,
}

impl Market {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::OnDemand => "on-demand",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    Cluster,
    Partition,
    Spread,
}

/// Whether machines get an adapter that bypasses the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Efa {
    No,
    Yes,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Bastion {
    pub machine: Machine,
    pub zone: String,
}
