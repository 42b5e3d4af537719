//! Tags of everything that EC2 has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, like, page, tag_allowed, text};
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_request_tags_only_what_it_makes",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TagSpecification.html",
    },
    Behaviour {
        name: "tags_are_added_and_replaced_and_no_others_touched",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html",
    },
    Behaviour {
        name: "a_tag_is_deleted_by_key_or_by_key_and_value",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html",
    },
    Behaviour {
        name: "tags_are_listed_over_all_kinds",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html",
    },
    Behaviour {
        name: "a_resource_has_at_most_fifty_tags",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions",
    },
];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("CreateTags", create),
    Action::special("DeleteTags", delete),
    Action::special("DescribeTags", describe),
];

/// What ids begin with, the kind, and the error for one that nobody knows.
const KINDS: &[(&str, &str, &str)] = &[
    ("acl", "network-acl", "InvalidNetworkAclID.NotFound"),
    ("eipalloc", "elastic-ip", "InvalidAllocationID.NotFound"),
    ("eni", "network-interface", "InvalidNetworkInterfaceID.NotFound"),
    ("i", "instance", "InvalidInstanceID.NotFound"),
    ("igw", "internet-gateway", "InvalidInternetGatewayID.NotFound"),
    ("key", "key-pair", "InvalidKeyPair.NotFound"),
    ("lt", "launch-template", "InvalidLaunchTemplateId.NotFound"),
    ("nat", "natgateway", "NatGatewayNotFound"),
    ("pg", "placement-group", "InvalidPlacementGroupId.NotFound"),
    ("rtb", "route-table", "InvalidRouteTableID.NotFound"),
    ("sg", "security-group", "InvalidGroup.NotFound"),
    ("sgr", "security-group-rule", "InvalidSecurityGroupRuleId.NotFound"),
    ("subnet", "subnet", "InvalidSubnetID.NotFound"),
    ("vol", "volume", "InvalidVolume.NotFound"),
    ("vpc", "vpc", "InvalidVpcID.NotFound"),
    ("vpce", "vpc-endpoint", "InvalidVpcEndpointId.NotFound"),
];

const MOST: usize = 50;

/// The kind of a thing and the world's id of it. Some are kept by their name and have the id as an attribute.
fn known(world: &mut World, id: &str) -> Result<(&'static str, String), Refused> {
    let prefix = id.rsplit_once('-').map_or("", |(prefix, _)| prefix);
    let Some((_, kind, code)) = KINDS.iter().find(|(known, _, _)| *known == prefix) else {
        return Err(Refused::bad("InvalidID", format!("The ID '{id}' is not valid")));
    };
    let named = world.get(kind, id).is_none().then(|| {
        let mut all = world.all(kind).filter(|_| ["key-pair", "placement-group", "launch-template"].contains(kind));
        all.find(|thing| real_id(thing) == id).map(|thing| thing.id.clone())
    });
    let own = named.flatten().unwrap_or_else(|| id.to_owned());
    if !world.knows(kind, &own) {
        return Err(Refused::bad(code, format!("The {kind} ID '{id}' does not exist")));
    }
    Ok((kind, own))
}

/// The id by which tags know a thing.
fn real_id(thing: &Thing) -> &str {
    let attr = match thing.kind.as_str() {
        "key-pair" => "keyPairId",
        "placement-group" => "groupId",
        "launch-template" => "launchTemplateId",
        _ => return &thing.id,
    };
    Some(thing.text(attr)).filter(|id| !id.is_empty()).unwrap_or(&thing.id)
}

/// The tags of a request; a value that is not given is none.
fn tags(call: &Call<'_>) -> Vec<(String, Option<String>)> {
    let tag = |tag: &Value| (text(&tag["Key"]), tag.get("Value").map(text));
    call.list("Tag").iter().map(tag).collect()
}

fn create(call: &mut Call<'_>) -> Answer {
    let tags: BTreeMap<String, String> =
        tags(call).into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
    for (key, value) in &tags {
        tag_allowed(key, value)?;
    }
    let mut all = Vec::new();
    for id in call.texts("ResourceId") {
        let (kind, id) = known(call.world, &id)?;
        let mut after = call.world.get(kind, &id).map(|thing| thing.tags.clone()).unwrap_or_default();
        after.extend(tags.clone());
        if after.keys().filter(|key| !key.starts_with("aws:")).count() > MOST {
            let message = format!("The maximum number of Tags for a resource has been reached: {MOST}");
            return Err(Refused::bad("TagLimitExceeded", message));
        }
        all.push((kind, id));
    }
    for (kind, id) in all {
        call.world.retag(kind, &id, |own| own.extend(tags.clone()));
    }
    Ok(object([("return", true.into())]))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let tags = tags(call);
    let mut all = Vec::new();
    for id in call.texts("ResourceId") {
        all.push(known(call.world, &id)?);
    }
    for (kind, id) in all {
        call.world.retag(kind, &id, |own| {
            own.retain(|key, value| {
                let named = tags.iter().any(|(k, v)| k == key && v.as_ref().is_none_or(|v| v == value));
                !(named || tags.is_empty()) || key.starts_with("aws:")
            });
        });
    }
    Ok(object([("return", true.into())]))
}

