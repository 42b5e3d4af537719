//! The least policy that making, changing and removing a graph needs.
//!
//! The table says which calls the drivers of each kind make, and observation of it; calls that look something up before
//! the first plan stand under [`LOOK`]. Reads are granted for every kind, because a deletion looks everywhere before it
//! says that nothing is left; changes only for the kinds of the graph. Creating a kind on EC2 with tags in the call needs
//! `ec2:CreateTags` as well. A call may be narrowed to our own path where IAM and SSM have paths; EC2, ELB and Auto
//! Scaling name new resources themselves, so that a policy written before the first create cannot name them.

use std::collections::{BTreeMap, BTreeSet};

use clusterctl_core::graph::Graph;
use serde_json::{Value, json};

use super::identity::partition;

/// Calls that no kind makes.
const LOOK: &[&str] = &[
    "sts:GetCallerIdentity",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeImages",
    "ec2:DescribeAccountAttributes",
    // The tags say whether there are placement groups.
    "ec2:DescribeTags",
    // They take no resource narrower than all paths of the account.
    "iam:ListRoles",
    "iam:ListInstanceProfiles",
];

/// By kind: the service-wide statement it belongs to, and its calls.
const CALLS: &[(&str, &str, &[&str])] = &[
    (
        "aws_vpc",
        "Network",
        &["ec2:CreateVpc", "ec2:DeleteVpc", "ec2:ModifyVpcAttribute", "ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"],
    ),
    ("aws_subnet", "Network", &["ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:DescribeSubnets"]),
    (
        "aws_internet_gateway",
        "Network",
        &[
            "ec2:CreateInternetGateway",
            "ec2:AttachInternetGateway",
            "ec2:DetachInternetGateway",
            "ec2:DeleteInternetGateway",
            "ec2:DescribeInternetGateways",
        ],
    ),
    (
        "aws_eip",
        "Network",
        &[
            "ec2:AllocateAddress",
            "ec2:ReleaseAddress",
            "ec2:AssociateAddress",
            "ec2:DisassociateAddress",
            "ec2:DescribeAddresses",
        ],
    ),
    ("aws_nat_gateway", "Network", &["ec2:CreateNatGateway", "ec2:DeleteNatGateway", "ec2:DescribeNatGateways"]),
    ("aws_route_table", "Network", &["ec2:CreateRouteTable", "ec2:DeleteRouteTable", "ec2:DescribeRouteTables"]),
    ("aws_route", "Network", &["ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute", "ec2:DescribeRouteTables"]),
    (
        "aws_route_table_association",
        "Network",
        &["ec2:AssociateRouteTable", "ec2:ReplaceRouteTableAssociation", "ec2:DisassociateRouteTable"],
    ),
    (
        "aws_vpc_endpoint",
        "Network",
        &["ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:DescribeVpcEndpoints"],
    ),
    (
        "aws_security_group",
        "Firewall",
        &[
            "ec2:CreateSecurityGroup",
            "ec2:DeleteSecurityGroup",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSecurityGroupRules",
        ],
    ),
    (
        "aws_vpc_security_group_ingress_rule",
        "Firewall",
        &["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:ModifySecurityGroupRules"],
    ),
    (
        "aws_vpc_security_group_egress_rule",
        "Firewall",
        &["ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress", "ec2:ModifySecurityGroupRules"],
    ),
    (
        "aws_lb",
        "LoadBalancer",
        &[
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:SetSubnets",
            "elasticloadbalancing:SetSecurityGroups",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
        ],
    ),
    (
        "aws_lb_target_group",
        "LoadBalancer",
        &[
            "elasticloadbalancing:CreateTargetGroup",
            "elasticloadbalancing:DeleteTargetGroup",
            "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
        ],
    ),
    (
        "aws_lb_listener",
        "LoadBalancer",
        &[
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:DeleteListener",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:DescribeListeners",
        ],
    ),
    (
        "aws_lb_target_group_attachment",
        "LoadBalancer",
        &[
            "elasticloadbalancing:RegisterTargets",
            "elasticloadbalancing:DeregisterTargets",
            "elasticloadbalancing:DescribeTargetHealth",
        ],
    ),
    (
        "aws_network_interface",
        "Machines",
        &[
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:ModifyNetworkInterfaceAttribute",
            "ec2:DescribeNetworkInterfaces",
        ],
    ),
    (
        "aws_ebs_volume",
        "Machines",
        &["ec2:CreateVolume", "ec2:DeleteVolume", "ec2:ModifyVolume", "ec2:DescribeVolumes"],
    ),
    (
        "aws_instance",
        "Machines",
        &[
            "ec2:RunInstances",
            "ec2:TerminateInstances",
            "ec2:ModifyInstanceAttribute",
            "ec2:ModifyInstanceMetadataOptions",
            "ec2:DescribeInstances",
            "ec2:DescribeVolumes",
        ],
    ),
    ("aws_volume_attachment", "Machines", &["ec2:AttachVolume", "ec2:DetachVolume", "ec2:StopInstances"]),
    (
        "aws_placement_group",
        "Groups",
        &["ec2:CreatePlacementGroup", "ec2:DeletePlacementGroup", "ec2:DescribePlacementGroups"],
    ),
    (
        "aws_launch_template",
        "Groups",
        &[
            "ec2:CreateLaunchTemplate",
            "ec2:CreateLaunchTemplateVersion",
            "ec2:ModifyLaunchTemplate",
            "ec2:DeleteLaunchTemplate",
            "ec2:DescribeLaunchTemplates",
            "ec2:DescribeLaunchTemplateVersions",
            // A group may only be made by who could launch its template.
            "ec2:RunInstances",
        ],
    ),
    (
        "aws_autoscaling_group",
        "Groups",
        &[
            "autoscaling:CreateAutoScalingGroup",
            "autoscaling:UpdateAutoScalingGroup",
            "autoscaling:DeleteAutoScalingGroup",
            "autoscaling:CreateOrUpdateTags",
            "autoscaling:DeleteTags",
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeScalingActivities",
            "ec2:DescribeInstances",
        ],
    ),
    ("aws_key_pair", "Keys", &["ec2:ImportKeyPair", "ec2:DeleteKeyPair", "ec2:DescribeKeyPairs"]),
    (
        "aws_route53_zone",
        "Names",
        &[
            "route53:CreateHostedZone",
            "route53:DeleteHostedZone",
            "route53:GetHostedZone",
            "route53:ChangeTagsForResource",
            "route53:UpdateHostedZoneComment",
            "route53:AssociateVPCWithHostedZone",
            "route53:DisassociateVPCFromHostedZone",
            "route53:ListHostedZones",
            "route53:ListHostedZonesByName",
            "route53:ListTagsForResources",
        ],
    ),
    (
        "aws_route53_record",
        "Names",
        &[
            "route53:ChangeResourceRecordSets",
            "route53:ListResourceRecordSets",
            "route53:GetChange",
            "route53:ListHostedZones",
            "route53:ListHostedZonesByName",
            "route53:ListTagsForResources",
        ],
    ),
];

