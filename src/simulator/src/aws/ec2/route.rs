//! Route tables, their routes and the subnets they apply to.
//!
//! Whether a route leads anywhere is found out when it is looked at: its target may have gone since.

pub(super) mod association;
pub(super) mod entry;

pub(super) use association::forget_subnet;
use serde_json::{Value, json};

use super::network::VPC;
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_table_that_applies_to_a_subnet_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteRouteTable.html",
    },
    Behaviour {
        name: "a_page_has_at_most_a_hundred_tables",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateRouteTable", &ROUTE_TABLE).once("ClientToken"),
    Action::special("DescribeRouteTables", describe),
    Action::deletes("DeleteRouteTable", &ROUTE_TABLE),
    Action::special("CreateRoute", entry::create),
    Action::special("ReplaceRoute", entry::replace),
    Action::special("DeleteRoute", entry::delete),
    Action::special("AssociateRouteTable", association::associate),
    Action::special("ReplaceRouteTableAssociation", association::replace),
    Action::special("DisassociateRouteTable", association::disassociate),
];

pub(super) static ROUTE_TABLE: Row = Row {
    id: "routeTableId",
    id_param: "RouteTableId",
    one: "routeTable",
    set: "routeTableSet",
    missing: "InvalidRouteTableID.NotFound",
    fields: &[("VpcId", "vpcId")],
    refs: &[("VpcId", &VPC)],
    used_by: &[("vpc-endpoint", "routeTableIdSet")],
    filters: &[
        ("route-table-id", "routeTableId"),
        ("vpc-id", "vpcId"),
        ("owner-id", "ownerId"),
        ("association.subnet-id", "associationSet.subnetId"),
        ("association.main", "associationSet.main"),
        ("association.route-table-association-id", "associationSet.routeTableAssociationId"),
        ("association.route-table-id", "associationSet.routeTableId"),
        ("route.destination-cidr-block", "routeSet.destinationCidrBlock"),
        ("route.gateway-id", "routeSet.gatewayId"),
        ("route.nat-gateway-id", "routeSet.natGatewayId"),
        ("route.state", "routeSet.state"),
    ],
    born: Some(born),
    dying: Some(dying),
    seen: Some(seen),
    ..Row::new("route-table", "rtb")
};

/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>, of one network.
const MOST: usize = 200;

fn born(call: &mut Call<'_>, table: &mut Thing) -> Result<(), Refused> {
    let vpc = call.needs("VpcId")?;
    let there = call.world.all(ROUTE_TABLE.kind).filter(|table| table.text("vpcId") == vpc).count();
    if there >= call.world.weather.quotas.get(ROUTE_TABLE.kind).map_or(MOST, |most| *most as usize) {
        let message = "The maximum number of route tables has been reached.";
        return Err(Refused::bad("RouteTableLimitExceeded", message));
    }
    fill(call.world, table, &vpc);
    Ok(())
}

/// What a new table is like.
fn fill(world: &World, table: &mut Thing, vpc: &str) {
    let cidr = world.get(VPC.kind, vpc).map(|vpc| vpc.text("cidrBlock").to_owned()).unwrap_or_default();
    table.set("routeTableId", table.id.clone());
    table.set("vpcId", vpc);
    table.set("ownerId", ACCOUNT);
    let local = json!({ "destinationCidrBlock": cidr, "gatewayId": "local", "state": "active",
                        "origin": "CreateRouteTable" });
    table.set("routeSet", json!([local]));
    table.set("associationSet", json!([]));
    table.set("propagatingVgwSet", json!([]));
}

/// The table that applies to every subnet without one of its own.
pub(super) fn add_main(world: &mut World, vpc: &str) {
    let (id, association) = (world.id(ROUTE_TABLE.prefix), world.id("rtbassoc"));
    let mut table = Thing::new(ROUTE_TABLE.kind, &id);
    fill(world, &mut table, vpc);
    table.set(
        "associationSet",
        json!([{ "routeTableAssociationId": association, "routeTableId": id, "main": true,
                 "associationState": { "state": "associated" } }]),
    );
    world.add(table);
}

