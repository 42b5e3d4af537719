//! NAT gateways: minutes to come, most of a minute to go, and an hour in which they are still described.

use serde_json::{Map, Value, json};

use super::address::{self, ADDRESS};
use super::gateway;
use super::held::{Held, hold};
use super::subnet::SUBNET;
use crate::aws::call::{Answer, Call, Fate, Refused, fate, object, timestamp};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Change, Ms, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_nat_gateway_is_pending_and_then_available",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html",
    },
    Behaviour {
        name: "a_nat_gateway_that_cannot_work_is_accepted_and_fails",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html",
    },
    Behaviour {
        name: "a_nat_gateway_holds_address_and_subnet_until_it_is_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNatGateway.html",
    },
    Behaviour {
        name: "the_address_of_a_service_is_refused_as_if_rights_were_missing",
        source: "https://github.com/kubernetes/kops/issues/938",
    },
    Behaviour {
        name: "a_deleted_nat_gateway_is_described_for_an_hour",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html",
    },
    Behaviour {
        name: "the_same_token_makes_no_second_nat_gateway",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html",
    },
    Behaviour {
        name: "an_address_unknown_to_a_nat_gateway_has_a_code_of_its_own",
        source: "https://github.com/hashicorp/terraform-provider-aws/issues/27087",
    },
    Behaviour {
        name: "an_address_still_looks_for_the_interface_of_its_nat_gateway",
        source: "https://github.com/hashicorp/terraform-provider-aws/issues/49299",
    },
    Behaviour {
        name: "an_address_is_refused_a_moment_after_its_nat_gateway_is_deleted",
        source: "https://github.com/eformat/sno-for-100/issues/9",
    },
    Behaviour {
        name: "one_nat_gateway_too_many_in_a_zone_is_refused",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateNatGateway", &NAT_GATEWAY).once("ClientToken"),
    Action::lists("DescribeNatGateways", &NAT_GATEWAY),
    Action::special("DeleteNatGateway", delete),
];

pub(super) static NAT_GATEWAY: Row = Row {
    id: "natGatewayId",
    id_param: "NatGatewayId",
    one: "natGateway",
    set: "natGatewaySet",
    missing: "NatGatewayNotFound",
    fields: &[("SubnetId", "subnetId")],
    refs: &[("SubnetId", &SUBNET)],
    filters: &[("nat-gateway-id", "natGatewayId"), ("state", "state"), ("subnet-id", "subnetId"), ("vpc-id", "vpcId")],
    born: Some(born),
    after: Some(after),
    ..Row::new("natgateway", "nat")
};

/// Of one zone: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>.
const MOST: usize = 5;
/// How long what is gone is still described.
const LINGERS: Ms = 3_600_000;

fn born(call: &mut Call<'_>, nat: &mut Thing) -> Result<(), Refused> {
    let (subnet, allocation) = (call.needs("SubnetId")?, call.needs("AllocationId")?);
    let subnet = SUBNET.find(call.world, &subnet)?;
    if !call.world.knows(ADDRESS.kind, &allocation) {
        let message = format!("The elasticIp ID '{allocation}' does not exist");
        return Err(Refused::bad("InvalidElasticIpID.NotFound", message));
    }
    let zone = |world: &World, nat: &Thing| {
        world.get(SUBNET.kind, nat.text("subnetId")).map(|subnet| subnet.text("availabilityZone").to_owned())
    };
    let home = Some(subnet.text("availabilityZone").to_owned());
    let there = call.world.all(NAT_GATEWAY.kind).filter(|nat| {
        ["pending", "available", "deleting"].contains(&nat.text("state")) && zone(call.world, nat) == home
    });
    let most = call.world.weather.quotas.get(NAT_GATEWAY.kind).map_or(MOST, |most| *most as usize);
    if there.count() >= most {
        let message = format!("Performing this operation would exceed the limit of {most} NAT gateways");
        return Err(Refused::bad("NatGatewayLimitExceeded", message));
    }
    nat.set("subnetId", subnet.id.as_str());
    nat.set("vpcId", subnet.text("vpcId"));
    nat.set("state", "pending");
    nat.set("createTime", timestamp(call.now()));
    nat.set("connectivityType", "public");
    nat.set(
        "natGatewayAddressSet",
        json!([{ "allocationId": allocation, "isPrimary": true, "status": "associating" }]),
    );
    nat.set("_allocation", allocation);
    Ok(())
}

fn after(world: &mut World, id: &str) {
    let fate = fate(world, "nat");
    let usual = world.takes("aws.NatGateway.create");
    let reason = match fate {
        Fate::NeverEnds => None,
        Fate::Usual => begin(world, id).err(),
        Fate::Fails => {
            let _ = begin(world, id);
            let message = "Network interface, created and used internally by this NAT gateway, is in an invalid state. \
                           Please try again.";
            Some(Refused::bad("InternalError", message))
        }
    };
    let next = match (fate, reason) {
        (Fate::NeverEnds, _) => {
            let _ = begin(world, id);
            return;
        }
        (_, Some(reason)) => {
            if let Some(nat) = world.get_mut(NAT_GATEWAY.kind, id) {
                nat.set("_why", json!([reason.code, reason.message]));
            }
            (usual / 4, "failed")
        }
        _ => (usual, "available"),
    };
    world.later(next.0, NAT_GATEWAY.kind, id, Change::Named(next.1.to_owned()));
}

