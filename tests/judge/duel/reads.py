"""What drivers, observation and facts read of each answer; see providers/aws/src.

A name is a member of the answer, brackets hold what is read inside it. `~`: only presence and type are compared, because
the value is the cloud's own affair; `*`: equal entries of the list count once."""

import functools

TAGS = "Tags[Key Value]"
VPC = f"VpcId CidrBlock OwnerId CidrBlockAssociationSet[CidrBlock] {TAGS}"
SUBNET = f"SubnetId VpcId CidrBlock AvailabilityZone AvailableIpAddressCount~ {TAGS}"
GATEWAY = f"InternetGatewayId Attachments[VpcId State] {TAGS}"
NAT = (f"NatGatewayId SubnetId State FailureCode FailureMessage "
       f"NatGatewayAddresses[AllocationId IsPrimary] {TAGS}")
TABLE = ("RouteTableId VpcId Routes[DestinationCidrBlock GatewayId NatGatewayId NetworkInterfaceId Origin] "
         f"Associations[RouteTableAssociationId~ RouteTableId SubnetId Main AssociationState[State]] {TAGS}")
ENDPOINT = f"VpcEndpointId VpcId ServiceName VpcEndpointType State RouteTableIds {TAGS}"
PERMISSION = ("IpProtocol FromPort ToPort IpRanges[CidrIp Description] UserIdGroupPairs[GroupId Description]")
GROUP = f"GroupId GroupName Description VpcId OwnerId IpPermissionsEgress[{PERMISSION}] {TAGS}"
RULE = ("SecurityGroupRuleId~ GroupId IsEgress IpProtocol FromPort ToPort CidrIpv4 ReferencedGroupInfo[GroupId] "
        f"Description {TAGS}")
INTERFACE = ("NetworkInterfaceId SubnetId Description PrivateIpAddress Groups[GroupId] SourceDestCheck "
             "TagSet[Key Value]")
VOLUME = ("VolumeId AvailabilityZone Size VolumeType Encrypted Attachments[InstanceId Device State] "
          f"{TAGS}")
INSTANCE = ("InstanceId ImageId InstanceType SubnetId IamInstanceProfile[Arn] KeyName RootDeviceName "
            "State[Name] StateReason[Code] SecurityGroups[GroupId] "
            "NetworkInterfaces[NetworkInterfaceId~ Groups[GroupId] Attachment[DeviceIndex]] "
            "BlockDeviceMappings[DeviceName Ebs[VolumeId~]] "
            f"MetadataOptions[HttpEndpoint HttpTokens HttpPutResponseHopLimit] {TAGS}")
CHANGE = "InstanceId CurrentState[Name] PreviousState[Name]"
PLACED = f"GroupId GroupName Strategy State {TAGS}"
TEMPLATE = f"LaunchTemplateId LaunchTemplateName LatestVersionNumber DefaultVersionNumber {TAGS}"
VERSION = ("LaunchTemplateId VersionNumber LaunchTemplateData[ImageId InstanceType KeyName UserData "
           "IamInstanceProfile[Name] NetworkInterfaces[DeviceIndex NetworkCardIndex InterfaceType "
           "AssociatePublicIpAddress DeleteOnTermination Groups] BlockDeviceMappings[DeviceName Ebs[VolumeSize VolumeType "
           "Encrypted DeleteOnTermination]] MetadataOptions[HttpEndpoint HttpTokens HttpPutResponseHopLimit] "
           f"Placement[GroupName] TagSpecifications[ResourceType {TAGS}]]")
KEY = f"KeyName KeyPairId PublicKey {TAGS}"
SCALED = ("AutoScalingGroupName MinSize MaxSize VPCZoneIdentifier CapacityRebalance Status "
          "Instances[LifecycleState] Tags[Key Value PropagateAtLaunch] MixedInstancesPolicy["
          "LaunchTemplate[LaunchTemplateSpecification[LaunchTemplateId Version] Overrides[InstanceType]] "
          "InstancesDistribution[OnDemandBaseCapacity OnDemandPercentageAboveBaseCapacity OnDemandAllocationStrategy "
          "SpotAllocationStrategy]]")