/// Gives the main table of a network a way to the internet.
pub(super) fn lead_main(world: &mut World, vpc: &str, gateway: &str) {
    let main = world.all(ROUTE_TABLE.kind).find(|table| table.text("vpcId") == vpc && is_main(table));
    let Some(id) = main.map(|table| table.id.clone()) else { return };
    if let Some(routes) = entries(world, &id, "routeSet") {
        routes.push(entry::route("0.0.0.0/0", "gatewayId", gateway));
    }
}

pub(super) fn is_main(table: &Thing) -> bool {
    table.at("associationSet.main").contains(&&Value::Bool(true))
}

fn dying(call: &mut Call<'_>, id: &str) -> Result<bool, Refused> {
    let table = call.world.get(ROUTE_TABLE.kind, id);
    if table.is_some_and(|table| !table.at("associationSet").is_empty()) {
        let message = format!("The routeTable '{id}' has dependencies and cannot be deleted.");
        return Err(Refused::bad("DependencyViolation", message));
    }
    Ok(false)
}

fn seen(world: &World, table: &mut Thing) {
    let vpc = table.text("vpcId").to_owned();
    let Some(Value::Array(routes)) = table.attrs.get_mut("routeSet") else { return };
    for route in routes {
        entry::look(world, &vpc, route);
    }
}

fn describe(call: &mut Call<'_>) -> Answer {
    let most = call.number("MaxResults");
    if most.is_some_and(|most| !(5..=100).contains(&most)) {
        let message = format!("Value ({}) for parameter maxResults is invalid.", most.unwrap_or_default());
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    if most.is_none() && call.texts("RouteTableId").is_empty() {
        call.params.insert("MaxResults".to_owned(), "100".into());
    }
    ROUTE_TABLE.list(call)
}

/// The entries of a list of a table, to be changed.
fn entries<'a>(world: &'a mut World, table: &str, list: &str) -> Option<&'a mut Vec<Value>> {
    world.get_mut(ROUTE_TABLE.kind, table)?.attrs.get_mut(list)?.as_array_mut()
}

/// Adds the route of a gateway endpoint.
pub(super) fn add_prefixes(world: &mut World, table: &str, prefixes: &str, endpoint: &str) {
    if let Some(routes) = entries(world, table, "routeSet") {
        routes.push(json!({ "destinationPrefixListId": prefixes, "gatewayId": endpoint, "state": "active",
                            "origin": "CreateRoute" }));
    }
}

/// Removes the routes of a gateway endpoint.
pub(super) fn remove_prefixes(world: &mut World, table: &str, endpoint: &str) {
    if let Some(routes) = entries(world, table, "routeSet") {
        routes.retain(|route| route["gatewayId"] != endpoint);
    }
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn a_table_that_applies_to_a_subnet_cannot_be_deleted() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (subnet, table) = (desk.subnet(&vpc, "10.0.0.0/24"), desk.table(&vpc));
        desk.ok("AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &subnet)]);
        assert_eq!(desk.refused("DeleteRouteTable", &[("RouteTableId", &table)]), "DependencyViolation");
        // A subnet takes its association with it.
        desk.ok("DeleteSubnet", &[("SubnetId", &subnet)]);
        desk.ok("DeleteRouteTable", &[("RouteTableId", &table)]);
        assert_eq!(desk.refused("DeleteRouteTable", &[("RouteTableId", &table)]), "InvalidRouteTableID.NotFound");
        let main = desk.ok("DescribeRouteTables", &[])["routeTableSet"][0]["routeTableId"].clone();
        let main = [("RouteTableId", main.as_str().unwrap_or_default())];
        assert_eq!(desk.refused("DeleteRouteTable", &main), "DependencyViolation");
    }

    #[test]
    fn a_page_has_at_most_a_hundred_tables() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        for _ in 0..104 {
            desk.table(&vpc);
        }
        assert_eq!(desk.refused("DescribeRouteTables", &[("MaxResults", "101")]), "InvalidParameterValue");
        let first = desk.ok("DescribeRouteTables", &[]);
        assert_eq!(first["routeTableSet"].as_array().map(Vec::len), Some(100));
        let token = first["nextToken"].as_str().unwrap_or_default();
        let second = desk.ok("DescribeRouteTables", &[("NextToken", token)]);
        assert_eq!(second["routeTableSet"].as_array().map(Vec::len), Some(5));
        assert!(second["nextToken"].is_null());
    }
}
