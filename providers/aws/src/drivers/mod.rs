//! (being written)

pub(crate) mod adopt;
pub(crate) mod control_plane;
pub(crate) mod dns;
pub(crate) mod identity;
pub(crate) mod load_balancer;
pub(crate) mod network;
pub(crate) mod node_groups;
pub(crate) mod security;
