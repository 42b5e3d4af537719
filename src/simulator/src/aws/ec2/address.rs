//! Elastic addresses.

use serde_json::{Map, Value, json};

use super::gateway;
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "one_address_too_many_is_refused",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing-eips-allocating.html",
    },
    Behaviour {
        name: "an_address_in_use_is_not_released",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html",
    },
    Behaviour {
        name: "an_address_moves_only_when_that_is_allowed",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html",
    },
    Behaviour {
        name: "an_address_needs_a_network_with_a_gateway",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("AllocateAddress", allocate),
    Action::lists("DescribeAddresses", &ADDRESS),
    Action::special("AssociateAddress", associate),
    Action::special("DisassociateAddress", disassociate),
    Action::special("ReleaseAddress", release),
];

pub(super) static ADDRESS: Row = Row {
    id: "allocationId",
    id_param: "AllocationId",
    set: "addressesSet",
    missing: "InvalidAllocationID.NotFound",
    filters: &[
        ("allocation-id", "allocationId"),
        ("association-id", "associationId"),
        ("domain", "domain"),
        ("instance-id", "instanceId"),
        ("network-interface-id", "networkInterfaceId"),
        ("private-ip-address", "privateIpAddress"),
        ("public-ip", "publicIp"),
    ],
    limit: (MOST, "AddressLimitExceeded"),
    born: Some(born),
    seen: Some(seen),
    ..Row::new("elastic-ip", "eipalloc")
};

/// How many addresses an account may have where nobody granted more.
pub(super) const MOST: u32 = 5;

/// What an association adds to an address.
const ASSOCIATION: [&str; 5] =
    ["associationId", "instanceId", "networkInterfaceId", "networkInterfaceOwnerId", "privateIpAddress"];

fn born(call: &mut Call<'_>, address: &mut Thing) -> Result<(), Refused> {
    fill(call.world, address);
    Ok(())
}

/// What a new address is like.
pub(super) fn fill(world: &mut World, address: &mut Thing) {
    let public = loop {
        let number = world.number();
        let public = format!("3.{}.{}.{}", 64 + number % 64, (number >> 8) % 256, 1 + (number >> 16) % 254);
        if !world.all(ADDRESS.kind).any(|other| other.text("publicIp") == public) {
            break public;
        }
    };
    address.set("allocationId", address.id.clone());
    address.set("publicIp", public);
    address.set("domain", "vpc");
    address.set("publicIpv4Pool", "amazon");
    address.set("networkBorderGroup", world.region.clone());
}

/// An association ends with its interface.
fn seen(world: &World, address: &mut Thing) {
    if !address.text("associationId").is_empty() && !is_held(world, address) && !is_leaving(world, address) {
        clear(&mut address.attrs);
    }
}

fn clear(attrs: &mut Map<String, Value>) {
    attrs.retain(|name, _| !ASSOCIATION.contains(&name.as_str()));
}

/// Whether the interface that an address is associated with is there.
fn is_held(world: &World, address: &Thing) -> bool {
    world.get("network-interface", address.text("networkInterfaceId")).is_some()
}

/// Whether the association with an interface that is gone is still being taken apart.
fn is_leaving(world: &World, address: &Thing) -> bool {
    address.attrs.get("_leaving").and_then(Value::as_u64).is_some_and(|until| world.now() < until)
}

/// Whether nothing has an address.
pub(super) fn is_free(world: &World, address: &Thing) -> bool {
    address.text("_service").is_empty() && !is_held(world, address) && !is_leaving(world, address)
}

/// Gives an address to an interface; gives the id of the association.
pub(super) fn bind(world: &mut World, address: &str, interface: &str) -> String {
    let id = world.id("eipassoc");
    let at = |path: &str| -> Option<Value> {
        world.get("network-interface", interface)?.at(path).first().map(|value| (*value).clone())
    };
    let (private, instance) = (at("privateIpAddress").unwrap_or_default(), at("attachment.instanceId"));
    let mut public = String::new();
    if let Some(address) = world.get_mut(ADDRESS.kind, address) {
        clear(&mut address.attrs);
        address.attrs.shift_remove("_leaving");
        address.set("associationId", id.as_str());
        address.set("networkInterfaceId", interface);
        address.set("networkInterfaceOwnerId", ACCOUNT);
        address.set("privateIpAddress", private);
        if let Some(instance) = instance {
            address.set("instanceId", instance);
        }
        address.text("publicIp").clone_into(&mut public);
    }
    if let Some(interface) = world.get_mut("network-interface", interface) {
        let association = json!({ "allocationId": address, "associationId": id, "ipOwnerId": ACCOUNT,
                                  "publicIp": public });
        interface.set("association", association);
    }
    id
}

