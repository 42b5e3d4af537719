//! Reads the network: one call for each kind, with routes and associations inside their tables.

use std::collections::BTreeMap;

use clusterctl_core::cloud::{CloudError, Owner, Scope};

use crate::client::Client;
use crate::drivers::ec2::{Found, Of};
use crate::drivers::network::endpoint::vpc_endpoints;
use crate::drivers::network::gateways::{eips, internet_gateways, nat_gateways};
use crate::drivers::network::routes;
use crate::drivers::network::vpc::{subnets, vpcs};
use crate::resources::network as kinds;

pub(crate) async fn observe(client: &Client, owner: &Owner, scope: &Scope) -> Result<Found, CloudError> {
    let of = Of::owner(owner);
    let tables = async {
        match scope.has(kinds::ROUTE_TABLE.name) {
            true => routes::tables(client, of.filters()).await,
            false => Ok(Vec::new()),
        }
    };
    let (vpcs, subnets, internet_gateways, eips, nat_gateways, tables, endpoints) = futures::try_join!(
        only(scope, kinds::VPC.name, vpcs(client, of)),
        only(scope, kinds::SUBNET.name, subnets(client, of)),
        only(scope, kinds::INTERNET_GATEWAY.name, internet_gateways(client, of)),
        only(scope, kinds::EIP.name, eips(client, of)),
        only(scope, kinds::NAT_GATEWAY.name, nat_gateways(client, of)),
        tables,
        only(scope, kinds::VPC_ENDPOINT.name, vpc_endpoints(client, of)),
    )?;
    let names: BTreeMap<String, String> =
        subnets.iter().map(|(addr, live)| (live.id.clone(), addr.name.clone())).collect();
    let routes = routes::observed(&tables, of, &names);
    Ok([vpcs, subnets, internet_gateways, eips, nat_gateways, routes, endpoints].concat())
}

/// Does not ask for a kind that was never intended.
pub(super) async fn only(
    scope: &Scope,
    kind: &str,
    call: impl Future<Output = Result<Found, CloudError>>,
) -> Result<Found, CloudError> {
    if scope.has(kind) { call.await } else { Ok(Found::new()) }
}
