"""Makes things that look like a cluster of ours and are not: whoever touches one has not asked who owns it.

usage: decoys.py ENDPOINT REGION CLUSTER CIDR
Some carry the uid of another cluster, some our cluster's name and address tags without any uid, some a uid in the wrong
case or with more text behind it, some only a name like ours. Prints how many there are.
"""

import json
import sys

import boto3

OTHER = "00112233445566778899aabbccddeeff"


def main():
    endpoint, region, cluster, cidr = sys.argv[1:5]
    make = {name: boto3.client(name, region_name=region, endpoint_url=endpoint)
            for name in ("ec2", "elbv2", "autoscaling", "iam", "ssm", "route53", "s3")}
    ec2, made = make["ec2"], []

    def pairs(address, uid=None, **more):
        tags = {"Name": f"{cluster}-{address.split('.')[1]}", "clusterctl.dev/cluster": cluster,
                "clusterctl.dev/address": address, f"kubernetes.io/cluster/{cluster}": "owned", **more}
        if uid:
            tags["clusterctl.dev/uid"] = uid
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def tagged(kind, address, uid=None, **more):
        made.append(address)
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs(address, uid, **more)}]}

    # A whole network of another cluster with our name, on our addresses; and one that nobody tagged.
    vpc = ec2.create_vpc(CidrBlock=cidr, **tagged("vpc", "aws_vpc.main", OTHER))["Vpc"]["VpcId"]
    bare = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    made.append("untagged vpc")
    block = cidr.rsplit("/", 1)[0] + "/24"
    zone = region + "a"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone,
                               **tagged("subnet", f"aws_subnet.private-{zone}", OTHER))["Subnet"]["SubnetId"]
    ec2.create_subnet(VpcId=bare, CidrBlock=block, AvailabilityZone=zone, **tagged("subnet", f"aws_subnet.public-{zone}"))
    gateway = ec2.create_internet_gateway(**tagged("internet-gateway", "aws_internet_gateway.main"))
    gateway = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc", **tagged("elastic-ip", f"aws_eip.nat-{zone}", OTHER))["AllocationId"]
    ec2.allocate_address(Domain="vpc", **tagged("elastic-ip", f"aws_eip.nat-{region}b"))
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address,
                           **tagged("natgateway", f"aws_nat_gateway.{zone}", OTHER))
    table = ec2.create_route_table(VpcId=vpc, **tagged("route-table", f"aws_route_table.private-{zone}", OTHER))
    table = table["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{region}.s3", RouteTableIds=[table],
                            **tagged("vpc-endpoint", "aws_vpc_endpoint.s3", OTHER))
    groups = []
    for role, owner in (("node", OTHER), ("control-plane", None), ("load-balancer", OTHER.upper())):
        group = ec2.create_security_group(GroupName=f"{cluster}-{role}", Description=role, VpcId=vpc,
                                          **tagged("security-group", f"aws_security_group.{role}", owner))["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443, "IpRanges": [{"CidrIp": cidr}]}])
        groups.append(group)
    made.append("a rule in each of 3 security groups")
    ec2.create_network_interface(SubnetId=subnet, Groups=groups[:1],
                                 **tagged("network-interface", "aws_network_interface.control-plane-0", OTHER))
    ec2.create_volume(AvailabilityZone=zone, Size=20, VolumeType="gp3",
                      **tagged("volume", "aws_ebs_volume.etcd-control-plane-0", OTHER))
    # What the CSI driver of a running cluster of ours would have made: the user's data.
    ec2.create_volume(AvailabilityZone=zone, Size=7, **tagged("volume", "aws_ebs_volume.pvc", None, CSIVolumeName="pvc-1"))
    image = json.load(open(__file__.replace("decoys.py", "amis.json")))[0]["ami_id"]
    key = ec2.create_key_pair(KeyName=f"{cluster}-admin", **tagged("key-pair", "aws_key_pair.main", OTHER))["KeyName"]
    instance = ec2.run_instances(ImageId=image, InstanceType="t3.small", MinCount=1, MaxCount=1, SubnetId=subnet, KeyName=key,
                                 **tagged("instance", "aws_instance.control-plane-0", OTHER))["Instances"][0]["InstanceId"]
    template = ec2.create_launch_template(
        LaunchTemplateName=f"{cluster}-general", LaunchTemplateData={"ImageId": image, "InstanceType": "t3.small", "KeyName": key},
        **tagged("launch-template", "aws_launch_template.general", OTHER))["LaunchTemplate"]["LaunchTemplateId"]
    group = f"{cluster}-general"
    make["autoscaling"].create_auto_scaling_group(
        AutoScalingGroupName=group, MinSize=1, MaxSize=1, VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        Tags=[{**tag, "ResourceId": group, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
              for tag in pairs("aws_autoscaling_group.general", OTHER)])
    made.append("aws_autoscaling_group.general")

    balancer = make["elbv2"].create_load_balancer(Name=f"{cluster}-api", Type="network", Scheme="internal", Subnets=[subnet],
                                                  Tags=pairs("aws_lb.api", OTHER))["LoadBalancers"][0]["LoadBalancerArn"]
    targets = make["elbv2"].create_target_group(Name=f"{cluster}-api", Protocol="TCP", Port=6443, VpcId=vpc, TargetType="ip",
                                                Tags=pairs("aws_lb_target_group.api"))["TargetGroups"][0]["TargetGroupArn"]
    make["elbv2"].register_targets(TargetGroupArn=targets, Targets=[{"Id": cidr.rsplit(".", 1)[0] + ".10"}])
    make["elbv2"].create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=6443,
                                  DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}],
                                  Tags=pairs("aws_lb_listener.api", OTHER))
    made += ["aws_lb.api", "aws_lb_target_group.api", "aws_lb_listener.api"]

    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]})
    allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}]})
    for role, path, owner in (("control-plane", f"/clusterctl/{OTHER}/control-plane/", OTHER),
                              ("worker", f"/clusterctl/{cluster}/worker/", None), ("bastion", "/clusterctl/", None)):
        name = f"{cluster}-{role}"
        make["iam"].create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust,
                                Tags=pairs(f"aws_iam_role.{role}", owner))
        make["iam"].put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=allow)
        make["iam"].create_instance_profile(InstanceProfileName=name, Path=path,
                                            Tags=pairs(f"aws_iam_instance_profile.{role}", owner))
        make["iam"].add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        made += [f"aws_iam_role.{role}", f"aws_iam_role_policy.{role}", f"aws_iam_instance_profile.{role}"]

    for name in (f"/clusterctl/{OTHER}/join", f"/clusterctl/{cluster}/join", "/clusterctl/ca"):
        make["ssm"].put_parameter(Name=name, Value="not yours", Type="SecureString")
        made.append(name)
    zone = make["route53"].create_hosted_zone(Name=f"{cluster}.internal.", CallerReference="decoy",
                                              VPC={"VPCRegion": region, "VPCId": vpc})["HostedZone"]["Id"]
    make["route53"].change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone.split("/")[-1],
                                             AddTags=pairs("aws_route53_zone.private", OTHER))
    make["route53"].change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": f"api.{cluster}.internal.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}}]})
    made += ["aws_route53_zone.private", "aws_route53_record.api"]
    make["s3"].create_bucket(Bucket=f"{cluster}-state", CreateBucketConfiguration={"LocationConstraint": region})
    make["s3"].put_object(Bucket=f"{cluster}-state", Key=f"clusterctl/{cluster}/state.json", Body=b"{}")
    made.append("bucket with a state that is not ours")
    print(json.dumps({"made": len(made), "instance": instance}))


if __name__ == "__main__":
    main()
