//! How many calls at once, and how fast, per kind of resource and read or write.
//!
//! Nothing is held back until a cloud says that it is too much; then the pace of that bucket halves, and recovers by a
//! fifth with every call that passes. Calls that were under way together and are all refused count as one. EC2 has a
//! bucket for each action, of a size that differs between accounts, so that a fixed rate would be wrong for everybody:
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::cloud::Fault;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Read,
    Write,
}

type Bucket = (&'static str, Class);

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Time between the starts of two calls.
    gap: Duration,
    next: Instant,
    /// When it was last slowed down.
    slowed: Instant,
}

const SMALLEST: Duration = Duration::from_millis(20);
const LARGEST: Duration = Duration::from_secs(2);
/// Refusals so near to each other have one cause.
const TOGETHER: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Budget {
    slots: Semaphore,
    paces: Mutex<HashMap<Bucket, Pace>>,
}

impl Budget {
    pub(super) fn new(slots: usize) -> Self {
        Self { slots: Semaphore::new(slots), paces: Mutex::new(HashMap::new()) }
    }

    /// Waits for its turn. The slot is free again when the permit is dropped.
    pub(super) async fn turn(&self, bucket: Bucket) -> Option<SemaphorePermit<'_>> {
        let start = self.paces().get_mut(&bucket).map(|pace| {
            let start = pace.next.max(Instant::now());
            pace.next = start + pace.gap;
            start
        });
        if let Some(start) = start {
            tokio::time::sleep_until(start).await;
        }
        self.slots.acquire().await.ok()
    }

    /// Learns from how a call ended.
    pub(super) fn learn(&self, bucket: Bucket, fault: Option<Fault>) {
        let mut paces = self.paces();
        if fault == Some(Fault::Throttled) {
            let now = Instant::now();
            match paces.get_mut(&bucket) {
                Some(pace) if now < pace.slowed + pace.gap.max(TOGETHER) => {}
                Some(pace) => {
                    pace.gap = (pace.gap * 2).min(LARGEST);
                    pace.next = pace.next.max(now + pace.gap);
                    pace.slowed = now;
                }
                None => {
                    let gap = SMALLEST * 2;
                    paces.insert(bucket, Pace { gap, next: now + gap, slowed: now });
                }
            }
        } else if fault.is_none()
            && let Some(pace) = paces.get_mut(&bucket)
        {
            pace.gap = pace.gap * 4 / 5;
            if pace.gap < SMALLEST {
                paces.remove(&bucket);
            }
        }
    }

    fn paces(&self) -> std::sync::MutexGuard<'_, HashMap<Bucket, Pace>> {
        self.paces.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
