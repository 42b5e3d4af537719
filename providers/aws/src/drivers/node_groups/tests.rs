//! What is sent, and what is made of the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Fault, Live, Owner, Progress};
use clusterctl_core::value::same;
use serde_json::{Value, json};

use super::drivers;
use crate::client::Client;
use crate::client::testing::{Answer, Recorder, block_on};
use crate::names;

fn call(addr: &str) -> Call {
    let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
    Call { addr: addr.parse().expect("an address"), owner, token: "t0ken".to_owned() }
}

fn driver(client: &Client, addr: &str) -> Box<dyn AnyDriver> {
    let addr: Addr = addr.parse().expect("an address");
    drivers(client).into_iter().find(|(kind, _)| *kind == addr.kind).expect("a driver").1
}

fn tags(addr: &str) -> Value {
    let addr = addr.parse().expect("an address");
    serde_json::to_value(names::tags("demo", "0011", &addr, &BTreeMap::new())).expect("data")
}

const PLACED: &str = "aws_placement_group.efa";

fn place(uid: &str, state: &str) -> Result<Live, CloudError> {
    let group = format!(
        "<DescribePlacementGroupsResponse><placementGroupSet><item><groupName>demo-efa</groupName><groupId>pg-1</groupId><strategy>cluster</strategy>\
         <state>{state}</state><tagSet><item><key>clusterctl.dev/uid</key><value>{uid}</value></item>\
         <item><key>clusterctl.dev/address</key><value>{PLACED}</value></item>\
         <item><key>clusterctl.dev/cluster</key><value>other</value></item></tagSet></item></placementGroupSet></DescribePlacementGroupsResponse>"
    );
    let taken = Answer::error(400, "InvalidPlacementGroup.Duplicate", "The placement group demo-efa already exists");
    let (client, _) = Recorder::client([taken, Answer::new(200, &group)]);
    let want = json!({"name": "demo-efa", "strategy": "cluster", "tags": tags(PLACED)});
    block_on(driver(&client, PLACED).create(&call(PLACED), &want))
}

#[test]
fn a_placement_group_is_adopted_only_when_it_is_ours() {
    let live = place("0011", "available").expect("adopted");
    assert_eq!((live.id.as_str(), live.outputs["placement_group_id"].as_str()), ("demo-efa", Some("pg-1")));
    assert_eq!(place("0011", "deleting").expect_err("on its way out").fault, Fault::NotReady);
    let error = place("0012", "available").expect_err("another cluster's");
    assert_eq!(error.fault, Fault::Conflict);
    assert_eq!(
        error.message,
        "the name demo-efa, wanted for aws_placement_group.efa, is taken by cluster other (uid 0012)"
    );
}

#[test]
fn a_placement_group_that_is_gone_need_not_be_deleted() {
    let gone = Answer::error(400, "InvalidPlacementGroup.Unknown", "The Placement Group 'demo-efa' is unknown.");
    let used = Answer::error(400, "InvalidPlacementGroup.InUse", "");
    let (client, _) = Recorder::client([gone, used]);
    let driver = driver(&client, PLACED);
    assert_eq!(block_on(driver.delete(&call(PLACED), &Live::new("demo-efa"))), Ok(()));
    let error = block_on(driver.delete(&call(PLACED), &Live::new("demo-efa"))).expect_err("in use");
    assert_eq!(error.fault, Fault::NotReady);
}

const TEMPLATE: &str = "aws_launch_template.workers";

fn template() -> Value {
    json!({
        "name": "demo-workers", "image_id": "ami-1", "instance_type": "m7i.large", "user_data": "IyEvYmluL3No",
        "iam_instance_profile": {"name": "workers"},
        "network_interfaces": [{"device_index": 0, "delete_on_termination": "true", "security_groups": ["sg-1"]}],
        "block_device_mappings": [{"device_name": "/dev/sda1", "ebs": {
            "volume_size": 30, "volume_type": "gp3", "encrypted": "true", "delete_on_termination": "true"}}],
        "metadata_options": {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        "tag_specifications": [{"resource_type": "instance", "tags": {"a": "b"}}],
        "update_default_version": true, "tags": tags(TEMPLATE),
    })
}

fn updated(changed: &[&str]) -> (Live, Recorded) {
    let version = "<CreateLaunchTemplateVersionResponse><launchTemplateVersion><versionNumber>4</versionNumber></launchTemplateVersion></CreateLaunchTemplateVersionResponse>";
    let (client, recorder) = Recorder::by_action([
        ("CreateLaunchTemplateVersion", Answer::new(200, version)),
        ("ModifyLaunchTemplate", Answer::new(200, "<ModifyLaunchTemplateResponse/>")),
        ("CreateTags", Answer::new(200, "<CreateTagsResponse/>")),
    ]);
    let before = Live::new("lt-1").with("latest_version", 3);
    let changed: Vec<String> = changed.iter().map(|name| (*name).to_owned()).collect();
    let after = block_on(driver(&client, TEMPLATE).update(&call(TEMPLATE), &before, &template(), &changed));
    (after.expect("updated"), recorder.sent())
}

type Recorded = Vec<BTreeMap<String, String>>;

fn field<'a>(sent: &'a Recorded, action: &str, name: &str) -> Option<&'a str> {
    let form = sent.iter().find(|form| form.get("Action").is_some_and(|a| a == action))?;
    form.get(name).map(String::as_str)
}

