use serde_json::{Value, json};

use crate::aws::ec2::ground::{GROUP, PROFILE, ZONE, ground};
use crate::aws::ec2::images::{image_id, image_parameter};
use crate::aws::table::text;
use crate::aws::testing::Desk;

const GPU: &str = "p5.48xlarge";

/// Somebody with a launch template `demo`.
fn desk() -> Desk {
    let mut desk = ground();
    let image = image_id(&image_parameter("amd64"));
    let data = [
        ("LaunchTemplateName", "demo"),
        ("LaunchTemplateData.ImageId", image.as_str()),
        ("LaunchTemplateData.InstanceType", "m7i.large"),
        ("LaunchTemplateData.IamInstanceProfile.Name", PROFILE),
        ("LaunchTemplateData.NetworkInterface.1.DeviceIndex", "0"),
        ("LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1", GROUP),
        ("LaunchTemplateData.TagSpecification.1.ResourceType", "instance"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Key", "of"),
        ("LaunchTemplateData.TagSpecification.1.Tag.1.Value", "template"),
    ];
    desk.ok("CreateLaunchTemplate", &data);
    desk
}

const POLICY: &str = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification";

fn asked<'a>(min: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let subnets = "subnet-0a,subnet-0b";
    let mut all = vec![("AutoScalingGroupName", "g"), ("MinSize", min), ("MaxSize", "9")];
    all.push(("VPCZoneIdentifier", subnets));
    all.push(("MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName", "demo"));
    all.push(("MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version", "$Latest"));
    all.extend(more);
    all
}

fn create(desk: &mut Desk, min: &str, more: &[(&str, &str)]) -> Result<Value, String> {
    desk.ask("CreateAutoScalingGroup", &asked(min, more))
}

fn group(desk: &mut Desk) -> Value {
    let ask = [("AutoScalingGroupNames.member.1", "g")];
    desk.ok("DescribeAutoScalingGroups", &ask)["AutoScalingGroups"][0].clone()
}

fn members(desk: &mut Desk) -> Vec<Value> {
    group(desk)["Instances"].as_array().cloned().unwrap_or_default()
}

