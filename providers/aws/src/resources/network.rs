//! VPC, subnets, gateways, addresses and routes.

use std::collections::BTreeSet;

use clusterctl_core::graph::{Kind, Resource};
use clusterctl_core::value::Input;
use serde::{Deserialize, Serialize};

use super::{
    AllocationId, InternetGatewayId, IpAddress, NatGatewayId, NetworkInterfaceId, RouteTableId, SubnetId, Tags,
    VpcEndpointId, VpcId, outputs,
};

pub static VPC: Kind =
    Kind { idempotent: false, forces_new: &["cidr_block"], seconds: (12.0, 1.0), ..Kind::new("aws_vpc") };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    pub cidr_block: String,
    pub enable_dns_support: bool,
    pub enable_dns_hostnames: bool,
    pub tags: Tags,
}

outputs!(VpcOut { id: VpcId });
impl Resource for Vpc {
    const KIND: &'static Kind = &VPC;
    type Out = VpcOut;
}

pub static SUBNET: Kind =
    Kind { forces_new: &["vpc_id", "cidr_block", "availability_zone"], seconds: (1.0, 1.0), ..Kind::new("aws_subnet") };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subnet {
    pub vpc_id: Input<VpcId>,
    pub cidr_block: String,
    pub availability_zone: String,
    pub tags: Tags,
}

outputs!(SubnetOut { id: SubnetId });
impl Resource for Subnet {
    const KIND: &'static Kind = &SUBNET;
    type Out = SubnetOut;
}

pub static INTERNET_GATEWAY: Kind =
    Kind { idempotent: false, seconds: (1.0, 15.0), ..Kind::new("aws_internet_gateway") };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InternetGateway {
    pub vpc_id: Input<VpcId>,
    pub tags: Tags,
}

outputs!(InternetGatewayOut { id: InternetGatewayId });
impl Resource for InternetGateway {
    const KIND: &'static Kind = &INTERNET_GATEWAY;
    type Out = InternetGatewayOut;
}

pub static EIP: Kind = Kind { idempotent: false, forces_new: &["domain"], seconds: (1.0, 1.0), ..Kind::new("aws_eip") };

/// An elastic IP address; with `network_interface` it is associated with that interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eip {
    pub domain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_interface: Option<Input<NetworkInterfaceId>>,
    pub tags: Tags,
}

outputs!(EipOut { id: AllocationId, public_ip: IpAddress });
impl Resource for Eip {
    const KIND: &'static Kind = &EIP;
    type Out = EipOut;
}

pub static NAT_GATEWAY: Kind = Kind {
    forces_new: &["allocation_id", "subnet_id"],
    seconds: (115.0, 55.0),
    awaited: true,
    ..Kind::new("aws_nat_gateway")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NatGateway {
    pub allocation_id: Input<AllocationId>,
    pub subnet_id: Input<SubnetId>,
    pub tags: Tags,
}

outputs!(NatGatewayOut { id: NatGatewayId });
impl Resource for NatGateway {
    const KIND: &'static Kind = &NAT_GATEWAY;
    type Out = NatGatewayOut;
}

pub static ROUTE_TABLE: Kind =
    Kind { idempotent: false, forces_new: &["vpc_id"], seconds: (1.0, 1.0), ..Kind::new("aws_route_table") };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    pub vpc_id: Input<VpcId>,
    pub tags: Tags,
}

outputs!(RouteTableOut { id: RouteTableId });
impl Resource for RouteTable {
    const KIND: &'static Kind = &ROUTE_TABLE;
    type Out = RouteTableOut;
}

pub static ROUTE: Kind = Kind {
    ownership: clusterctl_core::graph::Ownership::Child,
    forces_new: &["route_table_id", "destination_cidr_block"],
    ..Kind::new("aws_route")
};

/// A route; exactly one of the targets is set. Its id is `<route table>_<destination>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    pub route_table_id: Input<RouteTableId>,
    pub destination_cidr_block: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<Input<InternetGatewayId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_gateway_id: Option<Input<NatGatewayId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_interface_id: Option<Input<NetworkInterfaceId>>,
}

outputs!(
    /// `route_table_id` is the table once the route is in it.
    RouteOut { route_table_id: RouteTableId }
);
impl Resource for Route {
    const KIND: &'static Kind = &ROUTE;
    type Out = RouteOut;
}

pub static ROUTE_TABLE_ASSOCIATION: Kind = Kind {
    ownership: clusterctl_core::graph::Ownership::Child,
    forces_new: &["subnet_id"],
    ..Kind::new("aws_route_table_association")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteTableAssociation {
    pub route_table_id: Input<RouteTableId>,
    pub subnet_id: Input<SubnetId>,
}

outputs!(
    /// `subnet_id` is the subnet once its routes apply: what needs the way to the internet mentions this one.
    RouteTableAssociationOut { subnet_id: SubnetId }
);
impl Resource for RouteTableAssociation {
    const KIND: &'static Kind = &ROUTE_TABLE_ASSOCIATION;
    type Out = RouteTableAssociationOut;
}

pub static VPC_ENDPOINT: Kind = Kind {
    sets: &["route_table_ids"],
    forces_new: &["vpc_id", "service_name", "vpc_endpoint_type"],
    seconds: (6.0, 6.0),
    awaited: true,
    ..Kind::new("aws_vpc_endpoint")
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VpcEndpoint {
    pub vpc_id: Input<VpcId>,
    pub service_name: String,
    pub vpc_endpoint_type: String,
    pub route_table_ids: BTreeSet<Input<RouteTableId>>,
    pub tags: Tags,
}

outputs!(VpcEndpointOut { id: VpcEndpointId });
impl Resource for VpcEndpoint {
    const KIND: &'static Kind = &VPC_ENDPOINT;
    type Out = VpcEndpointOut;
}
