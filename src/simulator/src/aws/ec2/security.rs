//! Security groups; `rule` has their rules, which are things of their own, and `permission` reads and writes them.

mod permission;
pub(super) mod rule;

use serde_json::{Value, json};

use super::network::VPC;
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_new_group_lets_everything_out_and_nothing_in",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
    },
    Behaviour {
        name: "the_name_of_a_group_is_taken_once_in_a_network",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
    },
    Behaviour {
        name: "a_group_that_is_used_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html",
    },
    Behaviour {
        name: "the_default_group_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("CreateSecurityGroup", create),
    Action::lists("DescribeSecurityGroups", &SECURITY_GROUP),
    Action::deletes("DeleteSecurityGroup", &SECURITY_GROUP),
    Action::special("AuthorizeSecurityGroupIngress", rule::let_in),
    Action::special("AuthorizeSecurityGroupEgress", rule::let_out),
    Action::special("RevokeSecurityGroupIngress", rule::revoke_in),
    Action::special("RevokeSecurityGroupEgress", rule::revoke_out),
    Action::special("ModifySecurityGroupRules", rule::modify),
    Action::lists("DescribeSecurityGroupRules", &rule::RULE),
];

/// The name of the group that comes with a network.
pub(super) const DEFAULT: &str = "default";

pub(super) static SECURITY_GROUP: Row = Row {
    id: "groupId",
    id_param: "GroupId",
    set: "securityGroupInfo",
    missing: "InvalidGroup.NotFound",
    refs: &[("VpcId", &VPC)],
    filters: &[
        ("group-id", "groupId"),
        ("group-name", "groupName"),
        ("vpc-id", "vpcId"),
        ("description", "groupDescription"),
        ("owner-id", "ownerId"),
        ("ip-permission.group-id", "ipPermissions.groups.groupId"),
        ("ip-permission.cidr", "ipPermissions.ipRanges.cidrIp"),
        ("egress.ip-permission.group-id", "ipPermissionsEgress.groups.groupId"),
    ],
    // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    limit: (2500, "SecurityGroupLimitExceeded"),
    born: Some(born),
    after: Some(after),
    dying: Some(dying),
    seen: Some(seen),
    ..Row::new("security-group", "sg")
};

/// Letters, digits and `._-:/()#,@[]+=&;{}!$*` and spaces, up to 255
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>).
fn is_plain(text: &str) -> bool {
    text.len() <= 255 && text.chars().all(|c| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c))
}

