//! Security groups, with one resource per rule.

use clusterctl_core::graph::{Kind, Resource};
use clusterctl_core::value::Input;
use serde::{Deserialize, Serialize};

use super::{SecurityGroupId, SecurityGroupRuleId, Tags, VpcId, outputs};

pub static SECURITY_GROUP: Kind = Kind {
    forces_new: &["name", "description", "vpc_id"],
    implied: &["default_egress"],
    seconds: (2.0, 2.0),
    ..Kind::new("aws_security_group")
};

/// A security group without any rule of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub name: String,
    pub description: String,
    pub vpc_id: Input<VpcId>,
    /// Whether it still has the rule that lets everything out, with which AWS makes every group. Never wanted: the
    /// Terraform provider revokes it too.
    pub default_egress: bool,
    pub tags: Tags,
}

outputs!(SecurityGroupOut { id: SecurityGroupId });
impl Resource for SecurityGroup {
    const KIND: &'static Kind = &SECURITY_GROUP;
    type Out = SecurityGroupOut;
}

const RULE: Kind = Kind { forces_new: &["security_group_id"], seconds: (1.5, 1.0), ..Kind::new("") };
pub static INGRESS_RULE: Kind = Kind { name: "aws_vpc_security_group_ingress_rule", ..RULE };
pub static EGRESS_RULE: Kind = Kind { name: "aws_vpc_security_group_egress_rule", ..RULE };

/// What a rule lets through; exactly one of the two peers is set.
///
/// `ip_protocol` is `tcp`, `udp`, `icmp` or `-1` for everything, and then without ports.
/// For `icmp`, `from_port` is the type and `to_port` the code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub security_group_id: Input<SecurityGroupId>,
    pub ip_protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_ipv4: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referenced_security_group_id: Option<Input<SecurityGroupId>>,
    pub description: String,
    pub tags: Tags,
}

outputs!(RuleOut { id: SecurityGroupRuleId });

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IngressRule(pub Rule);
impl Resource for IngressRule {
    const KIND: &'static Kind = &INGRESS_RULE;
    type Out = RuleOut;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EgressRule(pub Rule);
impl Resource for EgressRule {
    const KIND: &'static Kind = &EGRESS_RULE;
    type Out = RuleOut;
}