/// Takes an address from whatever has it.
fn unbind(world: &mut World, address: &str) {
    let interface = world.get(ADDRESS.kind, address).map(|a| a.text("networkInterfaceId").to_owned());
    if let Some(interface) = interface.and_then(|interface| world.get_mut("network-interface", &interface)) {
        interface.attrs.shift_remove("association");
    }
    if let Some(address) = world.get_mut(ADDRESS.kind, address) {
        clear(&mut address.attrs);
    }
}

/// The service that had an address has gone; for a moment the address does not know it.
pub(super) fn abandon(world: &mut World, address: &str) {
    let until = world.now() + world.lag("address");
    if let Some(address) = world.get_mut(ADDRESS.kind, address) {
        address.attrs.shift_remove("_service");
        address.set("_leaving", until);
    }
}

fn allocate(call: &mut Call<'_>) -> Answer {
    let made = ADDRESS.create(call)?;
    let part = |name: &'static str| (name, made.get(name).cloned().unwrap_or_default());
    let parts = ["publicIp", "publicIpv4Pool", "networkBorderGroup", "domain", "allocationId"];
    Ok(object(parts.map(part)))
}

/// The interface that a request means.
fn wanted(call: &mut Call<'_>) -> Result<Thing, Refused> {
    let absent = |code: &str, id: &str| Refused::bad(code, format!("The ID '{id}' does not exist"));
    let interface = match (call.text("NetworkInterfaceId"), call.text("InstanceId")) {
        (Some(interface), _) => interface.to_owned(),
        (None, Some(instance)) => {
            let instance = instance.to_owned();
            if !call.world.knows("instance", &instance) {
                return Err(absent("InvalidInstanceID.NotFound", &instance));
            }
            let instance = call.world.get("instance", &instance);
            let interfaces = instance.map(|instance| instance.at("networkInterfaceSet.networkInterfaceId"));
            let first = interfaces.and_then(|all| Some(all.first()?.as_str()?.to_owned()));
            first.unwrap_or_default()
        }
        (None, None) => call.needs("NetworkInterfaceId")?,
    };
    let known = call.world.knows("network-interface", &interface);
    let thing = call.world.get("network-interface", &interface).filter(|_| known).cloned();
    thing.ok_or_else(|| absent("InvalidNetworkInterfaceID.NotFound", &interface))
}

fn associate(call: &mut Call<'_>) -> Answer {
    let id = call.needs("AllocationId")?;
    let address = ADDRESS.find(call.world, &id)?;
    let interface = wanted(call)?;
    let may_move = call.flag("AllowReassociation").unwrap_or(false);
    let vpc = interface.text("vpcId");
    if gateway::of_network(call.world, vpc).is_none() {
        let message = format!("Network {vpc} is not attached to any internet gateway");
        return Err(Refused::bad("Gateway.NotAttached", message));
    }
    let association = address.text("associationId");
    if is_held(call.world, &address) && address.text("networkInterfaceId") == interface.id {
        return Ok(object([("return", true.into()), ("associationId", association.into())]));
    }
    if !address.text("_service").is_empty() {
        return Err(denied());
    }
    if !is_free(call.world, &address) && !may_move {
        let message = format!("resource {id} is already associated with associate-id {association}");
        return Err(Refused::bad("Resource.AlreadyAssociated", message));
    }
    let has = interface.at("association.allocationId").first().and_then(|other| other.as_str()).map(str::to_owned);
    if let Some(has) = has {
        if !may_move {
            let message = format!("resource {} is already associated with {has}", interface.id);
            return Err(Refused::bad("Resource.AlreadyAssociated", message));
        }
        unbind(call.world, &has);
    }
    unbind(call.world, &id);
    let association = bind(call.world, &id, &interface.id);
    Ok(object([("return", true.into()), ("associationId", association.into())]))
}

fn disassociate(call: &mut Call<'_>) -> Answer {
    let id = call.needs("AssociationId")?;
    let associated = |address: &&Thing| address.text("associationId") == id;
    let address = call.world.all(ADDRESS.kind).find(associated).cloned();
    let Some(address) = address.filter(|address| !is_free(call.world, address)) else {
        return Err(Refused::bad("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist")));
    };
    if !address.text("_service").is_empty() {
        return Err(denied());
    }
    unbind(call.world, &address.id);
    Ok(object([("return", true.into())]))
}

/// What EC2 says about an address that a service has, as if rights were missing.
fn denied() -> Refused {
    Refused::bad("AuthFailure", "You do not have permission to access the specified resource.")
}

