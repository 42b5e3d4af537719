use super::*;
use crate::aws::testing::Desk;
use crate::weather::Weather;

/// A network with two subnets, a gateway and a group.
pub(in crate::aws) fn network(desk: &mut Desk) {
    let mut put = |kind: &str, id: &str, attrs: Value| {
        let mut thing = Thing::new(kind, id);
        thing.attrs = attrs.as_object().cloned().expect("an object");
        desk.world.put(thing);
    };
    put("vpc", "vpc-1", json!({ "vpcId": "vpc-1", "cidrBlock": "10.0.0.0/16" }));
    for (id, zone, cidr) in [("subnet-a", "a", "10.0.0.0/24"), ("subnet-b", "b", "10.0.1.0/24")] {
        let zone = format!("eu-central-1{zone}");
        put("subnet", id, json!({ "subnetId": id, "vpcId": "vpc-1", "availabilityZone": zone, "cidrBlock": cidr }));
    }
    put("internet-gateway", "igw-1", json!({ "attachmentSet": [{ "vpcId": "vpc-1", "state": "available" }] }));
    put("security-group", "sg-1", json!({ "groupId": "sg-1", "groupName": "lb", "vpcId": "vpc-1" }));
}

pub(in crate::aws) const LB: [(&str, &str); 8] = [
    ("Name", "demo-api"),
    ("Type", "network"),
    ("Scheme", "internet-facing"),
    ("Subnets.member.1", "subnet-a"),
    ("Subnets.member.2", "subnet-b"),
    ("SecurityGroups.member.1", "sg-1"),
    ("Tags.member.1.Key", "Name"),
    ("Tags.member.1.Value", "demo"),
];

pub(in crate::aws) fn desk() -> Desk {
    let mut desk = Desk::calm();
    network(&mut desk);
    desk
}

pub(in crate::aws) fn made(desk: &mut Desk) -> String {
    text(&desk.ok("CreateLoadBalancer", &LB)["LoadBalancers"][0]["LoadBalancerArn"])
}

fn state(desk: &mut Desk) -> String {
    text(&desk.ok("DescribeLoadBalancers", &[("Names.member.1", "demo-api")])["LoadBalancers"][0]["State"]["Code"])
}

#[test]
fn a_load_balancer_is_provisioned_for_minutes_before_it_is_active() {
    let mut desk = desk();
    let made = desk.ok("CreateLoadBalancer", &LB)["LoadBalancers"][0].clone();
    assert_eq!(made["State"]["Code"], "provisioning");
    assert_eq!(made["CanonicalHostedZoneId"], "Z3F0SRJ5LGBH90");
    assert!(text(&made["DNSName"]).ends_with(".elb.eu-central-1.amazonaws.com"));
    desk.wait(120_000);
    assert_eq!(state(&mut desk), "provisioning");
    desk.wait(200_000);
    assert_eq!(state(&mut desk), "active");
}

#[test]
fn a_load_balancer_asked_for_twice_with_the_same_settings_is_one() {
    let mut desk = desk();
    let (one, two) = (made(&mut desk), made(&mut desk));
    assert_eq!(one, two);
    assert_eq!(desk.world.all("load-balancer").count(), 1);
}

#[test]
fn a_name_with_other_settings_or_tags_is_taken() {
    let mut desk = desk();
    made(&mut desk);
    for (at, value) in [(2, "internal"), (5, "sg-2"), (7, "other")] {
        let mut other = LB;
        other[at].1 = value;
        let mut group = desk.world.get("security-group", "sg-1").expect("a group").clone();
        group.id = "sg-2".to_owned();
        desk.world.put(group);
        assert_eq!(desk.refused("CreateLoadBalancer", &other), "DuplicateLoadBalancerName", "{value}");
    }
}

#[test]
fn a_load_balancer_that_cannot_be_provisioned_has_failed() {
    let mut desk = Desk::with(Weather { accepted_then_failed: 1.0, ..Weather::calm() });
    network(&mut desk);
    made(&mut desk);
    desk.wait(400_000);
    assert_eq!(state(&mut desk), "failed");
}

#[test]
fn an_internet_facing_load_balancer_needs_an_internet_gateway() {
    let mut desk = desk();
    desk.world.remove("internet-gateway", "igw-1");
    assert_eq!(desk.refused("CreateLoadBalancer", &LB), "InvalidSubnet");
    let mut internal = LB;
    internal[2].1 = "internal";
    desk.ok("CreateLoadBalancer", &internal);
}

#[test]
fn a_subnet_without_eight_free_addresses_takes_no_load_balancer() {
    let mut desk = desk();
    desk.world.get_mut("subnet", "subnet-a").expect("a subnet").set("cidrBlock", "10.0.0.0/28");
    for number in 4..8 {
        let mut interface = Thing::new("network-interface", format!("eni-{number}"));
        interface.set("subnetId", "subnet-a");
        interface.set("privateIpAddress", format!("10.0.0.{number}"));
        desk.world.put(interface);
    }
    assert_eq!(desk.refused("CreateLoadBalancer", &LB), "InvalidSubnet");
    desk.world.remove("network-interface", "eni-4");
    desk.ok("CreateLoadBalancer", &LB);
}

#[test]
fn an_account_has_a_limit_of_load_balancers() {
    let mut desk = Desk::with(Weather { quotas: [("load-balancer".to_owned(), 1)].into(), ..Weather::calm() });
    network(&mut desk);
    made(&mut desk);
    let mut other = LB;
    other[0].1 = "other";
    assert_eq!(desk.refused("CreateLoadBalancer", &other), "TooManyLoadBalancers");
}

#[test]
fn deleting_a_load_balancer_that_is_gone_succeeds() {
    let mut desk = desk();
    let arn = made(&mut desk);
    for _ in 0..2 {
        desk.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]);
    }
    assert_eq!(desk.refused("DescribeLoadBalancers", &[("Names.member.1", "demo-api")]), "LoadBalancerNotFound");
}

#[test]
fn interfaces_of_a_deleted_load_balancer_stay_for_minutes() {
    let mut desk = desk();
    let arn = made(&mut desk);
    let interfaces = |desk: &Desk| desk.world.all("network-interface").count();
    assert_eq!(interfaces(&desk), 2);
    let one = desk.world.all("network-interface").next().expect("an interface");
    assert!(one.text("description").starts_with("ELB net/demo-api/") && one.attrs["requesterManaged"] == true);
    assert_eq!((one.text("vpcId"), one.at("groupSet.groupId")), ("vpc-1", vec![&json!("sg-1")]));
    desk.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]);
    desk.wait(15_000);
    assert_eq!(interfaces(&desk), 2, "subnets and groups stay in use");
    assert!(!desk.world.inventory().iter().any(|thing| thing.starts_with("network-interface")));
    desk.wait(600_000);
    assert_eq!(interfaces(&desk), 0);
}
