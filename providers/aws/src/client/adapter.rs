//! The SDK's HTTP client, answered by our [`Transport`].

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use clusterctl_core::transport::{Transport, TransportError, TransportFailure};

/// Every client of the SDK, and every step of its credential chain, sends through this.
#[derive(Debug, Clone)]
pub(crate) struct Adapter(pub(crate) Arc<dyn Transport>);

impl HttpClient for Adapter {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // Only the instance and container metadata services set a read timeout: off AWS their addresses are a black
        // hole, and the credential chain has to get past them in a second or two. The connection's own timeout is the
        // transport's business.
        let limit = settings.read_timeout().map(|read| read + settings.connect_timeout().unwrap_or_default());
        SharedHttpConnector::new(Connection { transport: Arc::clone(&self.0), limit })
    }
}

#[derive(Debug)]
struct Connection {
    transport: Arc<dyn Transport>,
    limit: Option<Duration>,
}

impl HttpConnector for Connection {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (transport, limit) = (Arc::clone(&self.transport), self.limit);
        HttpConnectorFuture::new(async move {
            let request = outgoing(request)?;
            let answer = match limit {
                None => transport.send(request).await,
                Some(limit) => tokio::time::timeout(limit, transport.send(request)).await.unwrap_or_else(|_| {
                    let message = format!("no answer within {} s", limit.as_secs_f64());
                    Err(TransportError { kind: TransportFailure::Timeout, message })
                }),
            };
            incoming(answer.and_then(spoken).map_err(unanswered)?)
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
    let (parts, body) = request.into_parts();
    match body.bytes() {
        Some(bytes) => Ok(http::Request::from_parts(parts, Bytes::copy_from_slice(bytes))),
        None => Err(ConnectorError::user("a streaming body cannot be sent".into())),
    }
}

/// Refuses a page that something on the way put in the place of an answer. Where an action answers nothing but its success,
/// the SDK takes every body with status 200 for that. The body decides and not its type, which emulators write wrongly.
fn spoken(response: http::Response<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
    let begins = response.body().trim_ascii_start();
    let is = |tag: &str| begins.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    if !response.status().is_success() || !(is("<!doctype html") || is("<html")) {
        return Ok(response);
    }
    let message = format!("status {} with a page of HTML, which AWS does not write", response.status().as_u16());
    Err(TransportError { kind: TransportFailure::Lost, message })
}

fn incoming(response: http::Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    response.map(SdkBody::from).try_into().map_err(|e| ConnectorError::other(Box::new(e), None))
}

/// Keeps our error as the source: what it knows of the request's fate decides the fault.
fn unanswered(error: TransportError) -> ConnectorError {
    match error.kind {
        TransportFailure::Connect => ConnectorError::io(error.into()).never_connected(),
        TransportFailure::Timeout => ConnectorError::timeout(error.into()),
        TransportFailure::Lost => ConnectorError::io(error.into()),
        TransportFailure::Other => ConnectorError::user(error.into()),
    }
}
