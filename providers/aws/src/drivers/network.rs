//! Drivers of the network: `vpc` and subnets · `gateways` to the internet and their addresses · `routes` · `endpoint`

pub(crate) mod endpoint;
pub(crate) mod gateways;
pub(crate) mod routes;
pub(crate) mod vpc;

#[cfg(test)]
mod tests;

use clusterctl_core::cloud::{AnyDriver, Typed};

use crate::client::Client;
use crate::resources::network as kinds;

pub(crate) fn drivers(client: &Client) -> Vec<(&'static str, Box<dyn AnyDriver>)> {
    vec![
        (kinds::VPC.name, Box::new(Typed(vpc::Vpcs(client.clone())))),
        (kinds::SUBNET.name, Box::new(Typed(vpc::Subnets(client.clone())))),
        (kinds::INTERNET_GATEWAY.name, Box::new(Typed(gateways::InternetGateways(client.clone())))),
        (kinds::EIP.name, Box::new(Typed(gateways::Eips(client.clone())))),
        (kinds::NAT_GATEWAY.name, Box::new(Typed(gateways::NatGateways(client.clone())))),
        (kinds::ROUTE_TABLE.name, Box::new(Typed(routes::RouteTables(client.clone())))),
        (kinds::ROUTE.name, Box::new(Typed(routes::Routes(client.clone())))),
        (kinds::ROUTE_TABLE_ASSOCIATION.name, Box::new(Typed(routes::Associations(client.clone())))),
        (kinds::VPC_ENDPOINT.name, Box::new(Typed(endpoint::VpcEndpoints(client.clone())))),
    ]
}
