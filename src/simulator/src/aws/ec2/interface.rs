//! Network interfaces: those that are made for themselves, and those that come and go with a machine.

use serde_json::{Value, json};

use super::free;
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object, timestamp};
use crate::aws::table::{Action, Behaviour, Row, text};
use crate::world::{Change, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "an_interface_is_pending_and_then_available",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html",
    },
    Behaviour {
        name: "the_same_token_makes_no_second_interface",
        source: "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html",
    },
    Behaviour {
        name: "an_interface_in_use_is_not_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
    },
    Behaviour {
        name: "an_address_is_given_once_and_five_of_a_subnet_never",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html",
    },
    Behaviour {
        name: "one_attribute_of_an_interface_changes_at_a_time",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateNetworkInterface", &INTERFACE).once("ClientToken"),
    Action::lists("DescribeNetworkInterfaces", &INTERFACE),
    Action::deletes("DeleteNetworkInterface", &INTERFACE),
    Action::special("ModifyNetworkInterfaceAttribute", modify),
];

pub(super) static INTERFACE: Row = Row {
    id: "networkInterfaceId",
    id_param: "NetworkInterfaceId",
    one: "networkInterface",
    set: "networkInterfaceSet",
    missing: "InvalidNetworkInterfaceID.NotFound",
    filters: &[
        ("network-interface-id", "networkInterfaceId"),
        ("subnet-id", "subnetId"),
        ("vpc-id", "vpcId"),
        ("availability-zone", "availabilityZone"),
        ("status", "status"),
        ("description", "description"),
        ("group-id", "groupSet.groupId"),
        ("private-ip-address", "privateIpAddress"),
        ("addresses.private-ip-address", "privateIpAddressesSet.privateIpAddress"),
        ("attachment.instance-id", "attachment.instanceId"),
        ("attachment.status", "attachment.status"),
        ("interface-type", "interfaceType"),
        ("requester-managed", "requesterManaged"),
    ],
    // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    limit: (5000, "NetworkInterfaceLimitExceeded"),
    born: Some(born),
    after: Some(after),
    dying: Some(dying),
    ..Row::new("network-interface", "eni")
};

/// As many groups as an interface may have.
const GROUPS: usize = 5;

/// What an interface is to be like.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    pub(super) subnet: String,
    pub(super) address: Option<String>,
    /// None are the network's default group.
    pub(super) groups: Vec<String>,
    pub(super) description: String,
}

fn born(call: &mut Call<'_>, interface: &mut Thing) -> Result<(), Refused> {
    let wish = Wish {
        subnet: call.needs("SubnetId")?,
        address: call.text("PrivateIpAddress").map(str::to_owned),
        groups: call.texts("SecurityGroupId"),
        description: call.text("Description").unwrap_or_default().to_owned(),
    };
    let groups = checked(call.world, &wish)?;
    shape(call.world, interface, &wish, &groups)?;
    interface.set("status", "pending");
    Ok(())
}

fn after(world: &mut World, id: &str) {
    let settles = 300 + world.chance.number("interface") % 1200;
    world.later(settles, "network-interface", id, Change::Named("settled".to_owned()));
}

/// It has settled, unless a machine has it already.
pub(super) fn settled(world: &mut World, id: &str) {
    if let Some(interface) = world.get_mut("network-interface", id).filter(|i| i.text("status") == "pending") {
        interface.set("status", "available");
    }
}

/// Makes sure that subnet and groups are there for whoever asks; gives the groups as they are answered.
pub(super) fn checked(world: &mut World, wish: &Wish) -> Result<Value, Refused> {
    let unknown = |code: &str, what: &str, id: &str| Refused::bad(code, format!("The {what} '{id}' does not exist"));
    let known = world.knows("subnet", &wish.subnet).then(|| world.get("subnet", &wish.subnet).cloned()).flatten();
    let subnet = known.ok_or_else(|| unknown("InvalidSubnetID.NotFound", "subnet ID", &wish.subnet))?;
    if wish.groups.len() > GROUPS {
        let message = format!("The maximum number of security groups per interface has been reached: {GROUPS}");
        return Err(Refused::bad("SecurityGroupsPerInterfaceLimitExceeded", message));
    }
    groups_in(world, subnet.text("vpcId"), &wish.groups, &wish.subnet)
}

