//! Network load balancers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    LISTENER, LOAD_BALANCER, admits, check_name, hex, interface, needs, now, page, shown, sorted, tags, validation,
};
use crate::aws::call::{Answer, Call, Fate, Refused, fate, object};
use crate::aws::ec2::free;
use crate::aws::table::{Action, Behaviour, text};
use crate::world::{Change, Thing, World};

const CREATE: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour { name: "a_load_balancer_is_provisioned_for_minutes_before_it_is_active", source: CREATE },
    Behaviour { name: "a_load_balancer_asked_for_twice_with_the_same_settings_is_one", source: CREATE },
    Behaviour { name: "a_name_with_other_settings_or_tags_is_taken", source: CREATE },
    Behaviour {
        name: "a_load_balancer_that_cannot_be_provisioned_has_failed",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html",
    },
    Behaviour {
        name: "an_internet_facing_load_balancer_needs_an_internet_gateway",
        source: "https://repost.aws/knowledge-center/elb-invalid-subnet-vpc-no-internet-gateway",
    },
    Behaviour {
        name: "a_subnet_without_eight_free_addresses_takes_no_load_balancer",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#availability-zones",
    },
    Behaviour {
        name: "an_account_has_a_limit_of_load_balancers",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html",
    },
    Behaviour {
        name: "deleting_a_load_balancer_that_is_gone_succeeds",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html",
    },
    Behaviour {
        name: "interfaces_of_a_deleted_load_balancer_stay_for_minutes",
        source: "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elbv2/load_balancer.go",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("CreateLoadBalancer", create),
    Action::special("DescribeLoadBalancers", describe),
    Action::special("DeleteLoadBalancer", delete),
];

fn create(call: &mut Call<'_>) -> Answer {
    let name = needs(call, "Name")?;
    check_name(&name, "Load balancer")?;
    if name.starts_with("internal-") {
        return Err(validation("Load balancer name cannot begin with 'internal-'"));
    }
    if call.text("Type").unwrap_or("application") != "network" {
        return Err(validation("only network load balancers are simulated"));
    }
    let scheme = call.text("Scheme").unwrap_or("internet-facing").to_owned();
    let (zones, vpc) = zones(call)?;
    let groups = groups(call, &vpc)?;
    if scheme == "internet-facing" && !has_gateway(call.world, &vpc) {
        return Err(Refused::bad("InvalidSubnet", format!("VPC {vpc} has no internet gateway")));
    }
    let mut lb = Thing::new(LOAD_BALANCER.name, "");
    lb.tags = tags::given(call)?;
    lb.set("LoadBalancerName", name.as_str());
    lb.set("CanonicalHostedZoneId", canonical_zone(&call.world.region));
    lb.set("CreatedTime", now(call.world));
    lb.set("Scheme", scheme);
    lb.set("VpcId", vpc);
    lb.set("State", json!({ "Code": "provisioning" }));
    lb.set("Type", "network");
    lb.set("AvailabilityZones", zones);
    // One that was made without groups never has any, and says nothing of them.
    if !groups.is_empty() {
        lb.set("SecurityGroups", groups);
    }
    lb.set("IpAddressType", call.text("IpAddressType").unwrap_or("ipv4").to_owned());
    if let Some(there) = call.world.all(LOAD_BALANCER.name).find(|there| there.text("LoadBalancerName") == name) {
        if settings(there) == settings(&lb) {
            return Ok(object([("LoadBalancers", vec![Value::Object(shown(there))].into())]));
        }
        let message = format!("A load balancer with the same name '{name}' exists, but with different settings");
        return Err(Refused::bad("DuplicateLoadBalancerName", message));
    }
    admits(call.world, LOAD_BALANCER, 50, "TooManyLoadBalancers")?;

    let number = hex(call.world);
    let arn = LOAD_BALANCER.arn(call.world, &format!("net/{name}/{number}"));
    lb.id.clone_from(&arn);
    lb.set("LoadBalancerArn", arn.as_str());
    lb.set("DNSName", format!("{name}-{number}.elb.{}.amazonaws.com", call.world.region));
    let answer = shown(&lb);
    for subnet in lb.at("AvailabilityZones.SubnetId") {
        interface::put(call.world, &lb, &text(subnet));
    }
    call.world.add(lb);
    provision(call.world, &arn);
    Ok(object([("LoadBalancers", vec![Value::Object(answer)].into())]))
}

fn provision(world: &mut World, arn: &str) {
    let took = world.takes("aws.NLB.create");
    let end = match fate(world, LOAD_BALANCER.name) {
        Fate::Usual => object([("State", json!({ "Code": "active" })), ("_active_from", (world.now() + took).into())]),
        Fate::Fails => {
            let reason = "Failed to create the load balancer: an internal error occurred";
            object([("State", json!({ "Code": "failed", "Reason": reason }))])
        }
        Fate::NeverEnds => return,
    };
    world.later(took, LOAD_BALANCER.name, arn, Change::Set(end));
}

