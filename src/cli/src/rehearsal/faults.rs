//! What can go wrong with a request or a write, by name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clusterctl_simulator::fault::{Done, Injection, Seen, Trouble};

/// A fault of one request to the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// The process is killed before its request is carried out: the intent is on record, nothing happened.
    KillBefore,
    /// Killed when the request was carried out and its answer was not there yet.
    KillAfter,
    /// Killed when the answer was there, and before it was on record.
    KillAnswered,
    /// Killed before the intent is on record.
    KillUnintended,
    /// Killed when the outcome is on record.
    KillRecorded,
    Throttled,
    ThrottledWithPause,
    ErrorBefore,
    ErrorAfter,
    ResetBefore,
    ResetAfter,
    SilenceBefore,
    SilenceAfter,
    NoConnection,
    MissingAfterCreate,
    StaleList,
    Quota,
    Capacity,
    PartialBatch,
    FailsLater,
    NeverEnds,
    Expired,
    Poisoned,
    /// Somebody else changed it in the meantime.
    Dependency,
}

/// Actions that do several things at once, of which some may not be done.
const BATCHES: [&str; 4] = [
    "ssm:DeleteParameters",
    "ec2:DeleteVpcEndpoints",
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup",
];

impl Fault {
    pub(crate) const ALL: [Self; 24] = [
        Self::KillBefore,
        Self::KillAfter,
        Self::KillAnswered,
        Self::KillUnintended,
        Self::KillRecorded,
        Self::Throttled,
        Self::ThrottledWithPause,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::SilenceBefore,
        Self::SilenceAfter,
        Self::NoConnection,
        Self::MissingAfterCreate,
        Self::StaleList,
        Self::Quota,
        Self::Capacity,
        Self::PartialBatch,
        Self::FailsLater,
        Self::NeverEnds,
        Self::Expired,
        Self::Poisoned,
        Self::Dependency,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::KillBefore => "killed before the request was carried out",
            Self::KillAfter => "killed before the answer",
            Self::KillAnswered => "killed before the answer was on record",
            Self::KillUnintended => "killed before the intent was on record",
            Self::KillRecorded => "killed when the outcome was on record",
            Self::Throttled => "throttled",
            Self::ThrottledWithPause => "throttled, with Retry-After",
            Self::ErrorBefore => "internal error, not carried out",
            Self::ErrorAfter => "internal error, carried out",
            Self::ResetBefore => "connection reset, not carried out",
            Self::ResetAfter => "connection reset, carried out",
            Self::SilenceBefore => "no answer, not carried out",
            Self::SilenceAfter => "no answer, carried out",
            Self::NoConnection => "no connection",
            Self::MissingAfterCreate => "not found although it was made",
            Self::StaleList => "a stale list",
            Self::Quota => "quota exceeded",
            Self::Capacity => "no capacity",
            Self::PartialBatch => "one of several not done",
            Self::FailsLater => "accepted, then failed",
            Self::NeverEnds => "accepted, and never finished",
            Self::Expired => "credentials expired",
            Self::Poisoned => "a page instead of an answer",
            Self::Dependency => "something still depends on it",
        }
    }

    /// Whether this can happen to a request at all: a read is not refused for a quota.
    pub(crate) fn befalls(self, request: &Seen) -> bool {
        let creates = request.action.split_once(':').is_some_and(|(_, name)| {
            ["Create", "Run", "Allocate", "Import", "Put"].iter().any(|verb| name.starts_with(verb))
        });
        let deletes = request.action.split_once(':').is_some_and(|(_, name)| {
            ["Delete", "Terminate", "Release", "Detach", "Disassociate"].iter().any(|verb| name.starts_with(verb))
        });
        match self {
            Self::Quota | Self::FailsLater | Self::NeverEnds => creates,
            Self::Capacity => request.action == "ec2:RunInstances",
            Self::PartialBatch => BATCHES.contains(&request.action.as_str()),
            Self::Dependency => deletes,
            Self::StaleList => !request.writes,
            Self::MissingAfterCreate => request.writes && !creates,
            // A read is never carried out: before and after are the same.
            Self::KillAfter | Self::ErrorAfter | Self::ResetAfter | Self::SilenceAfter => request.writes,
            Self::KillUnintended | Self::KillRecorded => request.writes,
            _ => true,
        }
    }

    /// Ends the process.
    pub(crate) fn kills(self) -> bool {
        matches!(
            self,
            Self::KillBefore | Self::KillAfter | Self::KillAnswered | Self::KillUnintended | Self::KillRecorded
        )
    }

    /// What the simulator is told; none for what happens at the next write to the store.
    pub(crate) fn injection(self) -> Option<Injection> {
        let refuse = |done, status, code: &str, message: &str, retry_after| Injection::Refuse {
            done,
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            retry_after,
        };
        let internal = "An internal error has occurred";
        Some(match self {
            Self::KillBefore => Injection::Kill(Done::Before),
            Self::KillAfter => Injection::Kill(Done::After),
            Self::KillAnswered | Self::KillUnintended | Self::KillRecorded => return None,
            Self::Throttled => refuse(Done::Before, 503, "RequestLimitExceeded", "Request limit exceeded.", None),
            Self::ThrottledWithPause => {
                refuse(Done::Before, 503, "RequestLimitExceeded", "Request limit exceeded.", Some(7))
            }
            Self::ErrorBefore => refuse(Done::Before, 500, "InternalError", internal, None),
            Self::ErrorAfter => refuse(Done::After, 500, "InternalError", internal, None),
            Self::ResetBefore => Injection::Reset(Done::Before),
            Self::ResetAfter => Injection::Reset(Done::After),
            Self::SilenceBefore => Injection::Silence(Done::Before),
            Self::SilenceAfter => Injection::Silence(Done::After),
            Self::NoConnection => Injection::NoConnection,
            Self::MissingAfterCreate => {
                refuse(Done::Before, 400, "InvalidResourceID.NotFound", "The ID does not exist", None)
            }
            Self::StaleList => Injection::Stale,
            Self::Quota => refuse(Done::Before, 400, "ResourceLimitExceeded", "The limit has been reached.", None),
            Self::Capacity => refuse(
                Done::Before,
                500,
                "InsufficientInstanceCapacity",
                "There is no Availability Zone with enough capacity.",
                None,
            ),
            Self::PartialBatch => Injection::Partial,
            Self::FailsLater => Injection::FailsLater,
            Self::NeverEnds => Injection::NeverEnds,
            Self::Expired => refuse(Done::Before, 400, "ExpiredToken", "The security token has expired", None),
            Self::Poisoned => Injection::Poison("<html><body>Sign in to the network</body></html>".to_owned()),
            Self::Dependency => refuse(Done::Before, 400, "DependencyViolation", "It has a dependent object", None),
        })
    }
}

