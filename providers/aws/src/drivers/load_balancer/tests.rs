use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::Owner;
use clusterctl_core::value::same;

use super::targets::{AttachmentDriver, GroupDriver};
use super::*;
use crate::client::testing::{Answer, Recorder, block_on};
use crate::names;
use crate::resources::load_balancer::{HealthCheck, TargetGroup, TargetGroupAttachment};

const UID: &str = "0011223344556677";

fn call(kind: &str) -> Call {
    let owner = Owner { uid: UID.into(), cluster: "demo".into() };
    Call { addr: Addr::new(kind, "api"), owner, token: "t".into() }
}

fn tags(kind: &str, uid: &str) -> Tags {
    names::tags("demo", uid, &Addr::new(kind, "api"), &BTreeMap::new())
}

fn elb(action: &str, result: &str) -> Answer {
    let space = "xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"";
    Answer::new(200, &format!("<{action}Response {space}><{action}Result>{result}</{action}Result></{action}Response>"))
}

fn refused(code: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>refused</Message></Error>");
    Answer::new(400, &format!("<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>"))
}

fn described_tags(arn: &str, tags: &Tags) -> Answer {
    let tags: String = read(tags)
        .into_iter()
        .map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"))
        .collect();
    let of = format!("<member><ResourceArn>{arn}</ResourceArn><Tags>{tags}</Tags></member>");
    elb("DescribeTags", &format!("<TagDescriptions>{of}</TagDescriptions>"))
}

const LB: &str = "<LoadBalancers><member><LoadBalancerArn>arn:lb</LoadBalancerArn><DNSName>demo.elb.amazonaws.com</DNSName>\
    <CanonicalHostedZoneId>Z9</CanonicalHostedZoneId><LoadBalancerName>demo-api-eb191a35</LoadBalancerName>\
    <Scheme>internal</Scheme><Type>network</Type><State><Code>provisioning</Code></State><AvailabilityZones>\
    <member><SubnetId>subnet-2</SubnetId></member><member><SubnetId>subnet-1</SubnetId></member></AvailabilityZones>\
    <SecurityGroups><member>sg-1</member></SecurityGroups></member></LoadBalancers>";

fn lb() -> Lb {
    Lb {
        name: "demo-api-eb191a35".into(),
        internal: true,
        load_balancer_type: "network".into(),
        subnets: ["subnet-1", "subnet-2"].map(Input::known).into(),
        security_groups: [Input::known("sg-1")].into(),
        tags: tags("aws_lb", UID),
    }
}

fn group() -> TargetGroup {
    TargetGroup {
        name: "demo-api-eb191a35".into(),
        port: 6443,
        protocol: "TCP".into(),
        target_type: "ip".into(),
        vpc_id: Input::known("vpc-1"),
        preserve_client_ip: "false".into(),
        deregistration_delay: "30".into(),
        connection_termination: true,
        load_balancing_cross_zone_enabled: "true".into(),
        health_check: HealthCheck {
            protocol: "HTTPS".into(),
            port: "6443".into(),
            path: Some("/readyz".into()),
            matcher: Some("200".into()),
            interval: 10,
            timeout: 6,
            healthy_threshold: 2,
            unhealthy_threshold: 2,
        },
        tags: tags("aws_lb_target_group", UID),
    }
}

