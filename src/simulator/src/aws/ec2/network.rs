//! Networks, subnets, gateways.

use serde_json::json;

use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, Row};
use crate::world::Thing;

pub(super) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    name: "a_network_with_a_subnet_cannot_be_deleted",
    source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html",
}];

pub(super) const ACTIONS: &[Action] = &[
    Action::creates("CreateVpc", &VPC),
    Action::lists("DescribeVpcs", &VPC),
    Action::deletes("DeleteVpc", &VPC),
    Action::special("ModifyVpcAttribute", modify_vpc_attribute),
];

pub(super) static VPC: Row = Row {
    id: "vpcId",
    id_param: "VpcId",
    one: "vpc",
    set: "vpcSet",
    missing: "InvalidVpcID.NotFound",
    fields: &[("CidrBlock", "cidrBlock"), ("InstanceTenancy", "instanceTenancy")],
    used_by: &[("subnet", "vpcId")],
    filters: &[("vpc-id", "vpcId"), ("cidr", "cidrBlock"), ("state", "state")],
    // https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    limit: (5, "VpcLimitExceeded"),
    born: Some(vpc_born),
    ..Row::new("vpc", "vpc")
};

fn vpc_born(_: &mut Call<'_>, vpc: &mut Thing) -> Result<(), Refused> {
    vpc.set("state", "available");
    vpc.set("isDefault", false);
    vpc.set("_dns", json!({ "enableDnsSupport": true, "enableDnsHostnames": false }));
    Ok(())
}

fn modify_vpc_attribute(call: &mut Call<'_>) -> Answer {
    let id = call.needs("VpcId")?;
    VPC.find(call.world, &id)?;
    Ok(object([("return", true.into())]))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn a_network_with_a_subnet_cannot_be_deleted() {
        let mut desk = Desk::calm();
        let vpc = desk.ok("CreateVpc", &[("CidrBlock", "10.0.0.0/16")])["vpc"]["vpcId"].clone();
        assert_eq!(desk.ok("DescribeVpcs", &[])["vpcSet"][0]["cidrBlock"], "10.0.0.0/16");
        desk.ok("DeleteVpc", &[("VpcId", vpc.as_str().unwrap_or_default())]);
        assert_eq!(desk.refused("DeleteVpc", &[("VpcId", vpc.as_str().unwrap_or_default())]), "InvalidVpcID.NotFound");
    }
}
