"""Reads a whole AWS account with boto3, independently of clusterctl, and prints it as JSON that can be compared.

usage: account.py ENDPOINT REGION
Each line on standard input asks for one reading; each answer is one line:
    {"services": [...], "found": {KIND: {ID: {...}}}, "excused": {ID: REASON}}

Everything is read without filters, so that nothing hides behind a missing tag. What is left out, and why:
- terminated instances and deleted NAT gateways: AWS, too, goes on describing them for an hour
- network interfaces that moto made by itself and forgets to remove (AWS removes them): an interface is excused only when
  it has no tag and a terminated instance or a deleted NAT gateway names it as its own
- placement groups: moto has none
- what AWS gives to every account and nobody can change: images, managed policies, prefix lists, public parameters
"""

import concurrent.futures
import datetime
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

# Facts about a moment rather than about a thing.
# moto does not give the addresses of deleted interfaces back to its count of free ones.
VOLATILE = {"AvailableIpAddressCount", "ResponseMetadata", "RoleLastUsed", "LastModifiedDate", "CallerReference", "UsageOperationUpdateTime"}

# kind: (service, operation, key of the list, key of the id)
LISTS = {
    "vpc": ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "internet-gateway": ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "egress-only-gateway": ("ec2", "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways",
                            "EgressOnlyInternetGatewayId"),
    "nat-gateway": ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "address": ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "route-table": ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    "endpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "network-acl": ("ec2", "describe_network_acls", "NetworkAcls", "NetworkAclId"),
    "dhcp-options": ("ec2", "describe_dhcp_options", "DhcpOptions", "DhcpOptionsId"),
    "peering": ("ec2", "describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId"),
    "security-group": ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "security-group-rule": ("ec2", "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId"),
    "network-interface": ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    "volume": ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    "snapshot": ("ec2", "describe_snapshots", "Snapshots", "SnapshotId"),
    "key-pair": ("ec2", "describe_key_pairs", "KeyPairs", "KeyPairId"),
    "launch-template": ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    "spot-request": ("ec2", "describe_spot_instance_requests", "SpotInstanceRequests", "SpotInstanceRequestId"),
    "tag": ("ec2", "describe_tags", "Tags", None),
    "load-balancer": ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    "target-group": ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    "classic-balancer": ("elb", "describe_load_balancers", "LoadBalancerDescriptions", "LoadBalancerName"),
    "scaling-group": ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    "launch-configuration": ("autoscaling", "describe_launch_configurations", "LaunchConfigurations",
                             "LaunchConfigurationName"),
    "scaling-policy": ("autoscaling", "describe_policies", "ScalingPolicies", "PolicyARN"),
    "user": ("iam", "list_users", "Users", "UserName"),
    "identity-provider": ("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"),
    "parameter": ("ssm", "describe_parameters", "Parameters", "Name"),
    "zone": ("route53", "list_hosted_zones", "HostedZones", "Id"),
    "health-check": ("route53", "list_health_checks", "HealthChecks", "Id"),
}


