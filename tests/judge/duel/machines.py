"""Disks, machines, placement groups, launch templates, groups of machines."""

import base64

from .common import ADDRESS, CLUSTER, NOBODY, OWNER, UID, by_tag, ours, tagged, tags, where

ROOT = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3", "Encrypted": True,
    "DeleteOnTermination": True}}
STRICT = {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1}
ALIVE = ("pending", "running", "stopping", "stopped")
SCRIPT = base64.b64encode(b"#!/bin/sh\ntrue\n").decode()


def play(duel):
    volumes(duel)
    instances(duel)
    disks(duel)
    placement(duel)
    templates(duel)
    groups(duel)


def volumes(duel):
    call = duel.call
    new = {"AvailabilityZone": "eu-central-1a", "Size": 20, "VolumeType": "gp3", "Encrypted": True,
           "ClientToken": "token-volume", **tagged("volume", "aws_ebs_volume.etcd")}
    away = lambda side, answer: answer["VolumeId"] != side.names["volume"] and side.call(
        "ec2.delete_volume", {"VolumeId": answer["VolumeId"]})
    call("ec2.create_volume", "ours", new, {"volume": "VolumeId"})
    call("ec2.create_volume", "of the same token", new, undo=away)
    call("ec2.create_volume", "of the same token with other parameters", {**new, "Size": 21},
         refusal="IdempotentParameterMismatch", undo=away)
    call("ec2.create_volume", "nowhere", {**new, "ClientToken": "t-10", "AvailabilityZone": "eu-central-1z"},
         refusal="InvalidZone.NotFound", undo=away)
    call("ec2.create_volume", "too large", {**new, "ClientToken": "t-11", "Size": 99999},
         refusal="InvalidParameterValue", undo=away)
    call("ec2.describe_volumes", "until it is there", {"VolumeIds": ["$volume"]},
         until=("Volumes.0.State", "available"))
    call("ec2.describe_volumes", "of the owner", {"Filters": [*ours(),
         where(f"tag:{ADDRESS}", "aws_ebs_volume.*", "aws_instance.*")],
         "MaxResults": 1000})
    call("ec2.describe_volumes", "of the cluster", {"Filters": [where(f"tag:{CLUSTER}", "demo")]})
    call("ec2.modify_volume", "larger", {"VolumeId": "$volume", "Size": 40, "VolumeType": "gp3"})
    call("ec2.describe_volumes", "until it is larger", {"VolumeIds": ["$volume"]}, until=("Volumes.0.Size", 40))
    call("ec2.modify_volume", "again at once", {"VolumeId": "$volume", "Size": 50, "VolumeType": "gp3"},
         refusal="IncorrectModificationState", undo=lambda side, _: side.call(
             "ec2.modify_volume", {"VolumeId": "$volume", "Size": 40, "VolumeType": "gp3"}))
    call("ec2.modify_volume", "not there", {"VolumeId": f"vol-{NOBODY}", "Size": 40}, refusal="InvalidVolume.NotFound")
    call("ec2.describe_volumes", "not there", {"VolumeIds": [f"vol-{NOBODY}"]}, refusal="InvalidVolume.NotFound")
    call("ec2.delete_volume", "not there", {"VolumeId": f"vol-{NOBODY}"}, refusal="InvalidVolume.NotFound")


def machine(name, token, kinds=("instance", "volume"), **more):
    tag = {"TagSpecifications": [{"ResourceType": kind, "Tags": tags(f"aws_instance.{name}")} for kind in kinds]}
    return {"MinCount": 1, "MaxCount": 1, "ImageId": "$image", "InstanceType": "m7i.large", "ClientToken": token,
            "IamInstanceProfile": {"Name": "demo-workers"}, "KeyName": "demo-key", "UserData": "#!/bin/sh\ntrue\n",
            "BlockDeviceMappings": [ROOT], "MetadataOptions": STRICT, **tag, **more}


def of_subnet(subnet="$subnet_a", group="$group_nodes", public=False):
    return {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group],
                                   "AssociatePublicIpAddress": public, "DeleteOnTermination": True}]}