fn describe(call: &mut Call<'_>) -> Answer {
    let mut found = Vec::new();
    for (_, kind, _) in KINDS {
        for thing in call.world.listed(kind) {
            for (key, value) in &thing.tags {
                found.push(json!({ "resourceId": real_id(&thing), "resourceType": kind, "key": key, "value": value }));
            }
        }
    }
    for filter in call.list("Filter") {
        let name = text(&filter["Name"]);
        let wanted: Vec<String> = filter["Value"].as_array().into_iter().flatten().map(text).collect();
        let fits = |value: &Value| wanted.iter().any(|pattern| like(pattern, &text(value)));
        match name.as_str() {
            "key" => found.retain(|tag| fits(&tag["key"])),
            "value" => found.retain(|tag| fits(&tag["value"])),
            "resource-id" => found.retain(|tag| fits(&tag["resourceId"])),
            "resource-type" => found.retain(|tag| fits(&tag["resourceType"])),
            other => match other.strip_prefix("tag:") {
                Some(key) => found.retain(|tag| tag["key"] == key && fits(&tag["value"])),
                None => {
                    let message = format!("The filter '{other}' is invalid");
                    return Err(Refused::bad("InvalidParameterValue", message));
                }
            },
        }
    }
    page(call, "tagSet", found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::aws::testing::Desk;

    fn tag<'a>(id: &'a str, key: &'a str, value: &'a str) -> [(&'a str, &'a str); 3] {
        [("ResourceId.1", id), ("Tag.1.Key", key), ("Tag.1.Value", value)]
    }

    fn tags(desk: &mut Desk) -> serde_json::Value {
        desk.ok("DescribeVpcs", &[])["vpcSet"][0]["tagSet"].clone()
    }

    #[test]
    fn a_request_tags_only_what_it_makes() {
        let mut desk = Desk::calm();
        let fields = |kind| {
            [
                ("CidrBlock", "10.0.0.0/16"),
                ("TagSpecification.1.ResourceType", kind),
                ("TagSpecification.1.Tag.1.Key", "a"),
                ("TagSpecification.1.Tag.1.Value", "1"),
            ]
        };
        assert_eq!(desk.refused("CreateVpc", &fields("subnet")), "InvalidParameterValue");
        desk.ok("CreateVpc", &fields("vpc"));
        assert_eq!(tags(&mut desk), json!([{ "key": "a", "value": "1" }]));
    }

    #[test]
    fn tags_are_added_and_replaced_and_no_others_touched() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        desk.ok("CreateTags", &tag(&vpc, "a", "1"));
        desk.ok("CreateTags", &tag(&vpc, "b", "1"));
        desk.ok("CreateTags", &tag(&vpc, "a", "2"));
        assert_eq!(tags(&mut desk), json!([{ "key": "a", "value": "2" }, { "key": "b", "value": "1" }]));
        assert_eq!(desk.refused("CreateTags", &tag(&vpc, "aws:a", "1")), "InvalidParameterValue");
        assert_eq!(desk.refused("CreateTags", &tag("subnet-1", "a", "1")), "InvalidSubnetID.NotFound");
        assert_eq!(desk.refused("CreateTags", &tag("nat-1", "a", "1")), "NatGatewayNotFound");
        assert_eq!(desk.refused("CreateTags", &tag("what-1", "a", "1")), "InvalidID");
    }

    #[test]
    fn a_tag_is_deleted_by_key_or_by_key_and_value() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        for key in ["a", "b", "c"] {
            desk.ok("CreateTags", &tag(&vpc, key, "1"));
        }
        desk.ok("DeleteTags", &tag(&vpc, "a", "2"));
        desk.ok("DeleteTags", &tag(&vpc, "b", "1"));
        desk.ok("DeleteTags", &tag(&vpc, "c", "")[..2]);
        assert_eq!(tags(&mut desk), json!([{ "key": "a", "value": "1" }]));
    }

    #[test]
    fn tags_are_listed_over_all_kinds() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        let subnet = desk.subnet(&vpc, "10.0.0.0/24");
        for id in [&vpc, &subnet] {
            desk.ok("CreateTags", &tag(id, "owner", "me"));
        }
        let of = |kind| {
            [
                ("Filter.1.Name", "resource-type"),
                ("Filter.1.Value.1", kind),
                ("Filter.2.Name", "key"),
                ("Filter.2.Value.1", "own*"),
            ]
        };
        let found = desk.ok("DescribeTags", &of("subnet"))["tagSet"].clone();
        let wanted = json!([{ "resourceId": subnet, "resourceType": "subnet", "key": "owner", "value": "me" }]);
        assert_eq!(found, wanted);
        assert_eq!(desk.ok("DescribeTags", &of("placement-group"))["tagSet"], json!([]));
        assert_eq!(desk.ok("DescribeTags", &[])["tagSet"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_resource_has_at_most_fifty_tags() {
        let mut desk = Desk::calm();
        let vpc = desk.vpc("10.0.0.0/16");
        for number in 0..50 {
            desk.ok("CreateTags", &tag(&vpc, &number.to_string(), ""));
        }
        assert_eq!(desk.refused("CreateTags", &tag(&vpc, "50", "")), "TagLimitExceeded");
        desk.ok("CreateTags", &tag(&vpc, "49", "again"));
    }
}
