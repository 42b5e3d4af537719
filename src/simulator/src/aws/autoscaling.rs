use super::table::{Protocol, Service};

pub(super) static SERVICE: Service =
    Service { name: "autoscaling", namespace: "", protocol: Protocol::Query, actions: &[], behaviours: &[] };

pub(super) fn happened(_: &mut crate::world::World, _: &str, _: &str) {}

pub(super) fn noticed(_: &mut crate::world::World, _: &str, _: &str) {}
