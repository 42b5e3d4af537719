//! What machines of tests stand on: a network, a subnet in each of two zones, a group, a profile.

use serde_json::json;

use crate::aws::testing::Desk;
use crate::weather::Weather;
use crate::world::Thing;

pub(in crate::aws) const VPC: &str = "vpc-0a";
pub(in crate::aws) const SUBNET: &str = "subnet-0a";
pub(in crate::aws) const OTHER_SUBNET: &str = "subnet-0b";
pub(in crate::aws) const GROUP: &str = "sg-0a";
pub(in crate::aws) const ZONE: &str = "eu-central-1a";
pub(in crate::aws) const PROFILE: &str = "nodes";

pub(in crate::aws) fn ground() -> Desk {
    ground_in(Weather::calm())
}

pub(in crate::aws) fn ground_in(weather: Weather) -> Desk {
    let mut desk = Desk::with(weather);
    let mut put = |kind: &str, id: &str, attrs: serde_json::Value| {
        let mut thing = Thing::new(kind, id);
        thing.attrs = attrs.as_object().cloned().unwrap_or_default();
        thing.foreign = true;
        desk.world.put(thing);
    };
    put("vpc", VPC, json!({ "vpcId": VPC, "cidrBlock": "10.0.0.0/16" }));
    for (id, cidr, zone) in [(SUBNET, "10.0.0.0/24", ZONE), (OTHER_SUBNET, "10.0.1.0/24", "eu-central-1b")] {
        put("subnet", id, json!({ "subnetId": id, "vpcId": VPC, "cidrBlock": cidr, "availabilityZone": zone }));
    }
    put("security-group", GROUP, json!({ "groupId": GROUP, "groupName": "nodes", "vpcId": VPC }));
    let arn = format!("arn:aws:iam::123456789012:instance-profile/{PROFILE}");
    put(
        "instance-profile",
        PROFILE,
        json!({ "InstanceProfileName": PROFILE, "InstanceProfileId": "AIPA1", "Arn": arn }),
    );
    desk
}
