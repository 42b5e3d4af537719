//! Internet gateways.

use serde_json::json;

use super::network::VPC;
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_gateway_is_attached_to_one_network_and_a_network_to_one_gateway",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html",
    },
    Behaviour {
        name: "a_gateway_stays_attached_while_public_addresses_are_mapped",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html",
    },
    Behaviour {
        name: "an_attached_gateway_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteInternetGateway.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateInternetGateway", &INTERNET_GATEWAY),
    Action::lists("DescribeInternetGateways", &INTERNET_GATEWAY),
    Action::deletes("DeleteInternetGateway", &INTERNET_GATEWAY),
    Action::special("AttachInternetGateway", attach),
    Action::special("DetachInternetGateway", detach),
];

pub(super) static INTERNET_GATEWAY: Row = Row {
    id: "internetGatewayId",
    id_param: "InternetGatewayId",
    one: "internetGateway",
    set: "internetGatewaySet",
    missing: "InvalidInternetGatewayID.NotFound",
    filters: &[
        ("internet-gateway-id", "internetGatewayId"),
        ("attachment.vpc-id", "attachmentSet.vpcId"),
        ("attachment.state", "attachmentSet.state"),
        ("owner-id", "ownerId"),
    ],
    limit: (5, "InternetGatewayLimitExceeded"),
    born: Some(born),
    dying: Some(dying),
    ..Row::new("internet-gateway", "igw")
};

fn born(_: &mut Call<'_>, gateway: &mut Thing) -> Result<(), Refused> {
    gateway.set("ownerId", ACCOUNT);
    gateway.set("attachmentSet", json!([]));
    Ok(())
}

fn dying(call: &mut Call<'_>, id: &str) -> Result<bool, Refused> {
    let gateway = call.world.get(INTERNET_GATEWAY.kind, id);
    if gateway.is_some_and(|gateway| !gateway.at("attachmentSet").is_empty()) {
        let message = format!("The internetGateway '{id}' has dependencies and cannot be deleted.");
        return Err(Refused::bad("DependencyViolation", message));
    }
    Ok(false)
}

/// The gateway of a network.
pub(super) fn of_network(world: &World, vpc: &str) -> Option<String> {
    let attached = |gateway: &&Thing| gateway.at("attachmentSet.vpcId").iter().any(|id| *id == vpc);
    world.all(INTERNET_GATEWAY.kind).find(attached).map(|gateway| gateway.id.clone())
}

fn attach(call: &mut Call<'_>) -> Answer {
    let (id, vpc) = (call.needs("InternetGatewayId")?, call.needs("VpcId")?);
    let gateway = INTERNET_GATEWAY.find(call.world, &id)?;
    VPC.find(call.world, &vpc)?;
    if let Some(other) = gateway.at("attachmentSet.vpcId").first().and_then(|id| id.as_str()) {
        let message = format!("resource {id} is already attached to network {other}");
        return Err(Refused::bad("Resource.AlreadyAssociated", message));
    }
    if of_network(call.world, &vpc).is_some() {
        let message = format!("Network {vpc} already has an internet gateway attached");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    if let Some(gateway) = call.world.get_mut(INTERNET_GATEWAY.kind, &id) {
        gateway.set("attachmentSet", json!([{ "vpcId": vpc, "state": "available" }]));
    }
    Ok(object([("return", true.into())]))
}

fn detach(call: &mut Call<'_>) -> Answer {
    let (id, vpc) = (call.needs("InternetGatewayId")?, call.needs("VpcId")?);
    let Some(gateway) = call.world.get(INTERNET_GATEWAY.kind, &id) else {
        return Err(INTERNET_GATEWAY.unknown(&id));
    };
    if !gateway.at("attachmentSet.vpcId").iter().any(|attached| *attached == vpc.as_str()) {
        let message = format!("resource {id} is not attached to network {vpc}");
        return Err(Refused::bad("Gateway.NotAttached", message));
    }
    if is_mapped(call.world, &vpc) {
        let message = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching \
             the gateway."
        );
        return Err(Refused::bad("DependencyViolation", message));
    }
    if let Some(gateway) = call.world.get_mut(INTERNET_GATEWAY.kind, &id) {
        gateway.set("attachmentSet", json!([]));
    }
    Ok(object([("return", true.into())]))
}

