//! What is sent, and what the answers mean, where the emulators are not true to AWS.

use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{AnyDriver, Call, CloudError, Fault, Live, Owner, Progress, Remains};
use expect_test::expect;
use serde_json::{Value, json};

use super::drivers;
use crate::client::testing::{Answer, Recorder, block_on};

fn call(addr: &str) -> Call {
    let owner = Owner { uid: "0011".to_owned(), cluster: "demo".to_owned() };
    Call { addr: addr.parse().expect("an address"), owner, token: "t0k3n".to_owned() }
}

fn tags(addr: &str) -> Value {
    json!({ "clusterctl.dev/uid": "0011", "clusterctl.dev/address": addr })
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

fn live(id: &str, args: Value) -> Live {
    Live { args, ..Live::new(id) }
}

fn text(recorder: &Recorder) -> String {
    let lines = recorder.actions().into_iter().enumerate();
    lines.map(|(index, action)| format!("{action} {}\n", recorder.line(index))).collect()
}

#[test]
fn a_vpc_is_tagged_as_it_is_made_and_then_gets_names() {
    let (client, recorder) = Recorder::by_action([
        ("CreateVpc", ok("CreateVpc", "<vpc><vpcId>vpc-1</vpcId><ownerId>111122223333</ownerId></vpc>")),
        ("ModifyVpcAttribute", ok("ModifyVpcAttribute", "<return>true</return>")),
    ]);
    let want = json!({
        "cidr_block": "10.20.0.0/16", "enable_dns_support": true, "enable_dns_hostnames": true, "tags": tags("aws_vpc.main"),
    });
    let made = block_on(driver(&client, "aws_vpc").create(&call("aws_vpc.main"), &want)).expect("made");
    assert_eq!((made.id.as_str(), &made.args), ("vpc-1", &want));
    expect![[r#"
        CreateVpc CidrBlock=10.20.0.0/16 TagSpecification.1.ResourceType=vpc TagSpecification.1.Tag.1.Key=clusterctl.dev/address TagSpecification.1.Tag.1.Value=aws_vpc.main TagSpecification.1.Tag.2.Key=clusterctl.dev/uid TagSpecification.1.Tag.2.Value=0011
        ModifyVpcAttribute EnableDnsHostnames.Value=true VpcId=vpc-1
    "#]]
    .assert_eq(&text(&recorder));
}

#[test]
fn a_vpc_that_is_not_known_everywhere_yet_is_told_by_its_id() {
    let (client, _) = Recorder::by_action([
        ("CreateVpc", ok("CreateVpc", "<vpc><vpcId>vpc-1</vpcId></vpc>")),
        ("ModifyVpcAttribute", Answer::error(400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist")),
    ]);
    let want =
        json!({ "cidr_block": "10.20.0.0/16", "enable_dns_support": true, "enable_dns_hostnames": true, "tags": {} });
    let error = block_on(driver(&client, "aws_vpc").create(&call("aws_vpc.main"), &want)).expect_err("not complete");
    let made = error.made.expect("it was made");
    assert_eq!((made.id.as_str(), &made.args["enable_dns_hostnames"]), ("vpc-1", &json!(false)));
}

#[test]
fn a_nat_gateway_is_made_with_a_token() {
    let answer = ok("CreateNatGateway", "<natGateway><natGatewayId>nat-1</natGatewayId></natGateway>");
    let (client, recorder) = Recorder::client([answer]);
    let want = json!({ "allocation_id": "eipalloc-1", "subnet_id": "subnet-1", "tags": {} });
    block_on(driver(&client, "aws_nat_gateway").create(&call("aws_nat_gateway.a"), &want)).expect("made");
    let line = recorder.line(0);
    assert!(line.contains("AllocationId=eipalloc-1 ClientToken=t0k3n SubnetId=subnet-1"), "{line}");
}

fn nat(state: &str, more: &str) -> Result<Progress, CloudError> {
    let item = format!("<item><natGatewayId>nat-1</natGatewayId><state>{state}</state>{more}</item>");
    let answer = ok("DescribeNatGateways", &format!("<natGatewaySet>{item}</natGatewaySet>"));
    let (client, _) = Recorder::client([answer]);
    let want = json!({ "allocation_id": "eipalloc-1", "subnet_id": "subnet-1", "tags": {} });
    block_on(driver(&client, "aws_nat_gateway").ready(&call("aws_nat_gateway.a"), &Live::new("nat-1"), &want))
}

#[test]
fn a_nat_gateway_is_waited_for_until_it_is_available_or_has_failed() {
    assert_eq!(nat("pending", ""), Ok(Progress::Pending("pending".to_owned())));
    assert_eq!(nat("available", ""), Ok(Progress::Done(Live::new("nat-1"))));
    let reason = "<failureCode>Gateway.NotAttached</failureCode><failureMessage>Network vpc-1 has no Internet gateway \
                  attached</failureMessage>";
    let error = nat("failed", reason).expect_err("failed");
    assert_eq!(
        (error.fault, error.code.as_str()),
        (Fault::Permanent, "Gateway.NotAttached"),
        "it will not mend itself"
    );
    assert_eq!(nat("deleting", "").expect_err("deleted").fault, Fault::Conflict);
}

#[test]
fn a_nat_gateway_is_gone_when_it_is_deleted() {
    let gone = |answer| {
        let (client, _) = Recorder::client([answer]);
        block_on(driver(&client, "aws_nat_gateway").gone(&call("aws_nat_gateway.a"), &Live::new("nat-1")))
    };
    let state = |state: &str| {
        let item = format!("<item><natGatewayId>nat-1</natGatewayId><state>{state}</state></item>");
        ok("DescribeNatGateways", &format!("<natGatewaySet>{item}</natGatewaySet>"))
    };
    assert_eq!(gone(state("deleting")), Ok(Remains::Something("deleting".to_owned())));
    assert_eq!(gone(state("deleted")), Ok(Remains::Nothing));
    assert_eq!(gone(Answer::error(400, "NatGatewayNotFound", "")), Ok(Remains::Nothing));
}

#[test]
fn an_internet_gateway_is_detached_before_it_is_deleted() {
    let delete = |vpc: &str, detach: Answer| {
        let delete = ok("DeleteInternetGateway", "<return>true</return>");
        let answers = [("DetachInternetGateway", detach), ("DeleteInternetGateway", delete)];
        let (client, recorder) = Recorder::by_action(answers);
        let live = live("igw-1", json!({ "vpc_id": vpc }));
        let result =
            block_on(driver(&client, "aws_internet_gateway").delete(&call("aws_internet_gateway.main"), &live));
        (result.map_err(|error| error.fault), recorder.actions().len())
    };
    let detached = || ok("DetachInternetGateway", "<return>true</return>");
    assert_eq!(delete("vpc-1", detached()), (Ok(()), 2));
    assert_eq!(delete("", detached()), (Ok(()), 1), "it was never attached");
    assert_eq!(delete("vpc-1", Answer::error(400, "Gateway.NotAttached", "")), (Ok(()), 2));
    let mapped = "Network vpc-1 has some mapped public address(es).";
    assert_eq!(delete("vpc-1", Answer::error(400, "DependencyViolation", mapped)), (Err(Fault::NotReady), 1));
}

#[test]
fn an_address_is_freed_of_our_interface_before_it_is_released() {
    let in_use = Answer::error(400, "InvalidIPAddress.InUse", "Address 192.0.2.1 is in use.");
    let done = |action| ok(action, "<return>true</return>");
    let associated = live("eipalloc-1", Value::Null).with("association_id", "eipassoc-1");
    let answers = [in_use.clone(), done("DisassociateAddress"), done("ReleaseAddress")];
    let (client, recorder) = Recorder::client(answers);
    block_on(driver(&client, "aws_eip").delete(&call("aws_eip.bastion"), &associated)).expect("released");
    assert_eq!(recorder.actions(), ["ReleaseAddress", "DisassociateAddress", "ReleaseAddress"]);

    let (client, _) = Recorder::client([in_use]);
    let error = block_on(driver(&client, "aws_eip").delete(&call("aws_eip.nat-a"), &live("eipalloc-1", Value::Null)));
    assert_eq!(error.expect_err("in use").fault, Fault::NotReady);
}

fn route(table: &str) -> (Result<Live, CloudError>, Vec<String>) {
    let (client, recorder) = Recorder::by_action([
        ("CreateRoute", Answer::error(400, "RouteAlreadyExists", "The route identified by 0.0.0.0/0 already exists.")),
        (
            "DescribeRouteTables",
            ok("DescribeRouteTables", &format!("<routeTableSet><item>{table}</item></routeTableSet>")),
        ),
        ("ReplaceRoute", ok("ReplaceRoute", "<return>true</return>")),
    ]);
    let want = json!({ "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-2" });
    let result = block_on(driver(&client, "aws_route").create(&call("aws_route.private-a-default"), &want));
    (result, recorder.actions())
}

#[test]
fn a_route_that_exists_is_adopted_or_led_elsewhere_in_our_table_and_left_alone_in_another() {
    let table = |nat: &str, tags: &str| {
        let route = "<destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><origin>CreateRoute</origin>";
        let routes = format!("<routeSet><item>{route}<natGatewayId>{nat}</natGatewayId></item></routeSet>");
        format!("<routeTableId>rtb-1</routeTableId>{routes}{tags}")
    };
    let ours = tag_set("aws_route_table.private-a");
    let (adopted, actions) = route(&table("nat-2", &ours));
    assert_eq!(adopted.expect("adopted").id, "rtb-1_0.0.0.0/0");
    assert_eq!(actions, ["CreateRoute", "DescribeRouteTables"]);

    let (replaced, actions) = route(&table("nat-1", &ours));
    assert_eq!(replaced.expect("replaced").args.get("nat_gateway_id"), Some(&json!("nat-2")));
    assert_eq!(actions, ["CreateRoute", "DescribeRouteTables", "ReplaceRoute"]);

    let (refused, actions) = route(&table("nat-1", ""));
    assert_eq!(refused.expect_err("not ours").fault, Fault::Conflict);
    assert_eq!(actions, ["CreateRoute", "DescribeRouteTables"]);
}

#[test]
fn a_subnet_keeps_the_table_that_somebody_has_given_it() {
    let association = |table: &str| {
        let association = format!(
            "<routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>{table}</routeTableId>\
             <subnetId>subnet-1</subnetId><main>false</main>"
        );
        let set = format!("<associationSet><item>{association}</item></associationSet>");
        ok("DescribeRouteTables", &format!("<routeTableSet><item>{set}</item></routeTableSet>"))
    };
    let create = |table: &str| {
        let taken = Answer::error(400, "Resource.AlreadyAssociated", "conflicts with an existing association");
        let (client, _) = Recorder::client([taken, association(table)]);
        let want = json!({ "route_table_id": "rtb-1", "subnet_id": "subnet-1" });
        let addr = "aws_route_table_association.private-a";
        block_on(driver(&client, "aws_route_table_association").create(&call(addr), &want))
    };
    let adopted = create("rtb-1").expect("adopted");
    assert_eq!((adopted.id.as_str(), adopted.outputs.get("subnet_id")), ("rtbassoc-1", Some(&json!("subnet-1"))));
    let error = create("rtb-9").expect_err("another table");
    assert_eq!(error.fault, Fault::Conflict);
    assert!(error.message.contains("rtb-9"), "{error}");
}

#[test]
fn a_table_that_left_its_endpoint_already_is_no_error() {
    let update = |table: &str| {
        let refused = Answer::error(400, "InvalidParameter", "Route table rtb-1 is not associated with the endpoint");
        let tables = format!("<routeTableIdSet><item>{table}</item></routeTableIdSet>");
        let now =
            format!("<vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId>{tables}</item></vpcEndpointSet>");
        let (client, _) = Recorder::client([refused, ok("DescribeVpcEndpoints", &now)]);
        let with = |tables: &[&str]| {
            json!({ "vpc_id": "vpc-1", "service_name": "s3", "vpc_endpoint_type": "Gateway", "route_table_ids": tables,
                    "tags": {} })
        };
        let (before, want) = (live("vpce-1", with(&["rtb-1", "rtb-2"])), with(&["rtb-2"]));
        let addr = call("aws_vpc_endpoint.s3");
        block_on(driver(&client, "aws_vpc_endpoint").update(&addr, &before, &want, &["route_table_ids".to_owned()]))
    };
    assert!(update("rtb-2").is_ok());
    assert_eq!(update("rtb-9").expect_err("another table").fault, Fault::Permanent);
}

#[test]
fn an_endpoint_says_inside_its_answer_that_it_was_not_deleted() {
    let delete = |error: &str| {
        let item = format!("<item><error>{error}</error><resourceId>vpce-1</resourceId></item>");
        let (client, _) = Recorder::client([ok("DeleteVpcEndpoints", &format!("<unsuccessful>{item}</unsuccessful>"))]);
        block_on(driver(&client, "aws_vpc_endpoint").delete(&call("aws_vpc_endpoint.s3"), &Live::new("vpce-1")))
    };
    let error = delete("<code>UnauthorizedOperation</code><message>no</message>").expect_err("refused");
    assert_eq!(error.fault, Fault::Auth);
    assert_eq!(delete("<code>InvalidVpcEndpointId.NotFound</code><message>gone</message>"), Ok(()));
}

#[test]
fn an_endpoint_that_came_to_nothing_is_there_and_says_so() {
    let ready = |state: &str| {
        let item = format!("<item><vpcEndpointId>vpce-1</vpcEndpointId><state>{state}</state></item>");
        let (client, _) =
            Recorder::client([ok("DescribeVpcEndpoints", &format!("<vpcEndpointSet>{item}</vpcEndpointSet>"))]);
        let want = json!({ "vpc_id": "vpc-1", "service_name": "s3", "vpc_endpoint_type": "Gateway",
                           "route_table_ids": [], "tags": {} });
        block_on(driver(&client, "aws_vpc_endpoint").ready(&call("aws_vpc_endpoint.s3"), &Live::new("vpce-1"), &want))
    };
    assert_eq!(ready("available"), Ok(Progress::Done(Live::new("vpce-1"))));
    assert_eq!(ready("pending"), Ok(Progress::Pending("pending".to_owned())));
    assert_eq!(ready("failed").expect_err("failed").fault, Fault::Permanent);
}

#[test]
fn found_are_only_those_whose_tags_prove_it() {
    let subnet = |id: &str, tags: &str| format!("<item><subnetId>{id}</subnetId>{tags}</item>");
    let ours = subnet("subnet-1", &tag_set("aws_subnet.private-a"));
    let other = subnet("subnet-2", &tag_set("aws_subnet.private-b"));
    let answer = ok("DescribeSubnets", &format!("<subnetSet>{ours}{other}{}</subnetSet>", subnet("subnet-3", "")));
    let (client, recorder) = Recorder::client([answer]);
    let want = json!({ "vpc_id": "vpc-1", "cidr_block": "10.0.0.0/24", "availability_zone": "a", "tags": {} });
    let found = block_on(driver(&client, "aws_subnet").find(&call("aws_subnet.private-a"), &want)).expect("found");
    assert_eq!(found.iter().map(|live| live.id.as_str()).collect::<Vec<_>>(), ["subnet-1"]);
    expect![
        "Filter.1.Name=tag:clusterctl.dev/uid Filter.1.Value.1=0011 Filter.2.Name=tag:clusterctl.dev/address Filter.2.Value.1=aws_subnet.private-a"
    ]
    .assert_eq(&recorder.line(0));
}

#[test]
fn every_kind_of_the_network_has_a_driver() {
    let (client, _) = Recorder::client([]);
    let names: Vec<&str> = drivers(&client).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| Addr::new(name, "x").to_string().starts_with("aws_")));
    assert_eq!(names.len(), 9);
}
