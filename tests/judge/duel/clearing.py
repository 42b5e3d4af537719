"""What holds what: deletions out of order in a network that is left as it is, then everything else in order."""

from .common import OWNER, by_tag, where
from .firewall import permission


def play(duel):
    held(duel)
    cleared(duel)


def held(duel):
    call = duel.call
    call("ec2.create_vpc", "that holds", {"CidrBlock": "10.50.0.0/16"}, {"vpc_h": "Vpc.VpcId"})
    call("ec2.create_subnet", "that holds", {"VpcId": "$vpc_h", "CidrBlock": "10.50.0.0/24",
         "AvailabilityZone": "eu-central-1a"},
         {"subnet_h": "Subnet.SubnetId"})
    call("ec2.create_internet_gateway", "that holds", {}, {"igw_h": "InternetGateway.InternetGatewayId"})
    gateway = {"InternetGatewayId": "$igw_h", "VpcId": "$vpc_h"}
    call("ec2.attach_internet_gateway", "that holds", gateway)
    for name in ("one", "two"):
        call("ec2.create_security_group", f"that holds, {name}",
             {"GroupName": name, "Description": name, "VpcId": "$vpc_h"},
             {f"group_{name}": "GroupId"})
    call("ec2.authorize_security_group_ingress", "that holds", {"GroupId": "$group_two", "IpPermissions": [
        permission((1, 2), group="$group_one")]})
    call("ec2.create_network_interface", "that holds", {"SubnetId": "$subnet_h", "PrivateIpAddress": "10.50.0.10",
         "Groups": ["$group_two"]},
         {"eni_h": "NetworkInterface.NetworkInterfaceId"})
    call("ec2.allocate_address", "that holds", {"Domain": "vpc"}, {"eip_h": "AllocationId"})
    call("ec2.create_nat_gateway", "that holds", {"SubnetId": "$subnet_h", "AllocationId": "$eip_h"},
         {"nat_h": "NatGateway.NatGatewayId"})
    call("ec2.describe_nat_gateways", "until it holds", {"NatGatewayIds": ["$nat_h"]},
         until=("NatGateways.0.State", "available"))
    call("ec2.release_address", "of a NAT gateway", {"AllocationId": "$eip_h"}, refusal="AuthFailure")
    call("ec2.detach_internet_gateway", "below an address", gateway, refusal="DependencyViolation",
         undo=lambda side, _: side.call("ec2.attach_internet_gateway", gateway))
    call("ec2.delete_internet_gateway", "that is attached", {"InternetGatewayId": "$igw_h"},
         refusal="DependencyViolation")
    call("ec2.delete_security_group", "that another names", {"GroupId": "$group_one"}, refusal="DependencyViolation")
    call("ec2.delete_security_group", "of an interface", {"GroupId": "$group_two"}, refusal="DependencyViolation")
    call("ec2.delete_vpc", "that is not empty", {"VpcId": "$vpc_h"}, refusal="DependencyViolation")
    call("ec2.delete_subnet", "that is not empty", {"SubnetId": "$subnet_h"}, refusal="DependencyViolation")


