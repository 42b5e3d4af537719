//! Subnets and their addresses.

use serde_json::Map;

use super::cidr::Cidr;
use super::network::VPC;
use super::{facts, free, route};
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Change, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "subnets_of_a_network_do_not_overlap",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html",
    },
    Behaviour {
        name: "a_subnet_lies_inside_its_network_and_in_a_zone",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
    },
    Behaviour {
        name: "five_addresses_of_a_subnet_are_reserved",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateSubnet", &SUBNET),
    Action::lists("DescribeSubnets", &SUBNET),
    Action::deletes("DeleteSubnet", &SUBNET),
    Action::special("ModifySubnetAttribute", modify_attribute),
];

pub(super) static SUBNET: Row = Row {
    id: "subnetId",
    id_param: "SubnetId",
    one: "subnet",
    set: "subnetSet",
    missing: "InvalidSubnetID.NotFound",
    refs: &[("VpcId", &VPC)],
    used_by: &[("network-interface", "subnetId")],
    filters: &[
        ("subnet-id", "subnetId"),
        ("vpc-id", "vpcId"),
        ("cidr-block", "cidrBlock"),
        ("cidr", "cidrBlock"),
        ("availability-zone", "availabilityZone"),
        ("availability-zone-id", "availabilityZoneId"),
        ("state", "state"),
        ("default-for-az", "defaultForAz"),
        ("map-public-ip-on-launch", "mapPublicIpOnLaunch"),
    ],
    born: Some(born),
    after: Some(after),
    dying: Some(dying),
    seen: Some(seen),
    ..Row::new("subnet", "subnet")
};

/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>, of one network.
const MOST: usize = 200;

fn born(call: &mut Call<'_>, subnet: &mut Thing) -> Result<(), Refused> {
    let (vpc, text) = (call.needs("VpcId")?, call.needs("CidrBlock")?);
    let cidr: Cidr = text.parse().map_err(|()| {
        let message = format!("Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        Refused::bad("InvalidParameterValue", message)
    })?;
    let whole = VPC.find(call.world, &vpc)?.text("cidrBlock").parse::<Cidr>();
    if !(16..=28).contains(&cidr.prefix()) || !whole.is_ok_and(|whole| whole.contains(cidr)) {
        return Err(Refused::bad("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid.")));
    }
    let zones = facts::zones(&call.world.region);
    let zone = call.text("AvailabilityZone").map(str::to_owned).or_else(|| zones.first().cloned()).unwrap_or_default();
    if !zones.contains(&zone) {
        let message = format!(
            "Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the \
             following availability zones: {}.",
            zones.join(", ")
        );
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    let others: Vec<&Thing> = call.world.all(SUBNET.kind).filter(|other| other.text("vpcId") == vpc).collect();
    if others.iter().any(|other| other.text("cidrBlock").parse::<Cidr>().is_ok_and(|other| other.overlaps(cidr))) {
        let message = format!("The CIDR '{cidr}' conflicts with another subnet");
        return Err(Refused::bad("InvalidSubnet.Conflict", message));
    }
    if others.len() >= call.world.weather.quotas.get(SUBNET.kind).map_or(MOST, |most| *most as usize) {
        let message = "The maximum number of subnets has been reached.";
        return Err(Refused::bad("SubnetLimitExceeded", message));
    }
    fill(subnet, &vpc, cidr, &zone, &call.world.region);
    Ok(())
}

/// What a new subnet is like.
pub(super) fn fill(subnet: &mut Thing, vpc: &str, cidr: Cidr, zone: &str, region: &str) {
    subnet.set("subnetId", subnet.id.clone());
    subnet.set("subnetArn", format!("arn:aws:ec2:{region}:{ACCOUNT}:subnet/{}", subnet.id));
    subnet.set("state", "pending");
    subnet.set("ownerId", ACCOUNT);
    subnet.set("vpcId", vpc);
    subnet.set("cidrBlock", cidr.to_string());
    subnet.set("availableIpAddressCount", cidr.size().saturating_sub(free::RESERVED));
    subnet.set("availabilityZone", zone);
    subnet.set("availabilityZoneId", facts::zone_id(region, zone));
    subnet.set("defaultForAz", false);
    subnet.set("mapPublicIpOnLaunch", false);
    subnet.set("assignIpv6AddressOnCreation", false);
}

fn after(world: &mut World, subnet: &str) {
    let after = world.takes("aws.CreateSubnet");
    let available = Map::from_iter([("state".to_owned(), "available".into())]);
    world.later(after, SUBNET.kind, subnet, Change::Set(available));
}

fn dying(call: &mut Call<'_>, subnet: &str) -> Result<bool, Refused> {
    let alive = |instance: &&Thing| !instance.at("instanceState.name").iter().any(|state| *state == "terminated");
    let inside = |instance: &&Thing| instance.text("subnetId") == subnet;
    if let Some(instance) = call.world.all("instance").filter(inside).find(alive) {
        let message = format!("The subnet '{subnet}' has dependencies and cannot be deleted: instance {}", instance.id);
        return Err(Refused::bad("DependencyViolation", message));
    }
    route::forget_subnet(call.world, subnet);
    Ok(false)
}

fn seen(world: &World, subnet: &mut Thing) {
    subnet.set("availableIpAddressCount", free::count(world, &subnet.id));
}

fn modify_attribute(call: &mut Call<'_>) -> Answer {
    let id = call.needs("SubnetId")?;
    SUBNET.find(call.world, &id)?;
    let (public, v6) = (call.flag("MapPublicIpOnLaunch.Value"), call.flag("AssignIpv6AddressOnCreation.Value"));
    if let Some(subnet) = call.world.get_mut(SUBNET.kind, &id) {
        for (attr, value) in [("mapPublicIpOnLaunch", public), ("assignIpv6AddressOnCreation", v6)] {
            if let Some(value) = value {
                subnet.set(attr, value);
            }
        }
    }
    Ok(object([("return", true.into())]))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn subnets_of_a_network_do_not_overlap() {
        let mut desk = Desk::calm();
        let (vpc, other) = (desk.vpc("10.0.0.0/16"), desk.vpc("10.0.0.0/16"));
        desk.subnet(&vpc, "10.0.0.0/20");
        let again = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.1.0/24")];
        assert_eq!(desk.refused("CreateSubnet", &again), "InvalidSubnet.Conflict");
        desk.subnet(&other, "10.0.1.0/24");
        desk.subnet(&vpc, "10.0.16.0/20");
    }

    #[test]
    fn a_subnet_lies_inside_its_network_and_in_a_zone() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let mut refused = |cidr: &str, zone: &str| {
            desk.refused("CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", cidr), ("AvailabilityZone", zone)])
        };
        assert_eq!(refused("10.1.0.0/24", "eu-central-1a"), "InvalidSubnet.Range");
        assert_eq!(refused("10.0.0.0/29", "eu-central-1a"), "InvalidSubnet.Range");
        assert_eq!(refused("10.0.0.0/24", "eu-central-1z"), "InvalidParameterValue");
        let nowhere = [("VpcId", "vpc-1"), ("CidrBlock", "10.0.0.0/24")];
        assert_eq!(desk.refused("CreateSubnet", &nowhere), "InvalidVpcID.NotFound");
    }
}
