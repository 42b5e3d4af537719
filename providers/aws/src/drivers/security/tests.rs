//! A name or a rule that is taken: by an attempt whose answer was lost, by another of ours, or by somebody else.

use std::sync::Arc;

use std::collections::BTreeMap;

use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Fault, Live, Owner};
use expect_test::expect;
use serde_json::{Value, json};

use super::drivers;
use crate::client::testing::{Answer, Recorder, block_on};

fn call(addr: &str) -> Call {
    let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
    Call { addr: addr.parse().expect("an address"), owner, token: "t0k3n".to_owned() }
}

fn tag_set(addr: &str) -> String {
    let tag = |key: &str, value: &str| format!("<item><key>clusterctl.dev/{key}</key><value>{value}</value></item>");
    format!("<tagSet>{}{}</tagSet>", tag("uid", "0011"), tag("address", addr))
}

fn ok(action: &str, body: &str) -> Answer {
    Answer::new(200, &format!("<{action}Response>{body}</{action}Response>"))
}

fn driver(client: &crate::client::Client, kind: &str) -> Box<dyn AnyDriver> {
    let mut all: BTreeMap<_, _> = drivers(client).into_iter().collect();
    all.remove(kind).expect("a driver")
}

fn group(tags: &str) -> Answer {
    let group = format!("<groupId>sg-1</groupId><groupName>demo-node-1</groupName><vpcId>vpc-1</vpcId>{tags}");
    ok("DescribeSecurityGroups", &format!("<securityGroupInfo><item>{group}</item></securityGroupInfo>"))
}

/// Two rules for everywhere: AWS's own, and one with tags.
const OPEN_RULES: &str = "<securityGroupRuleSet>\
    <item><securityGroupRuleId>sgr-default</securityGroupRuleId><isEgress>true</isEgress><ipProtocol>-1</ipProtocol>\
    <cidrIpv4>0.0.0.0/0</cidrIpv4></item>\
    <item><securityGroupRuleId>sgr-ours</securityGroupRuleId><isEgress>true</isEgress><ipProtocol>-1</ipProtocol>\
    <cidrIpv4>0.0.0.0/0</cidrIpv4><tagSet><item><key>clusterctl.dev/uid</key><value>0011</value></item></tagSet></item>\
    </securityGroupRuleSet>";

fn create_group(create: Answer, described: Answer) -> (Result<Live, CloudError>, Vec<String>) {
    let (made, recorder) = created_group(create, described);
    (made, recorder.actions())
}

fn created_group(create: Answer, described: Answer) -> (Result<Live, CloudError>, Arc<Recorder>) {
    let (client, recorder) = Recorder::by_action([
        ("CreateSecurityGroup", create),
        ("DescribeSecurityGroups", described),
        ("DescribeSecurityGroupRules", ok("DescribeSecurityGroupRules", OPEN_RULES)),
        ("RevokeSecurityGroupEgress", ok("RevokeSecurityGroupEgress", "<return>true</return>")),
    ]);
    let want = json!({ "name": "demo-node-1", "description": "nodes", "vpc_id": "vpc-1", "default_egress": false, "tags": {} });
    let made = block_on(driver(&client, "aws_security_group").create(&call("aws_security_group.node"), &want));
    (made, recorder)
}

#[test]
fn a_group_is_made_without_the_rule_that_lets_everything_out() {
    let (made, actions) = create_group(ok("CreateSecurityGroup", "<groupId>sg-1</groupId>"), group(""));
    assert_eq!(made.expect("made").id, "sg-1");
    assert_eq!(actions, ["CreateSecurityGroup", "RevokeSecurityGroupEgress"]);
}

#[test]
fn a_name_that_is_taken_is_adopted_only_from_ourselves() {
    let taken = || Answer::error(400, "InvalidGroup.Duplicate", "The security group 'demo-node-1' already exists");
    let (adopted, recorder) = created_group(taken(), group(&tag_set("aws_security_group.node")));
    assert_eq!(adopted.expect("adopted").id, "sg-1");
    let (describe, rules) = ("DescribeSecurityGroups", "DescribeSecurityGroupRules");
    assert_eq!(recorder.actions(), ["CreateSecurityGroup", describe, rules, "RevokeSecurityGroupEgress"]);
    // A rule of ours that says the same stays.
    assert_eq!(recorder.line(3), "GroupId=sg-1 SecurityGroupRuleId.1=sgr-default");

    let (refused, actions) = create_group(taken(), group(""));
    let error = refused.expect_err("somebody else's");
    assert_eq!(error.fault, Fault::Conflict);
    assert!(error.message.starts_with("sg-1 has the name demo-node-1"), "{error}");
    assert_eq!(actions, ["CreateSecurityGroup", "DescribeSecurityGroups"]);
}

