//! When to call again: by the fault alone.

use std::time::Duration;

use rand::{Rng, RngExt};

use crate::cloud::{CloudError, Fault};

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// Call again after this long.
    Again(Duration),
    /// Look whether it was carried out.
    Look,
    /// Try the next rung.
    NextRung,
    /// It will not get better by itself.
    GiveUp,
}

/// How long things are given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the first call of a step to the last.
    pub(super) deadline: Duration,
}

pub(super) fn verdict(
    error: &CloudError,
    attempt: u32,
    spent: Duration,
    patience: Patience,
    rng: &mut dyn Rng,
) -> Verdict {
    let wait = match error.fault {
        Fault::Throttled => {
            // The pace of its bucket slows down as well, which does more than long waits of single calls.
            let ceiling = Duration::from_millis(500).saturating_mul(1 << attempt.min(5)).min(Duration::from_secs(10));
            // Full jitter, so that many callers do not come back together.
            let jittered = ceiling.mul_f64(rng.random_range(0.1..=1.0));
            error.retry_after.map_or(jittered, |asked| asked.max(jittered))
        }
        Fault::NotReady => {
            let base = Duration::from_millis(300).saturating_mul(1 << attempt.min(5)).min(Duration::from_secs(8));
            base.mul_f64(rng.random_range(0.8..=1.2))
        }
        Fault::Ambiguous => return Verdict::Look,
        Fault::Capacity => return Verdict::NextRung,
        Fault::Quota | Fault::Auth | Fault::Conflict | Fault::Permanent => return Verdict::GiveUp,
    };
    if spent + wait > patience.deadline { Verdict::GiveUp } else { Verdict::Again(wait) }
}

/// How long to leave a call alone that was not answered, before it is looked for or repeated.
pub(super) fn after_silence(attempt: u32) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << attempt.min(6)).min(Duration::from_secs(10))
}

/// How long to leave a slow operation alone before asking again: often at first where things are quick, then by its
/// expected length.
pub(super) fn poll_after(polls: u32, expected: f64) -> Duration {
    let ceiling = (expected / 12.0).clamp(0.5, 5.0);
    Duration::from_secs_f64((0.25 * f64::from(1 << polls.min(8))).min(ceiling))
}

/// How long a step of a kind that takes `expected` seconds may take.
pub(super) fn patience(expected: f64) -> Patience {
    Patience { deadline: Duration::from_secs_f64((expected * 8.0).clamp(300.0, 1800.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn error(fault: Fault) -> CloudError {
        CloudError::new(fault, "ec2:CreateVpc", "X", "x")
    }

    #[test]
    fn permanent_errors_get_one_attempt() {
        let mut rng = StdRng::seed_from_u64(1);
        for fault in [Fault::Quota, Fault::Auth, Fault::Conflict, Fault::Permanent] {
            let verdict = verdict(&error(fault), 0, Duration::ZERO, patience(1.0), &mut rng);
            assert_eq!(verdict, Verdict::GiveUp);
        }
    }

    #[test]
    fn a_throttled_call_waits_as_long_as_the_cloud_asks() {
        let mut rng = StdRng::seed_from_u64(1);
        let asked = CloudError { retry_after: Some(Duration::from_secs(7)), ..error(Fault::Throttled) };
        assert_eq!(verdict(&asked, 0, Duration::ZERO, patience(1.0), &mut rng), Verdict::Again(Duration::from_secs(7)));
    }

    #[test]
    fn waiting_ends_at_the_deadline() {
        let mut rng = StdRng::seed_from_u64(1);
        let late = verdict(&error(Fault::NotReady), 9, Duration::from_secs(299), patience(1.0), &mut rng);
        assert_eq!(late, Verdict::GiveUp);
    }
}
