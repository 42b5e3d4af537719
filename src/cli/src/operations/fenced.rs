//! A way to the cloud that ends when the lock is lost.
//!
//! The engine asks the lease before every call of a driver; a driver may send several requests. Whoever was stopped in the
//! middle of one, such as a laptop that slept, must not send the rest when somebody else has taken over.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use clusterctl_core::store::lock::Lease;
use clusterctl_core::transport::{Transport, TransportError, TransportFailure};

/// The lease that a process holds at the moment, if it does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(Arc<Mutex<Weak<Lease>>>);

impl Held {
    pub(crate) fn hold(&self, lease: &Arc<Lease>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(lease);
    }

    fn lease(&self) -> Option<Arc<Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }
}

/// Sends only while the lease, where there is one, is ours.
#[derive(Debug)]
pub(crate) struct Fenced {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) held: Held,
}

#[async_trait]
impl Transport for Fenced {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        if let Some(lease) = self.held.lease() {
            lease.fence().await.map_err(|lost| TransportError {
                kind: TransportFailure::Other,
                message: format!("not sent: {lost}"),
            })?;
        }
        self.inner.send(request).await
    }
}
