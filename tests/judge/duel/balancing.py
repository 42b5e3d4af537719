"""Load balancers, target groups, listeners, targets."""

from .common import NOBODY, tags

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
NO_BALANCER = f"{ARN}:loadbalancer/net/nobody/0123456789abcdef"
NO_GROUP = f"{ARN}:targetgroup/nobody/0123456789abcdef"
NO_LISTENER = f"{ARN}:listener/net/nobody/0123456789abcdef/0123456789abcdef"
NAME = "demo-api"


def play(duel):
    groups(duel)
    balancers(duel)
    listeners(duel)
    targets(duel)


def groups(duel):
    call = duel.call
    check = {"HealthCheckProtocol": "HTTPS", "HealthCheckPort": "6443", "HealthCheckPath": "/readyz",
             "Matcher": {"HttpCode": "200"}, "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 6,
             "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2}
    new = {"Name": NAME, "Port": 6443, "Protocol": "TCP", "TargetType": "ip", "VpcId": "$vpc", **check,
           "Tags": tags("aws_lb_target_group.api")}
    call("elbv2.create_target_group", "ours", new, {"targets": "TargetGroups.0.TargetGroupArn"})
    call("elbv2.create_target_group", "of a name that is taken", {**new, "Port": 80},
         refusal="DuplicateTargetGroupName")
    call("elbv2.describe_target_groups", "of the name", {"Names": [NAME]})
    call("elbv2.describe_target_groups", "of the account", {"PageSize": 400})
    call("elbv2.describe_target_groups", "not there", {"Names": ["nobody"]}, refusal="TargetGroupNotFound")
    one = {"TargetGroupArn": "$targets"}
    call("elbv2.modify_target_group_attributes", "ours", {**one, "Attributes": [
        {"Key": "preserve_client_ip.enabled", "Value": "false"},
        {"Key": "deregistration_delay.timeout_seconds", "Value": "60"},
        {"Key": "deregistration_delay.connection_termination.enabled", "Value": "true"},
        {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]})
    call("elbv2.modify_target_group_attributes", "that is none",
         {**one, "Attributes": [{"Key": "no.such", "Value": "1"}]},
         refusal="ValidationError")
    call("elbv2.modify_target_group_attributes", "not there", {"TargetGroupArn": NO_GROUP, "Attributes": [
        {"Key": "deregistration_delay.timeout_seconds", "Value": "60"}]}, refusal="TargetGroupNotFound")
    call("elbv2.describe_target_group_attributes", "ours", one)
    call("elbv2.describe_target_group_attributes", "not there", {"TargetGroupArn": NO_GROUP},
         refusal="TargetGroupNotFound")
    call("elbv2.modify_target_group", "its check", {**one, **check, "HealthCheckPath": "/livez"})
    call("elbv2.modify_target_group", "not there", {**check, "TargetGroupArn": NO_GROUP}, refusal="TargetGroupNotFound")
    call("elbv2.describe_target_groups", "with another check", {"Names": [NAME]})


def balancers(duel):
    call = duel.call
    # A network load balancer that faces the internet needs a way there from its subnets.
    new = {"Name": NAME, "Type": "network", "Scheme": "internet-facing", "Subnets": ["$subnet_a"],
           "SecurityGroups": ["$group_api"], "Tags": tags("aws_lb.api")}
    call("elbv2.create_load_balancer", "ours", new, {"balancer": "LoadBalancers.0.LoadBalancerArn"})

    def away(side, answer):
        made = answer["LoadBalancers"][0]["LoadBalancerArn"]
        if made != side.names["balancer"]:
            side.call("elbv2.delete_load_balancer", {"LoadBalancerArn": made})

    call("elbv2.create_load_balancer", "again", new, undo=away)
    call("elbv2.create_load_balancer", "of a name that is taken", {**new, "Scheme": "internal"},
         refusal="DuplicateLoadBalancerName", undo=away)
    other = {**new, "Name": "demo-junk"}
    call("elbv2.create_load_balancer", "nowhere", {**other, "Subnets": [f"subnet-{NOBODY}"]}, refusal="SubnetNotFound",
         undo=away)
    call("elbv2.create_load_balancer", "of a group that is not there", {**other, "SecurityGroups": [f"sg-{NOBODY}"]},
         refusal="InvalidSecurityGroup", undo=away)
    call("elbv2.describe_load_balancers", "until it serves", {"LoadBalancerArns": ["$balancer"]},
         until=("LoadBalancers.0.State.Code", "active"))
    call("elbv2.describe_load_balancers", "of the name", {"Names": [NAME]})
    call("elbv2.describe_load_balancers", "of the account", {"PageSize": 400})
    call("elbv2.describe_load_balancers", "not there", {"Names": ["nobody"]}, refusal="LoadBalancerNotFound")
    call("elbv2.describe_load_balancers", "not there by its ARN", {"LoadBalancerArns": [NO_BALANCER]},
         refusal="LoadBalancerNotFound")
    call("elbv2.set_subnets", "another", {"LoadBalancerArn": "$balancer", "Subnets": ["$subnet_a", "$subnet_b"]})
    call("elbv2.set_subnets", "not there", {"LoadBalancerArn": NO_BALANCER, "Subnets": ["$subnet_a"]},
         refusal="LoadBalancerNotFound")
    call("elbv2.set_security_groups", "another", {"LoadBalancerArn": "$balancer",
         "SecurityGroups": ["$group_api", "$group_nodes"]})
    call("elbv2.set_security_groups", "not there", {"LoadBalancerArn": NO_BALANCER, "SecurityGroups": ["$group_api"]},
         refusal="LoadBalancerNotFound")
    call("elbv2.describe_load_balancers", "until it is changed", {"LoadBalancerArns": ["$balancer"]},
         until=("LoadBalancers.0.State.Code", "active"))


def listeners(duel):
    call = duel.call
    forward = [{"Type": "forward", "TargetGroupArn": "$targets"}]
    new = {"LoadBalancerArn": "$balancer", "Port": 6443, "Protocol": "TCP", "DefaultActions": forward,
        "Tags": tags("aws_lb_listener.api")}
    call("elbv2.create_listener", "ours", new, {"listener": "Listeners.0.ListenerArn"})

    def away(side, answer):
        made = answer["Listeners"][0]["ListenerArn"]
        if made != side.names["listener"]:
            side.call("elbv2.delete_listener", {"ListenerArn": made})

    call("elbv2.create_listener", "again", new, undo=away)
    call("elbv2.create_target_group", "another", {"Name": "demo-other", "Port": 80, "Protocol": "TCP",
         "TargetType": "ip",
         "VpcId": "$vpc"}, {"targets_2": "TargetGroups.0.TargetGroupArn"})
    other = [{"Type": "forward", "TargetGroupArn": "$targets_2"}]
    call("elbv2.create_listener", "of a port that is taken", {**new, "DefaultActions": other},
         refusal="DuplicateListener", undo=away)
    call("elbv2.delete_target_group", "the other", {"TargetGroupArn": "$targets_2"})
    call("elbv2.create_listener", "of nothing", {**new, "LoadBalancerArn": NO_BALANCER}, refusal="LoadBalancerNotFound")
    call("elbv2.create_listener", "to nothing", {**new, "Port": 443,
         "DefaultActions": [{"Type": "forward", "TargetGroupArn": NO_GROUP}]},
         refusal="TargetGroupNotFound")
    call("elbv2.describe_listeners", "ours", {"LoadBalancerArn": "$balancer", "PageSize": 400})
    call("elbv2.describe_listeners", "not there", {"LoadBalancerArn": NO_BALANCER, "PageSize": 400},
         refusal="LoadBalancerNotFound")
    call("elbv2.modify_listener", "its port", {"ListenerArn": "$listener", "Port": 443, "Protocol": "TCP",
         "DefaultActions": forward})
    call("elbv2.modify_listener", "not there", {"ListenerArn": NO_LISTENER, "Port": 443, "Protocol": "TCP",
         "DefaultActions": forward},
         refusal="ListenerNotFound")
    call("elbv2.describe_listeners", "with another port", {"LoadBalancerArn": "$balancer", "PageSize": 400})
    call("elbv2.add_tags", "of a listener", {"ResourceArns": ["$listener"], "Tags": [{"Key": "team", "Value": "ml"}]})
    call("elbv2.add_tags", "not there", {"ResourceArns": [NO_BALANCER], "Tags": [{"Key": "a", "Value": "b"}]},
         refusal="LoadBalancerNotFound")
    call("elbv2.describe_tags", "of all", {"ResourceArns": ["$balancer", "$targets", "$listener"]})
    call("elbv2.describe_tags", "not there", {"ResourceArns": [NO_BALANCER]}, refusal="LoadBalancerNotFound")
    call("elbv2.delete_target_group", "in use", {"TargetGroupArn": "$targets"}, refusal="ResourceInUse")


def targets(duel):
    call = duel.call
    one = {"TargetGroupArn": "$targets", "Targets": [{"Id": "10.40.0.10", "Port": 6443}]}
    call("elbv2.describe_target_health", "before it is registered", one)
    call("elbv2.register_targets", "ours", one)
    call("elbv2.register_targets", "again", one)
    call("elbv2.register_targets", "of another network", {**one, "Targets": [{"Id": "8.8.8.8", "Port": 6443}]},
         refusal="InvalidTarget",
         undo=lambda side, _: side.call("elbv2.deregister_targets",
             {**one, "Targets": [{"Id": "8.8.8.8", "Port": 6443}]}))
    call("elbv2.register_targets", "in nothing", {**one, "TargetGroupArn": NO_GROUP}, refusal="TargetGroupNotFound")
    call("elbv2.describe_target_health", "of the group", {"TargetGroupArn": "$targets"})
    call("elbv2.describe_target_health", "of one", one)
    call("elbv2.describe_target_health", "not there", {"TargetGroupArn": NO_GROUP}, refusal="TargetGroupNotFound")
    call("elbv2.deregister_targets", "ours", one)
    call("elbv2.deregister_targets", "in nothing", {**one, "TargetGroupArn": NO_GROUP}, refusal="TargetGroupNotFound")
    call("elbv2.describe_target_health", "on its way out", one)
    call("elbv2.describe_target_health", "until it is out", {"TargetGroupArn": "$targets"},
         until=("TargetHealthDescriptions.0", None))
