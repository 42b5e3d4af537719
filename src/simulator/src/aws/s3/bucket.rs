//! Buckets: there as soon as they are used.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Asked, BUCKET, NAMESPACE, OBJECT, set};
use crate::aws::call::{Refused, object, timestamp};
use crate::aws::table::Behaviour;
use crate::aws::{REGION, plain};
use crate::wire::xml;
use crate::world::{Thing, World};

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "a_bucket_is_named_in_the_host_or_in_the_path",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html",
    },
    Behaviour {
        name: "a_bucket_name_follows_the_rules",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
    },
    Behaviour {
        name: "a_bucket_with_objects_cannot_be_deleted",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html",
    },
];

/// Makes sure that a bucket is there.
pub(super) fn used(world: &mut World, name: &str) -> Result<(), Refused> {
    let right = (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.')
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..");
    if !right {
        return Err(Refused::bad("InvalidBucketName", "The specified bucket is not valid."));
    }
    if world.get(BUCKET, name).is_none() {
        let mut bucket = Thing::new(BUCKET, name);
        bucket.born = world.now();
        bucket.set("_lingers", true);
        world.put(bucket);
    }
    Ok(())
}

pub(super) fn create(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    // Only in the first region it is no error to make a bucket twice.
    if world.get(BUCKET, &asked.bucket).is_some() && world.region != "us-east-1" {
        let message = "Your previous request to create the named bucket succeeded and you already own it.";
        return Err(Refused::new(409, "BucketAlreadyOwnedByYou", message));
    }
    used(world, &asked.bucket)?;
    let mut response = plain(200, "application/xml", "");
    set(&mut response, "location", &format!("/{}", asked.bucket));
    Ok(response)
}

pub(super) fn head(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    used(world, &asked.bucket)?;
    let mut response = plain(200, "application/xml", "");
    let region = world.region.clone();
    set(&mut response, "x-amz-bucket-region", if region.is_empty() { REGION } else { &region });
    Ok(response)
}

pub(super) fn location(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    used(world, &asked.bucket)?;
    let region = if world.region == "us-east-1" { "" } else { &world.region };
    let text = format!("<LocationConstraint xmlns=\"{NAMESPACE}\">{region}</LocationConstraint>");
    Ok(plain(200, "application/xml", text))
}

pub(super) fn all(world: &mut World, _: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    let one = |bucket: &Thing| json!({ "Name": bucket.id, "CreationDate": timestamp(bucket.born) });
    let buckets: Vec<Value> = world.all(BUCKET).map(one).collect();
    let content = object([("Buckets", json!({ "*Bucket": buckets }))]);
    Ok(plain(200, "application/xml", xml::document("ListAllMyBucketsResult", NAMESPACE, &content, "member")))
}

pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    if world.get(BUCKET, &asked.bucket).is_none() {
        return Err(Refused::new(404, "NoSuchBucket", "The specified bucket does not exist"));
    }
    if world.all(OBJECT).any(|object| object.text("_bucket") == asked.bucket) {
        return Err(Refused::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty"));
    }
    world.remove(BUCKET, &asked.bucket);
    Ok(plain(204, "application/xml", ""))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;

    #[test]
    fn a_bucket_is_named_in_the_host_or_in_the_path() {
        let mut desk = Desk::calm();
        desk.send("s3", "PUT", "https://my.state.s3.eu-central-1.amazonaws.com/demo/state", "one");
        let got = desk.send("s3", "GET", "https://s3.eu-central-1.amazonaws.com/my.state/demo/state", "");
        assert_eq!(got.body(), "one");
        let got = desk.send("s3", "GET", "http://127.0.0.1:5000/my.state/demo/state", "");
        assert_eq!(got.body(), "one");
        assert_eq!(desk.send("s3", "HEAD", "/my.state", "").header("x-amz-bucket-region"), "eu-central-1");
        assert!(desk.world.inventory().is_empty(), "buckets are the user's own");
    }

    #[test]
    fn a_bucket_name_follows_the_rules() {
        let mut desk = Desk::calm();
        for name in ["ab", "Upper", "-dash", "a..b", "under_score"] {
            assert_eq!(
                desk.send("s3", "GET", &format!("/{name}/x"), "").refusal(),
                (400, "InvalidBucketName".into()),
                "{name}"
            );
        }
        assert_eq!(desk.send("s3", "PUT", "/state", "").status(), 200);
        assert_eq!(desk.send("s3", "PUT", "/state", "").refusal(), (409, "BucketAlreadyOwnedByYou".into()));
        assert_eq!(desk.send("s3", "GET", "/state?location", "").xml().text, "eu-central-1");
        assert_eq!(desk.send("s3", "GET", "/", "").xml().text("Buckets.Bucket.Name"), Some("state"));
    }

    #[test]
    fn a_bucket_with_objects_cannot_be_deleted() {
        let mut desk = Desk::calm();
        desk.s3("PUT", "k", &[], "v");
        assert_eq!(desk.send("s3", "DELETE", "/state", "").refusal(), (409, "BucketNotEmpty".into()));
        desk.s3("DELETE", "k", &[], "");
        assert_eq!(desk.send("s3", "DELETE", "/state", "").status(), 204);
        assert_eq!(desk.send("s3", "DELETE", "/state", "").refusal(), (404, "NoSuchBucket".into()));
    }
}