/// Takes what it needs, or tells why it will fail.
fn begin(world: &mut World, id: &str) -> Result<(), Refused> {
    let Some(nat) = world.get(NAT_GATEWAY.kind, id).cloned() else { return Ok(()) };
    let (vpc, allocation) = (nat.text("vpcId"), nat.text("_allocation"));
    if gateway::of_network(world, vpc).is_none() {
        let message = format!("Network {vpc} has no Internet gateway attached");
        return Err(Refused::bad("Gateway.NotAttached", message));
    }
    if world.get(ADDRESS.kind, allocation).is_none_or(|address| !address::is_free(world, address)) {
        let message = format!("Elastic IP address {allocation} is already associated");
        return Err(Refused::bad("Resource.AlreadyAssociated", message));
    }
    let (interface, private) = hold(
        world,
        Held {
            subnet: nat.text("subnetId"),
            groups: &[],
            interface_type: "nat_gateway",
            description: &format!("Interface for NAT Gateway {id}"),
            requester: "amazon-aws",
        },
    )
    .map_err(|_| {
        let message = "Subnet has insufficient free addresses to create this NAT gateway";
        Refused::bad("InsufficientFreeAddressesInSubnet", message)
    })?;
    if let Some(address) = world.get_mut(ADDRESS.kind, allocation) {
        address.set("_service", id);
    }
    if let Some(nat) = world.get_mut(NAT_GATEWAY.kind, id) {
        nat.set("_interface", interface);
        nat.set("_private", private);
    }
    Ok(())
}

/// Whether routes may lead through it.
pub(super) fn is_there(world: &World, id: &str) -> bool {
    world.get(NAT_GATEWAY.kind, id).is_some_and(|nat| ["pending", "available"].contains(&nat.text("state")))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.needs("NatGatewayId")?;
    let state = call.world.get(NAT_GATEWAY.kind, &id).map(|nat| nat.text("state").to_owned());
    match state.as_deref() {
        None | Some("deleted") => return Err(NAT_GATEWAY.unknown(&id)),
        Some("deleting") => {}
        Some(state) => {
            let never = fate(call.world, "nat-delete") == Fate::NeverEnds;
            let after = if state == "failed" { 1 } else { call.world.takes("aws.NatGateway.delete") };
            if let Some(nat) = call.world.get_mut(NAT_GATEWAY.kind, &id) {
                nat.set("state", "deleting");
            }
            if !never {
                call.world.later(after, NAT_GATEWAY.kind, &id, Change::Named("deleted".to_owned()));
            }
        }
    }
    Ok(object([("natGatewayId", id.into())]))
}

/// What happens to one by and by.
pub(super) fn happened(world: &mut World, id: &str, what: &str) {
    let Some(nat) = world.get(NAT_GATEWAY.kind, id).cloned() else { return };
    let (allocation, interface) = (nat.text("_allocation").to_owned(), nat.text("_interface").to_owned());
    let mut set = Map::new();
    match what {
        // It may have been deleted while it was being made.
        "available" if nat.text("state") == "pending" => {
            let association = address::bind(world, &allocation, &interface);
            let public = world.get(ADDRESS.kind, &allocation).map(|address| address.text("publicIp").to_owned());
            let address = json!({ "allocationId": allocation, "networkInterfaceId": interface,
                                  "privateIp": nat.text("_private"), "publicIp": public,
                                  "associationId": association, "isPrimary": true, "status": "succeeded" });
            set.insert("natGatewayAddressSet".to_owned(), json!([address]));
            set.insert("state".to_owned(), "available".into());
        }
        "failed" if nat.text("state") == "pending" => {
            let why = nat.attrs.get("_why").cloned().unwrap_or_default();
            set.insert("failureCode".to_owned(), why[0].clone());
            set.insert("failureMessage".to_owned(), why[1].clone());
            set.insert("state".to_owned(), "failed".into());
            end(world, id, &nat, &mut set);
        }
        "deleted" => {
            set.insert("state".to_owned(), "deleted".into());
            end(world, id, &nat, &mut set);
        }
        _ => {}
    }
    if let Some(nat) = world.get_mut(NAT_GATEWAY.kind, id) {
        nat.attrs.extend(set);
    }
}

/// It gives back what it has, and is described for a while.
fn end(world: &mut World, id: &str, nat: &Thing, set: &mut Map<String, Value>) {
    let (allocation, interface) = (nat.text("_allocation"), nat.text("_interface"));
    if !interface.is_empty() && nat.attrs.get("_lingers").is_none() {
        world.remove("network-interface", interface);
        if world.get(ADDRESS.kind, allocation).is_some_and(|address| address.text("_service") == id) {
            address::abandon(world, allocation);
        }
    }
    set.insert("deleteTime".to_owned(), timestamp(world.now()).into());
    set.insert("_lingers".to_owned(), true.into());
    world.later(LINGERS, NAT_GATEWAY.kind, id, Change::Remove);
}

#[cfg(test)]
mod tests;
