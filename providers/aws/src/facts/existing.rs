//! A network that the user brings: whether it is there and what it is like.

use aws_sdk_ec2::types::{Route, RouteTable, Subnet};
use clusterctl_core::cloud::{CloudError, Fault};

use crate::client::{Client, fail, is_missing};
use crate::observe::control_plane::any_of;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingNetwork {
    pub vpc: String,
    /// The primary range first.
    pub cidrs: Vec<String>,
    /// In the order they were asked for.
    pub subnets: Vec<ExistingSubnet>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingSubnet {
    pub id: String,
    pub zone: String,
    pub cidr: String,
    /// Addresses that are free.
    pub free: u32,
    pub route_table: Option<String>,
    pub way_out: WayOut,
}

impl ExistingSubnet {
    /// A public subnet has its way out through an internet gateway: load balancers that face the internet go there.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.way_out, WayOut::InternetGateway(_))
    }
}

/// Where the default route of a subnet leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayOut {
    InternetGateway(String),
    /// A NAT gateway, transit gateway or whatever else, by its id.
    Other(String),
    None,
}

/// Reads an existing network and the subnets that are to be used in it.
///
/// # Errors
/// Permanent when the network or a subnet does not exist, or a subnet belongs to another network; otherwise as AWS says.
pub async fn existing_network(client: &Client, vpc: &str, subnets: &[String]) -> Result<ExistingNetwork, CloudError> {
    let ec2 = &client.ec2;
    let network = async {
        let answer = ec2.describe_vpcs().vpc_ids(vpc).send().await.map_err(|e| fail("ec2:DescribeVpcs", &e));
        Ok(answer.map_err(absent)?.vpcs.unwrap_or_default().into_iter().next())
    };
    let inside = async {
        if subnets.is_empty() {
            return Ok(Vec::new());
        }
        let answer = ec2.describe_subnets().set_subnet_ids(Some(subnets.to_vec())).send().await;
        let answer = answer.map_err(|e| fail("ec2:DescribeSubnets", &e));
        Ok(answer.map_err(absent)?.subnets.unwrap_or_default())
    };
    let tables = async {
        let request = ec2.describe_route_tables().filters(any_of("vpc-id", [vpc])).max_results(100);
        let all: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        all.map_err(|e| fail("ec2:DescribeRouteTables", &e))
    };
    let (network, inside, tables) = futures::try_join!(network, inside, tables)?;
    let Some(network) = network else { return Err(refuse("ec2:DescribeVpcs", format!("there is no network {vpc}"))) };
    let primary = network.cidr_block().map(str::to_owned);
    let further = network.cidr_block_association_set().iter().filter_map(|block| block.cidr_block().map(str::to_owned));
    let mut cidrs: Vec<String> = primary.clone().into_iter().collect();
    cidrs.extend(further.filter(|cidr| Some(cidr) != primary.as_ref()));
    let subnets = subnets.iter().map(|id| known(vpc, id, &inside, &tables)).collect::<Result<_, _>>()?;
    Ok(ExistingNetwork { vpc: vpc.to_owned(), cidrs, subnets })
}

fn refuse(operation: &str, message: String) -> CloudError {
    CloudError::new(Fault::Permanent, operation, "ExistingNetwork", message)
}

/// What the user names is there or is not: there is nothing to wait for.
fn absent(error: CloudError) -> CloudError {
    let fault = if is_missing(&error) { Fault::Permanent } else { error.fault };
    CloudError { fault, ..error }
}

