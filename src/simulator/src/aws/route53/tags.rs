//! Tags of zones.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::zone::find;
use super::{Asked, ZONE, invalid};
use crate::aws::call::{Refused, object};
use crate::aws::table::Behaviour;
use crate::world::World;

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_zone_is_tagged_ten_tags_at_a_time",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html",
    },
    Behaviour {
        name: "tags_of_up_to_ten_zones_are_read_at_once",
        source: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListTagsForResources.html",
    },
];

fn of_zones(asked: &Asked<'_>) -> Result<(), Refused> {
    if asked.id == "hostedzone" { Ok(()) } else { Err(invalid("only tags of hosted zones are simulated")) }
}

pub(super) fn change(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    of_zones(asked)?;
    find(asked.world, asked.resource)?;
    let mut added = BTreeMap::new();
    for tag in asked.body.all("AddTags", "Tag") {
        let key = tag.text("Key").ok_or_else(|| invalid("A tag needs a key"))?;
        added.insert(key.to_owned(), tag.text("Value").unwrap_or_default().to_owned());
    }
    let removed: Vec<String> = asked.body.all("RemoveTagKeys", "Key").map(|key| key.text.clone()).collect();
    if added.len() > 10 || removed.len() > 10 {
        return Err(invalid("Up to 10 tags can be added or removed at once"));
    }
    asked.world.retag(ZONE, asked.resource, |tags| {
        tags.retain(|key, _| !removed.contains(key));
        tags.extend(added);
    });
    Ok(Map::new())
}

fn set_of(world: &mut World, id: &str) -> Result<Value, Refused> {
    let zone = find(world, id)?;
    // Within their lag, reads go by the tags before.
    let tags = if zone.tagged_from > world.now() { &zone.old_tags } else { &zone.tags };
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "ResourceType": "hostedzone", "ResourceId": id, "Tags": { "*Tag": tags } }))
}

pub(super) fn list(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    of_zones(asked)?;
    Ok(object([("ResourceTagSet", set_of(asked.world, asked.resource)?)]))
}

pub(super) fn list_several(asked: &mut Asked<'_>) -> Result<Map<String, Value>, Refused> {
    of_zones(asked)?;
    let ids: Vec<String> = asked.body.all("ResourceIds", "ResourceId").map(|id| id.text.clone()).collect();
    if ids.is_empty() || ids.len() > 10 {
        return Err(invalid("Between 1 and 10 resource ids must be given"));
    }
    let sets = ids.iter().map(|id| set_of(asked.world, id)).collect::<Result<Vec<_>, _>>()?;
    Ok(object([("ResourceTagSets", json!({ "*ResourceTagSet": sets }))]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::desk;

    fn add(count: usize) -> String {
        let tag = |number| format!("<Tag><Key>k{number}</Key><Value>a&amp;b</Value></Tag>");
        let tags: String = (0..count).map(tag).collect();
        format!("<ChangeTagsForResourceRequest><AddTags>{tags}</AddTags></ChangeTagsForResourceRequest>")
    }

    #[test]
    fn a_zone_is_tagged_ten_tags_at_a_time() {
        let mut desk = desk();
        let path = format!("tags/hostedzone/{}", desk.made("demo.internal"));
        assert_eq!(desk.dns("POST", &path, &add(11)).refusal(), (400, "InvalidInput".into()));
        assert_eq!(desk.dns("POST", &path, &add(10)).status(), 200);
        assert_eq!(desk.dns("POST", "tags/hostedzone/Z0", &add(1)).refusal(), (404, "NoSuchHostedZone".into()));
        let remove =
            "<ChangeTagsForResourceRequest><RemoveTagKeys><Key>k0</Key></RemoveTagKeys></ChangeTagsForResourceRequest>";
        desk.dns("POST", &path, remove);
        let got = desk.dns("GET", &path, "").xml();
        assert_eq!(got.all("ResourceTagSet.Tags", "Tag").count(), 9);
        assert_eq!(got.text("ResourceTagSet.Tags.Tag.Value"), Some("a&b"));
    }

    #[test]
    fn tags_of_up_to_ten_zones_are_read_at_once() {
        let mut desk = desk();
        let zones = [desk.made("a.internal"), desk.made("b.internal")];
        desk.dns("POST", &format!("tags/hostedzone/{}", zones[1]), &add(2));
        let body = |ids: &[String]| {
            let ids: String = ids.iter().map(|id| format!("<ResourceId>{id}</ResourceId>")).collect();
            format!("<ListTagsForResourcesRequest><ResourceIds>{ids}</ResourceIds></ListTagsForResourcesRequest>")
        };
        let got = desk.dns("POST", "tags/hostedzone", &body(&zones)).xml();
        let counts: Vec<usize> =
            got.all("ResourceTagSets", "ResourceTagSet").map(|set| set.all("Tags", "Tag").count()).collect();
        assert_eq!(counts, [0, 2]);
        assert_eq!(desk.dns("POST", "tags/hostedzone", &body(&vec![zones[0].clone(); 11])).status(), 400);
    }
}