#[test]
fn a_changed_template_is_a_new_version_and_then_the_default() {
    let (live, sent) = updated(&["user_data"]);
    let actions: Vec<&str> = sent.iter().map(|form| form["Action"].as_str()).collect();
    assert_eq!(actions, ["CreateLaunchTemplateVersion", "ModifyLaunchTemplate"]);
    assert_eq!(field(&sent, "ModifyLaunchTemplate", "SetDefaultVersion"), Some("4"));
    assert_eq!(live.outputs["latest_version"], json!(4));
    let told = json!({"$text": ["#!/bin/sh"], "$encoding": "gzip+base64"});
    assert!(same(&told, &live.args["user_data"]));
    // The same content is asked for with the same token, so that an answer that was lost makes no second version.
    let token = field(&sent, "CreateLaunchTemplateVersion", "ClientToken").map(str::to_owned);
    assert_eq!(token.as_ref().map(String::len), Some(40));
    assert_eq!(field(&updated(&["user_data"]).1, "CreateLaunchTemplateVersion", "ClientToken"), token.as_deref());
}

#[test]
fn a_default_that_was_left_behind_is_only_moved() {
    let (_, sent) = updated(&["update_default_version"]);
    assert_eq!(sent.len(), 1);
    assert_eq!(field(&sent, "ModifyLaunchTemplate", "SetDefaultVersion"), Some("3"));
    let (_, sent) = updated(&["tags"]);
    assert_eq!(sent.iter().map(|form| form["Action"].as_str()).collect::<Vec<_>>(), ["CreateTags"]);
}

const GROUP: &str = "aws_autoscaling_group.gpu";

fn group() -> Value {
    json!({
        "name": "demo-gpu", "min_size": 1, "max_size": 4, "vpc_zone_identifier": ["subnet-1", "subnet-2"],
        "capacity_rebalance": true,
        "mixed_instances_policy": {
            "launch_template": {
                "launch_template_specification": {"launch_template_id": "lt-1", "version": "$Latest"},
                "override": [{"instance_type": "g5.xlarge"}, {"instance_type": "g5.2xlarge"}]},
            "instances_distribution": {
                "on_demand_base_capacity": 0, "on_demand_percentage_above_base_capacity": 0,
                "on_demand_allocation_strategy": "prioritized", "spot_allocation_strategy": "price-capacity-optimized"}},
        "tag": [{"key": "a", "value": "b", "propagate_at_launch": true}],
        "force_delete": true, "wait_for_capacity_timeout": "0",
    })
}

fn activity(id: &str, status: &str, words: &str) -> String {
    format!(
        "<member><ActivityId>{id}</ActivityId><StatusCode>{status}</StatusCode><StatusMessage>{words}</StatusMessage>\
         </member>"
    )
}

/// What the driver says of a group that it has made itself.
fn ready(live: &Live, activities: &[String]) -> Result<Progress, CloudError> {
    let (client, _) = asked(&[activities]);
    let driver = driver(&client, GROUP);
    block_on(driver.create(&call(GROUP), &group())).expect("made");
    block_on(driver.ready(&call(GROUP), live, &group()))
}

