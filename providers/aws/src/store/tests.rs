use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_credential_types::Credentials as Keys;
use clusterctl_core::transport::{TransportError, TransportFailure};
use expect_test::expect;

use super::*;

/// As much of S3 as the store asks for, by the page on conditional writes; answers may be put before its own.
#[derive(Debug, Default)]
struct Bucket {
    objects: Mutex<BTreeMap<String, (Bytes, String)>>,
    first: Mutex<Vec<Result<http::Response<Bytes>, TransportError>>>,
    seen: Mutex<Vec<String>>,
}

impl Bucket {
    fn answer_first(&self, answer: Result<http::Response<Bytes>, TransportError>) {
        self.first.lock().expect("not poisoned").push(answer);
    }

    fn serve(&self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let mut objects = self.objects.lock().expect("not poisoned");
        let header = |name| request.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        let query = request.uri().query().unwrap_or_default();
        let Some(name) = request.uri().path().strip_prefix("/state") else {
            return refused(404, "NoSuchBucket", "The specified bucket does not exist");
        };
        let name = name.trim_start_matches('/').to_owned();
        let there = objects.get(&name).cloned();
        match request.method().as_str() {
            "GET" if query.contains("list-type=2") => {
                let prefix = query.split('&').find_map(|field| field.strip_prefix("prefix=")).unwrap_or_default();
                let prefix = prefix.replace("%2F", "/");
                let entry = |(name, (bytes, tag)): (&String, &(Bytes, String))| {
                    let (size, tag) = (bytes.len(), tag.trim_matches('"'));
                    format!(
                        "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>{tag}</ETag>\
                             <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                    )
                };
                let entries: String = objects.iter().filter(|(name, _)| name.starts_with(&prefix)).map(entry).collect();
                respond(200, &format!("<ListBucketResult>{entries}</ListBucketResult>"))
            }
            "GET" => match there {
                None => refused(404, "NoSuchKey", "The specified key does not exist."),
                Some((bytes, tag)) => http::Response::builder()
                    .header("ETag", tag)
                    .header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
                    .header("Content-Length", bytes.len())
                    .body(bytes)
                    .expect("a response"),
            },
            "PUT" if header("if-none-match").is_some() && there.is_some() => {
                refused(412, "PreconditionFailed", "exists")
            }
            "PUT" if header("if-match").is_some() && there.is_none() => refused(404, "NoSuchKey", "nothing to match"),
            "PUT" if header("if-match").is_some_and(|tag| there.is_some_and(|(_, is)| is != tag)) => {
                refused(412, "PreconditionFailed", "other content")
            }
            "PUT" => {
                let tag = format!("\"tag-{}-{}\"", objects.len(), self.seen.lock().expect("not poisoned").len());
                objects.insert(name, (request.body().clone(), tag.clone()));
                http::Response::builder().header("ETag", tag).body(Bytes::new()).expect("a response")
            }
            "DELETE" => {
                objects.remove(&name);
                respond(204, "")
            }
            other => respond(405, other),
        }
    }
}

fn respond(status: u16, body: &str) -> http::Response<Bytes> {
    http::Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).expect("a response")
}

