//! What a group is asked to be.

use serde_json::{Map, Value, json};

use super::{KIND, is_leaving, named, needs};
use crate::aws::ACCOUNT;
use crate::aws::call::{Answer, Call, Refused, timestamp};
use crate::aws::ec2::{launch, template};
use crate::aws::table::text;
use crate::world::{Change, Thing, World};

/// As many groups as an account may have
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html>).
const GROUPS: u32 = 500;

pub(super) fn wrong(message: impl Into<String>) -> Refused {
    Refused::bad("ValidationError", message)
}

pub(super) fn tag_allowed(tag: &Value) -> Result<(), Refused> {
    let (key, value) = (text(&tag["Key"]), text(&tag["Value"]));
    if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
        return Err(wrong(format!("The tag {key} is empty or too long")));
    }
    if key.starts_with("aws:") {
        return Err(wrong(format!("Tag keys starting with 'aws:' are reserved for internal use: {key}")));
    }
    Ok(())
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let name = needs(call, "AutoScalingGroupName")?;
    if call.world.get(KIND, &name).is_some() {
        let message =
            format!("AutoScalingGroup by this name already exists - A group with the name {name} already exists");
        return Err(Refused::bad("AlreadyExists", message));
    }
    let limit = call.world.weather.quotas.get(KIND).copied().unwrap_or(GROUPS);
    if call.world.all(KIND).count() >= limit as usize {
        let message = "You've reached the maximum number of Auto Scaling groups.";
        return Err(Refused::bad("LimitExceeded", message));
    }
    needs(call, "MinSize")?;
    needs(call, "MaxSize")?;
    let (region, mark) = (call.world.region.clone(), call.world.number());
    let arn =
        format!("arn:aws:autoscaling:{region}:{ACCOUNT}:autoScalingGroup:{mark:016x}:autoScalingGroupName/{name}");
    let role =
        format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    let mut group = Thing::new(KIND, &name);
    let attrs = json!({
        "AutoScalingGroupName": name, "AutoScalingGroupARN": arn, "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0,
        "DefaultCooldown": 300, "AvailabilityZones": [], "LoadBalancerNames": [], "TargetGroupARNs": [],
        "HealthCheckType": "EC2", "HealthCheckGracePeriod": 0, "CreatedTime": timestamp(call.now()),
        "SuspendedProcesses": [], "VPCZoneIdentifier": "", "EnabledMetrics": [], "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": false, "ServiceLinkedRoleARN": role, "CapacityRebalance": false,
        "_members": [], "_activities": [], "_propagate": {},
    });
    group.attrs = attrs.as_object().cloned().unwrap_or_default();
    for tag in call.list("Tags") {
        tag_allowed(&tag)?;
        let key = text(&tag["Key"]);
        group.attrs["_propagate"][&key] = (text(&tag["PropagateAtLaunch"]) == "true").into();
        group.tags.insert(key, text(&tag["Value"]));
    }
    shape(call, &mut group)?;
    check(call.world, &group)?;
    group.set("_short", call.world.partial);
    call.world.add(group);
    let first = 2000 + call.world.chance.number("group/first") % 6000;
    call.world.later(first, KIND, &name, Change::Named("tick".to_owned()));
    Ok(Map::new())
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let name = needs(call, "AutoScalingGroupName")?;
    let mut group = named(call, &name)?;
    if is_leaving(&group) {
        let message = format!("The group {name} is pending delete.");
        return Err(Refused::bad("ScalingActivityInProgress", message));
    }
    shape(call, &mut group)?;
    check(call.world, &group)?;
    keep(call.world, group);
    Ok(Map::new())
}

pub(super) fn set_desired(call: &mut Call<'_>) -> Answer {
    needs(call, "DesiredCapacity")?;
    let name = needs(call, "AutoScalingGroupName")?;
    let mut group = named(call, &name)?;
    call.params.retain(|param, _| param == "DesiredCapacity");
    shape(call, &mut group)?;
    keep(call.world, group);
    Ok(Map::new())
}

/// Puts a changed group back, which then does what it is asked for.
fn keep(world: &mut World, mut group: Thing) {
    group.set("_failures", 0);
    group.set("_short", world.partial);
    let name = group.id.clone();
    if let Some(there) = world.get_mut(KIND, &name) {
        there.attrs = group.attrs;
    }
    world.later(1000, KIND, &name, Change::Named("tick".to_owned()));
}

