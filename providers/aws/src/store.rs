//! State, journal and lock in an S3 bucket.
//!
//! `wire` carries the requests on our transport

#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use clusterctl_core::store::{Condition, Key, Object, Store, StoreError, Version};
use clusterctl_core::transport::Transport;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, PutResult, RetryConfig, UpdateVersion,
};

use self::wire::{Credentials, Failure, Wire};

/// Where the objects lie, and as whom they are read and written.
#[derive(Debug, Clone)]
pub struct Location {
    pub bucket: String,
    /// Text before every key, such as `teams/ml`; may be empty. Letters, digits and `._/-` only: other characters are
    /// encoded differently by the many that compute an S3 signature.
    pub prefix: String,
    pub region: String,
    /// Instead of AWS's own endpoint, such as `http://127.0.0.1:5000`.
    pub endpoint: Option<String>,
    pub credentials: SharedCredentialsProvider,
}

/// Keeps each object as an object of a bucket, under conditional writes.
///
/// S3 is strongly consistent, writes objects whole, and since 2024 honours `If-None-Match: *` and `If-Match` on PUT
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>); the version of an object is its
/// `ETag`. Each request is sent once: whether it is repeated is decided where it is known what a repetition means. On a
/// bucket with versioning a deletion leaves the old versions behind, which is how a damaged state is brought back.
#[derive(Debug, Clone)]
pub struct S3Store {
    s3: Arc<AmazonS3>,
    prefix: Path,
    describe: String,
}

impl S3Store {
    /// A store at this location; nothing is asked yet.
    ///
    /// # Errors
    /// When the location cannot be one.
    pub fn new(transport: Arc<dyn Transport>, location: Location) -> Result<Self, StoreError> {
        let Location { bucket, prefix, region, endpoint, credentials } = location;
        let describe = format!("s3://{}", [&*bucket, &*prefix].join("/").trim_end_matches('/'));
        let wrong =
            |problem: String| StoreError::Unavailable { what: format!("{describe}: {problem}"), retryable: false };
        if !prefix.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c)) {
            return Err(wrong("the part after the bucket may hold only letters, digits and . _ / -".into()));
        }
        let prefix = Path::parse(&prefix).map_err(|e| wrong(e.to_string()))?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&bucket)
            .with_region(&region)
            .with_credentials(Arc::new(Credentials(credentials)))
            .with_http_connector(Wire(transport))
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() });
        if let Some(endpoint) = endpoint.or_else(|| endpoint_in_china(&region)) {
            builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
        }
        let s3 = builder.build().map_err(|e| wrong(e.to_string()))?;
        Ok(Self { s3: Arc::new(s3), prefix, describe })
    }

    fn path(&self, key: &Key) -> Path {
        key.as_str().split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// The key of an object in the bucket, unless it is none of ours.
    fn key(&self, path: &Path) -> Option<Key> {
        let parts = path.prefix_match(&self.prefix)?;
        Key::parse(parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/")).ok()
    }

    fn failed(&self, key: &Key, error: object_store::Error) -> StoreError {
        let what = format!("{}/{key}", self.describe);
        if let Some(failure) = Failure::within(&error) {
            return failure.clone().into_store_error(&what);
        }
        match error {
            object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
                StoreError::Conflict { key: key.clone() }
            }
            object_store::Error::NotFound { .. } => StoreError::NotFound { what },
            other => StoreError::Unavailable { what: format!("{what}: {other}"), retryable: false },
        }
    }
}

/// The endpoint of the partition whose domain is not `amazonaws.com`.
fn endpoint_in_china(region: &str) -> Option<String> {
    region.starts_with("cn-").then(|| format!("https://s3.{region}.amazonaws.com.cn"))
}

#[async_trait]
impl Store for S3Store {
    async fn get(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        let found = match self.s3.get(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(|e| self.failed(key, e))?,
        };
        let tag = found.meta.e_tag.clone();
        let bytes = found.bytes().await.map_err(|e| self.failed(key, e))?;
        Ok(Some(Object { bytes, version: version(tag)? }))
    }

    async fn put(&self, key: &Key, bytes: Bytes, condition: Condition) -> Result<Version, StoreError> {
        let mode = match condition {
            Condition::Any => PutMode::Overwrite,
            Condition::Absent => PutMode::Create,
            Condition::Matches(Version(tag)) => PutMode::Update(UpdateVersion { e_tag: Some(tag), version: None }),
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        let put = self.s3.put_opts(&self.path(key), PutPayload::from_bytes(bytes), options).await;
        let PutResult { e_tag, .. } = put.map_err(|e| self.failed(key, e))?;
        version(e_tag)
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        match self.s3.delete(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            done => done.map_err(|e| self.failed(key, e)),
        }
    }

    async fn list(&self, above: &Key) -> Result<Vec<Key>, StoreError> {
        let objects: Vec<_> =
            self.s3.list(Some(&self.path(above))).try_collect().await.map_err(|e| self.failed(above, e))?;
        let mut keys: Vec<_> = objects.iter().filter_map(|object| self.key(&object.location)).collect();
        keys.sort();
        Ok(keys)
    }

    fn describe(&self) -> String {
        self.describe.clone()
    }
}

fn version(tag: Option<String>) -> Result<Version, StoreError> {
    tag.map(Version).ok_or_else(|| StoreError::ConditionsIgnored { what: "the store names no ETag".into() })
}
