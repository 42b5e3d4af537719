//! VPC, subnets, gateways and routes.
//!
//! What needs the way to the internet (NAT gateways, the load balancer, the bastion) mentions the subnet through its
//! route table association, whose table mentions the default route, which mentions the internet gateway: so the order
//! that AWS insists on is in the edges, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use clusterctl_core::blueprint::{Egress, Network, OwnNetwork};
use clusterctl_core::graph::{Concern, GraphError};
use clusterctl_core::provider::LowerError;
use clusterctl_core::value::Input;

use super::Lowering;
use crate::names::destination;
use crate::resources::network::{
    Eip, InternetGateway, NatGateway, Route, RouteTable, RouteTableAssociation, Subnet, Vpc, VpcEndpoint,
};
use crate::resources::{IpAddress, RouteTableId, SubnetId, VpcId};

/// What the network gives to everything else.
pub(crate) struct Net {
    pub(crate) vpc: Input<VpcId>,
    /// By zone, where nodes are.
    pub(crate) nodes: BTreeMap<String, Input<SubnetId>>,
    /// By zone, where what faces the internet is, once the way there is open.
    pub(crate) public: BTreeMap<String, Input<SubnetId>>,
    /// The tables that nodes' subnets use; empty in a network that is not ours.
    pub(crate) tables: BTreeMap<String, Input<RouteTableId>>,
    /// The addresses by which nodes reach the internet.
    pub(crate) egress: Vec<(String, Input<IpAddress>)>,
}

const ANYWHERE: &str = "0.0.0.0/0";

pub(super) fn lower(to: &mut Lowering<'_>, network: &Network, region: &str) -> Result<Net, LowerError> {
    match network {
        Network::Own(own) => Ok(own_network(to, own, region)?),
        Network::Existing { id, nodes, public } => Ok(Net {
            vpc: Input::known(id.clone()),
            nodes: nodes.iter().map(|s| (s.zone.clone(), Input::known(s.id.clone()))).collect(),
            public: public.iter().map(|s| (s.zone.clone(), Input::known(s.id.clone()))).collect(),
            tables: BTreeMap::new(),
            egress: Vec::new(),
        }),
    }
}

fn own_network(to: &mut Lowering<'_>, own: &OwnNetwork, region: &str) -> Result<Net, GraphError> {
    let OwnNetwork { cidr, nodes, public, egress } = own;
    let at = Concern::Network;
    let vpc = to
        .add(
            at,
            "main",
            &Vpc {
                cidr_block: cidr.to_string(),
                enable_dns_support: true,
                enable_dns_hostnames: true,
                tags: to.tags::<Vpc>("main"),
            },
        )?
        .id;
    let gateway = InternetGateway { vpc_id: vpc.clone(), tags: to.tags::<InternetGateway>("main") };
    let gateway = to.add(at, "main", &gateway)?.id;

    let open = table(to, "public", &vpc)?;
    let open = to
        .add(
            at,
            &format!("public-{}", destination(ANYWHERE)),
            &Route {
                route_table_id: open,
                destination_cidr_block: ANYWHERE.into(),
                gateway_id: Some(gateway),
                nat_gateway_id: None,
                network_interface_id: None,
            },
        )?
        .route_table_id;

    let mut net = Net {
        vpc: vpc.clone(),
        nodes: BTreeMap::new(),
        public: BTreeMap::new(),
        tables: BTreeMap::new(),
        egress: Vec::new(),
    };
    for zone in public {
        let id = subnet(to, "public", &zone.zone, &zone.cidr.to_string(), &vpc)?;
        let id = associate(to, &format!("public-{}", zone.zone), &open, &id)?;
        net.public.insert(zone.zone.clone(), id);
    }
    for zone in nodes {
        let id = subnet(to, "nodes", &zone.zone, &zone.cidr.to_string(), &vpc)?;
        net.nodes.insert(zone.zone.clone(), id);
    }
    match egress {
        Egress::Direct => {
            for zone in nodes {
                let id = associate(to, &format!("nodes-{}", zone.zone), &open, &net.nodes[&zone.zone])?;
                net.nodes.insert(zone.zone.clone(), id.clone());
                net.public.insert(zone.zone.clone(), id);
                net.tables.insert("public".into(), open.clone());
            }
        }
        Egress::NatPerZone => {
            for zone in nodes {
                way_out(to, &mut net, &zone.zone, &zone.zone, std::slice::from_ref(&zone.zone))?;
            }
        }
        Egress::NatShared => {
            let zones: Vec<String> = nodes.iter().map(|zone| zone.zone.clone()).collect();
            if let Some(first) = zones.first() {
                way_out(to, &mut net, "shared", first, &zones)?;
            }
        }
    }
    let tables: BTreeSet<Input<RouteTableId>> = net.tables.values().cloned().collect();
    to.add(
        at,
        "s3",
        &VpcEndpoint {
            vpc_id: vpc,
            service_name: format!("com.amazonaws.{region}.s3"),
            vpc_endpoint_type: "Gateway".into(),
            route_table_ids: tables,
            tags: to.tags::<VpcEndpoint>("s3"),
        },
    )?;
    Ok(net)
}

