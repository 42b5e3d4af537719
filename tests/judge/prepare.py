"""Makes what a case finds in the account already: a network with subnets, a public DNS zone.

usage: prepare.py ENDPOINT REGION WANTED
WANTED is JSON: {"cidr": "10.50.0.0/16", "private": N, "public": N, "zone": "example.com" | null}
Prints {"network": ID, "private": [ID...], "public": [ID...], "zone": ID | null}; subnets go round the zones of the region.
"""

import ipaddress
import json
import sys

import boto3


def main():
    endpoint, region, wanted = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    ec2 = boto3.client("ec2", region_name=region, endpoint_url=endpoint)
    made = {"network": None, "private": [], "public": [], "zone": None}
    if wanted.get("cidr"):
        network(ec2, region, wanted, made)
    if wanted.get("zone"):
        route53 = boto3.client("route53", region_name=region, endpoint_url=endpoint)
        made["zone"] = route53.create_hosted_zone(Name=wanted["zone"], CallerReference="theirs")["HostedZone"]["Id"]
    print(json.dumps(made))


def network(ec2, region, wanted, made):
    zones = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]]
    blocks = ipaddress.ip_network(wanted["cidr"]).subnets(new_prefix=20)
    vpc = made["network"] = ec2.create_vpc(CidrBlock=wanted["cidr"])["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    way_out = {"GatewayId": gateway}
    for side in ("public", "private"):
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        if side == "private" and made["public"]:
            address = ec2.allocate_address(Domain="vpc")["AllocationId"]
            nat = ec2.create_nat_gateway(SubnetId=made["public"][0], AllocationId=address)["NatGateway"]["NatGatewayId"]
            way_out = {"NatGatewayId": nat}
        if side == "public" or "NatGatewayId" in way_out:
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way_out)
        for number in range(wanted.get(side, 0)):
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=str(next(blocks)), AvailabilityZone=zones[number % len(zones)])
            made[side].append(subnet["Subnet"]["SubnetId"])
            ec2.associate_route_table(RouteTableId=table, SubnetId=made[side][-1])


if __name__ == "__main__":
    main()