/// Whether anything in a network has a public address.
fn is_mapped(world: &World, vpc: &str) -> bool {
    let interfaces = world.all("network-interface").filter(|interface| interface.text("vpcId") == vpc);
    let public = |interface: &Thing| {
        let more = interface.at("privateIpAddressesSet.association.publicIp");
        interface.at("association.publicIp").into_iter().chain(more).next().is_some()
    };
    let alive = |instance: &Thing| !instance.at("instanceState.name").iter().any(|state| *state == "terminated");
    let instances = world.all("instance").filter(|instance| instance.text("vpcId") == vpc);
    interfaces.into_iter().any(public)
        || instances.into_iter().any(|instance| alive(instance) && !instance.text("ipAddress").is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::aws::testing::Desk;
    use crate::world::Thing;

    fn to<'a>(gateway: &'a str, vpc: &'a str) -> [(&'static str, &'a str); 2] {
        [("InternetGatewayId", gateway), ("VpcId", vpc)]
    }

    #[test]
    fn a_gateway_is_attached_to_one_network_and_a_network_to_one_gateway() {
        let mut desk = Desk::calm();
        let (vpc, other) = (desk.vpc("10.0.0.0/16"), desk.vpc("10.1.0.0/16"));
        let gateway = desk.gateway(&vpc);
        let answer = desk.ok("DescribeInternetGateways", &[]);
        assert_eq!(answer["internetGatewaySet"][0]["attachmentSet"], json!([{ "vpcId": vpc, "state": "available" }]));
        let attach = "AttachInternetGateway";
        assert_eq!(desk.refused(attach, &to(&gateway, &vpc)), "Resource.AlreadyAssociated");
        assert_eq!(desk.refused(attach, &to(&gateway, &other)), "Resource.AlreadyAssociated");
        let second = desk.ok("CreateInternetGateway", &[])["internetGateway"]["internetGatewayId"].clone();
        let second = second.as_str().unwrap_or_default();
        assert_eq!(desk.refused(attach, &to(second, &vpc)), "InvalidParameterValue");
        assert_eq!(desk.refused("DetachInternetGateway", &to(second, &vpc)), "Gateway.NotAttached");
        desk.ok(attach, &to(second, &other));
    }

    #[test]
    fn a_gateway_stays_attached_while_public_addresses_are_mapped() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let gateway = desk.gateway(&vpc);
        let mut interface = Thing::new("network-interface", "eni-1");
        interface.set("vpcId", vpc.as_str());
        interface.set("association", json!({ "publicIp": "198.51.100.1" }));
        desk.world.put(interface);
        let both = [("InternetGatewayId", gateway.as_str()), ("VpcId", vpc.as_str())];
        assert_eq!(desk.refused("DetachInternetGateway", &both), "DependencyViolation");
        desk.world.remove("network-interface", "eni-1");
        desk.ok("DetachInternetGateway", &both);
        assert_eq!(desk.refused("DetachInternetGateway", &both), "Gateway.NotAttached");
    }

    #[test]
    fn an_attached_gateway_cannot_be_deleted() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let gateway = desk.gateway(&vpc);
        assert_eq!(desk.refused("DeleteInternetGateway", &[("InternetGatewayId", &gateway)]), "DependencyViolation");
        assert_eq!(desk.refused("DeleteVpc", &[("VpcId", &vpc)]), "DependencyViolation");
        desk.ok("DetachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]);
        desk.ok("DeleteInternetGateway", &[("InternetGatewayId", &gateway)]);
        desk.ok("DeleteVpc", &[("VpcId", &vpc)]);
    }
}