def instances(duel):
    call = duel.call
    own = {"NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": "$eni"}]}
    new = machine("cp-0", "token-machine", **own)
    made = "Instances.0.InstanceId"
    known = lambda side: (side.names.get("machine"), side.names.get("machine_2"))
    away = lambda side, answer: answer["Instances"][0]["InstanceId"] not in known(side) and side.call(
        "ec2.terminate_instances", {"InstanceIds": [answer["Instances"][0]["InstanceId"]]})
    call("ec2.run_instances", "with an interface", new, {"machine": made})
    call("ec2.run_instances", "of the same token", new, undo=away)
    call("ec2.run_instances", "of the same token with other parameters", {**new, "InstanceType": "m7i.xlarge"},
         refusal="IdempotentParameterMismatch", undo=away)
    call("ec2.describe_instances", "until it runs", {"InstanceIds": ["$machine"]},
         until=("Reservations.0.Instances.0.State.Name", "running"))
    call("ec2.run_instances", "with an interface that is used", {**new, "ClientToken": "t-20"},
         refusal="InvalidNetworkInterface.InUse", undo=away)
    kinds = ("instance", "volume", "network-interface")
    call("ec2.run_instances", "with a subnet", machine("cp-1", "token-machine-2", kinds, **of_subnet()),
         {"machine_2": made})
    call("ec2.describe_instances", "until the other runs", {"InstanceIds": ["$machine_2"]},
         until=("Reservations.0.Instances.0.State.Name", "running"))
    wrong = lambda token, **more: machine("cp-9", token, kinds, **{**of_subnet(), **more})
    for token, name, code, more in (
        ("t-21", "an image that is not there", "InvalidAMIID.NotFound", {"ImageId": f"ami-{NOBODY}"}),
        ("t-22", "a type that is none", "InvalidParameterValue", {"InstanceType": "m7i.nothing"}),
        ("t-23", "a key that is not there", "InvalidKeyPair.NotFound", {"KeyName": "nobody"}),
        ("t-24", "a profile that is not there", "InvalidParameterValue", {"IamInstanceProfile": {"Name": "nobody"}}),
        ("t-25", "a subnet that is not there", "InvalidSubnetID.NotFound", of_subnet(subnet=f"subnet-{NOBODY}")),
        ("t-26", "a group that is not there", "InvalidGroup.NotFound", of_subnet(group=f"sg-{NOBODY}")),
        ("t-27", "an interface that is not there", "InvalidNetworkInterfaceID.NotFound",
         {"NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": f"eni-{NOBODY}"}],
          "TagSpecifications": machine("cp-9", "x")["TagSpecifications"]}),
        ("t-28", "too much user-data", "InvalidParameterValue", {"UserData": "x" * 17000}),
        ("t-29", "a root disk that is too small", "InvalidBlockDeviceMapping",
         {"BlockDeviceMappings": [{**ROOT, "Ebs": {**ROOT["Ebs"], "VolumeSize": 1}}]}),
    ):
        says = "IAM Instance Profile" if name.startswith("a profile") else None
        call("ec2.run_instances", name, wrong(token, **more), refusal=code, says=says, undo=away)
    call("ec2.describe_instances", "of the owner", {"Filters": [*ours(), where(f"tag:{ADDRESS}", "aws_instance.*"),
         where("instance-state-name", *ALIVE)], "MaxResults": 1000})
    call("ec2.describe_instances", "not there", {"InstanceIds": [f"i-{NOBODY}"]}, refusal="InvalidInstanceID.NotFound")
    call("ec2.modify_instance_metadata_options", "ours", {"InstanceId": "$machine_2", **STRICT,
         "HttpPutResponseHopLimit": 2})
    call("ec2.modify_instance_metadata_options", "not there", {"InstanceId": f"i-{NOBODY}", **STRICT},
         refusal="InvalidInstanceID.NotFound")
    call("ec2.modify_instance_attribute", "its groups", {"InstanceId": "$machine_2",
         "Groups": ["$group_nodes", "$group_api"]})
    call("ec2.modify_instance_attribute", "not there", {"InstanceId": f"i-{NOBODY}", "Groups": ["$group_nodes"]},
         refusal="InvalidInstanceID.NotFound")
    call("ec2.create_tags", "of a machine", {"Resources": ["$machine_2"], "Tags": [{"Key": "team", "Value": "ml"}]})
    call("ec2.describe_instances", "that was changed", {"InstanceIds": ["$machine_2"]})
    call("ec2.delete_network_interface", "in use", {"NetworkInterfaceId": "$eni"},
         refusal="InvalidNetworkInterface.InUse",
         says="in use")


