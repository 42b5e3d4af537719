//! The addresses of a subnet that nobody has. The first four and the last are AWS's
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>).

use std::collections::BTreeSet;

use serde_json::Value;

use super::cidr::Cidr;
use super::subnet::SUBNET;
use crate::aws::call::Refused;
use crate::world::World;

/// How many addresses of a subnet nobody can have.
pub(super) const RESERVED: u64 = 5;
/// Which is the first that anybody can have.
const FIRST: u64 = 4;

/// How many addresses of a subnet are free.
pub(in crate::aws) fn count(world: &World, subnet: &str) -> u64 {
    let size = range(world, subnet).map_or(0, Cidr::size);
    size.saturating_sub(RESERVED + taken(world, subnet).len() as u64)
}

/// The address that is wanted, or one that is drawn.
///
/// # Errors
/// As EC2 refuses an address outside the subnet, one that is taken, and a subnet that is full.
pub(in crate::aws) fn address(world: &mut World, subnet: &str, wanted: Option<&str>) -> Result<String, Refused> {
    let full = || {
        let message = format!("There are not enough free addresses in subnet '{subnet}' to satisfy the request.");
        Refused::bad("InsufficientFreeAddressesInSubnet", message)
    };
    let cidr = range(world, subnet).ok_or_else(full)?;
    let usable = cidr.size().saturating_sub(RESERVED);
    let taken = taken(world, subnet);
    if let Some(wanted) = wanted {
        let place = wanted.parse().ok().and_then(|address| cidr.place(address));
        if !place.is_some_and(|place| (FIRST..FIRST + usable).contains(&place)) {
            let message = format!("Address {wanted} does not fall within the subnet's address range");
            return Err(Refused::bad("InvalidParameterValue", message));
        }
        if taken.contains(wanted) {
            return Err(Refused::bad("InvalidIPAddress.InUse", format!("Address {wanted} is in use.")));
        }
        return Ok(wanted.to_owned());
    }
    let start = world.chance.number("address") % usable.max(1);
    let mut all = (0..usable).map(|step| cidr.address(FIRST + (start + step) % usable));
    all.find(|address| !taken.contains(address)).ok_or_else(full)
}

fn range(world: &World, subnet: &str) -> Option<Cidr> {
    world.get(SUBNET.kind, subnet)?.text("cidrBlock").parse().ok()
}

fn taken(world: &World, subnet: &str) -> BTreeSet<String> {
    let inside = world.all("network-interface").filter(|interface| interface.text("subnetId") == subnet);
    let addresses = inside.flat_map(|interface| {
        let more = interface.at("privateIpAddressesSet.privateIpAddress");
        interface.at("privateIpAddress").into_iter().chain(more).filter_map(Value::as_str)
    });
    addresses.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::Desk;
    use crate::world::Thing;

    #[test]
    fn five_addresses_of_a_subnet_are_reserved() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let subnet = desk.subnet(&vpc, "10.0.0.0/28");
        let told = |desk: &mut Desk| desk.ok("DescribeSubnets", &[])["subnetSet"][0]["availableIpAddressCount"].clone();
        assert_eq!((told(&mut desk), count(&desk.world, &subnet)), (11.into(), 11));
        for number in 0..11 {
            let address = address(&mut desk.world, &subnet, None).expect("an address");
            let last: u8 = address.rsplit('.').next().and_then(|part| part.parse().ok()).unwrap_or_default();
            assert!((4..=14).contains(&last), "{address}");
            let mut interface = Thing::new("network-interface", format!("eni-{number}"));
            interface.set("subnetId", subnet.as_str());
            interface.set("privateIpAddress", address);
            desk.world.put(interface);
        }
        assert_eq!((told(&mut desk), count(&desk.world, &subnet)), (0.into(), 0));
        assert!(address(&mut desk.world, &subnet, None).is_err());
    }
}
