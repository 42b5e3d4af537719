//! Networks and what AWS makes with each: a main route table, a default security group and a default network ACL.

use serde_json::{Map, json};

use super::cidr::Cidr;
use super::{facts, route, security, subnet};
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Change, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_network_with_a_subnet_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html",
    },
    Behaviour {
        name: "what_aws_made_with_a_network_goes_with_it",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html",
    },
    Behaviour {
        name: "a_network_is_between_16_and_28_bits",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html",
    },
    Behaviour {
        name: "a_network_begins_with_resolution_and_without_names",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html",
    },
    Behaviour {
        name: "one_network_too_many_is_refused",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateVpc", &VPC),
    Action::lists("DescribeVpcs", &VPC),
    Action::deletes("DeleteVpc", &VPC),
    Action::special("ModifyVpcAttribute", modify_attribute),
    Action::special("DescribeVpcAttribute", describe_attribute),
    Action::lists("DescribeNetworkAcls", &NETWORK_ACL),
];

/// The set of DHCP options that every region of an account begins with.
pub(super) const DHCP_OPTIONS: &str = "dopt-0c1ab2f3d4e5f6071";

pub(super) static VPC: Row = Row {
    id: "vpcId",
    id_param: "VpcId",
    one: "vpc",
    set: "vpcSet",
    missing: "InvalidVpcID.NotFound",
    used_by: &[
        ("subnet", "vpcId"),
        ("internet-gateway", "attachmentSet.vpcId"),
        ("vpc-endpoint", "vpcId"),
        ("network-interface", "vpcId"),
    ],
    filters: &[
        ("vpc-id", "vpcId"),
        ("cidr", "cidrBlock"),
        ("cidr-block-association.cidr-block", "cidrBlockAssociationSet.cidrBlock"),
        ("state", "state"),
        ("is-default", "isDefault"),
        ("isDefault", "isDefault"),
        ("owner-id", "ownerId"),
    ],
    // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    limit: (5, "VpcLimitExceeded"),
    born: Some(born),
    after: Some(furnish),
    dying: Some(dying),
    ..Row::new("vpc", "vpc")
};

pub(super) static NETWORK_ACL: Row = Row {
    id: "networkAclId",
    id_param: "NetworkAclId",
    set: "networkAclSet",
    missing: "InvalidNetworkAclID.NotFound",
    filters: &[("vpc-id", "vpcId"), ("default", "default"), ("network-acl-id", "networkAclId")],
    ..Row::new("network-acl", "acl")
};

fn born(call: &mut Call<'_>, vpc: &mut Thing) -> Result<(), Refused> {
    let text = call.needs("CidrBlock")?;
    let cidr: Cidr = text.parse().map_err(|()| {
        let message = format!("Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        Refused::bad("InvalidParameterValue", message)
    })?;
    if !(16..=28).contains(&cidr.prefix()) {
        return Err(Refused::bad("InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")));
    }
    let tenancy = call.text("InstanceTenancy").unwrap_or("default").to_owned();
    let association = call.world.id("vpc-cidr-assoc");
    fill(vpc, cidr, &association);
    vpc.set("instanceTenancy", tenancy);
    Ok(())
}

/// What a new network is like.
pub(super) fn fill(vpc: &mut Thing, cidr: Cidr, association: &str) {
    vpc.set("vpcId", vpc.id.clone());
    vpc.set("ownerId", ACCOUNT);
    vpc.set("state", "pending");
    vpc.set("cidrBlock", cidr.to_string());
    vpc.set(
        "cidrBlockAssociationSet",
        json!([{ "cidrBlock": cidr.to_string(), "associationId": association,
                 "cidrBlockState": { "state": "associated" } }]),
    );
    vpc.set("dhcpOptionsId", DHCP_OPTIONS);
    vpc.set("instanceTenancy", "default");
    vpc.set("isDefault", false);
    vpc.set("_enableDnsSupport", true);
    vpc.set("_enableDnsHostnames", false);
}