def disks(duel):
    call = duel.call
    tie = {"Device": "/dev/sdf", "InstanceId": "$machine", "VolumeId": "$volume"}
    call("ec2.detach_volume", "that is not attached", tie, refusal="IncorrectState", says="'available'")
    call("ec2.attach_volume", "not there", {**tie, "VolumeId": f"vol-{NOBODY}"}, refusal="InvalidVolume.NotFound")
    call("ec2.attach_volume", "to what is not there", {**tie, "InstanceId": f"i-{NOBODY}"},
         refusal="InvalidInstanceID.NotFound")
    call("ec2.attach_volume", "ours", tie)
    call("ec2.describe_volumes", "until it is attached", {"VolumeIds": ["$volume"]},
         until=("Volumes.0.Attachments.0.State", "attached"))
    call("ec2.attach_volume", "again", tie, refusal="VolumeInUse")
    call("ec2.delete_volume", "in use", {"VolumeId": "$volume"}, refusal="VolumeInUse")
    call("ec2.create_volume", "in another zone", {"AvailabilityZone": "eu-central-1b", "Size": 20, "VolumeType": "gp3",
         "ClientToken": "token-volume-b"}, {"volume_b": "VolumeId"})
    call("ec2.describe_volumes", "until the other is there", {"VolumeIds": ["$volume_b"]},
         until=("Volumes.0.State", "available"))
    away = lambda side, _: side.call("ec2.detach_volume", {**tie, "VolumeId": "$volume_b", "Device": "/dev/sdg"})
    call("ec2.attach_volume", "from another zone", {**tie, "VolumeId": "$volume_b", "Device": "/dev/sdg"},
         refusal="InvalidVolume.ZoneMismatch", undo=away)
    call("ec2.delete_volume", "the other", {"VolumeId": "$volume_b"})
    call("ec2.describe_instances", "with a disk", {"InstanceIds": ["$machine"]})
    call("ec2.stop_instances", "not there", {"InstanceIds": [f"i-{NOBODY}"]}, refusal="InvalidInstanceID.NotFound")
    call("ec2.stop_instances", "ours", {"InstanceIds": ["$machine"]})
    call("ec2.describe_instances", "until it has stopped", {"InstanceIds": ["$machine"]},
         until=("Reservations.0.Instances.0.State.Name", "stopped"))
    call("ec2.stop_instances", "again", {"InstanceIds": ["$machine"]})
    call("ec2.detach_volume", "ours", tie)
    call("ec2.describe_volumes", "until it is free", {"VolumeIds": ["$volume"]}, until=("Volumes.0.State", "available"))
    call("ec2.detach_volume", "again", tie, refusal="IncorrectState")
    call("ec2.detach_volume", "not there", {**tie, "VolumeId": f"vol-{NOBODY}"}, refusal="InvalidVolume.NotFound")


def placement(duel):
    call = duel.call
    group = {"GroupName": "demo-gpus", "Strategy": "cluster", **tagged("placement-group", "aws_placement_group.gpus")}
    call("ec2.create_placement_group", "ours", group, {"placement": "PlacementGroup.GroupId"})
    call("ec2.create_placement_group", "again", group, refusal="InvalidPlacementGroup.Duplicate")
    named = {"Filters": [where("group-name", "demo-gpus")]}
    call("ec2.describe_placement_groups", "until it is there", named, until=("PlacementGroups.0.State", "available"))
    call("ec2.describe_placement_groups", "of the owner", by_tag())
    call("ec2.describe_tags", "of our placement groups", {"Filters": [
        where("resource-type", "placement-group"), where("key", UID), where("value", OWNER)]})
    call("ec2.delete_placement_group", "not there", {"GroupName": "nobody"}, refusal="InvalidPlacementGroup.Unknown")
    call("ec2.delete_placement_group", "ours", {"GroupName": "demo-gpus"})
    call("ec2.describe_placement_groups", "until it is gone", named, until=("PlacementGroups.0.State", None, "deleted"))


