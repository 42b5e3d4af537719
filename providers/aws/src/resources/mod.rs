//! AWS resources as data, in the vocabulary of `hashicorp/aws` 6.x, one file per concern.
//!
//! Only what we set is here; what AWS decides is not managed. Each kind's table entry stands beside its struct: what
//! forces a replacement follows the provider's documentation of that resource
//! (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs>), durations follow measured Terraform logs.
//!
//! `network` · `security` · `load_balancer` · `control_plane` · `node_groups` · `identity` · `dns`

pub mod control_plane;
pub mod dns;
pub mod identity;
pub mod load_balancer;
pub mod network;
pub mod node_groups;
pub mod security;

use std::collections::BTreeMap;

use clusterctl_core::graph::Kind;
use clusterctl_core::value::Text;
use serde::{Deserialize, Serialize};

/// A tag's value: known, or the digest of a text with outputs in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TagValue {
    Plain(String),
    Text(Text),
}

impl From<String> for TagValue {
    fn from(value: String) -> Self {
        Self::Plain(value)
    }
}

impl From<&str> for TagValue {
    fn from(value: &str) -> Self {
        Self::Plain(value.to_owned())
    }
}

/// Tags by key. Keys that are not mentioned here are not managed: others may tag what is ours.
pub type Tags = BTreeMap<String, TagValue>;

/// Declares the typed outputs of a kind and how they are named.
macro_rules! outputs {
    ($(#[$doc:meta])* $out:ident { $($field:ident: $marker:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $out {
            pub addr: clusterctl_core::addr::Addr,
            $(pub $field: clusterctl_core::value::Input<$marker>,)*
        }

        impl From<clusterctl_core::addr::Addr> for $out {
            fn from(addr: clusterctl_core::addr::Addr) -> Self {
                Self { $($field: clusterctl_core::value::Input::output(&addr, stringify!($field)),)* addr }
            }
        }
    };
}
use outputs;

/// Declares what an id is an id of. The types have no values.
macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $($(#[$doc])* #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub enum $name {})*
    };
}

markers! {
    VpcId, SubnetId, InternetGatewayId, AllocationId, NatGatewayId, RouteTableId, VpcEndpointId,
    SecurityGroupId, SecurityGroupRuleId, LoadBalancerArn, TargetGroupArn, ListenerArn, DnsName,
    HostedZoneId, NetworkInterfaceId, VolumeId, InstanceId, ImageId, LaunchTemplateId, GroupName, RoleName, RoleArn,
    ProfileName, KeyName, IpAddress, PlacementGroupName, CapacityReservationId, Other,
}

/// Every kind, for plan, engine and export.
pub const KINDS: &[&Kind] = &[
    &network::VPC,
    &network::SUBNET,
    &network::INTERNET_GATEWAY,
    &network::EIP,
    &network::NAT_GATEWAY,
    &network::ROUTE_TABLE,
    &network::ROUTE,
    &network::ROUTE_TABLE_ASSOCIATION,
    &network::VPC_ENDPOINT,
    &security::SECURITY_GROUP,
    &security::INGRESS_RULE,
    &security::EGRESS_RULE,
    &load_balancer::LB,
    &load_balancer::TARGET_GROUP,
    &load_balancer::LISTENER,
    &load_balancer::TARGET_GROUP_ATTACHMENT,
    &control_plane::NETWORK_INTERFACE,
    &control_plane::EBS_VOLUME,
    &control_plane::INSTANCE,
    &control_plane::VOLUME_ATTACHMENT,
    &node_groups::PLACEMENT_GROUP,
    &node_groups::LAUNCH_TEMPLATE,
    &node_groups::AUTOSCALING_GROUP,
    &identity::ROLE,
    &identity::ROLE_POLICY,
    &identity::INSTANCE_PROFILE,
    &identity::KEY_PAIR,
    &dns::ZONE,
    &dns::RECORD,
];

/// Looked up and never managed; only an export without an account has these.
pub static LOOKUPS: &[&Kind] = &[&node_groups::IMAGE, &dns::ZONE_LOOKUP];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_in_the_table_once_and_names_a_terraform_type() {
        let mut names: Vec<&str> = KINDS.iter().chain(LOOKUPS).map(|k| k.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(names.iter().all(|n| n.starts_with("aws_") || n.starts_with("data.aws_")));
    }
}
