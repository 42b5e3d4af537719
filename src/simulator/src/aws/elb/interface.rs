//! What a load balancer puts into its subnets: network interfaces that only it may touch, and that outlive it.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::now;
use crate::aws::ACCOUNT;
use crate::aws::ec2::free;
use crate::aws::table::text;
use crate::world::{Change, Thing, World};

const KIND: &str = "network-interface";

/// Puts an interface into a subnet.
pub(super) fn put(world: &mut World, lb: &Thing, subnet: &str) {
    let Some(subnet) = world.get("subnet", subnet).cloned() else { return };
    let id = world.id("eni");
    let attachment = world.id("ela-attach");
    let address = free::address(world, &subnet.id, None).unwrap_or_default();
    let path = lb.id.split_once("loadbalancer/").map_or("", |(_, path)| path);
    let mut interface = Thing::new(KIND, &id);
    interface.attrs = attributes(world, lb, &subnet).as_object().cloned().unwrap_or_default();
    interface.set("networkInterfaceId", id.as_str());
    interface.set("description", format!("ELB {path}"));
    interface.set("privateIpAddress", address.as_str());
    let mut private = json!({ "privateIpAddress": address, "primary": true });
    if lb.text("Scheme") == "internet-facing" {
        let public = Ipv4Addr::from(0x0340_0000 | (world.number() >> 44) as u32).to_string();
        let association = json!({ "publicIp": public, "ipOwnerId": "amazon-elb" });
        private["association"] = association.clone();
        interface.set("association", association);
    }
    interface.set("privateIpAddressesSet", vec![private]);
    interface.set(
        "attachment",
        json!({ "attachmentId": attachment, "instanceOwnerId": "amazon-elb", "deviceIndex": 1, "status": "attached",
                "deleteOnTermination": false, "attachTime": now(world) }),
    );
    interface.set("_balancer", lb.id.as_str());
    world.add(interface);
}

fn attributes(world: &World, lb: &Thing, subnet: &Thing) -> Value {
    json!({
        "subnetId": subnet.id,
        "vpcId": subnet.text("vpcId"),
        "availabilityZone": subnet.text("availabilityZone"),
        "ownerId": ACCOUNT,
        "requesterId": "amazon-elb",
        "requesterManaged": true,
        "status": "in-use",
        "sourceDestCheck": false,
        "interfaceType": "network_load_balancer",
        "groupSet": group_set(world, &lb.at("SecurityGroups")),
    })
}

fn group_set(world: &World, groups: &[&Value]) -> Vec<Value> {
    let named = |id: &Value| {
        let name = world.get("security-group", &text(id)).map(|group| group.text("groupName").to_owned());
        json!({ "groupId": id, "groupName": name.unwrap_or_default() })
    };
    groups.iter().map(|id| named(id)).collect()
}

/// Gives the interfaces of a load balancer its security groups.
pub(super) fn regroup(world: &mut World, lb: &Thing) {
    let groups = group_set(world, &lb.at("SecurityGroups"));
    for id in of(world, &lb.id, None) {
        if let Some(interface) = world.get_mut(KIND, &id) {
            interface.set("groupSet", groups.clone());
        }
    }
}

/// Leaves the interfaces of a load balancer, or those in one of its subnets, to vanish in their time.
pub(super) fn abandon(world: &mut World, lb: &str, subnet: Option<&str>) {
    for id in of(world, lb, subnet) {
        let stays = world.takes("aws.NLB.interfacesGone");
        if let Some(interface) = world.get_mut(KIND, &id) {
            interface.set("_lingers", true);
            interface.set("_balancer", "");
        }
        world.later(stays, KIND, &id, Change::Remove);
    }
}

fn of(world: &World, lb: &str, subnet: Option<&str>) -> Vec<String> {
    let ours = |interface: &&Thing| {
        interface.text("_balancer") == lb && subnet.is_none_or(|subnet| interface.text("subnetId") == subnet)
    };
    world.all(KIND).filter(ours).map(|interface| interface.id.clone()).collect()
}