/// Makes what comes with a network, and lets it become available.
pub(super) fn furnish(world: &mut World, vpc: &str) {
    security::add_default(world, vpc);
    route::add_main(world, vpc);
    let id = world.id(NETWORK_ACL.prefix);
    let mut acl = Thing::new(NETWORK_ACL.kind, &id);
    acl.set("networkAclId", id.as_str());
    acl.set("vpcId", vpc);
    acl.set("ownerId", ACCOUNT);
    acl.set("default", true);
    let all = |number: u32, action: &str, egress: bool| {
        json!({ "ruleNumber": number, "protocol": "-1", "ruleAction": action, "egress": egress,
                "cidrBlock": "0.0.0.0/0" })
    };
    acl.set(
        "entrySet",
        json!([all(100, "allow", true), all(32767, "deny", true), all(100, "allow", false), all(32767, "deny", false)]),
    );
    acl.set("associationSet", json!([]));
    world.add(acl);
    let after = world.takes("aws.CreateVpc");
    let available = Map::from_iter([("state".to_owned(), "available".into())]);
    world.later(after, VPC.kind, vpc, Change::Set(available));
}

/// The network that AWS makes with an account, with a public subnet in each zone
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html>).
pub(in crate::aws) fn add_default(world: &mut World) {
    let (id, association, gateway) = (world.id(VPC.prefix), world.id("vpc-cidr-assoc"), world.id("igw"));
    let mut vpc = Thing::new(VPC.kind, &id);
    let Ok(cidr) = "172.31.0.0/16".parse() else { return };
    fill(&mut vpc, cidr, &association);
    vpc.set("isDefault", true);
    vpc.set("_enableDnsHostnames", true);
    world.add(vpc);
    furnish(world, &id);
    let mut way = Thing::new("internet-gateway", &gateway);
    way.set("internetGatewayId", gateway.as_str());
    way.set("ownerId", ACCOUNT);
    way.set("attachmentSet", json!([{ "vpcId": id, "state": "available" }]));
    world.add(way);
    route::lead_main(world, &id, &gateway);
    let region = world.region.clone();
    for (number, zone) in facts::zones(&region).iter().enumerate() {
        let Ok(cidr) = format!("172.31.{}.0/20", number * 16).parse() else { return };
        let mut home = Thing::new("subnet", world.id("subnet"));
        subnet::fill(&mut home, &id, cidr, zone, &region);
        home.set("state", "available");
        home.set("defaultForAz", true);
        home.set("mapPublicIpOnLaunch", true);
        world.add(home);
    }
}

fn dying(call: &mut Call<'_>, vpc: &str) -> Result<bool, Refused> {
    let world = &mut *call.world;
    let inside = |thing: &&Thing| thing.text("vpcId") == vpc;
    let tables: Vec<Thing> = world.all(route::ROUTE_TABLE.kind).filter(inside).cloned().collect();
    let groups: Vec<Thing> = world.all(security::SECURITY_GROUP.kind).filter(inside).cloned().collect();
    let acls: Vec<String> = world.all(NETWORK_ACL.kind).filter(inside).map(|acl| acl.id.clone()).collect();
    let others = tables.iter().find(|table| !route::is_main(table));
    let others = others.or_else(|| groups.iter().find(|group| group.text("groupName") != security::DEFAULT));
    if let Some(other) = others {
        let message = format!("The vpc '{vpc}' has dependencies and cannot be deleted: {} {}", other.kind, other.id);
        return Err(Refused::bad("DependencyViolation", message));
    }
    for table in tables {
        world.delete(route::ROUTE_TABLE.kind, &table.id);
    }
    for group in groups {
        security::delete_with_rules(world, &group.id);
    }
    for acl in acls {
        world.delete(NETWORK_ACL.kind, &acl);
    }
    Ok(false)
}