fn known(vpc: &str, id: &str, inside: &[Subnet], tables: &[RouteTable]) -> Result<ExistingSubnet, CloudError> {
    const OPERATION: &str = "ec2:DescribeSubnets";
    let subnet = inside.iter().find(|subnet| subnet.subnet_id() == Some(id));
    let subnet = subnet.ok_or_else(|| refuse(OPERATION, format!("there is no subnet {id}")))?;
    match subnet.vpc_id() {
        Some(of) if of == vpc => {}
        of => {
            let message = format!("the subnet {id} belongs to {}, not to {vpc}", of.unwrap_or("no network"));
            return Err(refuse(OPERATION, message));
        }
    }
    // A subnet without a table of its own uses the main one.
    let own = |t: &&RouteTable| t.associations().iter().any(|a| a.subnet_id() == Some(id));
    let main = |t: &&RouteTable| t.associations().iter().any(|a| a.main() == Some(true));
    let table = tables.iter().find(own).or_else(|| tables.iter().find(main));
    Ok(ExistingSubnet {
        id: id.to_owned(),
        zone: subnet.availability_zone().unwrap_or_default().to_owned(),
        cidr: subnet.cidr_block().unwrap_or_default().to_owned(),
        free: subnet.available_ip_address_count().and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
        route_table: table.and_then(|t| t.route_table_id()).map(str::to_owned),
        way_out: table.map_or(WayOut::None, way_out),
    })
}

fn way_out(table: &RouteTable) -> WayOut {
    let Some(route) = table.routes().iter().find(|r| r.destination_cidr_block() == Some("0.0.0.0/0")) else {
        return WayOut::None;
    };
    match target(route) {
        Some(id) if id.starts_with("igw-") => WayOut::InternetGateway(id.to_owned()),
        Some(id) => WayOut::Other(id.to_owned()),
        None => WayOut::None,
    }
}

fn target(route: &Route) -> Option<&str> {
    route
        .gateway_id()
        .or(route.nat_gateway_id())
        .or(route.transit_gateway_id())
        .or(route.network_interface_id())
        .or(route.instance_id())
        .or(route.vpc_peering_connection_id())
        .or(route.core_network_arn())
        .or(route.carrier_gateway_id())
        .or(route.local_gateway_id())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::RouteTableAssociation;

    use super::*;

    fn table(id: &str, association: RouteTableAssociation, route: Route) -> RouteTable {
        RouteTable::builder().route_table_id(id).associations(association).routes(route).build()
    }

    fn route() -> aws_sdk_ec2::types::builders::RouteBuilder {
        Route::builder().destination_cidr_block("0.0.0.0/0")
    }

    fn subnet(id: &str) -> Subnet {
        let subnet = Subnet::builder().subnet_id(id).vpc_id("vpc-1").availability_zone("eu-central-1a");
        subnet.cidr_block("10.0.0.0/24").available_ip_address_count(250).build()
    }

    #[test]
    fn a_subnet_is_public_when_its_own_or_the_main_table_leads_to_an_internet_gateway() {
        let of = |id: &str| RouteTableAssociation::builder().subnet_id(id).build();
        let main = RouteTableAssociation::builder().main(true).build();
        let tables = [
            table("rtb-main", main, route().gateway_id("igw-1").build()),
            table("rtb-nat", of("subnet-nat"), route().nat_gateway_id("nat-1").build()),
            table("rtb-none", of("subnet-none"), Route::builder().destination_cidr_block("10.0.0.0/16").build()),
        ];
        let inside = [subnet("subnet-plain"), subnet("subnet-nat"), subnet("subnet-none")];
        let seen = |id| known("vpc-1", id, &inside, &tables).expect("a subnet");
        let plain = seen("subnet-plain");
        assert_eq!((plain.route_table.as_deref(), plain.is_public()), (Some("rtb-main"), true));
        assert_eq!((plain.zone.as_str(), plain.cidr.as_str(), plain.free), ("eu-central-1a", "10.0.0.0/24", 250));
        assert_eq!(seen("subnet-nat").way_out, WayOut::Other("nat-1".to_owned()));
        assert_eq!(seen("subnet-none").way_out, WayOut::None);
    }

    #[test]
    fn a_subnet_of_another_network_is_refused() {
        let error = known("vpc-2", "subnet-1", &[subnet("subnet-1")], &[]).expect_err("refused");
        assert_eq!(error.message, "the subnet subnet-1 belongs to vpc-1, not to vpc-2");
        assert_eq!(known("vpc-1", "subnet-2", &[], &[]).expect_err("refused").fault, Fault::Permanent);
    }
}