/// Gives a group what a request says of it.
fn shape(call: &mut Call<'_>, group: &mut Thing) -> Result<(), Refused> {
    for size in ["MinSize", "MaxSize", "DesiredCapacity"] {
        if let Some(size_asked) = call.number(size) {
            group.set(size, size_asked);
        }
    }
    let number = |group: &Thing, name: &str| group.attrs.get(name).and_then(Value::as_i64).unwrap_or(0);
    let (min, max) = (number(group, "MinSize"), number(group, "MaxSize"));
    if min > max {
        return Err(wrong(format!("Min bound, {min}, must be less than or equal to max bound, {max}")));
    }
    let desired = number(group, "DesiredCapacity");
    if call.number("DesiredCapacity").is_some() && !(min..=max).contains(&desired) {
        let message =
            format!("Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}");
        return Err(wrong(message));
    }
    group.set("DesiredCapacity", desired.clamp(min, max));
    if let Some(on) = call.flag("CapacityRebalance") {
        group.set("CapacityRebalance", on);
    }
    if let Some(subnets) = call.text("VPCZoneIdentifier").map(str::to_owned) {
        let mut zones: Vec<Value> = Vec::new();
        for id in subnets.split(',').map(str::trim) {
            if !call.world.knows("subnet", id) {
                return Err(wrong(format!("The subnet ID '{id}' does not exist")));
            }
            let zone = call.world.get("subnet", id).map(|subnet| subnet.text("availabilityZone")).unwrap_or_default();
            if !zones.iter().any(|known| *known == zone) {
                zones.push(zone.into());
            }
        }
        group.set("VPCZoneIdentifier", subnets);
        group.set("AvailabilityZones", zones);
    }
    if let Some(specification) = call.at("LaunchTemplate").cloned() {
        group.attrs.shift_remove("MixedInstancesPolicy");
        group.set("LaunchTemplate", specification);
    }
    if let Some(mut policy) = call.at("MixedInstancesPolicy").cloned() {
        let spread = &mut policy["InstancesDistribution"];
        if !spread.is_object() {
            *spread = json!({});
        }
        // https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html
        let defaults = [
            ("OnDemandAllocationStrategy", "prioritized"),
            ("OnDemandBaseCapacity", "0"),
            ("OnDemandPercentageAboveBaseCapacity", "100"),
            ("SpotAllocationStrategy", "lowest-price"),
        ];
        for (name, value) in defaults {
            if spread[name].is_null() {
                spread[name] = value.into();
            }
        }
        group.attrs.shift_remove("LaunchTemplate");
        group.set("MixedInstancesPolicy", policy);
    }
    if group.text("VPCZoneIdentifier").is_empty() {
        return Err(wrong("At least one Availability Zone or VPC Subnet is required."));
    }
    Ok(())
}

/// The specification of a group's template.
pub(super) fn specification(group: &Thing) -> &Value {
    let own = group.attrs.get("LaunchTemplate");
    own.unwrap_or_else(|| &group.attrs["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"])
}

/// The types that a group may start, those it prefers first; without any, the template's.
pub(super) fn types(group: &Thing, data: &Map<String, Value>) -> Vec<String> {
    let policy = group.attrs.get("MixedInstancesPolicy");
    let types = policy.map(|policy| &policy["LaunchTemplate"]["Overrides"]).and_then(Value::as_array);
    let types: Vec<String> = types.into_iter().flatten().map(|o| text(&o["InstanceType"])).collect();
    if types.is_empty() { data.get("InstanceType").map(text).into_iter().collect() } else { types }
}

pub(super) fn subnets(group: &Thing) -> Vec<String> {
    group.text("VPCZoneIdentifier").split(',').map(|id| id.trim().to_owned()).collect()
}

/// A group asks EC2 whether it would start a machine from its template, and does not come to be if not.
fn check(world: &mut World, group: &Thing) -> Result<(), Refused> {
    let invalid =
        |refused: Refused| wrong(format!("You must use a valid fully-formed launch template. {}", refused.message));
    let specification = specification(group).clone();
    if !specification.is_object() {
        return Err(wrong("Valid requests must contain a launch template or a mixed instances policy."));
    }
    let chosen = template::chosen(world, &specification).map_err(invalid)?;
    let subnets = subnets(group);
    for machine in types(group, &chosen.data) {
        let subnet = subnets.first().map(String::as_str).unwrap_or_default();
        launch::of_group(world, chosen.data.clone(), subnet, &machine, false).map_err(invalid)?;
    }
    Ok(())
}
