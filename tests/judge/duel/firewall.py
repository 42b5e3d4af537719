"""Security groups and their rules."""

from .common import NOBODY, by_tag, ours, tagged, tags, where


def permission(ports, cidr=None, group=None, protocol="tcp", text="for the judge"):
    found = {"IpProtocol": protocol}
    if ports:
        found |= {"FromPort": ports[0], "ToPort": ports[1]}
    if cidr:
        found["IpRanges"] = [{"CidrIp": cidr, **({"Description": text} if text else {})}]
    if group:
        found["UserIdGroupPairs"] = [{"GroupId": group, "Description": text}]
    return found


def play(duel):
    call = duel.call
    for name in ("nodes", "api"):
        call("ec2.create_security_group", name, {"GroupName": f"demo-{name}", "Description": f"demo: {name}",
             "VpcId": "$vpc", **tagged("security-group", f"aws_security_group.{name}")}, {f"group_{name}": "GroupId"})
    call("ec2.create_security_group", "of a name that is taken", {"GroupName": "demo-nodes", "Description": "x",
         "VpcId": "$vpc"}, refusal="InvalidGroup.Duplicate")
    call("ec2.create_security_group", "nowhere", {"GroupName": "demo-x", "Description": "x", "VpcId": f"vpc-{NOBODY}"},
         refusal="InvalidVpcID.NotFound", undo=lambda side, answer: side.call(
             "ec2.delete_security_group", {"GroupId": answer["GroupId"]}))
    call("ec2.describe_security_groups", "of the owner", by_tag())
    call("ec2.describe_security_groups", "of the name", {"Filters": [where("vpc-id", "$vpc"),
         where("group-name", "demo-nodes")]})
    everything = permission(None, "0.0.0.0/0", protocol="-1", text=None)
    close = {"GroupId": "$group_nodes", "IpPermissions": [everything]}
    call("ec2.revoke_security_group_egress", "what AWS lets out", close)
    call("ec2.revoke_security_group_egress", "again", close, refusal="InvalidPermission.NotFound")
    call("ec2.describe_security_groups", "that are closed", {"Filters": [where("group-id", "$group_nodes")]})
    into = lambda *rules, group="$group_nodes", name="x": {
        "GroupId": group, "IpPermissions": list(rules), **tagged("security-group-rule",
            f"aws_vpc_security_group_ingress_rule.{name}")}
    rule = "SecurityGroupRules.0.SecurityGroupRuleId"
    call("ec2.authorize_security_group_ingress", "an address", into(permission((6443, 6443), "10.0.0.0/8"), name="api"),
         {"rule_in": rule})
    call("ec2.authorize_security_group_ingress", "a group", into(permission((0, 65535), group="$group_api"),
         name="group"), {"rule_group": rule})
    call("ec2.authorize_security_group_ingress", "everything of a group",
         into(permission(None, group="$group_nodes", protocol="-1"), name="self"), {"rule_self": rule})
    call("ec2.authorize_security_group_ingress", "again", into(permission((6443, 6443), "10.0.0.0/8")),
         refusal="InvalidPermission.Duplicate")
    call("ec2.authorize_security_group_ingress", "again with another description",
         into(permission((6443, 6443), "10.0.0.0/8", text="another")), refusal="InvalidPermission.Duplicate")
    call("ec2.authorize_security_group_ingress", "of a group that is not there",
         into(permission((1, 1), group=f"sg-{NOBODY}")), refusal="InvalidGroup.NotFound")
    call("ec2.authorize_security_group_ingress", "into a group that is not there",
         into(permission((1, 1), "10.0.0.0/8"), group=f"sg-{NOBODY}"), refusal="InvalidGroup.NotFound")
    out = {"GroupId": "$group_nodes", "IpPermissions": [permission(None, "0.0.0.0/0", protocol="-1")],
           **tagged("security-group-rule", "aws_vpc_security_group_egress_rule.all")}
    call("ec2.authorize_security_group_egress", "everything", out, {"rule_out": rule})
    call("ec2.authorize_security_group_egress", "again", out, refusal="InvalidPermission.Duplicate")
    call("ec2.describe_security_group_rules", "of the owner", by_tag())
    call("ec2.describe_security_group_rules", "of the group", {"Filters": [where("group-id", "$group_nodes")]})
    changed = {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443, "CidrIpv4": "10.0.0.0/9",
        "Description": "changed"}
    modify = {"GroupId": "$group_nodes", "SecurityGroupRules": [{"SecurityGroupRuleId": "$rule_in",
        "SecurityGroupRule": changed}]}
    call("ec2.modify_security_group_rules", "an address", modify)
    call("ec2.modify_security_group_rules", "of everything", {"GroupId": "$group_nodes", "SecurityGroupRules": [
        {"SecurityGroupRuleId": "$rule_out", "SecurityGroupRule": {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1,
         "CidrIpv4": "0.0.0.0/0", "Description": "out"}}]})
    call("ec2.create_tags", "of a rule", {"Resources": ["$rule_in"],
         "Tags": tags("aws_vpc_security_group_ingress_rule.api")})
    call("ec2.describe_security_group_rules", "that were changed",
         {"Filters": [*ours(), where("group-id", "$group_nodes")]})
    missing = [{"SecurityGroupRuleId": f"sgr-{NOBODY}", "SecurityGroupRule": changed}]
    call("ec2.modify_security_group_rules", "not there", {**modify, "SecurityGroupRules": missing},
         refusal="InvalidSecurityGroupRuleId.NotFound")
    call("ec2.revoke_security_group_ingress", "one", {"GroupId": "$group_nodes", "SecurityGroupRuleIds": ["$rule_in"]})
    call("ec2.revoke_security_group_ingress", "again", {"GroupId": "$group_nodes",
         "SecurityGroupRuleIds": ["$rule_in"]},
         refusal="InvalidSecurityGroupRuleId.NotFound")
    call("ec2.revoke_security_group_egress", "one", {"GroupId": "$group_nodes", "SecurityGroupRuleIds": ["$rule_out"]})
    call("ec2.describe_security_group_rules", "that are left", {"Filters": [where("group-id", "$group_nodes")]})
    call("ec2.delete_security_group", "not there", {"GroupId": f"sg-{NOBODY}"}, refusal="InvalidGroup.NotFound")