def cleared(duel):
    call = duel.call
    call("elbv2.delete_listener", "ours", {"ListenerArn": "$listener"})
    call("elbv2.delete_listener", "again", {"ListenerArn": "$listener"}, refusal="ListenerNotFound")
    call("elbv2.delete_load_balancer", "ours", {"LoadBalancerArn": "$balancer"})
    call("elbv2.describe_load_balancers", "that was deleted", {"LoadBalancerArns": ["$balancer"]},
         refusal="LoadBalancerNotFound")
    call("elbv2.delete_load_balancer", "again", {"LoadBalancerArn": "$balancer"})
    call("elbv2.delete_target_group", "ours", {"TargetGroupArn": "$targets"})
    call("elbv2.delete_target_group", "again", {"TargetGroupArn": "$targets"})
    group = {"AutoScalingGroupName": "demo-workers"}
    call("autoscaling.delete_auto_scaling_group", "ours", {**group, "ForceDelete": True})
    call("autoscaling.describe_auto_scaling_groups", "until it is gone", {"AutoScalingGroupNames": ["demo-workers"]},
         until=("AutoScalingGroups.0", None))
    call("ec2.describe_instances", "until its machines are gone", {"Filters": [
        where("tag:aws:autoscaling:groupName", "demo-workers"),
        where("instance-state-name", "pending", "running", "shutting-down", "stopping",
            "stopped")], "MaxResults": 1000},
        until=("Reservations.0", None))
    call("ec2.delete_launch_template", "ours", {"LaunchTemplateId": "$template"})
    call("ec2.terminate_instances", "not there", {"InstanceIds": ["i-0123456789abcdef0"]},
         refusal="InvalidInstanceID.NotFound")
    for name in ("machine", "machine_2"):
        call("ec2.terminate_instances", name, {"InstanceIds": [f"${name}"]})
        call("ec2.describe_instances", f"until {name} is gone", {"InstanceIds": [f"${name}"]},
             until=("Reservations.0.Instances.0.State.Name", "terminated"))
    call("ec2.terminate_instances", "again", {"InstanceIds": ["$machine"]})
    call("ec2.delete_volume", "ours", {"VolumeId": "$volume"})
    call("ec2.describe_volumes", "of the owner at the end", by_tag(), until=("Volumes.0", None))
    call("ec2.delete_volume", "again", {"VolumeId": "$volume"}, refusal="InvalidVolume.NotFound")
    call("ec2.delete_vpc_endpoints", "ours", {"VpcEndpointIds": ["$endpoint"]})
    call("ec2.disassociate_route_table", "ours", {"AssociationId": "$association"})
    call("ec2.delete_nat_gateway", "ours", {"NatGatewayId": "$nat"})
    call("ec2.describe_nat_gateways", "until it is gone", {"NatGatewayIds": ["$nat"]},
         until=("NatGateways.0.State", "deleted"))
    call("ec2.release_address", "of the NAT gateway", {"AllocationId": "$eip_nat"})
    for name in ("table", "table_2"):
        call("ec2.delete_route_table", name, {"RouteTableId": f"${name}"})
    call("ec2.detach_internet_gateway", "at the end", {"InternetGatewayId": "$igw", "VpcId": "$vpc"})
    call("ec2.delete_internet_gateway", "ours", {"InternetGatewayId": "$igw"})
    call("ec2.delete_network_interface", "ours", {"NetworkInterfaceId": "$eni"})
    for name in ("rule_group", "rule_self"):
        call("ec2.revoke_security_group_ingress", name, {"GroupId": "$group_nodes",
             "SecurityGroupRuleIds": [f"${name}"]})
    for name in ("nodes", "api"):
        call("ec2.delete_security_group", name, {"GroupId": f"$group_{name}"})
    for name in ("a", "b"):
        call("ec2.delete_subnet", name, {"SubnetId": f"$subnet_{name}"})
    call("ec2.delete_vpc", "ours", {"VpcId": "$vpc"})
    call("ec2.describe_vpcs", "of the owner at the end", by_tag())
    call("iam.remove_role_from_instance_profile", "ours", {"InstanceProfileName": "demo-workers",
         "RoleName": "demo-workers"})
    call("iam.delete_instance_profile", "ours", {"InstanceProfileName": "demo-workers"})
    call("iam.delete_role_policy", "ours", {"RoleName": "demo-workers", "PolicyName": "workers"})
    call("iam.delete_role", "ours", {"RoleName": "demo-workers"})
    call("iam.list_roles", "at the end", {"PathPrefix": f"/clusterctl/{OWNER}/"})
    call("ec2.delete_key_pair", "ours", {"KeyPairId": "$key"})
    call("ec2.delete_key_pair", "again", {"KeyPairId": "$key"})
    call("ec2.describe_key_pairs", "at the end", {**by_tag(), "IncludePublicKey": True})