fn refused(status: u16, code: &str, message: &str) -> http::Response<Bytes> {
    respond(status, &format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

#[async_trait]
impl Transport for Bucket {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let names = ["if-match", "if-none-match"]
            .into_iter()
            .filter_map(|name| Some(format!(" {name}: {}", request.headers().get(name)?.to_str().expect("text"))));
        let line = format!("{} {}{}", request.method(), request.uri().path(), names.collect::<String>());
        assert!(request.headers().contains_key("authorization"), "{line} is not signed");
        self.seen.lock().expect("not poisoned").push(line);
        let first = self.first.lock().expect("not poisoned").pop();
        first.unwrap_or_else(|| Ok(self.serve(&request)))
    }
}

fn location(bucket: &str, prefix: &str) -> Location {
    Location {
        bucket: bucket.into(),
        prefix: prefix.into(),
        region: "eu-central-1".into(),
        endpoint: None,
        credentials: SharedCredentialsProvider::new(Keys::new("AKIDEXAMPLE", "secret", None, None, "test")),
    }
}

fn store(bucket: &Arc<Bucket>, name: &str) -> S3Store {
    S3Store::new(Arc::clone(bucket) as Arc<dyn Transport>, location(name, "Teams/ml")).expect("a store")
}

#[test]
fn prefixes_that_mean_something_else_are_refused() {
    let transport: Arc<dyn Transport> = Arc::new(Bucket::default());
    for (prefix, fits) in
        [("", true), ("a/B-c_d.e", true), ("a b", false), ("a/../b", false), ("a//b", false), ("ü", false)]
    {
        let store = S3Store::new(Arc::clone(&transport), location("state", prefix));
        assert_eq!(store.is_ok(), fits, "{prefix:?}: {store:?}");
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

#[tokio::test]
async fn conditions_travel_as_headers() {
    let bucket = Arc::new(Bucket::default());
    let store = store(&bucket, "state");
    assert_eq!(store.describe(), "s3://state/Teams/ml");
    assert_eq!(store.get(&key("a/b.json")).await.expect("a read"), None);
    let first = store.put(&key("a/b.json"), "one".into(), Condition::Absent).await.expect("a write");
    let error = store.put(&key("a/b.json"), "two".into(), Condition::Absent).await;
    assert!(matches!(error, Err(StoreError::Conflict { .. })), "{error:?}");
    let second = store.put(&key("a/b.json"), "two".into(), Condition::Matches(first.clone())).await.expect("a write");
    for gone in [key("a/b.json"), key("a/none.json")] {
        let error = store.put(&gone, "three".into(), Condition::Matches(first.clone())).await;
        assert!(matches!(error, Err(StoreError::Conflict { .. })), "{error:?}");
    }
    let object = store.get(&key("a/b.json")).await.expect("a read").expect("an object");
    assert_eq!((object.bytes, object.version), ("two".into(), second));
    store.put(&key("ab/c.json"), "x".into(), Condition::Any).await.expect("a write");
    assert_eq!(store.list(&key("a")).await.expect("a list"), [key("a/b.json")]);
    store.delete(&key("a/b.json")).await.expect("a deletion");
    assert_eq!(store.list(&key("a")).await.expect("a list"), []);
    expect![[r#"
        GET /state/Teams/ml/a/b.json
        PUT /state/Teams/ml/a/b.json if-none-match: *
        PUT /state/Teams/ml/a/b.json if-none-match: *
        PUT /state/Teams/ml/a/b.json if-match: "tag-0-2"
        PUT /state/Teams/ml/a/b.json if-match: "tag-0-2"
        PUT /state/Teams/ml/a/none.json if-match: "tag-0-2"
        GET /state/Teams/ml/a/b.json
        PUT /state/Teams/ml/ab/c.json
        GET /state
        DELETE /state/Teams/ml/a/b.json
        GET /state
    "#]]
    .assert_eq(&bucket.seen.lock().expect("not poisoned").iter().map(|line| format!("{line}\n")).collect::<String>());
}

#[tokio::test]
async fn it_keeps_the_promise_of_a_store() {
    let store = store(&Arc::default(), "state");
    clusterctl_core::store::probe::check_conditional_writes(&store, &mut rand::rng()).await.expect("conditions hold");
}

#[tokio::test]
async fn failures_say_what_to_do_next() {
    let cases = [
        (Ok(refused(503, "SlowDown", "Reduce your request rate.")), "retry"),
        (Ok(refused(409, "ConditionalRequestConflict", "A conflict.")), "retry"),
        (Ok(refused(400, "RequestTimeout", "Too slow.")), "retry"),
        (Err(TransportError { kind: TransportFailure::Lost, message: "reset".into() }), "retry"),
        (Ok(refused(403, "AccessDenied", "Access Denied")), "denied"),
        (Ok(refused(400, "ExpiredToken", "The provided token has expired.")), "denied"),
        (Ok(refused(400, "InvalidArgument", "What?")), "final"),
    ];
    for (answer, expected) in cases {
        let bucket = Arc::new(Bucket::default());
        let text = format!("{answer:?}");
        bucket.answer_first(answer);
        let error = store(&bucket, "state").put(&key("a"), "x".into(), Condition::Absent).await.expect_err("it fails");
        let is = match &error {
            StoreError::Denied { .. } => "denied",
            StoreError::Unavailable { retryable: true, .. } => "retry",
            _ => "final",
        };
        assert_eq!(is, expected, "{error} for {text}");
        assert_eq!(bucket.seen.lock().expect("not poisoned").len(), 1, "{error} was repeated");
    }
}

#[tokio::test]
async fn a_missing_bucket_is_not_an_empty_one() {
    let store = store(&Arc::default(), "other");
    let error = store.get(&key("a")).await.expect_err("there is no bucket");
    assert!(matches!(error, StoreError::Unavailable { retryable: false, .. }), "{error}");
    expect!["the store cannot be reached: s3://other/Teams/ml/a: The specified bucket does not exist (NoSuchBucket, status 404, request unknown)"]
        .assert_eq(&error.to_string());
}