/// These groups, which must be of this network; without any, its default group.
fn groups_in(world: &mut World, vpc: &str, ids: &[String], subnet: &str) -> Result<Value, Refused> {
    let entry = |group: &Thing| json!({ "groupId": group.id, "groupName": group.text("groupName") });
    if ids.is_empty() {
        let mut all = world.all("security-group");
        let default = all.find(|group| group.text("vpcId") == vpc && group.text("groupName") == "default");
        return Ok(default.map(entry).into_iter().collect());
    }
    let mut groups = Vec::with_capacity(ids.len());
    for id in ids {
        let known = world.knows("security-group", id).then(|| world.get("security-group", id)).flatten();
        let group = known.ok_or_else(|| {
            Refused::bad("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
        })?;
        if group.text("vpcId") != vpc {
            let message = format!("Security group {id} and subnet {subnet} belong to different networks.");
            return Err(Refused::bad("InvalidParameter", message));
        }
        groups.push(entry(group));
    }
    Ok(groups.into())
}

/// Gives an interface its attributes, an address among them.
fn shape(world: &mut World, interface: &mut Thing, wish: &Wish, groups: &Value) -> Result<(), Refused> {
    let subnet = world.get("subnet", &wish.subnet).cloned().unwrap_or_else(|| Thing::new("subnet", &wish.subnet));
    let address = free::address(world, &wish.subnet, wish.address.as_deref())?;
    let name = private_name(&world.region, &address);
    let mac = world.number();
    let byte = |at: u32| (mac >> (at * 8)) & 0xff;
    interface.set("subnetId", subnet.id.as_str());
    interface.set("vpcId", subnet.text("vpcId"));
    interface.set("availabilityZone", subnet.text("availabilityZone"));
    interface.set("description", wish.description.as_str());
    interface.set("ownerId", ACCOUNT);
    interface.set("requesterManaged", false);
    interface.set("status", "available");
    interface.set(
        "macAddress",
        format!("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", byte(0), byte(1), byte(2), byte(3), byte(4)),
    );
    interface.set("privateIpAddress", address.as_str());
    interface.set("privateDnsName", name.as_str());
    interface.set("sourceDestCheck", true);
    interface.set("groupSet", groups.clone());
    interface.set("interfaceType", "interface");
    let addresses = json!([{ "privateIpAddress": address, "privateDnsName": name, "primary": true }]);
    interface.set("privateIpAddressesSet", addresses);
    Ok(())
}

/// The name of a machine with this address
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html>).
pub(super) fn private_name(region: &str, address: &str) -> String {
    let domain = if region == "us-east-1" { "ec2.internal".to_owned() } else { format!("{region}.compute.internal") };
    format!("ip-{}.{domain}", address.replace('.', "-"))
}

/// Makes an interface that comes with a machine.
pub(super) fn made(world: &mut World, wish: &Wish, groups: &Value) -> Result<String, Refused> {
    let id = world.id(INTERFACE.prefix);
    let mut interface = Thing::new(INTERFACE.kind, &id);
    interface.set(INTERFACE.id, id.as_str());
    shape(world, &mut interface, wish, groups)?;
    world.add(interface);
    Ok(id)
}

/// Ties an interface to a machine.
pub(super) fn attach(world: &mut World, id: &str, machine: &str, index: i64, ends_with_machine: bool) {
    let (at, attachment) = (timestamp(world.now()), world.id("eni-attach"));
    if let Some(interface) = world.get_mut("network-interface", id) {
        interface.set("status", "in-use");
        let tie = json!({
            "attachmentId": attachment, "instanceId": machine, "instanceOwnerId": ACCOUNT, "deviceIndex": index,
            "networkCardIndex": 0, "status": "attached", "attachTime": at, "deleteOnTermination": ends_with_machine,
        });
        interface.set("attachment", tie);
    }
}

/// The machine has ended: what came with it goes, the others are free again.
pub(super) fn release(world: &mut World, machine: &str) {
    let of = |interface: &&Thing| interface.at("attachment.instanceId").first().is_some_and(|id| *id == machine);
    let held: Vec<(String, bool)> = world
        .all("network-interface")
        .filter(of)
        .map(|i| (i.id.clone(), i.at("attachment.deleteOnTermination").first().is_some_and(|on| **on == true)))
        .collect();
    for (id, ends) in held {
        if ends {
            world.delete("network-interface", &id);
        } else if let Some(interface) = world.get_mut("network-interface", &id) {
            interface.attrs.shift_remove("attachment");
            interface.set("status", "available");
        }
    }
}

