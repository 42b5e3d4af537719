//! The requests of the kept S3 client on our transport, and its failures as ours.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use bytes::Bytes;
use clusterctl_core::store::StoreError;
use clusterctl_core::transport::{Transport, TransportError, TransportFailure};
use http::StatusCode;
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::aws::AwsCredential;
use object_store::client::{
    CredentialProvider, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

/// Why an answer is not one that the client could use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Transport(#[from] TransportError),
    #[error("no credentials: {0}")]
    Credentials(String),
    #[error("{message} ({code}, status {}, request {request_id})", .status.as_u16())]
    Refused { status: StatusCode, code: String, message: String, request_id: String },
}

impl Failure {
    /// The failure in the chain of causes that the client wraps around it.
    pub(super) fn within(error: &object_store::Error) -> Option<&Self> {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(failure) = error.downcast_ref() {
                return Some(failure);
            }
            cause = error.source();
        }
        None
    }

    pub(super) fn into_store_error(self, what: &str) -> StoreError {
        let text = format!("{what}: {self}");
        match self {
            Self::Transport(error) => {
                StoreError::Unavailable { what: text, retryable: error.kind != TransportFailure::Other }
            }
            Self::Credentials(_) => StoreError::Denied { what: text },
            Self::Refused { status, code, .. } => match (status.as_u16(), code.as_str()) {
                (401 | 403, _) | (400, "ExpiredToken" | "InvalidToken") => StoreError::Denied { what: text },
                // A conditional write that met another one: nothing was written, and nobody need have won.
                (409 | 408 | 429 | 500.., _) | (400, "RequestTimeout") => {
                    StoreError::Unavailable { what: text, retryable: true }
                }
                _ => StoreError::Unavailable { what: text, retryable: false },
            },
        }
    }
}

/// Makes the client send on our transport.
#[derive(Debug, Clone)]
pub(super) struct Wire(pub(super) Arc<dyn Transport>);

impl HttpConnector for Wire {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let answer = self.0.send(http::Request::from_parts(parts, body)).await.map_err(|e| failed(e.into()))?;
        match refusal(&answer) {
            Some(refused) => Err(failed(refused)),
            None => Ok(answer.map(Into::into)),
        }
    }
}

/// `Unknown` is the one kind that the client never repeats by itself.
fn failed(failure: Failure) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, failure)
}

/// What the service refused, beyond what the client must see to know that a condition does not hold or nothing is there.
fn refusal(answer: &http::Response<Bytes>) -> Option<Failure> {
    let status = answer.status();
    let text = String::from_utf8_lossy(answer.body());
    let code = element(&text, "Code").unwrap_or_default();
    let is_absent = status == StatusCode::NOT_FOUND && code != "NoSuchBucket";
    if status.is_success() || is_absent || matches!(status, StatusCode::PRECONDITION_FAILED | StatusCode::NOT_MODIFIED)
    {
        return None;
    }
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let mut message = element(&text, "Message").unwrap_or("the bucket's service refused").to_owned();
    if let (true, Some(region)) = (status.is_redirection() || status == 400, header("x-amz-bucket-region")) {
        message = format!("{message} The bucket is in {region}.");
    }
    let request_id = header("x-amz-request-id").or(element(&text, "RequestId")).unwrap_or("unknown").to_owned();
    Some(Failure::Refused { status, code: code.to_owned(), message, request_id })
}

/// The text of the first element of this name. Enough for S3's flat error documents, which hold no markup inside.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// The SDK's credentials for this client.
#[derive(Debug)]
pub(super) struct Credentials(pub(super) SharedCredentialsProvider);

#[async_trait]
impl CredentialProvider for Credentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let found = self.0.provide_credentials().await.map_err(|e| object_store::Error::Generic {
            store: "S3",
            source: Box::new(Failure::Credentials(match e.source() {
                Some(cause) => format!("{e}: {cause}"),
                None => e.to_string(),
            })),
        })?;
        Ok(Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        }))
    }
}