/// A NAT gateway in `home` and a table through it for the nodes of `zones`.
fn way_out(to: &mut Lowering<'_>, net: &mut Net, name: &str, home: &str, zones: &[String]) -> Result<(), GraphError> {
    let at = Concern::Network;
    let word = format!("nat-{name}");
    let address =
        to.add(at, &word, &Eip { domain: "vpc".into(), network_interface: None, tags: to.tags::<Eip>(&word) })?;
    let gateway = to
        .add(
            at,
            name,
            &NatGateway {
                allocation_id: address.id.clone(),
                subnet_id: net.public[home].clone(),
                tags: to.tags::<NatGateway>(name),
            },
        )?
        .id;
    net.egress.push((name.to_owned(), address.public_ip));
    let word = format!("nodes-{name}");
    let table = table(to, &word, &net.vpc.clone())?;
    to.add(
        at,
        &format!("{word}-{}", destination(ANYWHERE)),
        &Route {
            route_table_id: table.clone(),
            destination_cidr_block: ANYWHERE.into(),
            gateway_id: None,
            nat_gateway_id: Some(gateway),
            network_interface_id: None,
        },
    )?;
    for zone in zones {
        associate(to, &format!("nodes-{zone}"), &table, &net.nodes[zone].clone())?;
    }
    net.tables.insert(word, table);
    Ok(())
}

fn table(to: &mut Lowering<'_>, name: &str, vpc: &Input<VpcId>) -> Result<Input<RouteTableId>, GraphError> {
    let table = RouteTable { vpc_id: vpc.clone(), tags: to.tags::<RouteTable>(name) };
    Ok(to.add(Concern::Network, name, &table)?.id)
}

fn subnet(
    to: &mut Lowering<'_>,
    word: &str,
    zone: &str,
    cidr: &str,
    vpc: &Input<VpcId>,
) -> Result<Input<SubnetId>, GraphError> {
    let name = format!("{word}-{zone}");
    let subnet = Subnet {
        vpc_id: vpc.clone(),
        cidr_block: cidr.to_owned(),
        availability_zone: zone.to_owned(),
        tags: to.tags::<Subnet>(&name),
    };
    Ok(to.add(Concern::Network, &name, &subnet)?.id)
}

fn associate(
    to: &mut Lowering<'_>,
    name: &str,
    table: &Input<RouteTableId>,
    subnet: &Input<SubnetId>,
) -> Result<Input<SubnetId>, GraphError> {
    let association = RouteTableAssociation { route_table_id: table.clone(), subnet_id: subnet.clone() };
    Ok(to.add(Concern::Network, name, &association)?.subnet_id)
}