/// An interface as its machine tells it.
pub(super) fn of_machine(interface: &Thing) -> Value {
    const TOLD: [&str; 13] = [
        "networkInterfaceId",
        "subnetId",
        "vpcId",
        "description",
        "ownerId",
        "status",
        "macAddress",
        "privateIpAddress",
        "privateDnsName",
        "sourceDestCheck",
        "groupSet",
        "association",
        "interfaceType",
    ];
    let mut told: serde_json::Map<String, Value> =
        TOLD.iter().filter_map(|name| Some(((*name).to_owned(), interface.attrs.get(*name)?.clone()))).collect();
    let mut addresses = interface.attrs.get("privateIpAddressesSet").cloned().unwrap_or_default();
    if let (Some(association), Some(first)) = (interface.attrs.get("association"), addresses.get_mut(0)) {
        first["association"] = association.clone();
    }
    told.insert("privateIpAddressesSet".to_owned(), addresses);
    if let Some(tie) = interface.attrs.get("attachment") {
        let mut tie = tie.clone();
        if let Some(tie) = tie.as_object_mut() {
            tie.retain(|name, _| !name.starts_with("instance"));
        }
        told.insert("attachment".to_owned(), tie);
    }
    Value::Object(told)
}

fn dying(call: &mut Call<'_>, id: &str) -> Result<bool, Refused> {
    let interface = call.world.get("network-interface", id).cloned().ok_or_else(|| INTERFACE.unknown(id))?;
    if interface.attrs.get("requesterManaged").is_some_and(|on| *on == true) {
        let message = format!("You are not allowed to manage the network interface '{id}' of another service.");
        return Err(Refused::bad("OperationNotPermitted", message));
    }
    if interface.text("status") == "in-use" {
        let message = format!("Network interface '{id}' is currently in use.");
        return Err(Refused::bad("InvalidNetworkInterface.InUse", message));
    }
    Ok(false)
}

fn modify(call: &mut Call<'_>) -> Answer {
    let id = call.needs("NetworkInterfaceId")?;
    let interface = INTERFACE.find(call.world, &id)?;
    let attributes = ["Description", "SourceDestCheck", "SecurityGroupId", "Attachment"];
    let sent: Vec<&str> = attributes.into_iter().filter(|name| call.at(name).is_some()).collect();
    let [one] = sent[..] else {
        let message = "Fields for multiple attribute types specified, or for none";
        return Err(Refused::bad("InvalidParameterCombination", message));
    };
    match one {
        "Description" => {
            let words = call.at("Description.Value").map(text).unwrap_or_default();
            change(call.world, &id, "description", words.into());
        }
        "SourceDestCheck" => {
            let on = call.flag("SourceDestCheck.Value").unwrap_or(true);
            change(call.world, &id, "sourceDestCheck", on.into());
        }
        "SecurityGroupId" => {
            let wish = Wish {
                subnet: interface.text("subnetId").to_owned(),
                groups: call.texts("SecurityGroupId"),
                ..Wish::default()
            };
            let groups = checked(call.world, &wish)?;
            set_groups(call.world, &id, &groups);
        }
        _ => {
            let ends = call.flag("Attachment.DeleteOnTermination").unwrap_or(false);
            if let Some(interface) = call.world.get_mut("network-interface", &id)
                && let Some(tie) = interface.attrs.get_mut("attachment")
            {
                tie["deleteOnTermination"] = ends.into();
            }
        }
    }
    Ok(object([("return", true.into())]))
}

fn change(world: &mut World, id: &str, attr: &str, value: Value) {
    if let Some(interface) = world.get_mut("network-interface", id) {
        interface.set(attr, value);
    }
}

