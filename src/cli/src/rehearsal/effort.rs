//! How much is asked when something goes wrong: not too little, and not for ever.
//!
//! What passes by itself is no reason to give up, and what was refused for good is not asked for again.

use super::faults::Fault;
use super::oracles::{Verdict, Violation};
use super::process::{Came, Ran};
use super::trial::Hit;

/// Faults after which the same request, asked again in the same run, is answered.
const PASSING: [Fault; 11] = [
    Fault::Throttled,
    Fault::ThrottledWithPause,
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::SilenceBefore,
    Fault::SilenceAfter,
    Fault::NoConnection,
    Fault::Poisoned,
    Fault::Dependency,
];

/// Judges one process by what it met.
pub(crate) fn judged(met: &[Hit], ran: &Ran) -> Verdict {
    if let ([hit], Came::Failed(failure)) = (met, &ran.came)
        && PASSING.contains(&hit.fault)
    {
        let what = format!("{hit} passes by itself, and it gave up: {failure} {:?}", failure.details);
        return Err(Violation::new("O1 converges", what));
    }
    let refused = met.iter().find(|hit| matches!(hit.fault, Fault::Quota | Fault::Expired));
    if let (Some(hit), Some(again)) = (refused, ran.remedies.iter().find(|remedy| for_good(remedy))) {
        let what = format!("{hit} was refused for good, and was asked for again: {again}");
        return Err(Violation::new("O1 converges", what));
    }
    Ok(())
}

/// Whether it says that what the cloud refused for good is asked for again.
fn for_good(remedy: &str) -> bool {
    use clusterctl_core::cloud::Fault::{Auth, Conflict, Permanent, Quota};
    let refused = |fault: clusterctl_core::cloud::Fault| remedy.contains(&format!(": {} (", fault.word()));
    remedy.contains(", again in ") && [Quota, Auth, Conflict, Permanent].into_iter().any(refused)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::rehearsal::faults::Mischief;

    fn ran(came: Came, remedies: &[&str]) -> Ran {
        let remedies = remedies.iter().map(|remedy| (*remedy).to_owned()).collect();
        Ran { came, took: Duration::ZERO, writes: 0, remedies, mischief: Mischief::default(), most: Default::default() }
    }

    fn hit(fault: Fault) -> Hit {
        Hit { action: "ec2:CreateVpc".to_owned(), occurrence: 0, fault }
    }

    #[test]
    fn giving_up_is_right_only_where_asking_again_is_no_use() {
        let gave_up = || ran(Came::Failed(Box::new(Failure::new(Kind::Resumable, "given up"))), &[]);
        assert!(judged(&[hit(Fault::Throttled)], &gave_up()).is_err());
        assert_eq!(judged(&[hit(Fault::Quota)], &gave_up()), Ok(()));
        assert_eq!(judged(&[hit(Fault::Throttled)], &ran(Came::Well, &[])), Ok(()));
        let again = ["aws_vpc.main: quota exceeded (VpcLimitExceeded), again in 1s"];
        assert!(judged(&[hit(Fault::Quota)], &ran(Came::Well, &again)).is_err());
        let throttled = ["aws_vpc.main: throttled (RequestLimitExceeded), again in 1s"];
        assert_eq!(judged(&[hit(Fault::Throttled)], &ran(Came::Well, &throttled)), Ok(()));
    }
}
