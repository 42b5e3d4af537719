//! Reads that are asked again when the cloud was busy or silent.

use std::time::Duration;

use clusterctl_core::cloud::{CloudError, Fault};
use clusterctl_core::provider::Refusal;
use rand::RngExt as _;
use tokio::time::Instant;

use super::{App, Notice};

/// How long one read is tried.
const DEADLINE: Duration = Duration::from_secs(90);

/// An error that may come from a cloud.
pub(crate) trait FromCloud {
    fn cloud(&self) -> Option<&CloudError>;
}

impl FromCloud for CloudError {
    fn cloud(&self) -> Option<&CloudError> {
        Some(self)
    }
}

impl FromCloud for Refusal {
    fn cloud(&self) -> Option<&CloudError> {
        match self {
            Self::Cloud(error) => Some(error),
            _ => None,
        }
    }
}

/// Reads, and reads again with growing pauses while the cloud is busy or does not answer.
///
/// # Errors
/// At once what waiting does not mend, and otherwise the last error when patience has run out.
pub(crate) async fn patiently<T, E: FromCloud>(
    app: &App,
    what: &str,
    mut read: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(400);
    loop {
        let error = match read().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let passing =
            error.cloud().filter(|e| matches!(e.fault, Fault::Throttled | Fault::NotReady | Fault::Ambiguous));
        let Some(cloud) = passing else { return Err(error) };
        // Half to one and a half of the pause, so that many runs do not come back together.
        let jittered = pause.mul_f64(0.5 + app.rng().random::<f64>());
        let wait = cloud.retry_after.map_or(jittered, |asked| asked.max(jittered));
        if begun.elapsed() + wait > DEADLINE {
            return Err(error);
        }
        app.tell(Notice::Again { what, error: cloud, wait });
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(Duration::from_secs(8));
    }
}
