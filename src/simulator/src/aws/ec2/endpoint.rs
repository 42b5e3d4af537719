//! VPC endpoints: routes of gateway endpoints, interfaces of the others.

use serde_json::{Map, Value, json};

use super::held::{Held, hold, let_go};
use super::network::VPC;
use super::route::{self, ROUTE_TABLE};
use super::security::SECURITY_GROUP;
use super::subnet::SUBNET;
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Fate, Refused, fate, object, timestamp};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::{Change, Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_gateway_endpoint_routes_when_it_is_available",
        source: "https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html",
    },
    Behaviour {
        name: "a_table_has_one_route_to_a_service",
        source: "https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html",
    },
    Behaviour {
        name: "deleting_endpoints_succeeds_and_lists_what_was_refused",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpcEndpoints.html",
    },
    Behaviour {
        name: "an_interface_endpoint_keeps_subnet_and_group_in_use",
        source: "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateVpcEndpoint", &ENDPOINT).once("ClientToken"),
    Action::lists("DescribeVpcEndpoints", &ENDPOINT),
    Action::special("ModifyVpcEndpoint", modify),
    Action::special("DeleteVpcEndpoints", delete),
];

pub(super) static ENDPOINT: Row = Row {
    id: "vpcEndpointId",
    id_param: "VpcEndpointId",
    one: "vpcEndpoint",
    set: "vpcEndpointSet",
    missing: "InvalidVpcEndpointId.NotFound",
    fields: &[("VpcId", "vpcId"), ("ServiceName", "serviceName")],
    refs: &[("VpcId", &VPC), ("SubnetId", &SUBNET), ("SecurityGroupId", &SECURITY_GROUP)],
    filters: &[
        ("vpc-endpoint-id", "vpcEndpointId"),
        ("vpc-endpoint-state", "state"),
        ("vpc-endpoint-type", "vpcEndpointType"),
        ("vpc-id", "vpcId"),
        ("service-name", "serviceName"),
    ],
    // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    limit: (20, "VpcEndpointLimitExceeded"),
    born: Some(born),
    after: Some(after),
    ..Row::new("vpc-endpoint", "vpce")
};

/// Services that have gateways; all others have interfaces.
const GATEWAYS: [(&str, &str); 2] = [("s3", "pl-6ea54007"), ("dynamodb", "pl-66a5400f")];

/// The prefix list of a service with a gateway.
fn prefixes(service: &str) -> Option<&'static str> {
    let name = service.rsplit('.').next().unwrap_or_default();
    GATEWAYS.iter().find(|(known, _)| *known == name).map(|(_, list)| *list)
}

fn is_gateway(endpoint: &Thing) -> bool {
    endpoint.text("vpcEndpointType") == "Gateway"
}

fn born(call: &mut Call<'_>, endpoint: &mut Thing) -> Result<(), Refused> {
    let (vpc, service) = (call.needs("VpcId")?, call.needs("ServiceName")?);
    let kind = call.text("VpcEndpointType").unwrap_or("Gateway").to_owned();
    let here = format!("com.amazonaws.{}.", call.world.region);
    if !service.starts_with(&here) || (kind == "Gateway" && prefixes(&service).is_none()) {
        let message = format!("The Vpc Endpoint Service '{service}' does not exist");
        return Err(Refused::bad("InvalidServiceName", message));
    }
    let (tables, subnets, groups) = (call.texts("RouteTableId"), call.texts("SubnetId"), call.texts("SecurityGroupId"));
    may_route(call.world, &vpc, &service, &tables)?;
    let groups = groups.iter().filter_map(|id| call.world.get(SECURITY_GROUP.kind, id));
    let groups: Vec<Value> =
        groups.map(|group| json!({ "groupId": group.id, "groupName": group.text("groupName") })).collect();
    endpoint.set("vpcEndpointType", kind);
    endpoint.set("vpcId", vpc);
    endpoint.set("serviceName", service);
    endpoint.set("state", "pending");
    endpoint.set("routeTableIdSet", tables);
    endpoint.set("subnetIdSet", subnets);
    endpoint.set("groupSet", groups);
    endpoint.set("networkInterfaceIdSet", json!([]));
    endpoint.set("privateDnsEnabled", false);
    endpoint.set("requesterManaged", false);
    endpoint.set("creationTimestamp", timestamp(call.now()));
    endpoint.set("ownerId", ACCOUNT);
    Ok(())
}

