//! EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.
//!
//! - `network` networks; `subnet` subnets; `free` their addresses that nobody has; `cidr` ranges
//! - `gateway` internet gateways; `address` elastic addresses; `nat` NAT gateways; `endpoint` VPC endpoints
//! - `route` tables, routes, associations; `security` groups and their rules
//! - `held` network interfaces that services hold in subnets; `interface` those of machines
//! - `compute` machines, and `launch` how they come to be; `storage` volumes
//! - `images`, `template` launch templates, `placement` placement groups and keys: what machines are started with
//! - `facts` zones and what is offered; `tags`

mod address;
mod cidr;
pub(super) mod compute;
#[cfg(test)]
mod desk;
mod endpoint;
pub(super) mod facts;
pub(super) mod free;
mod gateway;
#[cfg(test)]
pub(super) mod ground;
pub(super) mod held;
pub(super) mod images;
mod interface;
pub(super) mod launch;
mod nat;
pub(super) mod network;
mod placement;
mod route;
mod security;
mod storage;
mod subnet;
mod tags;
pub(super) mod template;

use super::table::{Protocol, Service};
use crate::world::World;

pub(super) static SERVICE: Service = Service {
    name: "ec2",
    namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
    protocol: Protocol::Ec2,
    actions: &[
        network::ACTIONS,
        interface::ACTIONS,
        images::ACTIONS,
        template::ACTIONS,
        compute::ACTIONS,
        storage::ACTIONS,
        placement::ACTIONS,
        subnet::ACTIONS,
        gateway::ACTIONS,
        address::ACTIONS,
        nat::ACTIONS,
        endpoint::ACTIONS,
        route::ACTIONS,
        security::ACTIONS,
        tags::ACTIONS,
        facts::ACTIONS,
    ],
    behaviours: &[
        network::BEHAVIOURS,
        interface::BEHAVIOURS,
        images::BEHAVIOURS,
        template::BEHAVIOURS,
        compute::BEHAVIOURS,
        storage::BEHAVIOURS,
        placement::BEHAVIOURS,
        subnet::BEHAVIOURS,
        gateway::BEHAVIOURS,
        address::BEHAVIOURS,
        nat::BEHAVIOURS,
        endpoint::BEHAVIOURS,
        route::BEHAVIOURS,
        route::association::BEHAVIOURS,
        route::entry::BEHAVIOURS,
        security::BEHAVIOURS,
        security::rule::BEHAVIOURS,
        tags::BEHAVIOURS,
        facts::BEHAVIOURS,
    ],
};

/// What happens by name.
pub(super) fn happened(world: &mut World, kind: &str, id: &str, name: &str) {
    match kind {
        "network-interface" => interface::settled(world, id),
        "volume" => storage::happened(world, id, name),
        "natgateway" => nat::happened(world, id, name),
        "vpc-endpoint" => endpoint::happened(world, id, name),
        _ => {}
    }
}
