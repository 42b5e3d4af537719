//! Lists of objects, and deletions of several.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Asked, NAMESPACE, OBJECT, bucket};
use crate::aws::call::{Refused, object, timestamp};
use crate::aws::plain;
use crate::aws::table::Behaviour;
use crate::wire::element::Element;
use crate::wire::form::encoded;
use crate::wire::xml;
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_list_is_in_the_order_of_keys_and_groups_them_at_a_delimiter",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html",
    },
    Behaviour {
        name: "several_objects_are_deleted_in_one_request",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html",
    },
];

pub(super) fn objects(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    bucket::used(world, &asked.bucket)?;
    let most = match asked.query("max-keys").map(str::parse::<usize>) {
        None => 1000,
        Some(Ok(most)) => most.min(1000),
        Some(Err(_)) => return Err(Refused::bad("InvalidArgument", "Provided max-keys not an integer")),
    };
    let (prefix, delimiter) = (asked.query("prefix").unwrap_or_default(), asked.query("delimiter"));
    // A token is the last key or prefix that was shown.
    let after = asked.query("continuation-token").or(asked.query("start-after")).unwrap_or_default();
    let url = asked.query("encoding-type") == Some("url");
    let written = |text: &str| if url { encoded(text).replace("%2F", "/") } else { text.to_owned() };

    let (mut contents, mut groups, mut last) = (Vec::new(), BTreeSet::new(), String::new());
    let mut more = false;
    let here = world.all(OBJECT).filter(|object| object.text("_bucket") == asked.bucket);
    for found in here.filter(|object| object.text("Key").starts_with(prefix)) {
        let key = found.text("Key");
        let rest = &key[prefix.len()..];
        let group = delimiter.and_then(|d| rest.find(d).map(|at| key[..prefix.len() + at + d.len()].to_owned()));
        let shown = group.as_deref().unwrap_or(key);
        if shown <= after || groups.contains(shown) {
            continue;
        }
        if contents.len() + groups.len() == most {
            more = true;
            break;
        }
        last = shown.to_owned();
        match group {
            Some(group) => drop(groups.insert(group)),
            None => contents.push(content(found, &written(key))),
        }
    }
    let count = contents.len() + groups.len();
    let groups: Vec<Value> = groups.iter().map(|group| json!({ "Prefix": written(group) })).collect();
    let content = object([
        ("Name", asked.bucket.as_str().into()),
        ("Prefix", written(prefix).into()),
        ("Delimiter", json!(delimiter)),
        ("EncodingType", json!(url.then_some("url"))),
        ("ContinuationToken", json!(asked.query("continuation-token"))),
        ("NextContinuationToken", json!(more.then_some(last))),
        ("KeyCount", count.into()),
        ("MaxKeys", most.into()),
        ("IsTruncated", more.into()),
        ("*Contents", contents.into()),
        ("*CommonPrefixes", groups.into()),
    ]);
    Ok(plain(200, "application/xml", xml::document("ListBucketResult", NAMESPACE, &content, "member")))
}

fn content(object: &Thing, key: &str) -> Value {
    json!({
        "Key": key, "LastModified": timestamp(object.born), "ETag": object.text("ETag"),
        "Size": object.attrs.get("Size"), "StorageClass": "STANDARD",
    })
}

pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    bucket::used(world, &asked.bucket)?;
    let text = String::from_utf8_lossy(asked.request.body());
    let malformed = || Refused::bad("MalformedXML", "The XML you provided was not well-formed");
    let request = Element::read(&text).ok_or_else(malformed)?;
    let keys: Vec<String> = request.children.iter().filter_map(|child| child.text("Key").map(str::to_owned)).collect();
    if keys.is_empty() || keys.len() > 1000 {
        return Err(malformed());
    }
    let quiet = request.text("Quiet") == Some("true");
    let mut deleted = Vec::new();
    for key in keys {
        world.remove(OBJECT, &format!("{}/{key}", asked.bucket));
        deleted.push(json!({ "Key": key }));
    }
    let content = if quiet { object([]) } else { object([("*Deleted", deleted.into())]) };
    Ok(plain(200, "application/xml", xml::document("DeleteResult", NAMESPACE, &content, "member")))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    fn desk() -> Desk {
        let mut desk = Desk::calm();
        for key in ["b/2", "b/1", "a", "b.c", "other"] {
            desk.s3("PUT", key, &[], "v");
        }
        desk.send("s3", "PUT", "/state2/b/3", "v");
        desk
    }

    fn keys(desk: &mut Desk, query: &str) -> Vec<String> {
        let xml = desk.s3("GET", &format!("?list-type=2&{query}"), &[], "").xml();
        let named = xml.children.iter().filter_map(|child| child.text("Key").or(child.text("Prefix")));
        named.map(str::to_owned).collect()
    }

    #[test]
    fn a_list_is_in_the_order_of_keys_and_groups_them_at_a_delimiter() {
        let mut desk = desk();
        assert_eq!(keys(&mut desk, ""), ["a", "b.c", "b/1", "b/2", "other"]);
        assert_eq!(keys(&mut desk, "prefix=b%2F"), ["b/1", "b/2"]);
        assert_eq!(keys(&mut desk, "delimiter=%2F"), ["a", "b.c", "other", "b/"]);
        let page = desk.s3("GET", "?list-type=2&max-keys=2", &[], "").xml();
        assert_eq!((page.text("IsTruncated"), page.text("KeyCount")), (Some("true"), Some("2")));
        let token = page.text("NextContinuationToken").expect("a token").to_owned();
        assert_eq!(keys(&mut desk, &format!("continuation-token={token}")), ["b/1", "b/2", "other"]);
    }

    #[test]
    fn several_objects_are_deleted_in_one_request() {
        let mut desk = desk();
        let body = "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object></Delete>";
        let deleted = desk.s3("POST", "?delete", &[], body).xml();
        assert_eq!(deleted.children.len(), 2, "also what was not there");
        assert_eq!(keys(&mut desk, ""), ["b.c", "b/1", "b/2", "other"]);
    }
}