/// A table leads to a service only once.
fn may_route(world: &mut World, vpc: &str, service: &str, tables: &[String]) -> Result<(), Refused> {
    for id in tables {
        if !world.knows(ROUTE_TABLE.kind, id) {
            let message = format!("The routeTable ID '{id}' does not exist");
            return Err(Refused::bad("InvalidRouteTableId.NotFound", message));
        }
        if world.get(ROUTE_TABLE.kind, id).is_some_and(|table| table.text("vpcId") != vpc) {
            let message = format!("Route table {id} does not belong to the network {vpc}");
            return Err(Refused::bad("InvalidParameter", message));
        }
        let mut others =
            world.all(ENDPOINT.kind).filter(|other| is_gateway(other) && other.text("serviceName") == service);
        if others.any(|other| other.at("routeTableIdSet").iter().any(|table| *table == id)) {
            let list = prefixes(service).unwrap_or_default();
            let message = format!("route table {id} already has a route with destination-prefix-list-id {list}");
            return Err(Refused::bad("RouteAlreadyExists", message));
        }
    }
    Ok(())
}

fn figure(endpoint: &Thing) -> &'static str {
    if is_gateway(endpoint) { "aws.VpcEndpoint.gateway" } else { "aws.VpcEndpoint.interface" }
}

fn after(world: &mut World, id: &str) {
    let Some(endpoint) = world.get(ENDPOINT.kind, id).cloned() else { return };
    let groups: Vec<String> = texts(&endpoint, "groupSet.groupId");
    let mut interfaces: Vec<Value> = Vec::new();
    for subnet in texts(&endpoint, "subnetIdSet") {
        let description = format!("VPC Endpoint Interface {id}");
        let held = Held {
            subnet: &subnet,
            groups: &groups,
            interface_type: "vpc_endpoint",
            description: &description,
            requester: "amazon-aws",
        };
        interfaces.extend(hold(world, held).ok().map(|(interface, _)| interface.into()));
    }
    if let Some(endpoint) = world.get_mut(ENDPOINT.kind, id) {
        endpoint.set("networkInterfaceIdSet", interfaces);
    }
    let next = match fate(world, "vpc-endpoint") {
        Fate::NeverEnds => return,
        Fate::Fails => "failed",
        Fate::Usual => "available",
    };
    let after = world.takes(figure(&endpoint));
    world.later(after, ENDPOINT.kind, id, Change::Named(next.to_owned()));
}