/// What makes two requests the same.
fn settings(lb: &Thing) -> Value {
    json!([
        lb.text("Type"),
        lb.text("Scheme"),
        lb.text("IpAddressType"),
        sorted(&lb.at("AvailabilityZones.SubnetId")),
        sorted(&lb.at("SecurityGroups")),
        lb.tags,
    ])
}

/// The zones of the subnets of a request, and their network.
pub(super) fn zones(call: &mut Call<'_>) -> Result<(Vec<Value>, String), Refused> {
    let mut ids = call.texts("Subnets");
    ids.extend(call.list("SubnetMappings").iter().filter_map(|m| Some(m.get("SubnetId")?.as_str()?.to_owned())));
    if ids.is_empty() {
        return Err(validation("At least one subnet must be specified"));
    }
    let (mut zones, mut vpcs, mut names) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for id in ids {
        let subnet = call.world.knows("subnet", &id).then(|| call.world.get("subnet", &id)).flatten();
        let Some(subnet) = subnet else {
            return Err(Refused::bad("SubnetNotFound", format!("The subnet ID '{id}' does not exist")));
        };
        if free::count(call.world, &id) < 8 {
            let message = format!(
                "Not enough IP space available in {id}. ELB requires at least 8 free IP addresses in each subnet"
            );
            return Err(Refused::bad("InvalidSubnet", message));
        }
        let zone = subnet.text("availabilityZone").to_owned();
        vpcs.insert(subnet.text("vpcId").to_owned());
        if !names.insert(zone.clone()) {
            let message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
            return Err(Refused::bad("InvalidConfigurationRequest", message));
        }
        zones.push(json!({ "ZoneName": zone, "SubnetId": id, "LoadBalancerAddresses": [] }));
    }
    match (vpcs.pop_first(), vpcs.is_empty()) {
        (Some(vpc), true) => Ok((zones, vpc)),
        _ => Err(Refused::bad("InvalidSubnet", "All subnets must belong to the same VPC")),
    }
}

/// The security groups of a request.
pub(super) fn groups(call: &mut Call<'_>, vpc: &str) -> Result<Vec<Value>, Refused> {
    let groups = call.texts("SecurityGroups");
    for id in &groups {
        let group = call.world.knows("security-group", id).then(|| call.world.get("security-group", id)).flatten();
        let Some(group) = group else {
            let message = format!("The specified security group does not exist: {id}");
            return Err(Refused::bad("InvalidSecurityGroup", message));
        };
        if group.text("vpcId") != vpc {
            let message = format!("The security group {id} does not belong to VPC {vpc}");
            return Err(Refused::bad("InvalidConfigurationRequest", message));
        }
    }
    Ok(groups.into_iter().map(Value::String).collect())
}

fn has_gateway(world: &World, vpc: &str) -> bool {
    world.all("internet-gateway").any(|gateway| gateway.at("attachmentSet.vpcId").iter().any(|id| *id == vpc))
}

/// The zone that aliases to network load balancers of a region name
/// (<https://docs.aws.amazon.com/general/latest/gr/elb.html>).
fn canonical_zone(region: &str) -> &'static str {
    match region {
        "us-east-1" => "Z26RNL4JYFTOTI",
        "us-east-2" => "ZLMOA37VPKANP",
        "us-west-2" => "Z18D5FSROUN65G",
        "eu-central-1" => "Z3F0SRJ5LGBH90",
        "eu-west-1" => "Z2IFOLAFXWLO4F",
        _ => "Z0000000SIMULATED",
    }
}

fn describe(call: &mut Call<'_>) -> Answer {
    let found = LOAD_BALANCER.select(call, "LoadBalancerArns", "Names", "LoadBalancerName")?;
    page(call, "LoadBalancers", found.iter().map(|lb| Value::Object(shown(lb))).collect())
}

fn delete(call: &mut Call<'_>) -> Answer {
    let arn = needs(call, "LoadBalancerArn")?;
    if call.world.get(LOAD_BALANCER.name, &arn).is_none() {
        return Ok(Map::new());
    }
    let of = |listener: &&Thing| listener.text("LoadBalancerArn") == arn;
    let listeners: Vec<String> = call.world.all(LISTENER.name).filter(of).map(|listener| listener.id.clone()).collect();
    for listener in listeners {
        call.world.delete(LISTENER.name, &listener);
    }
    interface::abandon(call.world, &arn, None);
    call.world.delete(LOAD_BALANCER.name, &arn);
    Ok(Map::new())
}

#[cfg(test)]
pub(super) mod tests;
