//! Single routes.

use serde_json::{Value, json};

use super::{ROUTE_TABLE, entries};
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::ec2::cidr::Cidr;
use crate::aws::ec2::{gateway, nat};
use crate::aws::table::Behaviour;
use crate::world::{Thing, World};

pub(in crate::aws::ec2) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_destination_stands_in_a_table_once",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html",
    },
    Behaviour {
        name: "only_a_route_that_is_there_is_replaced_or_deleted",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRoute.html",
    },
    Behaviour {
        name: "a_route_whose_target_is_gone_is_a_black_hole",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html",
    },
    Behaviour {
        name: "a_route_leads_to_a_gateway_of_its_own_network",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html",
    },
    Behaviour {
        name: "one_route_too_many_is_refused",
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
    },
];

/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-route-tables>
const MOST: usize = 500;

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let (table, destination) = named(call)?;
    let (attr, target) = target(call, &table)?;
    if is_there(&table, &destination) {
        let message = format!("The route identified by {destination} already exists.");
        return Err(Refused::bad("RouteAlreadyExists", message));
    }
    if inside(call.world, &table, &destination) && attr != "networkInterfaceId" {
        let message = format!(
            "The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR blocks. \
             This route can target only an interface or an instance."
        );
        return Err(Refused::bad("InvalidParameterValue", message));
    }
    if table.at("routeSet").len() >= call.world.weather.quotas.get("route").map_or(MOST, |most| *most as usize) {
        return Err(Refused::bad("RouteLimitExceeded", "The maximum number of routes has been reached."));
    }
    if let Some(routes) = entries(call.world, &table.id, "routeSet") {
        routes.push(route(&destination, attr, &target));
    }
    Ok(object([("return", true.into())]))
}

pub(super) fn replace(call: &mut Call<'_>) -> Answer {
    let (table, destination) = named(call)?;
    let (attr, target) = target(call, &table)?;
    let there = entries(call.world, &table.id, "routeSet");
    let there = there.and_then(|routes| routes.iter_mut().find(|route| route["destinationCidrBlock"] == destination));
    let Some(there) = there else {
        let message =
            format!("There is no route defined for '{destination}' in the route table. Use CreateRoute instead.");
        return Err(Refused::bad("InvalidParameterValue", message));
    };
    *there = route(&destination, attr, &target);
    Ok(object([("return", true.into())]))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.needs("RouteTableId")?;
    let destination = destination(call)?;
    let table = call.world.get(ROUTE_TABLE.kind, &id).cloned().ok_or_else(|| ROUTE_TABLE.unknown(&id))?;
    if !is_there(&table, &destination) {
        let message = format!("no route with destination-cidr-block {destination} in route table {id}");
        return Err(Refused::bad("InvalidRoute.NotFound", message));
    }
    if let Some(routes) = entries(call.world, &id, "routeSet") {
        let local = |route: &Value| route["gatewayId"] == "local";
        if routes.iter().any(|route| route["destinationCidrBlock"] == destination && local(route)) {
            let message = format!("cannot remove local route {destination} in route table {id}");
            return Err(Refused::bad("InvalidParameterValue", message));
        }
        routes.retain(|route| route["destinationCidrBlock"] != destination);
    }
    Ok(object([("return", true.into())]))
}

pub(super) fn route(destination: &str, attr: &str, target: &str) -> Value {
    json!({ "destinationCidrBlock": destination, attr: target, "state": "active", "origin": "CreateRoute" })
}

fn named(call: &mut Call<'_>) -> Result<(Thing, String), Refused> {
    let id = call.needs("RouteTableId")?;
    Ok((ROUTE_TABLE.find(call.world, &id)?, destination(call)?))
}

fn destination(call: &Call<'_>) -> Result<String, Refused> {
    let text = call.needs("DestinationCidrBlock")?;
    let cidr: Result<Cidr, ()> = text.parse();
    cidr.map(|cidr| cidr.to_string()).map_err(|()| {
        let message = format!("Value ({text}) for parameter destinationCidrBlock is invalid.");
        Refused::bad("InvalidParameterValue", message)
    })
}

fn is_there(table: &Thing, destination: &str) -> bool {
    table.at("routeSet.destinationCidrBlock").iter().any(|known| *known == destination)
}

fn inside(world: &World, table: &Thing, destination: &str) -> bool {
    let vpc = world.get("vpc", table.text("vpcId")).and_then(|vpc| vpc.text("cidrBlock").parse::<Cidr>().ok());
    vpc.zip(destination.parse().ok()).is_some_and(|(vpc, destination)| vpc.contains(destination))
}