#[test]
fn a_load_balancer_is_asked_for_with_everything_in_one_call() {
    let (client, recorder) = Recorder::by_action([("CreateLoadBalancer", elb("CreateLoadBalancer", LB))]);
    let live = block_on(LbDriver(client).create(&call("aws_lb"), lb())).expect("made");
    assert!(same(&serde_json::to_value(lb()).expect("data"), &live.args), "{}", live.args);
    assert_eq!((live.id.as_str(), &live.outputs["zone_id"]), ("arn:lb", &serde_json::json!("Z9")));
    expect_test::expect![[r#"Name=demo-api-eb191a35 Scheme=internal SecurityGroups.member.1=sg-1 Subnets.member.1=subnet-1 Subnets.member.2=subnet-2 Tags.member.1.Key=Name Tags.member.1.Value=demo-api Tags.member.2.Key=clusterctl.dev/address Tags.member.2.Value=aws_lb.api Tags.member.3.Key=clusterctl.dev/cluster Tags.member.3.Value=demo Tags.member.4.Key=clusterctl.dev/uid Tags.member.4.Value=0011223344556677 Type=network"#]]
    .assert_eq(&recorder.line(0));
}

#[test]
fn a_taken_name_is_ours_only_by_its_tags() {
    for (uid, adopted) in [(UID, true), ("7766554433221100", false)] {
        let (client, recorder) = Recorder::by_action([
            ("CreateLoadBalancer", refused("DuplicateLoadBalancerName")),
            ("DescribeLoadBalancers", elb("DescribeLoadBalancers", LB)),
            ("DescribeTags", described_tags("arn:lb", &tags("aws_lb", uid))),
            ("SetSubnets", elb("SetSubnets", "")),
        ]);
        let mut want = lb();
        want.subnets = [Input::known("subnet-1")].into();
        let result = block_on(LbDriver(client).create(&call("aws_lb"), want));
        let read = ["CreateLoadBalancer", "DescribeLoadBalancers", "DescribeTags"];
        if adopted {
            assert_eq!(result.expect("adopted").id, "arn:lb");
            assert_eq!(recorder.actions(), [&read[..], &["SetSubnets"]].concat());
        } else {
            let error = result.expect_err("a conflict");
            assert_eq!(
                (error.fault, recorder.actions()),
                (Fault::Conflict, read.map(str::to_owned).to_vec()),
                "{error}"
            );
        }
    }
}

#[test]
fn it_is_ready_when_active_and_failed_for_good_when_failed() {
    let ready = |state: &str| {
        let lb = LB.replace("provisioning", state);
        let (client, _) = Recorder::by_action([("DescribeLoadBalancers", elb("DescribeLoadBalancers", &lb))]);
        block_on(LbDriver(client).ready(&call("aws_lb"), &Live::new("arn:lb"), self::lb()))
    };
    assert_eq!(ready("provisioning"), Ok(Progress::Pending("provisioning".into())));
    assert_eq!(ready("active"), Ok(Progress::Done(Live::new("arn:lb"))));
    assert_eq!(ready("failed").expect_err("failed").fault, Fault::Permanent);
}

const GROUP: &str = "<TargetGroups><member><TargetGroupArn>arn:tg</TargetGroupArn>\
    <TargetGroupName>demo-api-eb191a35</TargetGroupName><Protocol>TCP</Protocol><Port>6443</Port><VpcId>vpc-1</VpcId>\
    <HealthCheckProtocol>HTTPS</HealthCheckProtocol><HealthCheckPort>6443</HealthCheckPort>\
    <HealthCheckPath>/readyz</HealthCheckPath><HealthCheckIntervalSeconds>10</HealthCheckIntervalSeconds>\
    <HealthCheckTimeoutSeconds>6</HealthCheckTimeoutSeconds><HealthyThresholdCount>2</HealthyThresholdCount>\
    <UnhealthyThresholdCount>2</UnhealthyThresholdCount><Matcher><HttpCode>200</HttpCode></Matcher>\
    <TargetType>ip</TargetType></member></TargetGroups>";

#[test]
fn a_target_group_cut_short_before_its_attributes_differs_in_them() {
    let attributes = "<Attributes><member><Key>deregistration_delay.timeout_seconds</Key><Value>300</Value></member>\
                      <member><Key>preserve_client_ip.enabled</Key><Value>true</Value></member></Attributes>";
    let (client, recorder) = Recorder::by_action([
        ("DescribeTargetGroups", elb("DescribeTargetGroups", GROUP)),
        ("DescribeTags", described_tags("arn:tg", &tags("aws_lb_target_group", UID))),
        ("DescribeTargetGroupAttributes", elb("DescribeTargetGroupAttributes", attributes)),
        ("ModifyTargetGroupAttributes", elb("ModifyTargetGroupAttributes", "")),
    ]);
    let (driver, call) = (GroupDriver(client), call("aws_lb_target_group"));
    let found = block_on(driver.find(&call, group())).expect("an answer");
    let changed = super::super::adopt::differences(&group(), &found[0]);
    assert_eq!(
        changed,
        ["preserve_client_ip", "deregistration_delay", "connection_termination", "load_balancing_cross_zone_enabled"]
    );
    let live = block_on(driver.update(&call, &found[0], group(), &changed)).expect("updated");
    assert!(same(&serde_json::to_value(group()).expect("data"), &live.args));
    assert_eq!(recorder.actions().last().map(String::as_str), Some("ModifyTargetGroupAttributes"));
    expect_test::expect![[r#"Attributes.member.1.Key=preserve_client_ip.enabled Attributes.member.1.Value=false Attributes.member.2.Key=deregistration_delay.timeout_seconds Attributes.member.2.Value=30 Attributes.member.3.Key=deregistration_delay.connection_termination.enabled Attributes.member.3.Value=true Attributes.member.4.Key=load_balancing.cross_zone.enabled Attributes.member.4.Value=true TargetGroupArn=arn:tg"#]]
    .assert_eq(&recorder.line(3));
}

#[test]
fn a_draining_target_is_not_there_and_a_new_one_is() {
    let want = || TargetGroupAttachment {
        target_group_arn: Input::known("arn:tg"),
        target_id: Input::known("10.20.0.4"),
        port: 6443,
    };
    for (state, reason, there) in [
        ("initial", "Elb.RegistrationInProgress", true),
        ("unused", "Target.NotInUse", true),
        ("unused", "Target.NotRegistered", false),
        ("draining", "Target.DeregistrationInProgress", false),
    ] {
        let health = format!(
            "<TargetHealthDescriptions><member><Target><Id>10.20.0.4</Id><Port>6443</Port></Target><TargetHealth>\
             <State>{state}</State><Reason>{reason}</Reason></TargetHealth></member></TargetHealthDescriptions>"
        );
        let (client, _) = Recorder::by_action([("DescribeTargetHealth", elb("DescribeTargetHealth", &health))]);
        let found = block_on(AttachmentDriver(client).find(&call("aws_lb_target_group_attachment"), want()));
        let ids: Vec<String> = found.expect("an answer").into_iter().map(|live| live.id).collect();
        assert_eq!(ids, if there { vec!["arn:tg_10.20.0.4_6443"] } else { vec![] }, "{state} {reason}");
    }
}
