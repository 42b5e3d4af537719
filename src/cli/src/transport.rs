//! The real network: reqwest behind the seam.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use clusterctl_core::transport::{Transport, TransportError, TransportFailure};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may pause between two pieces.
const READ: Duration = Duration::from_secs(60);
/// The largest answer that is taken. A page of a list is below a megabyte.
const LARGEST: usize = 64 << 20;

/// Carries requests with reqwest: rustls, the environment's proxies, no redirects and no repetition.
#[derive(Debug)]
pub(crate) struct Network {
    client: reqwest::Client,
}

impl Network {
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("clusterctl/", env!("CARGO_PKG_VERSION"), " (+https://clusterctl.dev)"))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(|e| failed(&e))?;
        let mut answer = self.client.execute(request).await.map_err(|e| failed(&e))?;
        let mut response = http::Response::builder().status(answer.status()).version(answer.version());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(|e| failed(&e))? {
            if body.len() + piece.len() > LARGEST {
                let message = format!("the answer is larger than {} MiB", LARGEST >> 20);
                return Err(TransportError { kind: TransportFailure::Lost, message });
            }
            body.extend_from_slice(&piece);
        }
        response
            .body(body.freeze())
            .map_err(|e| TransportError { kind: TransportFailure::Other, message: e.to_string() })
    }
}

fn failed(error: &reqwest::Error) -> TransportError {
    let kind = if error.is_connect() {
        TransportFailure::Connect
    } else if error.is_timeout() {
        TransportFailure::Timeout
    } else if error.is_builder() {
        TransportFailure::Other
    } else {
        TransportFailure::Lost
    };
    // The cause that a person can do something about is the innermost one.
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    TransportError { kind, message }
}
