//! Network interfaces that services hold in subnets of ours: nobody else can delete them, and until they vanish they keep
//! their subnet and their groups in use
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html>).

use serde_json::{Value, json};

use super::free;
use super::subnet::SUBNET;
use crate::aws::ACCOUNT;
use crate::aws::call::Refused;
use crate::world::{Change, Thing, World};

/// An interface of a service.
#[derive(Debug, Clone, Copy)]
pub(in crate::aws) struct Held<'a> {
    pub subnet: &'a str,
    pub groups: &'a [String],
    /// As EC2 calls it, such as `nat_gateway`.
    pub interface_type: &'a str,
    pub description: &'a str,
    /// The account of the service.
    pub requester: &'a str,
}

/// The kind of every network interface.
const INTERFACE: &str = "network-interface";

/// Puts an interface into a subnet; gives its id and its address.
pub(in crate::aws) fn hold(world: &mut World, held: Held<'_>) -> Result<(String, String), Refused> {
    let address = free::address(world, held.subnet, None)?;
    let (id, attachment, mac) = (world.id("eni"), world.id("ela-attach"), world.number());
    let octets: Vec<String> = (0..5).map(|at| format!("{:02x}", (mac >> (at * 8)) & 0xff)).collect();
    let subnet = world.get(SUBNET.kind, held.subnet);
    let of = |attr: &str| subnet.map(|subnet| subnet.text(attr).to_owned()).unwrap_or_default();
    let (vpc, zone) = (of("vpcId"), of("availabilityZone"));
    let groups: Vec<Value> = held
        .groups
        .iter()
        .map(|group| {
            let name = world.get("security-group", group).map(|group| group.text("groupName").to_owned());
            json!({ "groupId": group, "groupName": name.unwrap_or_default() })
        })
        .collect();
    let mut interface = Thing::new(INTERFACE, &id);
    interface.set("networkInterfaceId", id.as_str());
    interface.set("subnetId", held.subnet);
    interface.set("vpcId", vpc);
    interface.set("availabilityZone", zone);
    interface.set("description", held.description);
    interface.set("ownerId", ACCOUNT);
    interface.set("requesterId", held.requester);
    interface.set("requesterManaged", true);
    interface.set("interfaceType", held.interface_type);
    interface.set("status", "in-use");
    interface.set("macAddress", format!("02:{}", octets.join(":")));
    interface.set("privateIpAddress", address.as_str());
    interface.set("privateIpAddressesSet", json!([{ "privateIpAddress": address, "primary": true }]));
    interface.set("sourceDestCheck", false);
    interface.set("groupSet", groups);
    interface.set(
        "attachment",
        json!({ "attachmentId": attachment, "instanceOwnerId": held.requester, "deviceIndex": 1,
                "status": "attached", "deleteOnTermination": false }),
    );
    world.add(interface);
    Ok((id, address))
}

/// Takes an interface out again, a moment later.
pub(in crate::aws) fn let_go(world: &mut World, interface: &str) {
    let lag = world.lag("held");
    if lag == 0 {
        world.remove(INTERFACE, interface);
    } else {
        world.later(lag, INTERFACE, interface, Change::Remove);
    }
}
