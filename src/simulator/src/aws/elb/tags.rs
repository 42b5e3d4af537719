//! Tags of load balancers, target groups and listeners.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Kind, validation};
use crate::aws::call::{Answer, Call, Refused, object};
use crate::aws::table::{Action, Behaviour, tag_allowed, text};

pub(super) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    name: "tags_are_added_to_those_that_are_there",
    source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html",
}];

pub(super) const ACTIONS: &[Action] = &[
    Action::special("AddTags", add),
    Action::special("RemoveTags", remove),
    Action::special("DescribeTags", describe),
];

/// The tags of a request.
pub(super) fn given(call: &Call<'_>) -> Result<BTreeMap<String, String>, Refused> {
    let mut given = BTreeMap::new();
    for tag in call.list("Tags") {
        let (key, value) = (text(&tag["Key"]), text(&tag["Value"]));
        tag_allowed(&key, &value).map_err(|refused| validation(refused.message))?;
        if given.insert(key, value).is_some() {
            return Err(Refused::bad("DuplicateTagKeys", "A tag key was specified more than once"));
        }
    }
    if given.len() > 50 {
        return Err(Refused::bad("TooManyTags", "You've reached the limit on the number of tags per resource"));
    }
    Ok(given)
}

/// The kinds and ARNs of a request, all of which must be there.
fn named(call: &mut Call<'_>) -> Result<Vec<(Kind, String)>, Refused> {
    let arns = call.texts("ResourceArns");
    if arns.is_empty() || arns.len() > 20 {
        return Err(validation("Between 1 and 20 resource ARNs must be specified"));
    }
    let mut named = Vec::new();
    for arn in arns {
        let kind = Kind::of(&arn).ok_or_else(|| validation(format!("'{arn}' is not a valid resource ARN")))?;
        kind.find(call.world, &arn)?;
        named.push((kind, arn));
    }
    Ok(named)
}

fn add(call: &mut Call<'_>) -> Answer {
    let given = given(call)?;
    for (kind, arn) in named(call)? {
        call.world.retag(kind.name, &arn, |tags| tags.extend(given.clone()));
    }
    Ok(Map::new())
}

fn remove(call: &mut Call<'_>) -> Answer {
    let keys = call.texts("TagKeys");
    for (kind, arn) in named(call)? {
        call.world.retag(kind.name, &arn, |tags| tags.retain(|key, _| !keys.contains(key)));
    }
    Ok(Map::new())
}

fn describe(call: &mut Call<'_>) -> Answer {
    let mut descriptions = Vec::new();
    for (kind, arn) in named(call)? {
        let Some(thing) = call.world.get(kind.name, &arn) else { continue };
        // Within their lag, reads go by the tags before.
        let tags = if thing.tagged_from > call.world.now() && thing.seen_from <= call.world.now() {
            &thing.old_tags
        } else {
            &thing.tags
        };
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        descriptions.push(json!({ "ResourceArn": arn, "Tags": tags }));
    }
    Ok(object([("TagDescriptions", descriptions.into())]))
}

#[cfg(test)]
mod tests {
    use super::super::balancer::tests::{desk, made};
    use super::*;

    #[test]
    fn tags_are_added_to_those_that_are_there() {
        let mut desk = desk();
        let arn = made(&mut desk);
        let tag =
            |key| [("ResourceArns.member.1", arn.as_str()), ("Tags.member.1.Key", key), ("Tags.member.1.Value", "x")];
        desk.ok("AddTags", &tag("a"));
        let tags = |answer: &Value| answer["TagDescriptions"][0]["Tags"].as_array().map(Vec::len);
        assert_eq!(tags(&desk.ok("elasticloadbalancing:DescribeTags", &tag("")[..1])), Some(2));
        assert_eq!(desk.refused("AddTags", &tag("aws:x")), "ValidationError");
        desk.ok("RemoveTags", &[("ResourceArns.member.1", &arn), ("TagKeys.member.1", "a")]);
        assert_eq!(tags(&desk.ok("elasticloadbalancing:DescribeTags", &tag("")[..1])), Some(1));
        desk.ok("DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]);
        assert_eq!(desk.refused("elasticloadbalancing:DescribeTags", &tag("")[..1]), "LoadBalancerNotFound");
    }
}