def plain(value):
    """Lists are sorted, since AWS promises no order; times become text."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in sorted(value.items()) if key not in VOLATILE}
    if isinstance(value, list):
        return sorted((plain(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


class Account:
    def __init__(self, endpoint, region):
        session = boto3.session.Session()
        config = Config(retries={"max_attempts": 1}, max_pool_connections=24, read_timeout=120)
        self.clients = {
            name: session.client(name, region_name=region, endpoint_url=endpoint, config=config)
            for name in ("ec2", "elbv2", "elb", "autoscaling", "iam", "ssm", "route53", "s3")
        }
        self.pool = concurrent.futures.ThreadPoolExecutor(6)

    def pages(self, service, operation, key, **arguments):
        client = self.clients[service]
        if client.can_paginate(operation):
            pages = client.get_paginator(operation).paginate(**arguments)
        else:
            pages = [getattr(client, operation)(**arguments)]
        return [item for page in pages for item in page.get(key, [])]

    def read(self):
        found, excused = {}, {}
        asked = {
            kind: self.pool.submit(self.pages, service, operation, key, **self.narrow(operation))
            for kind, (service, operation, key, _) in LISTS.items()
        }
        more = [
            self.pool.submit(read)
            for read in (self.instances, self.identities, self.buckets)
        ]
        for kind, answer in asked.items():
            name = LISTS[kind][3]
            found[kind] = {item[name] if name else json.dumps(plain(item)): item for item in answer.result()}
        for answer in more:
            found.update(answer.result())
        found.update(self.balancers(found))
        found.update(self.versions(found["launch-template"]))
        found["record"] = {zone: self.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)
                           for zone in found["zone"]}
        found["zone"] = {zone: self.zone(zone) for zone in found["zone"]}
        self.excuse(found, excused)
        return {
            "services": sorted(self.clients),
            "found": {kind: plain(things) for kind, things in sorted(found.items()) if things},
            "excused": excused,
        }

    @staticmethod
    def narrow(operation):
        if operation == "describe_snapshots":
            return {"OwnerIds": ["self"]}
        return {}

    def instances(self):
        reservations = self.pages("ec2", "describe_instances", "Reservations")
        return {"instance": {one["InstanceId"]: one for reservation in reservations for one in reservation["Instances"]}}

    def identities(self):
        iam = self.clients["iam"]
        roles, profiles, policies = {}, {}, {}
        for role in self.pages("iam", "list_roles", "Roles"):
            name = role["RoleName"]
            role["Tags"] = self.pages("iam", "list_role_tags", "Tags", RoleName=name)
            role["Attached"] = self.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
            role["Inline"] = {
                policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in self.pages("iam", "list_role_policies", "PolicyNames", RoleName=name)
            }
            roles[name] = role
        for profile in self.pages("iam", "list_instance_profiles", "InstanceProfiles"):
            whole = iam.get_instance_profile(InstanceProfileName=profile["InstanceProfileName"])
            profiles[profile["InstanceProfileName"]] = whole["InstanceProfile"]
        for policy in self.pages("iam", "list_policies", "Policies", Scope="Local"):
            policies[policy["Arn"]] = policy
        return {"role": roles, "instance-profile": profiles, "policy": policies}

    def buckets(self):
        buckets = {}
        for bucket in self.clients["s3"].list_buckets()["Buckets"]:
            name = bucket["Name"]
            bucket["Keys"] = [(one["Key"], one["ETag"]) for one in self.pages("s3", "list_objects_v2", "Contents", Bucket=name)]
            buckets[name] = bucket
        return {"bucket": buckets}

    def balancers(self, found):
        client = self.clients["elbv2"]
        listeners = {}
        for arn, balancer in found["load-balancer"].items():
            balancer["Attributes"] = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
            for listener in self.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn):
                listeners[listener["ListenerArn"]] = listener
        for arn, group in found["target-group"].items():
            group["Attributes"] = client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
            health = client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            group["Targets"] = [one["Target"] for one in health]
        for things in (found["load-balancer"], found["target-group"], listeners):
            for arn, thing in things.items():
                tags = client.describe_tags(ResourceArns=[arn])["TagDescriptions"]
                thing["Tags"] = tags[0]["Tags"] if tags else []
        return {"listener": listeners}

    def versions(self, templates):
        return {"launch-template-version": {
            f"{template}/{version['VersionNumber']}": version
            for template in templates
            for version in self.pages("ec2", "describe_launch_template_versions", "LaunchTemplateVersions",
                                      LaunchTemplateId=template)
        }}

    def zone(self, zone):
        whole = self.clients["route53"].get_hosted_zone(Id=zone)
        tags = self.clients["route53"].list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone.split("/")[-1])
        return {"HostedZone": whole["HostedZone"], "VPCs": whole.get("VPCs", []), "Tags": tags["ResourceTagSet"]["Tags"]}

    @staticmethod
    def excuse(found, excused):
        """Takes out what the head of this file lists."""
        forgotten = {}
        for kind, state in (("instance", lambda one: one["State"]["Name"] == "terminated"),
                            ("nat-gateway", lambda one: one["State"] == "deleted")):
            for name, one in list(found[kind].items()):
                if not state(one):
                    continue
                excused[name] = "AWS, too, describes it for an hour after its end"
                del found[kind][name]
                for interface in one.get("NetworkInterfaces", []) + one.get("NatGatewayAddresses", []):
                    forgotten[interface["NetworkInterfaceId"]] = name
        for name, interface in list(found["network-interface"].items()):
            if name in forgotten and not interface.get("TagSet"):
                excused[name] = f"moto made it for {forgotten[name]} and forgets to remove it"
                del found["network-interface"][name]
        for name, tag in list(found["tag"].items()):
            # Tags of what is gone stay in moto's table; everything that exists carries its own tags above.
            if tag["ResourceId"] in excused or not exists(found, tag["ResourceId"]):
                del found["tag"][name]


def exists(found, name):
    return any(name in things for kind, things in found.items() if kind != "tag")


def patiently(read):
    """moto breaks down now and then when it is asked many things at once; asked again, it answers."""
    for _ in range(4):
        try:
            return read()
        except (ClientError, ResponseParserError) as error:
            print(f"read again: {error}", file=sys.stderr)
    return read()


def main():
    account = Account(sys.argv[1], sys.argv[2])
    for _ in sys.stdin:
        print(json.dumps(patiently(account.read), sort_keys=True), flush=True)


if __name__ == "__main__":
    main()