/// Where a request wants a route to lead: the attribute and the id.
fn target(call: &mut Call<'_>, table: &Thing) -> Result<(&'static str, String), Refused> {
    const TARGETS: [&str; 4] = ["GatewayId", "NatGatewayId", "NetworkInterfaceId", "InstanceId"];
    let given: Vec<(&str, String)> =
        TARGETS.iter().filter_map(|param| Some((*param, call.text(param)?.to_owned()))).collect();
    let [(param, id)] = given.as_slice() else {
        let message = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, instanceId";
        return Err(Refused::bad("InvalidParameterCombination", message));
    };
    let vpc = table.text("vpcId");
    let world = &mut *call.world;
    let absent = |code: &str, what: &str| Err(Refused::bad(code, format!("The {what} ID '{id}' does not exist")));
    let elsewhere = |what: &str| {
        let message = format!("route table {} and {what} {id} belong to different networks", table.id);
        Err(Refused::bad("InvalidParameterValue", message))
    };
    let of = |world: &World, kind: &str| world.get(kind, id).map(|thing| thing.text("vpcId").to_owned());
    match *param {
        "GatewayId" if !world.knows("internet-gateway", id) => absent("InvalidGatewayID.NotFound", "gateway"),
        "GatewayId" if gateway::of_network(world, vpc).as_ref() != Some(id) => elsewhere("network gateway"),
        "GatewayId" => Ok(("gatewayId", id.clone())),
        "NatGatewayId" if !world.knows("natgateway", id) || !nat::is_there(world, id) => {
            absent("InvalidNatGatewayID.NotFound", "natGateway")
        }
        "NatGatewayId" if of(world, "natgateway").as_deref() != Some(vpc) => elsewhere("NAT gateway"),
        "NatGatewayId" => Ok(("natGatewayId", id.clone())),
        "NetworkInterfaceId" if !world.knows("network-interface", id) => {
            absent("InvalidNetworkInterfaceID.NotFound", "networkInterface")
        }
        "NetworkInterfaceId" if of(world, "network-interface").as_deref() != Some(vpc) => elsewhere("interface"),
        "NetworkInterfaceId" => Ok(("networkInterfaceId", id.clone())),
        _ if !world.knows("instance", id) => absent("InvalidInstanceID.NotFound", "instance"),
        _ => {
            let interface = world.get("instance", id).and_then(|instance| {
                instance.at("networkInterfaceSet.networkInterfaceId").first()?.as_str().map(str::to_owned)
            });
            interface.map_or_else(|| elsewhere("instance"), |interface| Ok(("networkInterfaceId", interface)))
        }
    }
}