fn activities(desk: &mut Desk) -> Vec<Value> {
    let answer = desk.ok("DescribeScalingActivities", &[("AutoScalingGroupName", "g")]);
    answer["Activities"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_group_starts_machines_until_it_has_what_it_wants() {
    let mut desk = desk();
    create(&mut desk, "3", &[]).expect("a group");
    assert_eq!(members(&mut desk).len(), 0);
    desk.wait(9000);
    assert_eq!(members(&mut desk).iter().map(|m| text(&m["LifecycleState"])).collect::<Vec<_>>(), ["Pending"; 3]);
    assert_eq!(activities(&mut desk)[0]["StatusCode"], "InProgress");
    desk.wait(90_000);
    assert_eq!(members(&mut desk).iter().map(|m| text(&m["LifecycleState"])).collect::<Vec<_>>(), ["InService"; 3]);
    assert!(activities(&mut desk).iter().all(|a| a["StatusCode"] == "Successful"));
    let in_zone = members(&mut desk).iter().filter(|m| m["AvailabilityZone"] == ZONE).count();
    assert!((1..=2).contains(&in_zone), "both zones have some: {in_zone}");
    let subnets = asked("3", &[("DesiredCapacity", "1")]);
    assert_eq!(desk.refused("UpdateAutoScalingGroup", &subnets), "ValidationError");
    desk.ok("UpdateAutoScalingGroup", &asked("5", &[]));
    desk.wait(90_000);
    assert_eq!(members(&mut desk).len(), 5);
}

#[test]
fn a_group_that_got_one_machine_less_asks_again() {
    let mut desk = desk();
    desk.world.partial = true;
    create(&mut desk, "3", &[]).expect("a group");
    desk.world.partial = false;
    desk.wait(9000);
    assert_eq!(members(&mut desk).len(), 2);
    let failed = activities(&mut desk).iter().filter(|a| a["StatusCode"] == "Failed").count();
    assert_eq!(failed, 1);
    desk.wait(30_000);
    assert_eq!(members(&mut desk).len(), 3);
}

#[test]
fn the_name_of_a_group_is_taken_once() {
    let mut desk = desk();
    create(&mut desk, "0", &[]).expect("a group");
    assert_eq!(create(&mut desk, "0", &[]), Err("AlreadyExists".to_owned()));
    assert_eq!(desk.refused("DescribeScalingActivities", &[("AutoScalingGroupName", "h")]), "ValidationError");
    desk.ok("DeleteAutoScalingGroup", &[("AutoScalingGroupName", "g")]);
    desk.wait(2000);
    create(&mut desk, "0", &[]).expect("a group again");
}

#[test]
fn a_group_checks_subnets_and_template_when_it_is_made() {
    let mut desk = desk();
    assert_eq!(create(&mut desk, "10", &[]), Err("ValidationError".to_owned()), "more than the maximum");
    let ask = |name, value| {
        let mut ask = asked("0", &[]);
        ask.retain(|(param, _)| *param != name);
        ask.push((name, value));
        ask
    };
    let (unknown, version) = (ask("VPCZoneIdentifier", "subnet-x"), format!("{POLICY}.Version"));
    assert_eq!(desk.refused("CreateAutoScalingGroup", &unknown), "ValidationError");
    assert_eq!(desk.refused("CreateAutoScalingGroup", &ask(&version, "7")), "ValidationError");
    desk.world.remove("instance-profile", PROFILE);
    assert_eq!(create(&mut desk, "0", &[]), Err("ValidationError".to_owned()), "EC2 does not know the profile");
}

#[test]
fn tags_go_on_to_machines_where_they_are_told_to() {
    let mut desk = desk();
    let tags = [
        ("Tags.member.1.Key", "own"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.1.PropagateAtLaunch", "false"),
        ("Tags.member.2.Key", "shared"),
        ("Tags.member.2.Value", "2"),
        ("Tags.member.2.PropagateAtLaunch", "true"),
    ];
    create(&mut desk, "1", &tags).expect("a group");
    desk.wait(9000);
    let of_group = [("Filter.1.Name", "tag:aws:autoscaling:groupName"), ("Filter.1.Value.1", "g")];
    let answer = desk.ok("DescribeInstances", &of_group);
    let keys: Vec<String> = answer["reservationSet"][0]["instancesSet"][0]["tagSet"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| text(&tag["key"]))
        .collect();
    let wanted =
        ["aws:autoscaling:groupName", "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version", "of", "shared"];
    assert_eq!(keys, wanted);
    let found = [("Filters.member.1.Name", "tag:own"), ("Filters.member.1.Values.member.1", "1")];
    assert_eq!(desk.ok("DescribeAutoScalingGroups", &found)["AutoScalingGroups"][0]["Tags"][0]["Key"], "own");
    let tag = [
        ("Tags.member.1.ResourceId", "g"),
        ("Tags.member.1.ResourceType", "auto-scaling-group"),
        ("Tags.member.1.Key", "own"),
        ("Tags.member.1.Value", "3"),
        ("Tags.member.1.PropagateAtLaunch", "false"),
    ];
    desk.ok("autoscaling:CreateOrUpdateTags", &tag);
    assert_eq!(group(&mut desk)["Tags"][0]["Value"], "3");
    desk.ok("autoscaling:DeleteTags", &tag[..3]);
    assert_eq!(group(&mut desk)["Tags"][0]["Key"], "shared");
    let stranger = [("Tags.member.1.ResourceId", "h"), ("Tags.member.1.Key", "own")];
    assert_eq!(desk.refused("autoscaling:DeleteTags", &stranger), "ValidationError");
}

const BASE: &str = "MixedInstancesPolicy.InstancesDistribution.OnDemandBaseCapacity";
const ABOVE: &str = "MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity";

#[test]
fn a_mixed_group_keeps_its_share_of_spot() {
    let mut desk = desk();
    create(&mut desk, "6", &[(BASE, "2"), (ABOVE, "50")]).expect("a group");
    desk.wait(9000);
    let spot = |desk: &Desk| desk.world.all("instance").filter(|i| i.text("instanceLifecycle") == "spot").count();
    assert_eq!((desk.world.all("instance").count(), spot(&desk)), (6, 2));
    let told = group(&mut desk)["MixedInstancesPolicy"]["InstancesDistribution"].clone();
    assert_eq!((&told["OnDemandBaseCapacity"], &told["SpotAllocationStrategy"]), (&json!("2"), &json!("lowest-price")));
}

#[test]
fn missing_capacity_is_a_failed_activity_and_is_tried_again() {
    let mut desk = desk();
    desk.world.weather.capacity =
        [(format!("m7i.large/{ZONE}/spot"), 0), ("m7i.large/eu-central-1b/spot".to_owned(), 0)].into();
    create(&mut desk, "1", &[(ABOVE, "0")]).expect("a group");
    desk.wait(9000);
    let newest = activities(&mut desk)[0].clone();
    assert_eq!(newest["StatusCode"], "Failed");
    let words = "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available \
                 that matches your request. Launching EC2 instance failed.";
    assert_eq!(newest["StatusMessage"], words);
    // Another rung: on demand.
    desk.ok("UpdateAutoScalingGroup", &asked("1", &[(ABOVE, "100")]));
    desk.wait(90_000);
    assert_eq!(members(&mut desk).len(), 1);
    desk.world.weather.capacity.clear();
    desk.ok("UpdateAutoScalingGroup", &asked("2", &[(ABOVE, "0")]));
    desk.wait(900_000);
    assert_eq!(members(&mut desk).len(), 2);
}

#[test]
fn another_zone_or_type_is_tried_before_an_activity_fails() {
    let mut desk = desk();
    let overrides = "MixedInstancesPolicy.LaunchTemplate.Overrides.member";
    let (first, second) = (format!("{overrides}.1.InstanceType"), format!("{overrides}.2.InstanceType"));
    let types = [(first.as_str(), GPU), (second.as_str(), "p4d.24xlarge")];
    desk.world.weather.capacity = [(format!("{GPU}/{ZONE}"), 0), (format!("{GPU}/eu-central-1b"), 1)].into();
    create(&mut desk, "2", &types).expect("a group");
    desk.wait(9000);
    let told: Vec<String> = members(&mut desk)
        .iter()
        .map(|m| format!("{} {}", text(&m["InstanceType"]), text(&m["AvailabilityZone"])))
        .collect();
    assert_eq!(told, [format!("{GPU} eu-central-1b"), format!("p4d.24xlarge {ZONE}")]);
    assert!(activities(&mut desk).iter().all(|a| a["StatusCode"] != "Failed"));
}

#[test]
fn a_machine_that_dies_is_replaced() {
    let mut desk = desk();
    create(&mut desk, "1", &[]).expect("a group");
    desk.wait(90_000);
    let first = text(&members(&mut desk)[0]["InstanceId"]);
    desk.ok("TerminateInstances", &[("InstanceId.1", &first)]);
    desk.wait(300_000);
    let now = members(&mut desk);
    assert_eq!((now.len(), &now[0]["LifecycleState"]), (1, &json!("InService")));
    assert_ne!(now[0]["InstanceId"], first.as_str());
    assert!(activities(&mut desk).iter().any(|a| text(&a["Cause"]).contains("EC2 health check")));
}

#[test]
fn a_group_with_machines_is_deleted_by_force_alone() {
    let mut desk = desk();
    create(&mut desk, "2", &[]).expect("a group");
    desk.wait(90_000);
    let name = [("AutoScalingGroupName", "g"), ("ForceDelete", "true")];
    assert_eq!(desk.refused("DeleteAutoScalingGroup", &name[..1]), "ResourceInUse");
    desk.ok("DeleteAutoScalingGroup", &name);
    assert_eq!(group(&mut desk)["Status"], "Delete in progress");
    assert_eq!(desk.refused("UpdateAutoScalingGroup", &asked("1", &[])), "ScalingActivityInProgress");
    assert_eq!(create(&mut desk, "0", &[]), Err("AlreadyExists".to_owned()));
    desk.wait(300_000);
    assert!(group(&mut desk).is_null());
    assert_eq!(desk.refused("DeleteAutoScalingGroup", &name), "ValidationError");
    assert!(desk.world.inventory().iter().all(|thing| thing.starts_with("launch-template ")));
    assert_eq!(desk.ok("DescribeNetworkInterfaces", &[])["networkInterfaceSet"], json!([]));
}

#[test]
fn a_group_that_shrinks_has_a_scaling_activity_in_progress() {
    let mut desk = desk();
    create(&mut desk, "1", &[]).expect("a group");
    desk.wait(90_000);
    desk.ok("UpdateAutoScalingGroup", &asked("0", &[("DesiredCapacity", "0")]));
    desk.wait(2000);
    assert_eq!(members(&mut desk).len(), 0);
    let name = [("AutoScalingGroupName", "g")];
    assert_eq!(desk.refused("DeleteAutoScalingGroup", &name), "ScalingActivityInProgress");
    desk.wait(300_000);
    desk.ok("DeleteAutoScalingGroup", &name);
}
