use std::collections::BTreeSet;

use serde_json::Value;

use crate::aws::testing::Desk;
use crate::weather::Weather;

const FIVE_MINUTES: u64 = 300_000;
const THREE_MINUTES: u64 = 180_000;

/// A desk with a network that has a gateway, and a subnet in it.
fn desk() -> (Desk, String, String) {
    let mut desk = Desk::calm();
    let vpc = desk.vpc("10.0.0.0/16");
    desk.gateway(&vpc);
    let subnet = desk.subnet(&vpc, "10.0.0.0/24");
    (desk, vpc, subnet)
}

fn seen(desk: &mut Desk, nat: &str) -> Value {
    desk.ok("DescribeNatGateways", &[("NatGatewayId.1", nat)])["natGatewaySet"][0].clone()
}

#[test]
fn a_nat_gateway_is_pending_and_then_available() {
    let (mut desk, _, subnet) = desk();
    let address = desk.address();
    let nat = desk.nat(&subnet, &address);
    desk.wait(79_000);
    assert_eq!(seen(&mut desk, &nat)["state"], "pending");
    desk.wait(FIVE_MINUTES);
    let there = seen(&mut desk, &nat);
    assert_eq!((&there["state"], &there["natGatewayAddressSet"][0]["isPrimary"]), (&"available".into(), &true.into()));
    let shown = desk.ok("DescribeAddresses", &[])["addressesSet"][0].clone();
    assert_eq!(shown["networkInterfaceId"], there["natGatewayAddressSet"][0]["networkInterfaceId"]);
    let of = [("Filter.1.Name", "state"), ("Filter.1.Value.1", "pending")];
    assert_eq!(desk.ok("DescribeNatGateways", &of)["natGatewaySet"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_nat_gateway_that_cannot_work_is_accepted_and_fails() {
    let mut desk = Desk::calm();
    let vpc = desk.vpc("10.0.0.0/16");
    let subnet = desk.subnet(&vpc, "10.0.0.0/24");
    let address = desk.address();
    let without_gateway = desk.nat(&subnet, &address);
    desk.gateway(&vpc);
    let first = desk.nat(&subnet, &address);
    let second = desk.nat(&subnet, &address);
    desk.world.weather.accepted_then_failed = 1.0;
    let other = desk.address();
    let unlucky = desk.nat(&subnet, &other);
    desk.wait(FIVE_MINUTES);
    for (nat, code) in [
        (&without_gateway, Value::from("Gateway.NotAttached")),
        (&first, Value::Null),
        (&second, "Resource.AlreadyAssociated".into()),
        (&unlucky, "InternalError".into()),
    ] {
        let there = seen(&mut desk, nat);
        let state = if code.is_null() { "available" } else { "failed" };
        assert_eq!((&there["failureCode"], &there["state"]), (&code, &state.into()), "{there}");
    }
    desk.ok("ReleaseAddress", &[("AllocationId", &other)]);
}

#[test]
fn a_nat_gateway_holds_address_and_subnet_until_it_is_deleted() {
    let (mut desk, vpc, subnet) = desk();
    let address = desk.address();
    let nat = desk.nat(&subnet, &address);
    desk.wait(FIVE_MINUTES);
    let gateway = desk.ok("DescribeInternetGateways", &[])["internetGatewaySet"][0]["internetGatewayId"].clone();
    let gateway = [("InternetGatewayId", gateway.as_str().unwrap_or_default()), ("VpcId", &vpc)];
    desk.ok("DeleteNatGateway", &[("NatGatewayId", &nat)]);
    assert_eq!(seen(&mut desk, &nat)["state"], "deleting");
    assert_eq!(desk.refused("ReleaseAddress", &[("AllocationId", &address)]), "AuthFailure");
    assert_eq!(desk.refused("DeleteSubnet", &[("SubnetId", &subnet)]), "DependencyViolation");
    assert_eq!(desk.refused("DetachInternetGateway", &gateway), "DependencyViolation");
    desk.wait(THREE_MINUTES);
    assert_eq!(seen(&mut desk, &nat)["state"], "deleted");
    desk.ok("ReleaseAddress", &[("AllocationId", &address)]);
    desk.ok("DeleteSubnet", &[("SubnetId", &subnet)]);
    desk.ok("DetachInternetGateway", &gateway);
    desk.ok("DeleteInternetGateway", &gateway[..1]);
    desk.ok("DeleteVpc", &[("VpcId", &vpc)]);
    assert!(desk.world.inventory().is_empty(), "{:?}", desk.world.inventory());
}

#[test]
fn the_address_of_a_service_is_refused_as_if_rights_were_missing() {
    let (mut desk, _, subnet) = desk();
    let address = desk.address();
    desk.nat(&subnet, &address);
    assert_eq!(desk.refused("ReleaseAddress", &[("AllocationId", &address)]), "AuthFailure");
    desk.wait(FIVE_MINUTES);
    let association = desk.ok("DescribeAddresses", &[])["addressesSet"][0]["associationId"].clone();
    let association = [("AssociationId", association.as_str().unwrap_or_default())];
    assert_eq!(desk.refused("DisassociateAddress", &association), "AuthFailure");
}

#[test]
fn a_deleted_nat_gateway_is_described_for_an_hour() {
    let (mut desk, _, subnet) = desk();
    let address = desk.address();
    let nat = desk.nat(&subnet, &address);
    desk.ok("DeleteNatGateway", &[("NatGatewayId", &nat)]);
    desk.wait(FIVE_MINUTES);
    assert_eq!(seen(&mut desk, &nat)["state"], "deleted");
    desk.wait(3_600_000);
    assert_eq!(desk.refused("DescribeNatGateways", &[("NatGatewayId.1", &nat)]), "NatGatewayNotFound");
}

#[test]
fn the_same_token_makes_no_second_nat_gateway() {
    let (mut desk, _, subnet) = desk();
    let (address, other) = (desk.address(), desk.address());
    let with = |address| [("SubnetId", subnet.as_str()), ("AllocationId", address), ("ClientToken", "t")];
    let first = desk.ok("CreateNatGateway", &with(&address));
    assert_eq!(desk.ok("CreateNatGateway", &with(&address)), first);
    assert_eq!(desk.refused("CreateNatGateway", &with(&other)), "IdempotentParameterMismatch");
    assert_eq!(desk.world.all("natgateway").count(), 1);
}

#[test]
fn an_address_unknown_to_a_nat_gateway_has_a_code_of_its_own() {
    let (mut desk, _, subnet) = desk();
    let with = [("SubnetId", subnet.as_str()), ("AllocationId", "eipalloc-1")];
    assert_eq!(desk.refused("CreateNatGateway", &with), "InvalidElasticIpID.NotFound");
    assert_eq!(desk.refused("ReleaseAddress", &with[1..]), "InvalidAllocationID.NotFound");
}

/// What is said of the address of a NAT gateway that has just been deleted, and that it is released later.
fn just_deleted() -> BTreeSet<String> {
    let (mut desk, _, subnet) = desk();
    let address = desk.address();
    let nat = desk.nat(&subnet, &address);
    desk.wait(FIVE_MINUTES);
    desk.world.weather = Weather { lag_p50_ms: 4_000, lag_max_ms: 4_000, flap: 1.0, ..Weather::calm() };
    desk.ok("DeleteNatGateway", &[("NatGatewayId", &nat)]);
    while seen(&mut desk, &nat)["state"] != "deleted" {
        desk.wait(1);
    }
    let address = [("AllocationId", address.as_str())];
    let refused = (0..20).map(|_| desk.refused("ReleaseAddress", &address)).collect();
    desk.wait(4_000);
    desk.ok("ReleaseAddress", &address);
    refused
}

#[test]
fn an_address_still_looks_for_the_interface_of_its_nat_gateway() {
    assert!(just_deleted().contains("InvalidNetworkInterfaceID.NotFound"));
}

#[test]
fn an_address_is_refused_a_moment_after_its_nat_gateway_is_deleted() {
    assert!(just_deleted().contains("AuthFailure"));
}

#[test]
fn one_nat_gateway_too_many_in_a_zone_is_refused() {
    let (mut desk, _, subnet) = desk();
    for _ in 0..5 {
        let address = desk.address();
        desk.nat(&subnet, &address);
    }
    let address = desk.ok("DescribeAddresses", &[])["addressesSet"][0]["allocationId"].clone();
    let with = [("SubnetId", subnet.as_str()), ("AllocationId", address.as_str().unwrap_or_default())];
    assert_eq!(desk.refused("CreateNatGateway", &with), "NatGatewayLimitExceeded");
}