/// Gives an interface other groups; its machine has the groups of its first interface.
pub(super) fn set_groups(world: &mut World, id: &str, groups: &Value) {
    change(world, id, "groupSet", groups.clone());
    let Some(interface) = world.get("network-interface", id) else { return };
    let first = interface.at("attachment.deviceIndex").first().is_some_and(|index| **index == 0);
    let machine = interface.at("attachment.instanceId").first().map(|id| text(id));
    if let Some(machine) = machine.filter(|_| first).and_then(|machine| world.get_mut("instance", &machine)) {
        machine.set("groupSet", groups.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ec2::ground::{GROUP, SUBNET, ground};

    const CREATE: &str = "CreateNetworkInterface";

    #[test]
    fn an_interface_is_pending_and_then_available() {
        let mut desk = ground();
        let made = desk.ok(CREATE, &[("SubnetId", SUBNET), ("SecurityGroupId.1", GROUP), ("Description", "cp-0")]);
        assert_eq!(made["networkInterface"]["status"], "pending");
        desk.wait(2000);
        let seen = desk.ok("DescribeNetworkInterfaces", &[]);
        let seen = &seen["networkInterfaceSet"][0];
        assert_eq!((&seen["status"], &seen["groupSet"][0]["groupId"]), (&"available".into(), &GROUP.into()));
        assert_eq!(desk.refused(CREATE, &[("SubnetId", "subnet-x")]), "InvalidSubnetID.NotFound");
        let unknown = [("SubnetId", SUBNET), ("SecurityGroupId.1", "sg-x")];
        assert_eq!(desk.refused(CREATE, &unknown), "InvalidGroup.NotFound");
    }

    #[test]
    fn the_same_token_makes_no_second_interface() {
        let mut desk = ground();
        let ask = [("SubnetId", SUBNET), ("ClientToken", "t")];
        assert_eq!(desk.ok(CREATE, &ask), desk.ok(CREATE, &ask));
        assert_eq!(desk.world.all("network-interface").count(), 1);
        let other = [("SubnetId", SUBNET), ("ClientToken", "t"), ("Description", "another")];
        assert_eq!(desk.refused(CREATE, &other), "IdempotentParameterMismatch");
    }

    #[test]
    fn an_interface_in_use_is_not_deleted() {
        let mut desk = ground();
        let made = desk.ok(CREATE, &[("SubnetId", SUBNET)]);
        let id = made["networkInterface"]["networkInterfaceId"].as_str().unwrap_or_default().to_owned();
        attach(&mut desk.world, &id, "i-1", 0, false);
        let delete = [("NetworkInterfaceId", id.as_str())];
        assert_eq!(desk.refused("DeleteNetworkInterface", &delete), "InvalidNetworkInterface.InUse");
        release(&mut desk.world, "i-1");
        desk.ok("DeleteNetworkInterface", &delete);
        assert_eq!(desk.refused("DeleteNetworkInterface", &delete), "InvalidNetworkInterfaceID.NotFound");
    }

    #[test]
    fn an_address_is_given_once_and_five_of_a_subnet_never() {
        let mut desk = ground();
        let ask = |address| [("SubnetId", SUBNET), ("PrivateIpAddress", address)];
        desk.ok(CREATE, &ask("10.0.0.5"));
        assert_eq!(desk.refused(CREATE, &ask("10.0.0.5")), "InvalidIPAddress.InUse");
        assert_eq!(desk.refused(CREATE, &ask("10.0.0.3")), "InvalidParameterValue");
        assert_eq!(desk.refused(CREATE, &ask("10.0.0.255")), "InvalidParameterValue");
        for _ in 0..250 {
            desk.ok(CREATE, &[("SubnetId", SUBNET)]);
        }
        assert_eq!(desk.refused(CREATE, &[("SubnetId", SUBNET)]), "InsufficientFreeAddressesInSubnet");
    }

    #[test]
    fn one_attribute_of_an_interface_changes_at_a_time() {
        let mut desk = ground();
        let made = desk.ok(CREATE, &[("SubnetId", SUBNET)]);
        let id = made["networkInterface"]["networkInterfaceId"].as_str().unwrap_or_default().to_owned();
        let both =
            [("NetworkInterfaceId", id.as_str()), ("SourceDestCheck.Value", "false"), ("Description.Value", "x")];
        assert_eq!(desk.refused("ModifyNetworkInterfaceAttribute", &both), "InvalidParameterCombination");
        desk.ok("ModifyNetworkInterfaceAttribute", &both[..2]);
        let seen = desk.ok("DescribeNetworkInterfaces", &[("NetworkInterfaceId.1", &id)]);
        assert_eq!(seen["networkInterfaceSet"][0]["sourceDestCheck"], false);
    }
}