fn release(call: &mut Call<'_>) -> Answer {
    let id = call.needs("AllocationId")?;
    let address = call.world.get(ADDRESS.kind, &id).cloned().ok_or_else(|| ADDRESS.unknown(&id))?;
    if !address.text("_service").is_empty() {
        return Err(denied());
    }
    if is_held(call.world, &address) {
        let message = format!("Address {} is in use.", address.text("publicIp"));
        return Err(Refused::bad("InvalidIPAddress.InUse", message));
    }
    if is_leaving(call.world, &address) {
        // Which of the two it is has been seen to differ.
        if call.world.chance.happens("address/leaving", 0.5) {
            return Err(denied());
        }
        let interface = address.text("networkInterfaceId");
        let message = format!("The networkInterface ID '{interface}' does not exist");
        return Err(Refused::bad("InvalidNetworkInterfaceID.NotFound", message));
    }
    call.world.delete(ADDRESS.kind, &id);
    Ok(object([("return", true.into())]))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;
    use crate::world::Thing;

    fn interface(desk: &mut Desk, id: &str, vpc: &str) {
        let mut interface = Thing::new("network-interface", id);
        interface.set("vpcId", vpc);
        interface.set("privateIpAddress", "10.0.0.4");
        desk.world.put(interface);
    }

    #[test]
    fn one_address_too_many_is_refused() {
        let mut desk = Desk::calm();
        for _ in 0..5 {
            desk.address();
        }
        assert_eq!(desk.refused("AllocateAddress", &[]), "AddressLimitExceeded");
        let all = desk.ok("DescribeAddresses", &[("Filter.1.Name", "domain"), ("Filter.1.Value.1", "vpc")]);
        let mut seen: Vec<&str> =
            all["addressesSet"].as_array().into_iter().flatten().filter_map(|a| a["publicIp"].as_str()).collect();
        seen.dedup();
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn an_address_in_use_is_not_released() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        desk.gateway(&vpc);
        interface(&mut desk, "eni-1", &vpc);
        let address = desk.address();
        let to = [("AllocationId", address.as_str()), ("NetworkInterfaceId", "eni-1")];
        let association = desk.ok("AssociateAddress", &to)["associationId"].clone();
        assert_eq!(desk.refused("ReleaseAddress", &to[..1]), "InvalidIPAddress.InUse");
        let association = [("AssociationId", association.as_str().unwrap_or_default())];
        desk.ok("DisassociateAddress", &association);
        assert_eq!(desk.refused("DisassociateAddress", &association), "InvalidAssociationID.NotFound");
        desk.ok("ReleaseAddress", &to[..1]);
        assert_eq!(desk.refused("ReleaseAddress", &to[..1]), "InvalidAllocationID.NotFound");
    }

    #[test]
    fn an_address_moves_only_when_that_is_allowed() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        desk.gateway(&vpc);
        interface(&mut desk, "eni-1", &vpc);
        interface(&mut desk, "eni-2", &vpc);
        let address = desk.address();
        let to = |interface| [("AllocationId", address.as_str()), ("NetworkInterfaceId", interface)];
        let first = desk.ok("AssociateAddress", &to("eni-1"));
        assert_eq!(desk.ok("AssociateAddress", &to("eni-1"))["associationId"], first["associationId"]);
        assert_eq!(desk.refused("AssociateAddress", &to("eni-2")), "Resource.AlreadyAssociated");
        let [one, two] = to("eni-2");
        desk.ok("AssociateAddress", &[one, two, ("AllowReassociation", "true")]);
        assert!(desk.world.get("network-interface", "eni-1").is_some_and(|i| i.at("association").is_empty()));
        // An interface that goes leaves its address behind.
        desk.world.remove("network-interface", "eni-2");
        let shown = desk.ok("DescribeAddresses", &[])["addressesSet"][0].clone();
        assert!(shown["associationId"].is_null() && shown["networkInterfaceId"].is_null(), "{shown}");
        desk.ok("ReleaseAddress", &[one]);
    }

    #[test]
    fn an_address_needs_a_network_with_a_gateway() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        interface(&mut desk, "eni-1", &vpc);
        let address = desk.address();
        let to = [("AllocationId", address.as_str()), ("NetworkInterfaceId", "eni-1")];
        assert_eq!(desk.refused("AssociateAddress", &to), "Gateway.NotAttached");
        let nowhere = [to[0], ("NetworkInterfaceId", "eni-2")];
        assert_eq!(desk.refused("AssociateAddress", &nowhere), "InvalidNetworkInterfaceID.NotFound");
    }
}
