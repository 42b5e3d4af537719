//! Objects, read, written and deleted under conditions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{Asked, OBJECT, bucket, date, set};
use crate::aws::call::Refused;
use crate::aws::plain;
use crate::aws::table::Behaviour;
use crate::world::{Thing, World};

const CONDITIONS: &str = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html";

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour { name: "a_write_that_is_to_make_an_object_makes_it_once", source: CONDITIONS },
    Behaviour { name: "a_write_over_a_version_needs_that_version", source: CONDITIONS },
    Behaviour {
        name: "an_object_is_read_at_once_with_its_tag_and_times",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html",
    },
    Behaviour {
        name: "deleting_what_is_not_there_succeeds",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html",
    },
    Behaviour {
        name: "a_deletion_can_need_a_version",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html",
    },
];

fn missing() -> Refused {
    Refused::new(404, "NoSuchKey", "The specified key does not exist.")
}

fn precondition() -> Refused {
    Refused::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

/// The same content has the same tag, as with an MD5; it is opaque to everybody.
fn tag_of(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    format!("\"{}\"", digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Whether a header with tags names this one; the quotes may be left out.
fn names(header: &str, tag: &str) -> bool {
    header.split(',').any(|given| given.trim() == "*" || given.trim().trim_matches('"') == tag.trim_matches('"'))
}

/// Whether the conditions of a change hold.
fn holds(asked: &Asked<'_>, there: Option<&Thing>) -> Result<(), Refused> {
    let tag = there.map(|there| there.text("ETag"));
    if asked.header("if-none-match").is_some() && tag.is_some() {
        return Err(precondition());
    }
    match (asked.header("if-match"), tag) {
        (Some(_), None) => Err(missing()),
        (Some(wanted), Some(tag)) if !names(wanted, tag) => Err(precondition()),
        _ => Ok(()),
    }
}

pub(super) fn put(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    bucket::used(world, &asked.bucket)?;
    if asked.key.len() > 1024 {
        return Err(Refused::bad("KeyTooLongError", "Your key is too long"));
    }
    if asked.header("if-none-match").is_some_and(|tags| tags.trim() != "*") {
        let message = "A header you provided implies functionality that is not implemented";
        return Err(Refused::new(501, "NotImplemented", message));
    }
    let id = asked.object_id();
    holds(asked, world.get(OBJECT, &id))?;
    let content = asked.request.body();
    let tag = tag_of(content);
    let mut object = Thing::new(OBJECT, &id);
    object.born = world.now();
    object.set("Key", asked.key.as_str());
    object.set("ETag", tag.as_str());
    object.set("Size", content.len());
    object.set("_bucket", asked.bucket.as_str());
    object.set("_body", STANDARD.encode(content));
    object.set("_lingers", true);
    world.put(object);
    let mut response = plain(200, "application/xml", "");
    set(&mut response, "etag", &tag);
    Ok(response)
}

pub(super) fn get(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    bucket::used(world, &asked.bucket)?;
    let object = world.get(OBJECT, &asked.object_id()).ok_or_else(missing)?;
    let tag = object.text("ETag");
    if asked.header("if-match").is_some_and(|wanted| !names(wanted, tag)) {
        return Err(precondition());
    }
    let is_unchanged = asked.header("if-none-match").is_some_and(|known| names(known, tag));
    let content = STANDARD.decode(object.text("_body")).unwrap_or_default();
    let (status, content) = match asked.header("range").and_then(|range| part(range, content.len())) {
        _ if is_unchanged => (304, Vec::new()),
        Some((from, to)) => (206, content[from..to].to_vec()),
        None => (200, content),
    };
    let length = content.len().to_string();
    let mut response = plain(status, "application/octet-stream", content);
    set(&mut response, "etag", tag);
    set(&mut response, "last-modified", &date(object.born));
    set(&mut response, "content-length", &length);
    set(&mut response, "accept-ranges", "bytes");
    Ok(response)
}

/// The part that a range such as `bytes=0-99` means.
fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.checked_add(1)?.min(length)),
        (Ok(from), Err(_)) => (from, length),
        (Err(_), Ok(last)) => (length.saturating_sub(last), length),
        (Err(_), Err(_)) => return None,
    };
    (from < to).then_some((from, to))
}

pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Result<http::Response<Bytes>, Refused> {
    bucket::used(world, &asked.bucket)?;
    let id = asked.object_id();
    holds(asked, world.get(OBJECT, &id))?;
    world.remove(OBJECT, &id);
    Ok(plain(204, "application/xml", ""))
}

#[cfg(test)]
mod tests {
    use crate::aws::testing::Desk;
    use crate::weather::Weather;

    #[test]
    fn a_write_that_is_to_make_an_object_makes_it_once() {
        let mut desk = Desk::calm();
        let once = [("if-none-match", "*")];
        assert_eq!(desk.s3("PUT", "demo/lock", &once, "one").status(), 200);
        assert_eq!(desk.s3("PUT", "demo/lock", &once, "two").refusal(), (412, "PreconditionFailed".into()));
        assert_eq!(desk.s3("GET", "demo/lock", &[], "").body(), "one");
    }

    #[test]
    fn a_write_over_a_version_needs_that_version() {
        let mut desk = Desk::calm();
        let made = desk.s3("PUT", "state", &[], "one").header("etag").to_owned();
        assert_eq!(desk.s3("PUT", "state", &[("if-match", &made)], "two").status(), 200);
        let stale = desk.s3("PUT", "state", &[("if-match", &made)], "three").refusal();
        assert_eq!(stale, (412, "PreconditionFailed".into()));
        let none = desk.s3("PUT", "other", &[("if-match", &made)], "three").refusal();
        assert_eq!(none, (404, "NoSuchKey".into()));
        assert_eq!(desk.s3("GET", "state", &[], "").body(), "two");
    }

    #[test]
    fn an_object_is_read_at_once_with_its_tag_and_times() {
        let mut desk = Desk::with(Weather { throttle: false, ..Weather::default() });
        desk.wait(90_500);
        let tag = desk.s3("PUT", "a%20b/+c", &[], "content").header("etag").to_owned();
        let got = desk.s3("GET", "a%20b/+c", &[], "");
        assert_eq!((got.status(), got.body(), got.header("etag")), (200, "content", tag.as_str()));
        assert_eq!(got.header("last-modified"), "Thu, 01 Jan 2026 00:01:30 GMT");
        assert_eq!(got.header("date"), "Thu, 01 Jan 2026 00:01:30 GMT");
        let head = desk.s3("HEAD", "a%20b/+c", &[], "");
        assert_eq!((head.status(), head.body(), head.header("content-length")), (200, "", "7"));
        let none = desk.s3("HEAD", "none", &[], "");
        assert_eq!((none.status(), none.body()), (404, ""));
        let part = desk.s3("GET", "a%20b/+c", &[("range", "bytes=1-3")], "");
        assert_eq!((part.status(), part.body()), (206, "ont"));
        assert_eq!(desk.s3("GET", "a%20b/+c", &[("if-none-match", &tag)], "").status(), 304);
    }

    #[test]
    fn deleting_what_is_not_there_succeeds() {
        let mut desk = Desk::calm();
        desk.s3("PUT", "state", &[], "one");
        for _ in 0..2 {
            assert_eq!(desk.s3("DELETE", "state", &[], "").status(), 204);
        }
        assert_eq!(desk.s3("GET", "state", &[], "").refusal(), (404, "NoSuchKey".into()));
    }

    #[test]
    fn a_deletion_can_need_a_version() {
        let mut desk = Desk::calm();
        let tag = desk.s3("PUT", "lock", &[], "one").header("etag").to_owned();
        let other = desk.s3("DELETE", "lock", &[("if-match", "\"0\"")], "").refusal();
        assert_eq!(other, (412, "PreconditionFailed".into()));
        assert_eq!(desk.s3("DELETE", "lock", &[("if-match", &tag)], "").status(), 204);
        assert_eq!(desk.s3("DELETE", "lock", &[("if-match", &tag)], "").refusal(), (404, "NoSuchKey".into()));
    }
}
