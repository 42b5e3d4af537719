//! EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.
//!
//! - `network` networks, subnets, gateways, routes, addresses
//! - `security` security groups and their rules
//! - `compute` machines, and `launch` how they come to be; `interface` their network interfaces
//! - `images`, `template` launch templates, `placement` placement groups and keys: what machines are started with
//! - `storage` volumes; `facts` zones and what is offered; `tags`

pub(super) mod compute;
#[cfg(test)]
pub(super) mod ground;
pub(super) mod images;
mod interface;
pub(super) mod launch;
mod network;
mod placement;
mod storage;
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
    ],
    behaviours: &[
        network::BEHAVIOURS,
        interface::BEHAVIOURS,
        images::BEHAVIOURS,
        template::BEHAVIOURS,
        compute::BEHAVIOURS,
        storage::BEHAVIOURS,
        placement::BEHAVIOURS,
    ],
};

/// What happens by name.
pub(super) fn happened(world: &mut World, kind: &str, id: &str, name: &str) {
    match kind {
        "network-interface" => interface::settled(world, id),
        "volume" => storage::happened(world, id, name),
        _ => {}
    }
}
