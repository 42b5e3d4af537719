//! Changes of a load balancer that is there.

use serde_json::Value;

use super::{LOAD_BALANCER, balancer, interface, needs};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, text};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_load_balancer_made_without_groups_never_has_any",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html",
    },
    Behaviour {
        name: "subnets_that_are_set_replace_those_before",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html",
    },
];

pub(super) const ACTIONS: &[Action] =
    &[Action::special("SetSecurityGroups", set_groups), Action::special("SetSubnets", set_subnets)];

fn set_groups(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "LoadBalancerArn")?;
    let mut lb = LOAD_BALANCER.find(call.world, &arn)?;
    if !lb.attrs.contains_key("SecurityGroups") {
        let message = "You cannot set security groups on a Network Load Balancer that was created without any";
        return Err(Refused::bad("InvalidConfigurationRequest", message));
    }
    let groups = balancer::groups(call, lb.text("VpcId"))?;
    if groups.is_empty() {
        return Err(Refused::bad("InvalidConfigurationRequest", "At least one security group must be specified"));
    }
    lb.set("SecurityGroups", groups.clone());
    interface::regroup(call.world, &lb);
    if let Some(there) = call.world.get_mut(LOAD_BALANCER.name, &arn) {
        there.set("SecurityGroups", groups.clone());
    }
    Ok(object([("SecurityGroupIds", Value::Array(groups))]))
}

fn set_subnets(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "LoadBalancerArn")?;
    let mut lb = LOAD_BALANCER.find(call.world, &arn)?;
    let (zones, vpc) = balancer::zones(call)?;
    if vpc != lb.text("VpcId") {
        return Err(Refused::bad("InvalidSubnet", format!("The subnets do not belong to VPC {}", lb.text("VpcId"))));
    }
    let before: Vec<String> = lb.at("AvailabilityZones.SubnetId").into_iter().map(text).collect();
    lb.set("AvailabilityZones", zones.clone());
    let after: Vec<String> = lb.at("AvailabilityZones.SubnetId").into_iter().map(text).collect();
    for gone in before.iter().filter(|subnet| !after.contains(subnet)) {
        interface::abandon(call.world, &arn, Some(gone));
    }
    for new in after.iter().filter(|subnet| !before.contains(subnet)) {
        interface::put(call.world, &lb, new);
    }
    if let Some(there) = call.world.get_mut(LOAD_BALANCER.name, &arn) {
        there.set("AvailabilityZones", zones.clone());
    }
    Ok(object([("AvailabilityZones", Value::Array(zones))]))
}

#[cfg(test)]
mod tests {
    use super::super::balancer::tests::{LB, desk, made};
    use super::*;

    #[test]
    fn a_load_balancer_made_without_groups_never_has_any() {
        let mut desk = desk();
        let bare: Vec<_> = LB.into_iter().filter(|(name, _)| !name.starts_with("SecurityGroups")).collect();
        let arn = text(&desk.ok("CreateLoadBalancer", &bare)["LoadBalancers"][0]["LoadBalancerArn"]);
        let set = [("LoadBalancerArn", arn.as_str()), ("SecurityGroups.member.1", "sg-1")];
        assert_eq!(desk.refused("SetSecurityGroups", &set), "InvalidConfigurationRequest");
        desk.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]);
        let arn = made(&mut desk);
        let set = [("LoadBalancerArn", arn.as_str()), ("SecurityGroups.member.1", "sg-1")];
        assert_eq!(desk.ok("SetSecurityGroups", &set)["SecurityGroupIds"][0], "sg-1");
        let set = [("LoadBalancerArn", arn.as_str()), ("SecurityGroups.member.1", "sg-none")];
        assert_eq!(desk.refused("SetSecurityGroups", &set), "InvalidSecurityGroup");
    }

    #[test]
    fn subnets_that_are_set_replace_those_before() {
        let mut desk = desk();
        let arn = made(&mut desk);
        desk.ok("SetSubnets", &[("LoadBalancerArn", arn.as_str()), ("Subnets.member.1", "subnet-b")]);
        desk.wait(601_000);
        let left: Vec<&str> = desk.world.all("network-interface").map(|i| i.text("subnetId")).collect();
        assert_eq!(left, ["subnet-b"]);
        let set = [("LoadBalancerArn", arn.as_str()), ("Subnets.member.1", "subnet-none")];
        assert_eq!(desk.refused("SetSubnets", &set), "SubnetNotFound");
    }
}