const ROLES: &[&str] = &[
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:GetRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:PutRolePolicy",
    "iam:GetRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:PassRole",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:GetInstanceProfile",
    "iam:AddRoleToInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
];

/// The service in whose name AWS makes a role of its own when the first such thing of an account is made.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html>
const SERVICE_ROLES: &[(&str, &str)] = &[
    ("aws_lb", "elasticloadbalancing.amazonaws.com"),
    ("aws_autoscaling_group", "autoscaling.amazonaws.com"),
    ("aws_autoscaling_group", "spot.amazonaws.com"),
];

/// The policy for `graph`, whose owner is `uid`; `*` for an owner that is not born yet.
#[must_use]
pub fn policy(graph: &Graph, region: &str, uid: &str) -> Value {
    let partition = partition(region);
    let kinds: BTreeSet<&str> = graph.iter().map(|node| node.kind.name).collect();
    let mut open: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    open.insert("Look", LOOK.iter().copied().collect());
    for (kind, statement, calls) in CALLS {
        let (reads, writes): (Vec<&str>, Vec<&str>) = calls.iter().copied().partition(|call| reads(call));
        open.entry("Look").or_default().extend(reads);
        if !kinds.contains(kind) {
            continue;
        }
        if writes.iter().any(|call| call.starts_with("ec2:Create") || call.starts_with("ec2:Run")) {
            open.entry("Tag").or_default().insert("ec2:CreateTags");
        }
        open.entry(statement).or_default().extend(writes);
    }
    let mut statements: Vec<Value> = open
        .into_iter()
        .map(|(sid, calls)| json!({"Sid": sid, "Effect": "Allow", "Action": calls, "Resource": "*"}))
        .collect();
    if kinds.contains("aws_iam_role") {
        statements.push(json!({
            "Sid": "Identities",
            "Effect": "Allow",
            "Action": ROLES,
            "Resource": [
                format!("arn:{partition}:iam::*:role/clusterctl/{uid}/*"),
                format!("arn:{partition}:iam::*:instance-profile/clusterctl/{uid}/*"),
            ],
        }));
    }
    let services: Vec<&str> =
        SERVICE_ROLES.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, service)| *service).collect();
    if !services.is_empty() {
        statements.push(json!({
            "Sid": "ServiceLinkedRoles",
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": format!("arn:{partition}:iam::*:role/aws-service-role/*"),
            "Condition": { "StringEquals": { "iam:AWSServiceName": services } },
        }));
    }
    statements.push(json!({
        "Sid": "Secrets",
        "Effect": "Allow",
        "Action": ["ssm:GetParametersByPath", "ssm:DeleteParameters"],
        "Resource": [
            format!("arn:{partition}:ssm:{region}:*:parameter/clusterctl/{uid}"),
            format!("arn:{partition}:ssm:{region}:*:parameter/clusterctl/{uid}/*"),
        ],
    }));
    statements.push(json!({
        "Sid": "PublicParameters",
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": format!("arn:{partition}:ssm:{region}::parameter/aws/service/canonical/*"),
    }));
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn reads(call: &str) -> bool {
    let verb = call.split_once(':').map_or(call, |(_, verb)| verb);
    ["Describe", "Get", "List"].iter().any(|start| verb.starts_with(start))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The calls that the code names in its errors, which is every one it makes; what is lowered is for machines to call.
    fn named(dir: &Path, calls: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == "lower" {
                continue;
            }
            if path.is_dir() {
                named(&path, calls);
            } else if !["tests.rs", "testing.rs", "faults.rs"].contains(&name) {
                let text = std::fs::read_to_string(&path).expect("a source");
                let words = text.split('"').filter(|word| {
                    word.split_once(':').is_some_and(|(service, verb)| {
                        ["ec2", "elasticloadbalancing", "autoscaling", "iam", "route53", "ssm", "sts"]
                            .contains(&service)
                            && verb.starts_with(|c: char| c.is_ascii_uppercase())
                            && verb.chars().all(|c| c.is_ascii_alphanumeric())
                    })
                });
                calls.extend(words.map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_call_that_the_code_makes_stands_in_the_table() {
        let mut calls = BTreeSet::new();
        named(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut calls);
        assert!(calls.len() > 100, "{calls:?}");
        let (table, _) = include_str!("policy.rs").split_once("#[cfg(test)]").expect("tests");
        let missing: Vec<&String> = calls
            .iter()
            .filter(|call| !table.contains(&format!("\"{call}\"")))
            // Words for several calls of one kind.
            .filter(|call| !["route53:Request", "ec2:AuthorizeSecurityGroup"].contains(&call.as_str()))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