fn modify_attribute(call: &mut Call<'_>) -> Answer {
    let id = call.needs("VpcId")?;
    let vpc = VPC.find(call.world, &id)?;
    let truth = |attr: &str| vpc.attrs.get(attr).and_then(serde_json::Value::as_bool).unwrap_or_default();
    let support = call.flag("EnableDnsSupport.Value");
    let names = call.flag("EnableDnsHostnames.Value");
    let (attr, value) = match (support, names) {
        (Some(_), Some(_)) => {
            let message = "Fields for multiple attribute types specified: enableDnsSupport, enableDnsHostnames";
            return Err(Refused::bad("InvalidParameterCombination", message));
        }
        (Some(value), None) => ("_enableDnsSupport", value),
        (None, Some(value)) => ("_enableDnsHostnames", value),
        (None, None) => return Err(Refused::bad("InvalidParameterCombination", "No attributes specified.")),
    };
    let (support, names) =
        (support.unwrap_or(truth("_enableDnsSupport")), names.unwrap_or(truth("_enableDnsHostnames")));
    if names && !support {
        let message = "DNS hostnames need DNS support: enableDnsSupport must be true while enableDnsHostnames is.";
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    if let Some(vpc) = call.world.get_mut(VPC.kind, &id) {
        vpc.set(attr, value);
    }
    Ok(object([("return", true.into())]))
}

fn describe_attribute(call: &mut Call<'_>) -> Answer {
    let (id, attribute) = (call.needs("VpcId")?, call.needs("Attribute")?);
    let vpc = VPC.find(call.world, &id)?;
    let value = match attribute.as_str() {
        "enableDnsSupport" | "enableDnsHostnames" => vpc.attrs.get(&format!("_{attribute}")).cloned(),
        "enableNetworkAddressUsageMetrics" => Some(false.into()),
        _ => None,
    };
    let Some(value) = value else {
        let message = format!("Value ({attribute}) for parameter attribute is invalid.");
        return Err(Refused::bad("InvalidParameterValue", message));
    };
    Ok(object([("vpcId", id.into()), (&attribute, json!({ "value": value }))]))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn a_network_with_a_subnet_cannot_be_deleted() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let subnet = desk.subnet(&vpc, "10.0.0.0/24");
        assert_eq!(desk.refused("DeleteVpc", &[("VpcId", &vpc)]), "DependencyViolation");
        desk.ok("DeleteSubnet", &[("SubnetId", &subnet)]);
        desk.ok("DeleteVpc", &[("VpcId", &vpc)]);
        assert_eq!(desk.refused("DeleteVpc", &[("VpcId", &vpc)]), "InvalidVpcID.NotFound");
    }

    #[test]
    fn what_aws_made_with_a_network_goes_with_it() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let main = desk.ok("DescribeRouteTables", &[]);
        assert_eq!(main["routeTableSet"][0]["associationSet"][0]["main"], true);
        assert_eq!(desk.ok("DescribeSecurityGroups", &[])["securityGroupInfo"][0]["groupName"], "default");
        assert_eq!(desk.ok("DescribeNetworkAcls", &[])["networkAclSet"][0]["vpcId"], vpc.as_str());
        let own = desk.ok("CreateRouteTable", &[("VpcId", &vpc)])["routeTable"]["routeTableId"].clone();
        assert_eq!(desk.refused("DeleteVpc", &[("VpcId", &vpc)]), "DependencyViolation");
        desk.ok("DeleteRouteTable", &[("RouteTableId", own.as_str().unwrap_or_default())]);
        desk.ok("DeleteVpc", &[("VpcId", &vpc)]);
        assert!(desk.world.inventory().is_empty(), "{:?}", desk.world.inventory());
    }

    #[test]
    fn a_network_is_between_16_and_28_bits() {
        let mut desk = Desk::calm();
        for cidr in ["10.0.0.0/15", "10.0.0.0/29"] {
            assert_eq!(desk.refused("CreateVpc", &[("CidrBlock", cidr)]), "InvalidVpc.Range");
        }
        let made = desk.ok("CreateVpc", &[("CidrBlock", "10.1.2.3/16")]);
        assert_eq!((&made["vpc"]["cidrBlock"], &made["vpc"]["state"]), (&"10.1.0.0/16".into(), &"pending".into()));
        desk.wait(20_000);
        assert_eq!(desk.ok("DescribeVpcs", &[])["vpcSet"][0]["state"], "available");
    }

    #[test]
    fn a_network_begins_with_resolution_and_without_names() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let mut is = |name: &'static str| {
            desk.ok("DescribeVpcAttribute", &[("VpcId", &vpc), ("Attribute", name)])[name]["value"].clone()
        };
        assert_eq!((is("enableDnsSupport"), is("enableDnsHostnames")), (true.into(), false.into()));
        let mut set = |name, value| desk.ask("ModifyVpcAttribute", &[("VpcId", &vpc), (name, value)]).map(drop);
        assert_eq!(set("EnableDnsHostnames.Value", "true"), Ok(()));
        assert_eq!(set("EnableDnsSupport.Value", "false"), Err("InvalidParameterValue".to_owned()));
        let names = desk.ok("DescribeVpcAttribute", &[("VpcId", &vpc), ("Attribute", "enableDnsHostnames")]);
        assert_eq!(names["enableDnsHostnames"]["value"], true);
    }

    #[test]
    fn one_network_too_many_is_refused() {
        let mut desk = Desk::calm();
        for _ in 0..5 {
            desk.vpc("10.0.0.0/16");
        }
        assert_eq!(desk.refused("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]), "VpcLimitExceeded");
    }
}
