use super::table::{Protocol, Service};

pub(super) static SERVICE: Service =
    Service { name: "elasticloadbalancing", namespace: "", protocol: Protocol::Query, actions: &[], behaviours: &[] };

pub(super) fn happened(_: &mut crate::world::World, _: &str, _: &str, _: &str) {}

/// Whether a network load balancer of that VPC is active and has a healthy target.
pub(super) fn serves(_: &crate::world::World, _: &str) -> bool {
    false
}