/// What is to happen to the store's next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    KillBefore,
    KillAfter,
}

/// Which request meets what.
pub(crate) type Aim = Box<dyn FnMut(&Seen) -> Option<Fault> + Send>;

/// The trouble of one process, shared by its way to the cloud and its way to the store.
#[derive(Clone, Default)]
pub(crate) struct Mischief(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    aim: Option<Aim>,
    write: Option<Write>,
    met: Vec<(Seen, Fault)>,
    requests: Vec<Seen>,
}

impl std::fmt::Debug for Mischief {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mischief")
    }
}

impl Mischief {
    pub(crate) fn new(aim: impl FnMut(&Seen) -> Option<Fault> + Send + 'static) -> Self {
        let inner = Inner { aim: Some(Box::new(aim)), ..Inner::default() };
        Self(Arc::new(Mutex::new(inner)))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the store's next write meets.
    pub(crate) fn next_write(&self) -> Option<Write> {
        self.inner().write.take()
    }

    /// What was injected.
    pub(crate) fn met(&self) -> Vec<(Seen, Fault)> {
        self.inner().met.clone()
    }

    /// Everything that was asked of the cloud.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.inner().requests.clone()
    }
}

impl Trouble for Mischief {
    fn meets(&mut self, request: &Seen) -> Option<Injection> {
        let mut inner = self.inner();
        inner.requests.push(request.clone());
        let fault = inner.aim.as_mut().and_then(|aim| aim(request)).filter(|fault| fault.befalls(request))?;
        inner.met.push((request.clone(), fault));
        match fault {
            // The next write to the store is the outcome of this request, or the intent of the next.
            Fault::KillAnswered | Fault::KillUnintended => inner.write = Some(Write::KillBefore),
            Fault::KillRecorded => inner.write = Some(Write::KillAfter),
            _ => {}
        }
        fault.injection()
    }
}