def templates(duel):
    call = duel.call
    launched = [{"ResourceType": kind, "Tags": tags("aws_autoscaling_group.workers")}
        for kind in ("instance", "volume")]
    data = {"ImageId": "$image", "InstanceType": "m7i.large", "KeyName": "demo-key", "UserData": SCRIPT,
            "IamInstanceProfile": {"Name": "demo-workers"}, "BlockDeviceMappings": [ROOT], "MetadataOptions": STRICT,
            "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False, "DeleteOnTermination": True,
                                   "Groups": ["$group_nodes"]}], "TagSpecifications": launched}
    new = {"LaunchTemplateName": "demo-workers", "ClientToken": "token-template", "LaunchTemplateData": data,
           **tagged("launch-template", "aws_launch_template.workers")}
    call("ec2.create_launch_template", "ours", new, {"template": "LaunchTemplate.LaunchTemplateId"})
    call("ec2.create_launch_template", "of the same token", new)
    call("ec2.create_launch_template", "of a name that is taken", {**new, "ClientToken": "t-30"},
         refusal="InvalidLaunchTemplateName.AlreadyExistsException")
    call("ec2.describe_launch_templates", "of the owner", {**by_tag(), "MaxResults": 200})
    call("ec2.describe_launch_templates", "of the name", {"Filters": [where("launch-template-name", "demo-workers")],
         "MaxResults": 200})
    newest = {"LaunchTemplateId": "$template", "Versions": ["$Latest"], "MaxResults": 200}
    call("ec2.describe_launch_template_versions", "the newest", newest)
    version = {"LaunchTemplateId": "$template", "ClientToken": "token-version",
               "LaunchTemplateData": {**data, "InstanceType": "m7i.xlarge"}}
    call("ec2.create_launch_template_version", "another", version)
    call("ec2.create_launch_template_version", "not there", {**version, "ClientToken": "t-31",
         "LaunchTemplateId": f"lt-{NOBODY}"},
         refusal="InvalidLaunchTemplateId.NotFound")
    call("ec2.modify_launch_template", "its default", {"LaunchTemplateId": "$template", "DefaultVersion": "2"})
    call("ec2.modify_launch_template", "not there", {"LaunchTemplateId": f"lt-{NOBODY}", "DefaultVersion": "2"},
         refusal="InvalidLaunchTemplateId.NotFound")
    call("ec2.modify_launch_template", "a version that is not there",
         {"LaunchTemplateId": "$template", "DefaultVersion": "99"},
         refusal="InvalidLaunchTemplateId.VersionNotFound", undo=lambda side, _: side.call(
             "ec2.modify_launch_template", {"LaunchTemplateId": "$template", "DefaultVersion": "2"}))
    call("ec2.create_tags", "of a template", {"Resources": ["$template"], "Tags": [{"Key": "team", "Value": "ml"}]})
    call("ec2.describe_launch_templates", "that was changed",
         {**by_tag("aws_launch_template.workers"), "MaxResults": 200})
    call("ec2.describe_launch_template_versions", "the newest after that", newest)
    call("ec2.describe_launch_template_versions", "of the account", {"Versions": ["$Latest"], "MaxResults": 200})
    # The last of these, since moto goes on with another number.
    call("ec2.create_launch_template_version", "of the same token", version)
    call("ec2.delete_launch_template", "not there", {"LaunchTemplateId": f"lt-{NOBODY}"},
         refusal="InvalidLaunchTemplateId.NotFound")