#[test]
fn a_group_whose_making_was_cut_short_still_shows_the_rule_and_loses_it() {
    let everything = |description: &str| {
        let range = format!("<item><cidrIp>0.0.0.0/0</cidrIp>{description}</item>");
        format!(
            "{}<ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges>{range}</ipRanges></item></ipPermissionsEgress>",
            tag_set("aws_security_group.node")
        )
    };
    let want = json!({ "name": "n", "description": "d", "vpc_id": "vpc-1", "default_egress": false, "tags": {} });
    for (description, default) in [("", true), ("<description>every machine may</description>", false)] {
        let (client, recorder) = Recorder::by_action([
            ("DescribeSecurityGroups", group(&everything(description))),
            ("RevokeSecurityGroupEgress", ok("RevokeSecurityGroupEgress", "<return>true</return>")),
        ]);
        let (driver, call) = (driver(&client, "aws_security_group"), call("aws_security_group.node"));
        let found = block_on(driver.find(&call, &want)).expect("found").remove(0);
        assert_eq!(found.args["default_egress"], default, "{description}");
        let closed = block_on(driver.update(&call, &found, &want, &["default_egress".to_owned()])).expect("closed");
        assert_eq!(closed.args["default_egress"], false);
        assert_eq!(recorder.actions(), ["DescribeSecurityGroups", "RevokeSecurityGroupEgress"]);
    }
}

fn rule(tags: &str, description: &str) -> Answer {
    let rule = format!(
        "<securityGroupRuleId>sgr-1</securityGroupRuleId><groupId>sg-1</groupId><isEgress>true</isEgress>\
         <ipProtocol>-1</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4>\
         <description>{description}</description>{tags}"
    );
    ok("DescribeSecurityGroupRules", &format!("<securityGroupRuleSet><item>{rule}</item></securityGroupRuleSet>"))
}

fn want() -> Value {
    json!({
        "security_group_id": "sg-1", "ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0", "description": "everything out",
        "tags": { "clusterctl.dev/uid": "0011" },
    })
}

fn create_rule(there: Answer, group: Answer) -> (Result<Live, CloudError>, Vec<String>) {
    let (client, recorder) = Recorder::by_action([
        ("AuthorizeSecurityGroupEgress", Answer::error(400, "InvalidPermission.Duplicate", "already exists")),
        ("DescribeSecurityGroupRules", there),
        ("DescribeSecurityGroups", group),
        ("ModifySecurityGroupRules", ok("ModifySecurityGroupRules", "<return>true</return>")),
        ("CreateTags", ok("CreateTags", "<return>true</return>")),
    ]);
    let addr = "aws_vpc_security_group_egress_rule.node-all";
    let made = block_on(driver(&client, "aws_vpc_security_group_egress_rule").create(&call(addr), &want()));
    (made, recorder.actions().into_iter().skip(2).collect())
}

#[test]
fn the_rule_that_aws_made_becomes_ours_in_our_group() {
    let (adopted, then) = create_rule(rule("", ""), group(&tag_set("aws_security_group.node")));
    let adopted = adopted.expect("adopted");
    assert_eq!((adopted.id.as_str(), &adopted.args), ("sgr-1", &want()));
    assert_eq!(then, ["DescribeSecurityGroups", "ModifySecurityGroupRules", "CreateTags"]);
}

#[test]
fn a_rule_in_a_group_of_somebody_else_stays_theirs() {
    let (refused, then) = create_rule(rule("", ""), group(""));
    assert_eq!(refused.expect_err("theirs").fault, Fault::Conflict);
    assert_eq!(then, ["DescribeSecurityGroups"]);
}

#[test]
fn a_rule_whose_answer_was_lost_is_adopted_and_one_under_an_old_address_must_go_first() {
    let same = rule(&tag_set("aws_vpc_security_group_egress_rule.node-all"), "everything out");
    let (adopted, then) = create_rule(same, group(""));
    assert_eq!(adopted.expect("adopted").id, "sgr-1");
    assert_eq!(then, ["CreateTags"]);

    let old = rule(&tag_set("aws_vpc_security_group_egress_rule.old"), "everything out");
    let (error, then) = create_rule(old, group(""));
    assert_eq!(error.expect_err("must wait").fault, Fault::NotReady);
    assert!(then.is_empty());
}

#[test]
fn a_rule_is_told_by_its_tags_direction_and_group() {
    let there = rule(&tag_set("aws_vpc_security_group_egress_rule.node-all"), "everything out");
    let (client, recorder) = Recorder::client([there]);
    let addr = "aws_vpc_security_group_egress_rule.node-all";
    let found = block_on(driver(&client, "aws_vpc_security_group_egress_rule").find(&call(addr), &want()));
    expect![[r#"{"security_group_id":"sg-1","ip_protocol":"-1","cidr_ipv4":"0.0.0.0/0","description":"everything out","tags":{"clusterctl.dev/address":"aws_vpc_security_group_egress_rule.node-all","clusterctl.dev/uid":"0011"}}"#]]
        .assert_eq(&found.expect("found")[0].args.to_string());
    assert!(recorder.line(0).contains("Filter.3.Name=group-id Filter.3.Value.1=sg-1"), "{}", recorder.line(0));
}