/// A client that is told these activities, one list after another.
fn asked(looks: &[&[String]]) -> (Client, Arc<Recorder>) {
    let answer = |action: &str, result: &str| {
        Answer::new(200, &format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"))
    };
    let groups = "<AutoScalingGroups><member><AutoScalingGroupName>demo-gpu</AutoScalingGroupName></member>\
                  </AutoScalingGroups>";
    let made = [Answer::new(200, "<CreateAutoScalingGroupResponse/>")];
    let looked = looks.iter().flat_map(|activities| {
        let activities = format!("<Activities>{}</Activities>", activities.concat());
        [answer("DescribeAutoScalingGroups", groups), answer("DescribeScalingActivities", &activities)]
    });
    Recorder::client(made.into_iter().chain(looked))
}

const NO_SPOT: &str = "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity \
                       available that matches your request. Launching EC2 instance failed.";

#[test]
fn a_group_without_machines_says_what_ec2_says() {
    let live = Live::new("demo-gpu");
    let fault = |words: &str| {
        let error = ready(&live, &[activity("a1", "Failed", words)]).expect_err("failed");
        (error.fault, error.code)
    };
    let is = |fault, code: &str| (fault, code.to_owned());
    assert_eq!(fault(NO_SPOT), is(Fault::Capacity, "InsufficientInstanceCapacity"));
    assert_eq!(
        fault("Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity."),
        is(Fault::Quota, "VcpuLimitExceeded")
    );
    assert_eq!(
        fault("We currently do not have sufficient g5.xlarge capacity in the Availability Zone you requested."),
        is(Fault::Capacity, "Failed")
    );
    assert_eq!(
        fault("You are not authorized to perform this operation. Launching EC2 instance failed."),
        is(Fault::Auth, "Failed")
    );
    assert_eq!(fault("The image id '[ami-1]' does not exist."), is(Fault::Permanent, "Failed"));
}

#[test]
fn a_group_that_still_tries_is_waited_for() {
    let live = Live::new("demo-gpu");
    let waits = |live: &Live, activities: &[String]| match ready(live, activities).expect("no failure") {
        Progress::Pending(words) => words,
        Progress::Done(_) => "done".to_owned(),
    };
    let failed = activity("a1", "Failed", NO_SPOT);
    assert_eq!(waits(&live, &[]), "0 of 1 machines in service");
    assert_eq!(waits(&live, &[activity("a2", "InProgress", ""), failed.clone()]), "0 of 1 machines in service");
    let profile = "Could not launch On-Demand Instances. InvalidParameterValue - Value (x) for parameter \
                   iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name.";
    assert_eq!(waits(&live, &[activity("a1", "Failed", profile)]), "0 of 1 machines in service");
    let new = "Could not launch On-Demand Instances. InvalidLaunchTemplateId.NotFound - The specified launch template, \
               with template ID lt-1, does not exist. Launching EC2 instance failed.";
    assert_eq!(waits(&live, &[activity("a1", "Failed", new)]), "0 of 1 machines in service");
    let slow = "RequestLimitExceeded - Request limit exceeded.";
    assert_eq!(waits(&live, &[activity("a1", "Failed", slow)]), "0 of 1 machines in service");
    // What failed before the group was given its next rung says nothing of that rung.
    assert_eq!(waits(&live.with("last_activity_id", "a1"), &[failed]), "0 of 1 machines in service");
}

#[test]
fn what_failed_before_somebody_came_to_a_group_says_nothing_of_now() {
    let (old, new) = (activity("a1", "Failed", NO_SPOT), activity("a2", "Failed", NO_SPOT));
    let (client, _) = asked(&[std::slice::from_ref(&old), std::slice::from_ref(&old), &[new, old.clone()]]);
    let made = block_on(client.asg.create_auto_scaling_group().auto_scaling_group_name("x").send());
    assert!(made.is_ok(), "by somebody else");
    let driver = driver(&client, GROUP);
    let look = || block_on(driver.ready(&call(GROUP), &Live::new("demo-gpu"), &group()));
    assert!(look().is_ok() && look().is_ok());
    assert_eq!(look().expect_err("it failed again").fault, Fault::Capacity);
}

#[test]
fn an_update_remembers_what_had_failed_before() {
    let activities = format!(
        "<DescribeScalingActivitiesResponse><DescribeScalingActivitiesResult><Activities>{}</Activities>\
         </DescribeScalingActivitiesResult></DescribeScalingActivitiesResponse>",
        activity("a7", "Failed", NO_SPOT)
    );
    let (client, recorder) = Recorder::by_action([
        ("DescribeScalingActivities", Answer::new(200, &activities)),
        ("UpdateAutoScalingGroup", Answer::new(200, "<UpdateAutoScalingGroupResponse/>")),
    ]);
    let changed = ["mixed_instances_policy".to_owned()];
    let live = block_on(driver(&client, GROUP).update(&call(GROUP), &Live::new("demo-gpu"), &group(), &changed));
    assert_eq!(live.expect("updated").outputs["last_activity_id"], json!("a7"));
    let sent = recorder.sent();
    assert_eq!(field(&sent, "UpdateAutoScalingGroup", "VPCZoneIdentifier"), Some("subnet-1,subnet-2"));
    assert_eq!(
        field(&sent, "UpdateAutoScalingGroup", "DesiredCapacity"),
        None,
        "how many is the autoscaler's business"
    );
}

#[test]
fn tags_that_went_are_deleted() {
    let (client, recorder) = Recorder::by_action([
        ("CreateOrUpdateTags", Answer::new(200, "<CreateOrUpdateTagsResponse/>")),
        ("DeleteTags", Answer::new(200, "<DeleteTagsResponse/>")),
    ]);
    let mut live = Live::new("demo-gpu");
    live.args = json!({"tag": [
        {"key": "a", "value": "b", "propagate_at_launch": true},
        {"key": "old", "value": "c", "propagate_at_launch": true},
    ]});
    block_on(driver(&client, GROUP).update(&call(GROUP), &live, &group(), &["tag".to_owned()])).expect("updated");
    let sent = recorder.sent();
    assert_eq!(field(&sent, "CreateOrUpdateTags", "Tags.member.1.Key"), Some("a"));
    assert_eq!(field(&sent, "DeleteTags", "Tags.member.1.Key"), Some("old"));
    assert_eq!(field(&sent, "DeleteTags", "Tags.member.2.Key"), None);
}