def group_tags(name, *more):
    return [{"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True, **tag}
            for tag in (*tags("aws_autoscaling_group.workers"), *more)]


def groups(duel):
    call = duel.call
    mixed = {"LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": "$template", "Version": "2"},
                                "Overrides": [{"InstanceType": "m7i.large"}, {"InstanceType": "m7i.xlarge"}]},
             "InstancesDistribution": {"OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": 100,
                                       "OnDemandAllocationStrategy": "prioritized",
                                       "SpotAllocationStrategy": "price-capacity-optimized"}}
    name = {"AutoScalingGroupName": "demo-workers"}
    new = {**name, "MinSize": 1, "MaxSize": 3, "VPCZoneIdentifier": "$subnet_a,$subnet_b", "CapacityRebalance": True,
           "MixedInstancesPolicy": mixed, "Tags": group_tags("demo-workers")}
    junk = {"AutoScalingGroupName": "demo-junk"}
    away = lambda side, _: side.call("autoscaling.delete_auto_scaling_group", {**junk, "ForceDelete": True})
    call("autoscaling.create_auto_scaling_group", "ours", new)
    def anew(side, _):
        # moto puts the new group over the old one, and forgets its machine.
        _, left = side.call("ec2.describe_instances", {"Filters": [where("tag:aws:autoscaling:groupName",
            "demo-workers")]})
        machines = [machine["InstanceId"] for one in left["Reservations"] for machine in one["Instances"]]
        side.call("ec2.terminate_instances", {"InstanceIds": machines})
        side.call("autoscaling.delete_auto_scaling_group", {**name, "ForceDelete": True})
        side.call("autoscaling.create_auto_scaling_group", new)

    call("autoscaling.create_auto_scaling_group", "again", new, refusal="AlreadyExists", undo=anew)
    wrong = {**new, **junk, "Tags": []}
    call("autoscaling.create_auto_scaling_group", "with less at most than at least", {**wrong, "MinSize": 4},
         refusal="ValidationError", undo=away)
    call("autoscaling.create_auto_scaling_group", "nowhere", {**wrong, "VPCZoneIdentifier": f"subnet-{NOBODY}"},
         refusal="ValidationError", says="does not exist", undo=away)
    other = {**mixed, "LaunchTemplate": {**mixed["LaunchTemplate"], "LaunchTemplateSpecification": {
        "LaunchTemplateId": f"lt-{NOBODY}", "Version": "1"}}}
    call("autoscaling.create_auto_scaling_group", "of no template", {**wrong, "MixedInstancesPolicy": other},
         refusal="ValidationError", says="does not exist", undo=away)
    by_name = {"AutoScalingGroupNames": ["demo-workers"]}
    call("autoscaling.describe_auto_scaling_groups", "until a machine serves", by_name,
         until=("AutoScalingGroups.0.Instances.0.LifecycleState", "InService"))
    filters = {"Filters": ours(), "MaxRecords": 100}
    call("autoscaling.describe_auto_scaling_groups", "of the owner", filters)
    call("autoscaling.describe_auto_scaling_groups", "of the address",
         {"Filters": ours("aws_autoscaling_group.workers"), "MaxRecords": 100})
    call("autoscaling.describe_auto_scaling_groups", "not there", {"AutoScalingGroupNames": ["nobody"]})
    call("autoscaling.describe_scaling_activities", "ours", {**name, "MaxRecords": 20})
    call("ec2.describe_instances", "of the group", {"Filters": [where("tag:aws:autoscaling:groupName", "demo-workers"),
         where("instance-state-name", "pending", "running", "shutting-down", "stopping",
             "stopped")], "MaxResults": 1000})
    change = {key: new[key] for key in ("AutoScalingGroupName", "VPCZoneIdentifier", "CapacityRebalance",
        "MixedInstancesPolicy")}
    call("autoscaling.update_auto_scaling_group", "its bounds", {**change, "MinSize": 1, "MaxSize": 5})
    call("autoscaling.update_auto_scaling_group", "not there",
         {**change, "AutoScalingGroupName": "nobody", "MinSize": 1, "MaxSize": 5},
         refusal="ValidationError", says="not found")
    call("autoscaling.create_or_update_tags", "ours", {"Tags": group_tags("demo-workers",
         {"Key": "team", "Value": "ml"})})
    call("autoscaling.create_or_update_tags", "not there", {"Tags": group_tags("nobody")}, refusal="ValidationError")
    call("autoscaling.describe_auto_scaling_groups", "after that", by_name)
    call("autoscaling.delete_tags", "ours", {"Tags": [group_tags("demo-workers", {"Key": "team", "Value": "ml"})[-1]]})
    call("autoscaling.describe_auto_scaling_groups", "without a tag", by_name)
    call("autoscaling.delete_auto_scaling_group", "not there", {"AutoScalingGroupName": "nobody", "ForceDelete": True},
         refusal="ValidationError", says="not found")
