//! Network load balancer, target groups, listeners, targets.

use std::collections::BTreeSet;

use clusterctl_core::graph::{Kind, Order, Ownership, Resource};
use clusterctl_core::value::Input;
use serde::{Deserialize, Serialize};

use super::{
    DnsName, HostedZoneId, IpAddress, ListenerArn, LoadBalancerArn, SecurityGroupId, SubnetId, Tags, TargetGroupArn,
    VpcId, outputs,
};

/// Its name and address are known as soon as it is asked for; it takes minutes to answer.
pub static LB: Kind = Kind {
    sets: &["subnets", "security_groups"],
    forces_new: &["name", "internal", "load_balancer_type"],
    early: &["id", "arn", "dns_name", "zone_id"],
    identity: &["id", "arn"],
    awaited: true,
    seconds: (157.0, 30.0),
    ..Kind::new("aws_lb")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lb {
    pub name: String,
    pub internal: bool,
    pub load_balancer_type: String,
    pub subnets: BTreeSet<Input<SubnetId>>,
    pub security_groups: BTreeSet<Input<SecurityGroupId>>,
    pub tags: Tags,
}

outputs!(LbOut { arn: LoadBalancerArn, dns_name: DnsName, zone_id: HostedZoneId });
impl Resource for Lb {
    const KIND: &'static Kind = &LB;
    type Out = LbOut;
}

/// The name differs with whatever forces a replacement, so that old and new live side by side.
pub static TARGET_GROUP: Kind = Kind {
    forces_new: &["name", "port", "protocol", "target_type", "vpc_id"],
    blocks: &["health_check"],
    identity: &["id", "arn"],
    replace: Order::CreateFirst,
    seconds: (1.0, 1.0),
    ..Kind::new("aws_lb_target_group")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetGroup {
    pub name: String,
    pub port: i32,
    pub protocol: String,
    pub target_type: String,
    pub vpc_id: Input<VpcId>,
    /// `"true"` or `"false"`, as the provider spells it.
    pub preserve_client_ip: String,
    /// Seconds, as the provider spells them.
    pub deregistration_delay: String,
    pub connection_termination: bool,
    /// `"true"`, `"false"` or `"use_load_balancer_configuration"`.
    pub load_balancing_cross_zone_enabled: String,
    pub health_check: HealthCheck,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    pub protocol: String,
    pub port: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matcher: Option<String>,
    /// Seconds.
    pub interval: i32,
    /// Seconds.
    pub timeout: i32,
    pub healthy_threshold: i32,
    pub unhealthy_threshold: i32,
}

outputs!(TargetGroupOut { arn: TargetGroupArn });
impl Resource for TargetGroup {
    const KIND: &'static Kind = &TARGET_GROUP;
    type Out = TargetGroupOut;
}

pub static LISTENER: Kind = Kind {
    forces_new: &["load_balancer_arn"],
    blocks: &["default_action"],
    identity: &["id", "arn"],
    seconds: (1.0, 1.0),
    ..Kind::new("aws_lb_listener")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    pub load_balancer_arn: Input<LoadBalancerArn>,
    pub port: i32,
    pub protocol: String,
    pub default_action: ForwardAction,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForwardAction {
    /// Always `forward`.
    pub r#type: String,
    pub target_group_arn: Input<TargetGroupArn>,
}

outputs!(ListenerOut { arn: ListenerArn });
impl Resource for Listener {
    const KIND: &'static Kind = &LISTENER;
    type Out = ListenerOut;
}

/// A registered address. The first registration of a new load balancer takes as long as its zones take to come up.
pub static TARGET_GROUP_ATTACHMENT: Kind = Kind {
    ownership: Ownership::Child,
    forces_new: &["target_group_arn", "target_id", "port"],
    seconds: (1.0, 1.0),
    ..Kind::new("aws_lb_target_group_attachment")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetGroupAttachment {
    pub target_group_arn: Input<TargetGroupArn>,
    pub target_id: Input<IpAddress>,
    pub port: i32,
}

outputs!(TargetGroupAttachmentOut { target_id: IpAddress });
impl Resource for TargetGroupAttachment {
    const KIND: &'static Kind = &TARGET_GROUP_ATTACHMENT;
    type Out = TargetGroupAttachmentOut;
}