fn born(call: &mut Call<'_>, group: &mut Thing) -> Result<(), Refused> {
    let (name, description) = (call.needs("GroupName")?, call.needs("GroupDescription")?);
    let vpc = call.text("VpcId").map(str::to_owned).or_else(|| {
        let default = |vpc: &&Thing| vpc.attrs.get("isDefault") == Some(&Value::Bool(true));
        call.world.all(VPC.kind).find(default).map(|vpc| vpc.id.clone())
    });
    let Some(vpc) = vpc else {
        return Err(Refused::bad("VPCIdNotSpecified", "No default VPC for this user"));
    };
    for (text, what) in [(&name, "groupName"), (&description, "GroupDescription")] {
        if !is_plain(text) {
            let message = format!("Value ({text}) for parameter {what} is invalid.");
            return Err(Refused::bad("InvalidParameterValue", message));
        }
    }
    if name == DEFAULT || name.starts_with("sg-") {
        let message = format!("Cannot use reserved security group name: {name}");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    let same = |other: &&Thing| other.text("vpcId") == vpc && other.text("groupName").eq_ignore_ascii_case(&name);
    if call.world.all(SECURITY_GROUP.kind).any(|other| same(&other)) {
        let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
        return Err(Refused::bad("InvalidGroup.Duplicate", message));
    }
    let region = call.world.region.clone();
    fill(group, &vpc, &name, &description, &region);
    Ok(())
}

/// What a new group is like.
fn fill(group: &mut Thing, vpc: &str, name: &str, description: &str, region: &str) {
    let id = group.id.clone();
    group.set("groupId", id.as_str());
    group.set("groupName", name);
    group.set("groupDescription", description);
    group.set("ownerId", ACCOUNT);
    group.set("vpcId", vpc);
    group.set("securityGroupArn", format!("arn:aws:ec2:{region}:{ACCOUNT}:security-group/{id}"));
}

fn after(world: &mut World, id: &str) {
    let everywhere = json!({ "ipProtocol": "-1", "fromPort": -1, "toPort": -1, "cidrIpv4": "0.0.0.0/0" });
    rule::add(world, id, rule::Way::Out, everywhere, std::collections::BTreeMap::new());
}

/// The group of a network that whatever names none is in.
pub(super) fn add_default(world: &mut World, vpc: &str) {
    let (id, region) = (world.id(SECURITY_GROUP.prefix), world.region.clone());
    let mut group = Thing::new(SECURITY_GROUP.kind, &id);
    fill(&mut group, vpc, DEFAULT, "default VPC security group", &region);
    world.add(group);
    let itself = json!({ "ipProtocol": "-1", "fromPort": -1, "toPort": -1,
                         "referencedGroupInfo": { "groupId": id, "userId": ACCOUNT } });
    rule::add(world, &id, rule::Way::In, itself, std::collections::BTreeMap::new());
    after(world, &id);
}

pub(super) fn delete_with_rules(world: &mut World, id: &str) {
    for rule in rule::of_group(world, id) {
        world.delete(rule::RULE.kind, &rule.id);
    }
    world.delete(SECURITY_GROUP.kind, id);
}

fn create(call: &mut Call<'_>) -> Answer {
    let made = SECURITY_GROUP.create(call)?;
    let part = |name: &str| made.get(name).cloned().unwrap_or_default();
    Ok(object([
        ("return", true.into()),
        ("groupId", part("groupId")),
        ("tagSet", part("tagSet")),
        ("securityGroupArn", part("securityGroupArn")),
    ]))
}

fn dying(call: &mut Call<'_>, id: &str) -> Result<bool, Refused> {
    let world = &mut *call.world;
    if world.get(SECURITY_GROUP.kind, id).is_some_and(|group| group.text("groupName") == DEFAULT) {
        let message = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(Refused::bad("CannotDelete", message));
    }
    let rules = world.all(rule::RULE.kind).filter(|rule| rule.text("groupId") != id);
    let referring = rules.into_iter().find(|rule| rule.at("referencedGroupInfo.groupId").iter().any(|of| *of == id));
    let member = |thing: &&Thing| {
        let ended = thing.at("instanceState.name").iter().any(|state| *state == "terminated");
        !ended && thing.at("groupSet.groupId").iter().any(|of| *of == id)
    };
    let kinds = ["network-interface", "instance", "vpc-endpoint"];
    let user = referring.or_else(|| kinds.iter().find_map(|kind| world.all(kind).find(member)));
    if let Some(user) = user {
        let message = format!("resource {id} has a dependent object: {} {}", user.kind, user.id);
        return Err(Refused::bad("DependencyViolation", message));
    }
    delete_with_rules(world, id);
    Ok(true)
}

fn seen(world: &World, group: &mut Thing) {
    let rules = rule::of_group(world, &group.id);
    let (out, into): (Vec<&Thing>, Vec<&Thing>) =
        rules.iter().partition(|rule| rule.attrs.get("isEgress") == Some(&Value::Bool(true)));
    group.set("ipPermissions", permission::written(&into));
    group.set("ipPermissionsEgress", permission::written(&out));
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;
    use crate::world::Thing;

    #[test]
    fn a_new_group_lets_everything_out_and_nothing_in() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let group = desk.group(&vpc, "nodes");
        let shown = desk.ok("DescribeSecurityGroups", &[("GroupId.1", &group)])["securityGroupInfo"][0].clone();
        let out = serde_json::json!([{ "ipProtocol": "-1", "groups": [], "ipRanges": [{ "cidrIp": "0.0.0.0/0" }],
                                       "ipv6Ranges": [], "prefixListIds": [] }]);
        assert_eq!((&shown["ipPermissionsEgress"], &shown["ipPermissions"]), (&out, &serde_json::json!([])));
    }

    #[test]
    fn the_name_of_a_group_is_taken_once_in_a_network() {
        let mut desk = Desk::calm();
        let (vpc, other) = (desk.vpc("10.0.0.0/16"), desk.vpc("10.0.0.0/16"));
        desk.group(&vpc, "nodes");
        desk.group(&other, "nodes");
        let named = |name| [("GroupName", name), ("GroupDescription", "Nodes"), ("VpcId", vpc.as_str())];
        assert_eq!(desk.refused("CreateSecurityGroup", &named("nodes")), "InvalidGroup.Duplicate");
        for name in ["default", "sg-nodes", "nodes'"] {
            assert_eq!(desk.refused("CreateSecurityGroup", &named(name)), "InvalidParameterValue", "{name}");
        }
    }

    #[test]
    fn a_group_that_is_used_cannot_be_deleted() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (group, other) = (desk.group(&vpc, "nodes"), desk.group(&vpc, "bastion"));
        let from = [
            ("GroupId", group.as_str()),
            ("IpPermissions.1.IpProtocol", "-1"),
            ("IpPermissions.1.Groups.1.GroupId", other.as_str()),
        ];
        desk.ok("AuthorizeSecurityGroupIngress", &from);
        assert_eq!(desk.refused("DeleteSecurityGroup", &[("GroupId", &other)]), "DependencyViolation");
        let mut interface = Thing::new("network-interface", "eni-1");
        interface.set("groupSet", serde_json::json!([{ "groupId": group }]));
        desk.world.put(interface);
        assert_eq!(desk.refused("DeleteSecurityGroup", &[("GroupId", &group)]), "DependencyViolation");
        desk.world.remove("network-interface", "eni-1");
        // Its own rules are no reason.
        desk.ok("DeleteSecurityGroup", &[("GroupId", &group)]);
        desk.ok("DeleteSecurityGroup", &[("GroupId", &other)]);
        assert_eq!(desk.refused("DeleteSecurityGroup", &[("GroupId", &other)]), "InvalidGroup.NotFound");
        assert_eq!(desk.world.all("security-group-rule").count(), 2, "those of the network's default group");
    }

    #[test]
    fn the_default_group_cannot_be_deleted() {
        let mut desk = Desk::calm();
        desk.vpc("10.0.0.0/16");
        let group = desk.ok("DescribeSecurityGroups", &[])["securityGroupInfo"][0]["groupId"].clone();
        let group = [("GroupId", group.as_str().unwrap_or_default())];
        assert_eq!(desk.refused("DeleteSecurityGroup", &group), "CannotDelete");
    }
}
