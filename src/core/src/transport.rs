//! The seam to the network: one HTTP request in, one response out.
//!
//! reqwest stands behind it in the binary; a simulator's router or a recording in tests and rehearsals. Whatever a
//! provider's SDK sends goes through here, so that nothing else in the process opens a connection.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

/// Carries HTTP requests.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends `request` once; a status of any kind is an `Ok`.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError>;
}

/// No response came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    pub kind: TransportFailure,
    pub message: String,
}

/// What is known about a request that got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportFailure {
    /// The connection was never made: the request cannot have been carried out.
    Connect,
    /// The answer did not come in time: the request may have been carried out.
    Timeout,
    /// The connection broke before the answer was whole: the request may have been carried out.
    Lost,
    /// The request could not be built or sent at all.
    Other,
}
