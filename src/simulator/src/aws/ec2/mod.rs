//! EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>.
//!
//! - `network` networks, subnets, gateways, routes, addresses
//! - `security` security groups and their rules
//! - `compute` machines, images, launch templates, placement groups, keys; `interface` their network interfaces
//! - `storage` volumes; `facts` zones and what is offered; `tags`

mod network;

use super::table::{Protocol, Service};
use crate::world::World;

pub(super) static SERVICE: Service = Service {
    name: "ec2",
    namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
    protocol: Protocol::Ec2,
    actions: &[network::ACTIONS],
    behaviours: &[network::BEHAVIOURS],
};

/// What happens by name.
pub(super) fn happened(world: &mut World, kind: &str, id: &str, name: &str) {
    let _ = (world, kind, id, name);
}