/// Sets what a route is like now.
pub(super) fn look(world: &World, vpc: &str, route: &mut Value) {
    let text = |name: &str| route.get(name).and_then(Value::as_str).unwrap_or_default();
    let gateway = text("gatewayId");
    let interface = world.get("network-interface", text("networkInterfaceId"));
    let instance = interface.and_then(|interface| interface.at("attachment.instanceId").first()?.as_str());
    let leads = if gateway.starts_with("igw-") {
        gateway::of_network(world, vpc).as_deref() == Some(gateway)
    } else if !text("natGatewayId").is_empty() {
        nat::is_there(world, text("natGatewayId"))
    } else if !text("networkInterfaceId").is_empty() {
        interface.is_some_and(|interface| interface.text("status") == "in-use")
    } else {
        true
    };
    let instance = instance.map(str::to_owned);
    route["state"] = if leads { "active" } else { "blackhole" }.into();
    if let Some(instance) = instance {
        route["instanceId"] = instance.into();
        route["instanceOwnerId"] = ACCOUNT.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::aws::testing::Desk;
    use crate::world::Thing;

    const ANYWHERE: &str = "0.0.0.0/0";

    fn routes(desk: &mut Desk, table: &str) -> Value {
        desk.ok("DescribeRouteTables", &[("RouteTableId.1", table)])["routeTableSet"][0]["routeSet"].clone()
    }

    #[test]
    fn a_destination_stands_in_a_table_once() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (gateway, table) = (desk.gateway(&vpc), desk.table(&vpc));
        let way = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", ANYWHERE), ("GatewayId", &gateway)];
        desk.ok("CreateRoute", &way);
        assert_eq!(desk.refused("CreateRoute", &way), "RouteAlreadyExists");
        let local =
            [("RouteTableId", table.as_str()), ("DestinationCidrBlock", "10.0.0.0/16"), ("GatewayId", &gateway)];
        assert_eq!(desk.refused("CreateRoute", &local), "RouteAlreadyExists");
        let shown = routes(&mut desk, &table);
        assert_eq!((&shown[0]["gatewayId"], &shown[1]["gatewayId"]), (&"local".into(), &gateway.into()));
        assert_eq!((&shown[0]["origin"], &shown[1]["origin"]), (&"CreateRouteTable".into(), &"CreateRoute".into()));
    }

    #[test]
    fn only_a_route_that_is_there_is_replaced_or_deleted() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (gateway, table) = (desk.gateway(&vpc), desk.table(&vpc));
        let at = [("RouteTableId", table.as_str()), ("DestinationCidrBlock", ANYWHERE)];
        let way = [at[0], at[1], ("GatewayId", gateway.as_str())];
        assert_eq!(desk.refused("ReplaceRoute", &way), "InvalidParameterValue");
        assert_eq!(desk.refused("DeleteRoute", &at), "InvalidRoute.NotFound");
        desk.ok("CreateRoute", &way);
        desk.ok("ReplaceRoute", &way);
        desk.ok("DeleteRoute", &at);
        assert_eq!(desk.refused("DeleteRoute", &at), "InvalidRoute.NotFound");
        assert_eq!(
            desk.refused("DeleteRoute", &[at[0], ("DestinationCidrBlock", "10.0.0.0/16")]),
            "InvalidParameterValue"
        );
    }

    #[test]
    fn a_route_whose_target_is_gone_is_a_black_hole() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let (gateway, table) = (desk.gateway(&vpc), desk.table(&vpc));
        let mut interface = Thing::new("network-interface", "eni-1");
        interface.set("vpcId", vpc.as_str());
        interface.set("status", "available");
        desk.world.put(interface);
        let to = |cidr, param, id| [("RouteTableId", table.clone()), ("DestinationCidrBlock", cidr), (param, id)];
        for fields in [
            to(ANYWHERE.to_owned(), "GatewayId", gateway.clone()),
            to("100.64.1.0/24".to_owned(), "NetworkInterfaceId", "eni-1".to_owned()),
        ] {
            desk.ok("CreateRoute", &fields.each_ref().map(|(name, value)| (*name, value.as_str())));
        }
        let states = |desk: &mut Desk| {
            let shown = routes(desk, &table);
            (shown[1]["state"].clone(), shown[2]["state"].clone(), shown[2]["instanceId"].clone())
        };
        assert_eq!(states(&mut desk), ("active".into(), "blackhole".into(), Value::Null));
        let interface = desk.world.get_mut("network-interface", "eni-1").expect("it is there");
        interface.set("status", "in-use");
        interface.set("attachment", serde_json::json!({ "instanceId": "i-1" }));
        assert_eq!(states(&mut desk), ("active".into(), "active".into(), "i-1".into()));
        desk.world.remove("network-interface", "eni-1");
        desk.ok("DetachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", &vpc)]);
        assert_eq!(states(&mut desk), ("blackhole".into(), "blackhole".into(), Value::Null));
    }

    #[test]
    fn a_route_leads_to_a_gateway_of_its_own_network() {
        let mut desk = Desk::calm();
        let (vpc, other) = (desk.vpc("10.0.0.0/16"), desk.vpc("10.1.0.0/16"));
        let (gateway, own, table) = (desk.gateway(&other), desk.gateway(&vpc), desk.table(&vpc));
        let mut refused = |cidr: &str, param: &str, id: &str| {
            desk.refused("CreateRoute", &[("RouteTableId", &table), ("DestinationCidrBlock", cidr), (param, id)])
        };
        assert_eq!(refused(ANYWHERE, "GatewayId", &gateway), "InvalidParameterValue");
        assert_eq!(refused(ANYWHERE, "GatewayId", "igw-1"), "InvalidGatewayID.NotFound");
        assert_eq!(refused(ANYWHERE, "NatGatewayId", "nat-1"), "InvalidNatGatewayID.NotFound");
        assert_eq!(refused(ANYWHERE, "NetworkInterfaceId", "eni-1"), "InvalidNetworkInterfaceID.NotFound");
        assert_eq!(refused("10.0.3.0/24", "GatewayId", &own), "InvalidParameterValue");
    }

    #[test]
    fn one_route_too_many_is_refused() {
        let mut desk = Desk::calm();
        desk.world.weather.quotas.insert("route".to_owned(), 2);
        let vpc = desk.vpc("10.0.0.0/16");
        let (gateway, table) = (desk.gateway(&vpc), desk.table(&vpc));
        let to = |cidr| [("RouteTableId", table.as_str()), ("DestinationCidrBlock", cidr), ("GatewayId", &gateway)];
        desk.ok("CreateRoute", &to("192.0.2.0/25"));
        assert_eq!(desk.refused("CreateRoute", &to("192.0.2.128/25")), "RouteLimitExceeded");
    }
}