fn texts(thing: &Thing, path: &str) -> Vec<String> {
    thing.at(path).into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn modify(call: &mut Call<'_>) -> Answer {
    let id = call.needs("VpcEndpointId")?;
    let endpoint = ENDPOINT.find(call.world, &id)?;
    let (add, remove) = (call.texts("AddRouteTableId"), call.texts("RemoveRouteTableId"));
    may_route(call.world, endpoint.text("vpcId"), endpoint.text("serviceName"), &add)?;
    let mut tables = texts(&endpoint, "routeTableIdSet");
    if let Some(other) = remove.iter().find(|table| !tables.contains(table)) {
        let message = format!("Route table {other} is not associated with the endpoint {id}");
        return Err(Refused::bad("InvalidParameter", message));
    }
    tables.retain(|table| !remove.contains(table));
    tables.extend(add.iter().cloned());
    if let Some(endpoint) = call.world.get_mut(ENDPOINT.kind, &id) {
        endpoint.set("routeTableIdSet", tables);
    }
    if endpoint.text("state") == "available" {
        let list = prefixes(endpoint.text("serviceName")).unwrap_or_default();
        remove.iter().for_each(|table| route::remove_prefixes(call.world, table, &id));
        add.iter().for_each(|table| route::add_prefixes(call.world, table, list, &id));
    }
    Ok(object([("return", true.into())]))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let mut refused = Vec::new();
    let mut ids = call.texts("VpcEndpointId");
    if call.world.partial
        && let Some(id) = ids.pop()
    {
        let message = "An internal error has occurred";
        refused.push(json!({ "error": { "code": "InternalError", "message": message }, "resourceId": id }));
    }
    for id in ids {
        let Some(endpoint) = call.world.get(ENDPOINT.kind, &id).cloned() else {
            let message = format!("The Vpc Endpoint Id '{id}' does not exist");
            refused.push(json!({ "error": { "code": "InvalidVpcEndpoint.NotFound", "message": message },
                                 "resourceId": id }));
            continue;
        };
        if endpoint.text("state") == "deleting" {
            continue;
        }
        if let Some(endpoint) = call.world.get_mut(ENDPOINT.kind, &id) {
            endpoint.set("state", "deleting");
        }
        if fate(call.world, "vpc-endpoint-delete") != Fate::NeverEnds {
            let after = call.world.takes(figure(&endpoint));
            call.world.later(after, ENDPOINT.kind, &id, Change::Named("deleted".to_owned()));
        }
    }
    Ok(object([("unsuccessful", Value::Array(refused))]))
}

/// What happens to one by and by.
pub(super) fn happened(world: &mut World, id: &str, what: &str) {
    let Some(endpoint) = world.get(ENDPOINT.kind, id).cloned() else { return };
    let mut set = Map::new();
    match what {
        "available" if endpoint.text("state") == "pending" => {
            set.insert("state".to_owned(), "available".into());
            let list = prefixes(endpoint.text("serviceName")).unwrap_or_default();
            for table in texts(&endpoint, "routeTableIdSet") {
                route::add_prefixes(world, &table, list, id);
            }
        }
        "failed" if endpoint.text("state") == "pending" => {
            set.insert("state".to_owned(), "failed".into());
            let why = json!({ "code": "InternalError", "message": "The endpoint could not be made." });
            set.insert("lastError".to_owned(), why);
        }
        "deleted" => {
            for table in texts(&endpoint, "routeTableIdSet") {
                route::remove_prefixes(world, &table, id);
            }
            for interface in texts(&endpoint, "networkInterfaceIdSet") {
                let_go(world, &interface);
            }
            world.delete(ENDPOINT.kind, id);
        }
        _ => {}
    }
    if let Some(endpoint) = world.get_mut(ENDPOINT.kind, id) {
        endpoint.attrs.extend(set);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::aws::testing::Desk;

    const S3: &str = "com.amazonaws.eu-central-1.s3";

    fn endpoint(desk: &mut Desk, vpc: &str, table: &str) -> String {
        let fields = [("VpcId", vpc), ("ServiceName", S3), ("RouteTableId.1", table)];
        let made = desk.ok("CreateVpcEndpoint", &fields)["vpcEndpoint"]["vpcEndpointId"].clone();
        made.as_str().unwrap_or_default().to_owned()
    }

    fn routes(desk: &mut Desk, table: &str) -> Value {
        desk.ok("DescribeRouteTables", &[("RouteTableId.1", table)])["routeTableSet"][0]["routeSet"].clone()
    }

    #[test]
    fn a_gateway_endpoint_routes_when_it_is_available() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let table = desk.table(&vpc);
        let endpoint = endpoint(&mut desk, &vpc, &table);
        assert_eq!(desk.ok("DescribeVpcEndpoints", &[])["vpcEndpointSet"][0]["state"], "pending");
        desk.wait(30_000);
        assert_eq!(desk.ok("DescribeVpcEndpoints", &[])["vpcEndpointSet"][0]["state"], "available");
        assert_eq!(routes(&mut desk, &table)[1]["gatewayId"], endpoint.as_str());
        assert_eq!(desk.refused("DeleteRouteTable", &[("RouteTableId", &table)]), "DependencyViolation");
        assert_eq!(desk.refused("DeleteVpc", &[("VpcId", &vpc)]), "DependencyViolation");
        desk.ok("DeleteVpcEndpoints", &[("VpcEndpointId.1", &endpoint)]);
        desk.wait(30_000);
        assert_eq!(routes(&mut desk, &table).as_array().map(Vec::len), Some(1));
        let gone = [("VpcEndpointId.1", endpoint.as_str())];
        assert_eq!(desk.refused("DescribeVpcEndpoints", &gone), "InvalidVpcEndpointId.NotFound");
        desk.ok("DeleteRouteTable", &[("RouteTableId", &table)]);
        desk.ok("DeleteVpc", &[("VpcId", &vpc)]);
    }

    #[test]
    fn one_of_several_deletions_may_be_refused_inside_the_answer() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let tables = [desk.table(&vpc), desk.table(&vpc)];
        let ids = tables.map(|table| endpoint(&mut desk, &vpc, &table));
        desk.world.partial = true;
        let both = [("VpcEndpointId.1", ids[0].as_str()), ("VpcEndpointId.2", ids[1].as_str())];
        let refused = desk.ok("DeleteVpcEndpoints", &both);
        desk.world.partial = false;
        assert_eq!(refused["unsuccessful"][0]["resourceId"], ids[1].as_str());
        desk.wait(30_000);
        assert_eq!(desk.ok("DescribeVpcEndpoints", &[])["vpcEndpointSet"][0]["vpcEndpointId"], ids[1].as_str());
    }

    #[test]
    fn a_table_has_one_route_to_a_service() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (table, other) = (desk.table(&vpc), desk.table(&vpc));
        let id = endpoint(&mut desk, &vpc, &table);
        let again = [("VpcId", vpc.as_str()), ("ServiceName", S3), ("RouteTableId.1", &table)];
        assert_eq!(desk.refused("CreateVpcEndpoint", &again), "RouteAlreadyExists");
        desk.wait(30_000);
        let mut change =
            |param, table: &str| desk.ask("ModifyVpcEndpoint", &[("VpcEndpointId", &id), (param, table)]).map(drop);
        assert_eq!(change("AddRouteTableId.1", &table), Err("RouteAlreadyExists".to_owned()));
        assert_eq!(change("AddRouteTableId.1", &other), Ok(()));
        assert_eq!(change("RemoveRouteTableId.1", &table), Ok(()));
        assert_eq!(change("RemoveRouteTableId.1", &table), Err("InvalidParameter".to_owned()));
        assert_eq!(desk.ok("DescribeVpcEndpoints", &[])["vpcEndpointSet"][0]["routeTableIdSet"], json!([other]));
        assert_eq!(routes(&mut desk, &other)[1]["gatewayId"], id.as_str());
        let elsewhere = [("VpcId", vpc.as_str()), ("ServiceName", "com.amazonaws.eu-west-1.s3")];
        assert_eq!(desk.refused("CreateVpcEndpoint", &elsewhere), "InvalidServiceName");
    }

    #[test]
    fn deleting_endpoints_succeeds_and_lists_what_was_refused() {
        let mut desk = Desk::calm();
        let answer = desk.ok("DeleteVpcEndpoints", &[("VpcEndpointId.1", "vpce-1")]);
        assert_eq!(answer["unsuccessful"][0]["resourceId"], "vpce-1");
        assert_eq!(answer["unsuccessful"][0]["error"]["code"], "InvalidVpcEndpoint.NotFound");
    }

    #[test]
    fn an_interface_endpoint_keeps_subnet_and_group_in_use() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (subnet, group) = (desk.subnet(&vpc, "10.0.0.0/24"), desk.group(&vpc, "endpoints"));
        let fields = [
            ("VpcId", vpc.as_str()),
            ("ServiceName", "com.amazonaws.eu-central-1.ssm"),
            ("VpcEndpointType", "Interface"),
            ("SubnetId.1", &subnet),
            ("SecurityGroupId.1", &group),
        ];
        let made = desk.ok("CreateVpcEndpoint", &fields)["vpcEndpoint"].clone();
        assert_eq!(made["networkInterfaceIdSet"].as_array().map(Vec::len), Some(1));
        desk.ok("DeleteVpcEndpoints", &[("VpcEndpointId.1", made["vpcEndpointId"].as_str().unwrap_or_default())]);
        assert_eq!(desk.refused("DeleteSubnet", &[("SubnetId", &subnet)]), "DependencyViolation");
        assert_eq!(desk.refused("DeleteSecurityGroup", &[("GroupId", &group)]), "DependencyViolation");
        desk.wait(600_000);
        desk.ok("DeleteSubnet", &[("SubnetId", &subnet)]);
        desk.ok("DeleteSecurityGroup", &[("GroupId", &group)]);
    }
}
