//! Networks for tests.

use serde_json::Value;

use crate::aws::testing::Desk;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Desk {
    pub(crate) fn vpc(&mut self, cidr: &str) -> String {
        text(&self.ok("CreateVpc", &[("CidrBlock", cidr)])["vpc"]["vpcId"])
    }

    pub(crate) fn subnet(&mut self, vpc: &str, cidr: &str) -> String {
        let fields = [("VpcId", vpc), ("CidrBlock", cidr), ("AvailabilityZone", "eu-central-1a")];
        text(&self.ok("CreateSubnet", &fields)["subnet"]["subnetId"])
    }

    /// A gateway that is attached.
    pub(crate) fn gateway(&mut self, vpc: &str) -> String {
        let gateway = text(&self.ok("CreateInternetGateway", &[])["internetGateway"]["internetGatewayId"]);
        self.ok("AttachInternetGateway", &[("InternetGatewayId", &gateway), ("VpcId", vpc)]);
        gateway
    }

    pub(crate) fn table(&mut self, vpc: &str) -> String {
        text(&self.ok("CreateRouteTable", &[("VpcId", vpc)])["routeTable"]["routeTableId"])
    }

    pub(crate) fn group(&mut self, vpc: &str, name: &str) -> String {
        let fields = [("GroupName", name), ("GroupDescription", "Machines"), ("VpcId", vpc)];
        text(&self.ok("CreateSecurityGroup", &fields)["groupId"])
    }

    pub(crate) fn address(&mut self) -> String {
        text(&self.ok("AllocateAddress", &[("Domain", "vpc")])["allocationId"])
    }

    pub(crate) fn nat(&mut self, subnet: &str, address: &str) -> String {
        let fields = [("SubnetId", subnet), ("AllocationId", address)];
        text(&self.ok("CreateNatGateway", &fields)["natGateway"]["natGatewayId"])
    }
}
