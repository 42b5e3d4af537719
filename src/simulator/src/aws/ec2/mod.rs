//! EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.
//!
//! - `network` networks; `subnet` subnets and their addresses; `cidr` ranges
//! - `gateway` internet gateways; `address` elastic addresses; `nat` NAT gateways; `endpoint` VPC endpoints
//! - `route` tables, routes, associations; `security` groups and their rules
//! - `held` network interfaces that services hold in subnets
//! - `compute` machines, images, launch templates, placement groups, keys; `interface` their network interfaces
//! - `storage` volumes; `facts` zones and what is offered; `tags`

mod address;
mod cidr;
#[cfg(test)]
mod desk;
mod endpoint;
pub(super) mod facts;
mod gateway;
pub(super) mod held;
mod nat;
pub(super) mod network;
mod route;
mod security;
mod subnet;
mod tags;

use super::table::{Protocol, Service};
use crate::world::World;

pub(super) static SERVICE: Service = Service {
    name: "ec2",
    namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
    protocol: Protocol::Ec2,
    actions: &[
        network::ACTIONS,
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
        "natgateway" => nat::happened(world, id, name),
        "vpc-endpoint" => endpoint::happened(world, id, name),
        _ => {}
    }
}