BALANCER = ("LoadBalancerArn LoadBalancerName Scheme Type AvailabilityZones[SubnetId] SecurityGroups DNSName~ "
            "CanonicalHostedZoneId~ State[Code]")
TARGETS = ("TargetGroupArn TargetGroupName Port Protocol TargetType VpcId HealthCheckProtocol HealthCheckPort "
           "HealthCheckPath Matcher[HttpCode] HealthCheckIntervalSeconds HealthCheckTimeoutSeconds HealthyThresholdCount "
           "UnhealthyThresholdCount")
LISTENER = ("ListenerArn LoadBalancerArn Port Protocol DefaultActions[Type TargetGroupArn "
            "ForwardConfig[TargetGroups[TargetGroupArn]]]")
ROLE = "RoleName Path Arn AssumeRolePolicyDocument"
PROFILE = f"InstanceProfileName Path Arn Roles[{ROLE}]"
ZONE = "Id Name Config[Comment PrivateZone]"
RECORD = ("Name Type TTL SetIdentifier ResourceRecords[Value] AliasTarget[HostedZoneId DNSName EvaluateTargetHealth]")
CHANGED = "ChangeInfo[Id~ Status~]"

READS = {
    "sts.get_caller_identity": "Account Arn~",
    "ec2.describe_availability_zones": "AvailabilityZones[ZoneName]",
    "ec2.describe_instance_type_offerings": "InstanceTypeOfferings[Location InstanceType]",
    "ec2.describe_account_attributes": "AccountAttributes[AttributeName AttributeValues[AttributeValue]]",
    "ec2.describe_images": "Images*[ImageId~ Name~ CreationDate~ RootDeviceName]",
    "ec2.describe_tags": "Tags[ResourceId ResourceType Key Value]",
    "ec2.create_vpc": f"Vpc[VpcId OwnerId CidrBlock {TAGS}]",
    "ec2.describe_vpcs": f"Vpcs[{VPC}]",
    "ec2.describe_vpc_attribute": "EnableDnsHostnames[Value]",
    "ec2.create_subnet": "Subnet[SubnetId]",
    "ec2.describe_subnets": f"Subnets[{SUBNET}]",
    "ec2.create_internet_gateway": "InternetGateway[InternetGatewayId]",
    "ec2.describe_internet_gateways": f"InternetGateways[{GATEWAY}]",
    "ec2.allocate_address": "AllocationId PublicIp~",
    "ec2.associate_address": "AssociationId~",
    "ec2.describe_addresses": f"Addresses[AllocationId Domain PublicIp~ AssociationId~ NetworkInterfaceId {TAGS}]",
    "ec2.create_nat_gateway": "NatGateway[NatGatewayId]",
    "ec2.describe_nat_gateways": f"NatGateways[{NAT}]",
    "ec2.create_route_table": "RouteTable[RouteTableId]",
    "ec2.describe_route_tables": f"RouteTables[{TABLE}]",
    "ec2.associate_route_table": "AssociationId",
    "ec2.replace_route_table_association": "NewAssociationId~",
    "ec2.create_vpc_endpoint": "VpcEndpoint[VpcEndpointId]",
    "ec2.describe_vpc_endpoints": f"VpcEndpoints[{ENDPOINT}]",
    "ec2.delete_vpc_endpoints": "Unsuccessful[Error[Code]]",
    "ec2.create_security_group": "GroupId",
    "ec2.describe_security_groups": f"SecurityGroups[{GROUP}]",
    "ec2.authorize_security_group_ingress": "SecurityGroupRules[SecurityGroupRuleId]",
    "ec2.authorize_security_group_egress": "SecurityGroupRules[SecurityGroupRuleId]",
    "ec2.describe_security_group_rules": f"SecurityGroupRules[{RULE}]",
    "ec2.create_network_interface": f"NetworkInterface[{INTERFACE}]",
    "ec2.describe_network_interfaces": f"NetworkInterfaces[{INTERFACE} Status]",
    "ec2.create_volume": "VolumeId",
    "ec2.describe_volumes": f"Volumes[{VOLUME} State]",
    "ec2.run_instances": "Instances[InstanceId]",
    "ec2.describe_instances": f"Reservations[Instances[{INSTANCE}]]",
    "ec2.stop_instances": f"StoppingInstances[{CHANGE}]",
    "ec2.create_placement_group": f"PlacementGroup[{PLACED}]",
    "ec2.describe_placement_groups": f"PlacementGroups[{PLACED}]",
    "ec2.create_launch_template": "LaunchTemplate[LaunchTemplateId]",
    "ec2.create_launch_template_version": "LaunchTemplateVersion[VersionNumber]",
    "ec2.describe_launch_templates": f"LaunchTemplates[{TEMPLATE}]",
    "ec2.describe_launch_template_versions": f"LaunchTemplateVersions[{VERSION}]",
    "ec2.import_key_pair": "KeyPairId",
    "ec2.describe_key_pairs": f"KeyPairs[{KEY}]",
    "autoscaling.describe_auto_scaling_groups": f"AutoScalingGroups[{SCALED}]",
    "autoscaling.describe_scaling_activities": "Activities*[ActivityId~ StatusCode]",
    "elbv2.create_load_balancer": f"LoadBalancers[{BALANCER}]",
    "elbv2.describe_load_balancers": f"LoadBalancers[{BALANCER}]",
    "elbv2.create_target_group": f"TargetGroups[{TARGETS}]",
    "elbv2.describe_target_groups": f"TargetGroups[{TARGETS}]",
    "elbv2.describe_target_group_attributes": "Attributes[Key Value]",
    "elbv2.create_listener": f"Listeners[{LISTENER}]",
    "elbv2.describe_listeners": f"Listeners[{LISTENER}]",
    "elbv2.describe_target_health":
        "TargetHealthDescriptions[Target[Id Port] TargetHealth[State Reason]]",
    "elbv2.describe_tags": f"TagDescriptions[ResourceArn {TAGS}]",
    "iam.create_role": f"Role[{ROLE}]",
    "iam.get_role": f"Role[{ROLE}]",
    "iam.list_roles": f"Roles[{ROLE}]",
    "iam.get_role_policy": "RoleName PolicyName PolicyDocument",
    "iam.create_instance_profile": f"InstanceProfile[{PROFILE}]",
    "iam.get_instance_profile": f"InstanceProfile[{PROFILE}]",
    "iam.list_instance_profiles": f"InstanceProfiles[{PROFILE}]",
    "ssm.get_parameter": "Parameter[Name Value~]",
    "ssm.get_parameters_by_path": "Parameters[Name]",
    "ssm.delete_parameters": "DeletedParameters InvalidParameters",
    "route53.create_hosted_zone": f"HostedZone[{ZONE}] {CHANGED}",
    "route53.get_hosted_zone": f"HostedZone[{ZONE}] VPCs[VPCId VPCRegion]",
    "route53.list_hosted_zones": f"HostedZones[{ZONE}]",
    "route53.list_hosted_zones_by_name": f"HostedZones[{ZONE}]",
    "route53.list_tags_for_resources": f"ResourceTagSets[ResourceId {TAGS}]",
    "route53.list_resource_record_sets": f"ResourceRecordSets[{RECORD}] IsTruncated NextRecordName NextRecordType",
    "route53.change_resource_record_sets": CHANGED,
    "route53.get_change": "ChangeInfo[Status]",
    "s3.get_object": "ETag~",
    "s3.put_object": "ETag~",
    "s3.list_objects_v2": "Contents[Key ETag~ Size] IsTruncated",
}

# Of these lists only some entries are looked for: the list, the member that names an entry, and the names.
PICKED = {
    "ec2.describe_account_attributes": ("AccountAttributes", "AttributeName", {"vpc-max-elastic-ips"}),
    "elbv2.describe_target_group_attributes": ("Attributes", "Key", {
        "preserve_client_ip.enabled", "deregistration_delay.timeout_seconds",
        "deregistration_delay.connection_termination.enabled", "load_balancing.cross_zone.enabled"}),
}


@functools.cache
def parse(text):
    """`A B[C]` as [(name, fields, marks)]."""
    fields, stack, word = [], [], ""
    for char in text + " ":
        if char in " []":
            if word:
                fields.append((word.rstrip("~*"), [], word[len(word.rstrip("~*")):]))
                word = ""
            if char == "[":
                stack.append(fields)
                fields = fields[-1][1]
            elif char == "]":
                fields = stack.pop()
        else:
            word += char
    return fields
