"""Facts of the region; networks, interfaces in them, ways out of them."""

from . import firewall
from .common import ADDRESS, CLUSTER, NOBODY, by_tag, ours, tagged, where

UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"


def play(duel):
    facts(duel)
    vpc(duel)
    subnets(duel)
    internet_gateway(duel)
    firewall.play(duel)
    interfaces(duel)
    addresses(duel)
    nat(duel)
    tables(duel)
    endpoints(duel)


def facts(duel):
    call = duel.call
    call("sts.get_caller_identity", "who asks")
    call("ec2.describe_availability_zones", "zones that can be used", {"Filters": [
        where("state", "available"), where("zone-type", "availability-zone"),
        where("opt-in-status", "opt-in-not-required", "opted-in")]})
    call("ec2.describe_instance_type_offerings", "where machines are offered", {
        "LocationType": "availability-zone", "MaxResults": 1000,
        "Filters": [where("instance-type", "m7i.large", "m7g.large", "t3.medium", "no.such")]})
    call("ec2.describe_account_attributes", "the quota of addresses", {"AttributeNames": ["vpc-max-elastic-ips"]})
    call("ssm.get_parameter", "the newest Ubuntu", {"Name": UBUNTU})
    call("ssm.get_parameter", "of nobody", {"Name": "/clusterctl/nobody/key"}, refusal="ParameterNotFound")
    published = {"Owners": ["099720109477"], "Filters": [
        where("name", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"), where("architecture", "x86_64"),
        where("virtualization-type", "hvm"), where("root-device-type", "ebs"), where("state", "available")]}
    newest = lambda answer: max(answer["Images"], key=lambda image: image["CreationDate"])["ImageId"]
    call("ec2.describe_images", "Canonical's", published, learn={"image": newest})
    call("ec2.describe_images", "one by its id", {"ImageIds": ["$image"]})
    call("ec2.describe_images", "one that is not there", {"ImageIds": [f"ami-{NOBODY}"]},
         refusal="InvalidAMIID.NotFound")
    call("ec2.describe_images", "one that is no id", {"ImageIds": ["ami-junk"]}, refusal="InvalidAMIID.Malformed")


def vpc(duel):
    call = duel.call
    call("ec2.create_vpc", "ours", {"CidrBlock": "10.40.0.0/16", **tagged("vpc", "aws_vpc.main")}, {"vpc": "Vpc.VpcId"})
    call("ec2.create_vpc", "too wide", {"CidrBlock": "10.0.0.0/8"}, refusal="InvalidVpc.Range")
    call("ec2.describe_vpcs", "of the owner", by_tag())
    call("ec2.describe_vpcs", "of the address", by_tag("aws_vpc.main"))
    call("ec2.describe_vpcs", "of the cluster", {"Filters": [where(f"tag:{CLUSTER}", "demo")]})
    call("ec2.describe_vpcs", "by a filter that is none", {"Filters": [where("no-such-filter", "x")]},
         refusal="InvalidParameterValue")
    call("ec2.describe_vpcs", "by its id", {"VpcIds": ["$vpc"]})
    call("ec2.describe_vpcs", "not there", {"VpcIds": [f"vpc-{NOBODY}"]}, refusal="InvalidVpcID.NotFound")
    names = {"VpcId": "$vpc", "Attribute": "enableDnsHostnames"}
    call("ec2.describe_vpc_attribute", "before", names)
    call("ec2.modify_vpc_attribute", "names", {"VpcId": "$vpc", "EnableDnsHostnames": {"Value": True}})
    call("ec2.modify_vpc_attribute", "resolution", {"VpcId": "$vpc", "EnableDnsSupport": {"Value": True}})
    call("ec2.describe_vpc_attribute", "after", names)
    call("ec2.modify_vpc_attribute", "not there", {"VpcId": f"vpc-{NOBODY}", "EnableDnsSupport": {"Value": True}},
         refusal="InvalidVpcID.NotFound")
    call("ec2.describe_vpc_attribute", "not there", {**names, "VpcId": f"vpc-{NOBODY}"},
         refusal="InvalidVpcID.NotFound")
    call("ec2.delete_vpc", "not there", {"VpcId": f"vpc-{NOBODY}"}, refusal="InvalidVpcID.NotFound")
    call("ec2.create_tags", "of the network", {"Resources": ["$vpc"], "Tags": [{"Key": "team", "Value": "ml"}]})
    call("ec2.describe_vpcs", "with another tag", by_tag("aws_vpc.main"))
    call("ec2.create_tags", "of what is not there", {"Resources": [f"vpc-{NOBODY}"],
         "Tags": [{"Key": "a", "Value": "b"}]},
         refusal="InvalidVpcID.NotFound")
    call("ec2.create_tags", "that are AWS's", {"Resources": ["$vpc"], "Tags": [{"Key": "aws:mine", "Value": "b"}]},
         refusal="InvalidParameterValue")
    call("ec2.describe_tags", "of placement groups", {"Filters": [
        where("resource-type", "placement-group"), where("key", ADDRESS), where("value", "none")]})
    call("ec2.describe_tags", "of the network", {"Filters": [where("resource-type", "vpc"), where("key", "team")]})


def subnets(duel):
    call = duel.call
    for name, zone, cidr in (("a", "eu-central-1a", "10.40.0.0/20"), ("b", "eu-central-1b", "10.40.16.0/20")):
        call("ec2.create_subnet", name, {"VpcId": "$vpc", "CidrBlock": cidr, "AvailabilityZone": zone,
             **tagged("subnet", f"aws_subnet.{name}")}, {f"subnet_{name}": "Subnet.SubnetId"})
    new = {"VpcId": "$vpc", "CidrBlock": "10.40.32.0/20", "AvailabilityZone": "eu-central-1a"}
    call("ec2.create_subnet", "over another", {**new, "CidrBlock": "10.40.0.0/24"}, refusal="InvalidSubnet.Conflict")
    call("ec2.create_subnet", "outside", {**new, "CidrBlock": "10.99.0.0/24"}, refusal="InvalidSubnet.Range")
    call("ec2.create_subnet", "too small", {**new, "CidrBlock": "10.40.32.0/29"}, refusal="InvalidSubnet.Range",
         undo=lambda side, answer: side.call("ec2.delete_subnet", {"SubnetId": answer["Subnet"]["SubnetId"]}))
    call("ec2.create_subnet", "nowhere", {**new, "AvailabilityZone": "eu-central-1z"}, refusal="InvalidParameterValue")
    call("ec2.create_subnet", "without a network", {**new, "VpcId": f"vpc-{NOBODY}"}, refusal="InvalidVpcID.NotFound")
    call("ec2.describe_subnets", "of the owner", by_tag())
    call("ec2.describe_subnets", "by their ids", {"SubnetIds": ["$subnet_a", "$subnet_b"]})
    call("ec2.describe_subnets", "not there", {"SubnetIds": [f"subnet-{NOBODY}"]}, refusal="InvalidSubnetID.NotFound")
    call("ec2.delete_subnet", "not there", {"SubnetId": f"subnet-{NOBODY}"}, refusal="InvalidSubnetID.NotFound")


def internet_gateway(duel):
    call = duel.call
    call("ec2.create_internet_gateway", "ours", tagged("internet-gateway", "aws_internet_gateway.main"),
         {"igw": "InternetGateway.InternetGatewayId"})
    both = {"InternetGatewayId": "$igw", "VpcId": "$vpc"}
    call("ec2.detach_internet_gateway", "before it is attached", both, refusal="Gateway.NotAttached")
    call("ec2.attach_internet_gateway", "ours", both)
    call("ec2.attach_internet_gateway", "again", both, refusal="Resource.AlreadyAssociated")
    call("ec2.describe_internet_gateways", "of the owner", by_tag())
    call("ec2.describe_internet_gateways", "by its id", {"InternetGatewayIds": ["$igw"]})
    call("ec2.describe_internet_gateways", "not there", {"InternetGatewayIds": [f"igw-{NOBODY}"]},
         refusal="InvalidInternetGatewayID.NotFound")
    call("ec2.create_internet_gateway", "another", {}, {"igw_2": "InternetGateway.InternetGatewayId"})
    second = {"InternetGatewayId": "$igw_2", "VpcId": "$vpc"}
    call("ec2.attach_internet_gateway", "a second one", second, refusal="InvalidParameterValue",
         undo=lambda side, _: side.call("ec2.detach_internet_gateway", second))
    call("ec2.delete_internet_gateway", "the other", {"InternetGatewayId": "$igw_2"})
    call("ec2.delete_internet_gateway", "not there", {"InternetGatewayId": f"igw-{NOBODY}"},
         refusal="InvalidInternetGatewayID.NotFound")
    call("ec2.attach_internet_gateway", "not there", {**both, "InternetGatewayId": f"igw-{NOBODY}"},
         refusal="InvalidInternetGatewayID.NotFound")


def interfaces(duel):
    call = duel.call
    new = {"SubnetId": "$subnet_a", "Description": "demo: control-plane-0", "PrivateIpAddress": "10.40.0.10",
           "Groups": ["$group_nodes"], "ClientToken": "token-interface", **tagged("network-interface",
               "aws_network_interface.cp")}
    learn = {"eni": "NetworkInterface.NetworkInterfaceId"}
    away = lambda side, answer: answer["NetworkInterface"]["NetworkInterfaceId"] != side.names["eni"] and side.call(
        "ec2.delete_network_interface", {"NetworkInterfaceId": answer["NetworkInterface"]["NetworkInterfaceId"]})
    call("ec2.create_network_interface", "ours", new, learn)
    call("ec2.create_network_interface", "of the same token", new, undo=away)
    call("ec2.create_network_interface", "of the same token with other parameters", {**new, "Description": "other"},
         refusal="IdempotentParameterMismatch", undo=away)
    other = {**new, "ClientToken": "token-other"}
    call("ec2.create_network_interface", "of an address that is taken", other, refusal="InvalidIPAddress.InUse",
         undo=away)
    call("ec2.create_network_interface", "of an address outside", {**other, "PrivateIpAddress": "10.40.16.9"},
         refusal="InvalidParameterValue", undo=away)
    call("ec2.create_network_interface", "nowhere", {**other, "SubnetId": f"subnet-{NOBODY}"},
         refusal="InvalidSubnetID.NotFound")
    call("ec2.create_network_interface", "of a group that is not there", {
         **other, "PrivateIpAddress": "10.40.0.11", "Groups": [f"sg-{NOBODY}"]}, refusal="InvalidGroup.NotFound", undo=away)
    call("ec2.create_network_interface", "another", {**other, "PrivateIpAddress": "10.40.0.12",
         **tagged("network-interface",
             "aws_network_interface.other")}, {"eni_2": "NetworkInterface.NetworkInterfaceId"})
    for number, name in enumerate(("$eni", "$eni_2")):
        call("ec2.describe_network_interfaces", f"until it is there, {number}", {"NetworkInterfaceIds": [name]},
             until=("NetworkInterfaces.0.Status", "available"))
    call("ec2.describe_network_interfaces", "of the owner", {"Filters": [
        *ours(), where(f"tag:{ADDRESS}", "aws_network_interface.*")], "MaxResults": 1000})
    one = {"NetworkInterfaceId": "$eni"}
    call("ec2.modify_network_interface_attribute", "its description", {**one, "Description": {"Value": "changed"}})
    call("ec2.modify_network_interface_attribute", "its groups", {**one, "Groups": ["$group_nodes", "$group_api"]})
    call("ec2.modify_network_interface_attribute", "its check", {**one, "SourceDestCheck": {"Value": False}})
    call("ec2.describe_network_interfaces", "by its id", {"NetworkInterfaceIds": ["$eni"]},
         until=("NetworkInterfaces.0.Status", "available"))
    call("ec2.modify_network_interface_attribute", "a group that is not there", {**one, "Groups": [f"sg-{NOBODY}"]},
         refusal="InvalidGroup.NotFound", undo=lambda side, _: side.call(
             "ec2.modify_network_interface_attribute", {**one, "Groups": ["$group_nodes", "$group_api"]}))
    call("ec2.modify_network_interface_attribute", "not there", {"NetworkInterfaceId": f"eni-{NOBODY}",
         "SourceDestCheck": {"Value": False}}, refusal="InvalidNetworkInterfaceID.NotFound")
    call("ec2.describe_network_interfaces", "not there", {"NetworkInterfaceIds": [f"eni-{NOBODY}"]},
         refusal="InvalidNetworkInterfaceID.NotFound")
    call("ec2.delete_network_interface", "not there", {"NetworkInterfaceId": f"eni-{NOBODY}"},
         refusal="InvalidNetworkInterfaceID.NotFound")
    call("ec2.delete_network_interface", "the other", {"NetworkInterfaceId": "$eni_2"})


def addresses(duel):
    call = duel.call
    new = {"Domain": "vpc", **tagged("elastic-ip", "aws_eip.cp")}
    call("ec2.allocate_address", "for a machine", new, {"eip": "AllocationId", "public_ip": "PublicIp"})
    to = {"AllocationId": "$eip", "NetworkInterfaceId": "$eni", "AllowReassociation": True}

    def again(side, _):
        side.learn({"eip": "AllocationId"}, side.call("ec2.allocate_address", new)[1])
        side.learn({"eip_association": "AssociationId"}, side.call("ec2.associate_address", to)[1])

    call("ec2.associate_address", "with an interface", to, {"eip_association": "AssociationId"})
    call("ec2.associate_address", "again", to, {"eip_association": "AssociationId"})
    call("ec2.describe_addresses", "of the owner", by_tag())
    call("ec2.describe_addresses", "of the account", {"Filters": [where("domain", "vpc")]})
    call("ec2.release_address", "that is associated", {"AllocationId": "$eip"}, refusal="InvalidIPAddress.InUse",
         undo=again)
    call("ec2.disassociate_address", "ours", {"AssociationId": "$eip_association"})
    call("ec2.disassociate_address", "again", {"AssociationId": "$eip_association"},
         refusal="InvalidAssociationID.NotFound")
    call("ec2.describe_addresses", "that are free", by_tag("aws_eip.cp"))
    call("ec2.associate_address", "that is not there", {**to, "AllocationId": f"eipalloc-{NOBODY}"},
         refusal="InvalidAllocationID.NotFound")
    call("ec2.associate_address", "with what is not there", {**to, "NetworkInterfaceId": f"eni-{NOBODY}"},
         refusal="InvalidNetworkInterfaceID.NotFound")
    call("ec2.release_address", "ours", {"AllocationId": "$eip"})
    call("ec2.release_address", "again", {"AllocationId": "$eip"}, refusal="InvalidAllocationID.NotFound")
    for number in range(5):
        call("ec2.allocate_address", f"number {number}", {"Domain": "vpc"}, {f"eip_{number}": "AllocationId"})
    call("ec2.allocate_address", "more than there may be", new, refusal="AddressLimitExceeded",
         undo=lambda side, answer: side.call("ec2.release_address", {"AllocationId": answer["AllocationId"]}))
    for number in range(5):
        call("ec2.release_address", f"number {number}", {"AllocationId": f"$eip_{number}"})


def nat(duel):
    call = duel.call
    call("ec2.allocate_address", "for a NAT gateway", {"Domain": "vpc", **tagged("elastic-ip", "aws_eip.nat")},
         {"eip_nat": "AllocationId"})
    new = {"SubnetId": "$subnet_a", "AllocationId": "$eip_nat", "ClientToken": "token-nat",
           **tagged("natgateway", "aws_nat_gateway.a")}
    gateway = "NatGateway.NatGatewayId"
    away = lambda side, answer: answer["NatGateway"]["NatGatewayId"] != side.names["nat"] and side.call(
        "ec2.delete_nat_gateway", {"NatGatewayId": answer["NatGateway"]["NatGatewayId"]})
    call("ec2.create_nat_gateway", "ours", new, {"nat": gateway})
    call("ec2.create_nat_gateway", "of the same token", new, undo=away)
    call("ec2.create_nat_gateway", "of the same token with other parameters", {**new, "SubnetId": "$subnet_b"},
         refusal="IdempotentParameterMismatch", undo=away)
    call("ec2.create_nat_gateway", "nowhere", {**new, "ClientToken": "t-1", "SubnetId": f"subnet-{NOBODY}"},
         refusal="InvalidSubnetID.NotFound")
    call("ec2.create_nat_gateway", "of an address that is not there", {
         **new, "ClientToken": "t-2", "AllocationId": f"eipalloc-{NOBODY}"}, refusal="InvalidElasticIpID.NotFound", undo=away)
    call("ec2.describe_nat_gateways", "until it serves", {"NatGatewayIds": ["$nat"]},
         until=("NatGateways.0.State", "available"))
    call("ec2.describe_nat_gateways", "of the owner", {"Filters": [*ours(), where("state", "pending", "available")]})
    call("ec2.describe_nat_gateways", "not there", {"NatGatewayIds": [f"nat-{NOBODY}"]}, refusal="NatGatewayNotFound")
    call("ec2.delete_nat_gateway", "not there", {"NatGatewayId": f"nat-{NOBODY}"}, refusal="NatGatewayNotFound")


def tables(duel):
    call = duel.call
    new = {"VpcId": "$vpc", "ClientToken": "token-table", **tagged("route-table", "aws_route_table.a")}
    away = lambda side, answer: answer["RouteTable"]["RouteTableId"] != side.names["table"] and side.call(
        "ec2.delete_route_table", {"RouteTableId": answer["RouteTable"]["RouteTableId"]})
    call("ec2.create_route_table", "ours", new, {"table": "RouteTable.RouteTableId"})
    call("ec2.create_route_table", "of the same token", new, undo=away)
    call("ec2.create_route_table", "another", {"VpcId": "$vpc", "ClientToken": "token-table-2",
         **tagged("route-table", "aws_route_table.b")}, {"table_2": "RouteTable.RouteTableId"})
    call("ec2.create_route_table", "nowhere", {**new, "ClientToken": "t-3", "VpcId": f"vpc-{NOBODY}"},
         refusal="InvalidVpcID.NotFound")
    out = {"RouteTableId": "$table", "DestinationCidrBlock": "0.0.0.0/0"}
    call("ec2.create_route", "out", {**out, "GatewayId": "$igw"})
    call("ec2.create_route", "out again", {**out, "NatGatewayId": "$nat"}, refusal="RouteAlreadyExists")
    call("ec2.replace_route", "out", {**out, "NatGatewayId": "$nat"})
    call("ec2.create_route", "to a machine", {"RouteTableId": "$table", "DestinationCidrBlock": "100.64.1.0/24",
         "NetworkInterfaceId": "$eni"})
    call("ec2.create_route", "to what is not there", {"RouteTableId": "$table", "DestinationCidrBlock": "100.64.2.0/24",
         "NetworkInterfaceId": f"eni-{NOBODY}"}, refusal="InvalidNetworkInterfaceID.NotFound")
    call("ec2.create_route", "to a gateway that is not there", {"RouteTableId": "$table",
         "DestinationCidrBlock": "100.64.2.0/24", "GatewayId": f"igw-{NOBODY}"}, refusal="InvalidGatewayID.NotFound",
         undo=lambda side, _: side.call("ec2.delete_route", {"RouteTableId": "$table",
             "DestinationCidrBlock": "100.64.2.0/24"}))
    call("ec2.create_route", "nowhere", {**out, "RouteTableId": f"rtb-{NOBODY}", "GatewayId": "$igw"},
         refusal="InvalidRouteTableID.NotFound")
    call("ec2.replace_route", "that is not there", {**out, "DestinationCidrBlock": "100.64.9.0/24",
         "GatewayId": "$igw"},
         refusal="InvalidParameterValue")
    both = {"RouteTableId": "$table", "SubnetId": "$subnet_a"}

    def back(side, answer):
        side.call("ec2.disassociate_route_table", {"AssociationId": answer["AssociationId"]})
        side.learn({"association": "AssociationId"}, side.call("ec2.associate_route_table", both)[1])

    def lost(side, _):
        made = side.call("ec2.create_route_table", {"VpcId": "$vpc", **tagged("route-table", "aws_route_table.b")})[1]
        side.learn({"table_2": "RouteTable.RouteTableId"}, made)
        made = side.call("ec2.associate_route_table", {"RouteTableId": "$table_2", "SubnetId": "$subnet_a"})[1]
        side.learn({"association": "AssociationId"}, made)

    call("ec2.associate_route_table", "with a subnet", both, {"association": "AssociationId"})
    call("ec2.associate_route_table", "with another table", {**both, "RouteTableId": "$table_2"},
         refusal="Resource.AlreadyAssociated", undo=back)
    call("ec2.associate_route_table", "nowhere", {**both, "SubnetId": f"subnet-{NOBODY}"},
         refusal="InvalidSubnetID.NotFound")
    call("ec2.associate_route_table", "not there", {**both, "RouteTableId": f"rtb-{NOBODY}"},
         refusal="InvalidRouteTableID.NotFound")
    call("ec2.describe_route_tables", "of the owner", by_tag())
    call("ec2.describe_route_tables", "by a filter", {"Filters": [where("route-table-id", "$table")]})
    call("ec2.describe_route_tables", "of a subnet", {"Filters": [where("association.subnet-id", "$subnet_a")]})
    call("ec2.describe_route_tables", "of the network", {"Filters": [where("vpc-id", "$vpc")], "MaxResults": 100})
    call("ec2.replace_route_table_association", "with another table",
         {"AssociationId": "$association", "RouteTableId": "$table_2"},
         {"association": "NewAssociationId"})
    call("ec2.replace_route_table_association", "not there", {"AssociationId": f"rtbassoc-{NOBODY}",
         "RouteTableId": "$table"},
         refusal="InvalidAssociationID.NotFound")
    call("ec2.describe_route_tables", "after that", by_tag())
    call("ec2.delete_route_table", "that is associated", {"RouteTableId": "$table_2"}, refusal="DependencyViolation",
         undo=lost)
    call("ec2.delete_route_table", "not there", {"RouteTableId": f"rtb-{NOBODY}"},
         refusal="InvalidRouteTableID.NotFound")
    call("ec2.disassociate_route_table", "not there", {"AssociationId": f"rtbassoc-{NOBODY}"},
         refusal="InvalidAssociationID.NotFound")
    call("ec2.delete_route", "to a machine", {"RouteTableId": "$table", "DestinationCidrBlock": "100.64.1.0/24"})
    call("ec2.delete_route", "again", {"RouteTableId": "$table", "DestinationCidrBlock": "100.64.1.0/24"},
         refusal="InvalidRoute.NotFound")


def endpoints(duel):
    call = duel.call
    new = {"VpcEndpointType": "Gateway", "VpcId": "$vpc", "ServiceName": "com.amazonaws.eu-central-1.s3",
           "RouteTableIds": ["$table"], "ClientToken": "token-endpoint", **tagged("vpc-endpoint",
               "aws_vpc_endpoint.s3")}
    endpoint = "VpcEndpoint.VpcEndpointId"
    away = lambda side, answer: answer["VpcEndpoint"]["VpcEndpointId"] != side.names["endpoint"] and side.call(
        "ec2.delete_vpc_endpoints", {"VpcEndpointIds": [answer["VpcEndpoint"]["VpcEndpointId"]]})
    call("ec2.create_vpc_endpoint", "ours", new, {"endpoint": endpoint})
    call("ec2.create_vpc_endpoint", "of the same token", new, undo=away)
    call("ec2.create_vpc_endpoint", "on a table that has one", {**new, "ClientToken": "t-4"},
         refusal="RouteAlreadyExists", undo=away)
    # Without tags, since moto does not delete it.
    bare = {key: new[key] for key in new if key != "TagSpecifications"}
    call("ec2.create_vpc_endpoint", "of no service", {**bare, "ClientToken": "t-5", "RouteTableIds": ["$table_2"],
         "ServiceName": "com.amazonaws.eu-central-1.nothing"}, refusal="InvalidServiceName", undo=away)
    call("ec2.create_vpc_endpoint", "nowhere", {**new, "ClientToken": "t-6", "VpcId": f"vpc-{NOBODY}"},
         refusal="InvalidVpcID.NotFound")
    call("ec2.describe_vpc_endpoints", "until it serves", {"VpcEndpointIds": ["$endpoint"]},
         until=("VpcEndpoints.0.State", "available"))
    call("ec2.describe_vpc_endpoints", "of the owner", by_tag())
    call("ec2.modify_vpc_endpoint", "another table", {"VpcEndpointId": "$endpoint", "AddRouteTableIds": ["$table_2"],
         "RemoveRouteTableIds": ["$table"]})
    call("ec2.describe_vpc_endpoints", "by its id", {"VpcEndpointIds": ["$endpoint"]})
    call("ec2.modify_vpc_endpoint", "not there", {"VpcEndpointId": f"vpce-{NOBODY}", "AddRouteTableIds": ["$table"]},
         refusal="InvalidVpcEndpointId.NotFound")
    call("ec2.describe_vpc_endpoints", "not there", {"VpcEndpointIds": [f"vpce-{NOBODY}"]},
         refusal="InvalidVpcEndpointId.NotFound")
    call("ec2.delete_vpc_endpoints", "not there", {"VpcEndpointIds": [f"vpce-{NOBODY}"]})
