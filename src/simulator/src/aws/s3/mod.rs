//! S3, as a place for the state of clusters: <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>.
//!
//! - `object` objects under conditions; `list` lists and deletions of several; `bucket`
//!
//! In a simulated account a bucket is there as soon as it is used: nobody has to make one before `--store s3://bucket`
//! works. Reads are never behind, as in the real one
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>). Buckets and objects are the
//! user's own and not a cluster's: they do not count in an account's inventory.

mod bucket;
mod list;
mod object;

use std::collections::BTreeMap;

use bytes::Bytes;

use super::call::{Refused, timestamp};
use super::table::Behaviour;
use super::{plain, target_host};
use crate::wire::form;
use crate::world::{Ms, World};

pub(super) fn behaviours() -> impl Iterator<Item = &'static Behaviour> {
    [bucket::BEHAVIOURS, object::BEHAVIOURS, list::BEHAVIOURS].into_iter().flatten()
}

const BUCKET: &str = "bucket";
const OBJECT: &str = "object";
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A request, taken apart.
#[derive(Debug)]
struct Asked<'a> {
    bucket: String,
    /// Empty for the bucket itself.
    key: String,
    query: BTreeMap<String, String>,
    request: &'a http::Request<Bytes>,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn object_id(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }
}

/// The bucket and key of a request, which stand in its host or its path
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>).
fn asked(request: &http::Request<Bytes>) -> Asked<'_> {
    let host = target_host(request);
    let path = form::plain(&request.uri().path().replace('+', "%2B"));
    let path = path.trim_start_matches('/');
    let virtual_hosted =
        ["s3.", "s3-"].iter().find_map(|service| host.find(&format!(".{service}")).map(|at| &host[..at]));
    let (bucket, key) = match virtual_hosted {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    let query = form::fields(request.uri().query().unwrap_or_default());
    Asked { bucket: bucket.to_owned(), key: key.to_owned(), query, request }
}

type Does = fn(&mut World, &Asked<'_>) -> Result<http::Response<Bytes>, Refused>;

/// The action of a request as IAM spells it, whether it changes something, and its handler.
fn route(asked: &Asked<'_>) -> Option<(&'static str, bool, Does)> {
    Some(match (asked.request.method().as_str(), asked.key.is_empty()) {
        ("GET", false) => ("GetObject", false, object::get),
        ("HEAD", false) => ("GetObject", false, object::get),
        ("PUT", false) => ("PutObject", true, object::put),
        ("DELETE", false) => ("DeleteObject", true, object::delete),
        ("GET", true) if asked.query.contains_key("location") => ("GetBucketLocation", false, bucket::location),
        ("GET", true) if asked.bucket.is_empty() => ("ListAllMyBuckets", false, bucket::all),
        ("GET", true) => ("ListBucket", false, list::objects),
        ("HEAD", true) => ("ListBucket", false, bucket::head),
        ("PUT", true) => ("CreateBucket", true, bucket::create),
        ("DELETE", true) => ("DeleteBucket", true, bucket::delete),
        ("POST", true) if asked.query.contains_key("delete") => ("DeleteObject", true, list::delete),
        _ => return None,
    })
}

pub(super) fn answer(world: &mut World, request: &http::Request<Bytes>) -> Result<http::Response<Bytes>, Refused> {
    let asked = asked(request);
    let answer = match route(&asked) {
        Some((_, _, does)) => does(world, &asked),
        None => {
            Err(Refused::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource."))
        }
    };
    let is_head = request.method() == http::Method::HEAD;
    let mut response = match answer {
        Ok(response) => response,
        // The answer to HEAD has no body, also when it is an error.
        Err(refused) if is_head => plain(refused.status, "application/xml", ""),
        Err(refused) => return Err(refused),
    };
    if is_head {
        *response.body_mut() = Bytes::new();
    }
    set(&mut response, "date", &date(world.now()));
    set(&mut response, "x-amz-request-id", &format!("{:016X}", world.calls.values().sum::<u64>()));
    set(&mut response, "server", "AmazonS3");
    Ok(response)
}

pub(super) fn name(request: &http::Request<Bytes>) -> (String, bool) {
    let asked = asked(request);
    let (name, writes, _) = route(&asked).unwrap_or(("Unknown", false, object::get));
    (format!("s3:{name}"), writes)
}

fn set(response: &mut http::Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A time as headers write it (RFC 9110, section 5.6.7).
fn date(at: Ms) -> String {
    let at: jiff::Timestamp = timestamp(at).parse().unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod testing {
    use crate::aws::testing::{Desk, Reply};

    impl Desk {
        /// A request about a key of the bucket `state`, or the bucket itself.
        pub(super) fn s3(&mut self, method: &str, key: &str, headers: &[(&str, &str)], body: &str) -> Reply {
            self.send_with("s3", method, &format!("/state/{key}"), headers, body)
        }
    }
}
