//! Which table applies to which subnet.

use serde_json::{Value, json};

use super::{ROUTE_TABLE, entries};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::ec2::subnet::SUBNET;
use crate::aws::table::Behaviour;
use crate::world::World;

pub(in crate::aws::ec2) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_subnet_has_one_table",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html",
    },
    Behaviour {
        name: "another_table_means_another_association",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRouteTableAssociation.html",
    },
];

fn association(id: &str, table: &str, subnet: Option<&str>) -> Value {
    let mut made = json!({ "routeTableAssociationId": id, "routeTableId": table });
    if let Some(subnet) = subnet {
        made["subnetId"] = subnet.into();
    }
    made["main"] = subnet.is_none().into();
    made["associationState"] = json!({ "state": "associated" });
    made
}

/// The table with an association, and that one.
fn find(world: &World, fits: impl Fn(&Value) -> bool) -> Option<(String, Value)> {
    world.all(ROUTE_TABLE.kind).find_map(|table| {
        let found = table.at("associationSet").into_iter().find(|association| fits(association))?;
        Some((table.id.clone(), found.clone()))
    })
}

pub(super) fn associate(call: &mut Call<'_>) -> Answer {
    let (id, subnet) = (call.needs("RouteTableId")?, call.needs("SubnetId")?);
    let table = ROUTE_TABLE.find(call.world, &id)?;
    if SUBNET.find(call.world, &subnet)?.text("vpcId") != table.text("vpcId") {
        let message = format!("Route table {id} and subnet {subnet} belong to different networks");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    if find(call.world, |association| association["subnetId"] == subnet).is_some() {
        let message = format!("the specified association for route table {id} conflicts with an existing association");
        return Err(Refused::bad("Resource.AlreadyAssociated", message));
    }
    let made = call.world.id("rtbassoc");
    if let Some(all) = entries(call.world, &id, "associationSet") {
        all.push(association(&made, &id, Some(&subnet)));
    }
    Ok(object([("associationId", made.into()), ("associationState", json!({ "state": "associated" }))]))
}

pub(super) fn replace(call: &mut Call<'_>) -> Answer {
    let (old, id) = (call.needs("AssociationId")?, call.needs("RouteTableId")?);
    ROUTE_TABLE.find(call.world, &id)?;
    let Some((before, there)) = find(call.world, |association| association["routeTableAssociationId"] == old) else {
        return Err(unknown(&old));
    };
    let made = call.world.id("rtbassoc");
    remove(call.world, &before, &old);
    if let Some(all) = entries(call.world, &id, "associationSet") {
        all.push(association(&made, &id, there["subnetId"].as_str()));
    }
    Ok(object([("newAssociationId", made.into()), ("associationState", json!({ "state": "associated" }))]))
}

pub(super) fn disassociate(call: &mut Call<'_>) -> Answer {
    let id = call.needs("AssociationId")?;
    let Some((table, there)) = find(call.world, |association| association["routeTableAssociationId"] == id) else {
        return Err(unknown(&id));
    };
    if there["main"] == true {
        let message = format!("cannot disassociate the main route table association {id}");
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    remove(call.world, &table, &id);
    Ok(object([("return", true.into())]))
}

fn unknown(id: &str) -> Refused {
    Refused::bad("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"))
}

fn remove(world: &mut World, table: &str, association: &str) {
    if let Some(all) = entries(world, table, "associationSet") {
        all.retain(|there| there["routeTableAssociationId"] != association);
    }
}

/// A subnet goes, and its association with it.
pub(in crate::aws::ec2) fn forget_subnet(world: &mut World, subnet: &str) {
    let there = find(world, |association| association["subnetId"] == subnet);
    if let Some((table, association)) = there {
        remove(world, &table, association["routeTableAssociationId"].as_str().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn a_subnet_has_one_table() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (subnet, table, other) = (desk.subnet(&vpc, "10.0.0.0/24"), desk.table(&vpc), desk.table(&vpc));
        let made = desk.ok("AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &subnet)]);
        for table in [&table, &other] {
            let again = [("RouteTableId", table.as_str()), ("SubnetId", &subnet)];
            assert_eq!(desk.refused("AssociateRouteTable", &again), "Resource.AlreadyAssociated");
        }
        let of = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", subnet.as_str())];
        let shown = desk.ok("DescribeRouteTables", &of)["routeTableSet"][0]["associationSet"][0].clone();
        assert_eq!((&shown["routeTableAssociationId"], &shown["main"]), (&made["associationId"], &false.into()));
        let association = [("AssociationId", made["associationId"].as_str().unwrap_or_default())];
        desk.ok("DisassociateRouteTable", &association);
        assert_eq!(desk.refused("DisassociateRouteTable", &association), "InvalidAssociationID.NotFound");
    }

    #[test]
    fn another_table_means_another_association() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (subnet, table, other) = (desk.subnet(&vpc, "10.0.0.0/24"), desk.table(&vpc), desk.table(&vpc));
        let made = desk.ok("AssociateRouteTable", &[("RouteTableId", &table), ("SubnetId", &subnet)]);
        let to = [("AssociationId", made["associationId"].as_str().unwrap_or_default()), ("RouteTableId", &other)];
        let moved = desk.ok("ReplaceRouteTableAssociation", &to);
        assert_ne!(made["associationId"], moved["newAssociationId"]);
        assert_eq!(desk.refused("ReplaceRouteTableAssociation", &to), "InvalidAssociationID.NotFound");
        desk.ok("DeleteRouteTable", &[("RouteTableId", &table)]);
        assert_eq!(desk.refused("DeleteRouteTable", &[("RouteTableId", &other)]), "DependencyViolation");
    }
}
