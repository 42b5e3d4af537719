//! What lists do not show yet.
//!
//! A cloud's lists are behind: what was made a moment ago may be missing in one answer and be there in the next. So what
//! the record has and no list shows is looked for again before it counts as gone, and a create that was perhaps carried
//! out twice is not left before its twin would have appeared.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Live, Observed};
use clusterctl_core::graph::{Kind, kind_of};
use clusterctl_core::store::journal::Action;
use clusterctl_core::store::state::State;
use jiff::{SignedDuration, Timestamp};

use super::{App, Notice};

/// No list of a cloud is known to be further behind. EC2 advises to wait "up to 5 minutes" with growing pauses, and
/// minutes have been seen: <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>.
pub(crate) const LAG: Duration = Duration::from_secs(180);

/// What is recorded and was not observed, and whether any of it is so young that lists may not know it.
#[derive(Debug, Default)]
pub(crate) struct Unseen {
    pub(crate) addrs: Vec<Addr>,
    pub(crate) young: bool,
}

/// Compares the record with what was observed. What somebody has asked to delete may well be gone.
pub(crate) fn unseen(state: &State, observed: &Observed, now: Timestamp) -> Unseen {
    let going = |addr: &str| state.pending.values().any(|i| i.action == Action::Delete && i.addr == addr);
    let mut unseen = Unseen::default();
    for (text, recorded) in &state.resources {
        let Ok(addr) = text.parse::<Addr>() else { continue };
        let lives = observed.resources.get(&addr).map_or(&[][..], Vec::as_slice);
        if lives.iter().any(|live| live.id == recorded.id) || going(text) {
            continue;
        }
        unseen.young |= recorded.made_at.is_some_and(|at| now.duration_since(at) < lag());
        unseen.addrs.push(addr);
    }
    unseen
}

fn lag() -> SignedDuration {
    SignedDuration::try_from(LAG).unwrap_or(SignedDuration::MAX)
}

/// The pauses between looks for what is not seen: one look more for what is old, and as many as it takes for the rest.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    [2, 4, 8, 15, 30, 60, 70].into_iter().map(Duration::from_secs)
}

/// Adds what an earlier look has seen of what this one does not.
pub(crate) fn add(observed: &mut Observed, earlier: BTreeMap<Addr, Vec<Arc<Live>>>, missing: &[Addr]) {
    for (addr, lives) in earlier {
        if missing.contains(&addr) {
            observed.resources.entry(addr).or_insert(lives);
        }
    }
}

/// Waits until a twin would be seen of what may have been made twice: while a create of a kind without token or name of
/// its own has no answer. `false` when it was interrupted.
pub(crate) async fn until_twins_are_seen(app: &App, state: &State, kinds: &[&'static Kind]) -> bool {
    let Some(asked) = doubtful_since(state, kinds) else { return true };
    let passed = Duration::try_from(app.clock.now().duration_since(asked)).unwrap_or(Duration::ZERO);
    let wait = LAG.saturating_sub(passed);
    if wait.is_zero() {
        return true;
    }
    app.tell(Notice::Doubtful { wait });
    app.interrupt.sleep(wait).await
}

/// When the last create was asked for that may have been carried out without anybody knowing.
fn doubtful_since(state: &State, kinds: &[&'static Kind]) -> Option<Timestamp> {
    let creates = state.pending.values().filter(|intent| intent.action == Action::Create);
    let doubtful = creates.filter(|intent| kind_of(kinds, intent.kind()).is_none_or(|kind| !kind.idempotent));
    doubtful.map(|intent| intent.at).max()
}

#[cfg(test)]
mod tests {
    use clusterctl_core::store::state::{AppliedSpec, Birth, Recorded};
    use rand::SeedableRng as _;

    use super::*;

    fn state(made_at: Option<Timestamp>) -> State {
        let birth = Birth {
            name: "demo".to_owned(),
            cloud: "fake".to_owned(),
            account: None,
            region: "north".to_owned(),
            spec: AppliedSpec::default(),
            at: Timestamp::UNIX_EPOCH,
        };
        let mut state = State::new(birth, &mut rand::rngs::StdRng::seed_from_u64(1));
        let recorded = Recorded {
            id: "disk-1".to_owned(),
            outputs: BTreeMap::new(),
            depends: Default::default(),
            generation: 0,
            made_at,
        };
        state.resources.insert("fake_disk.a".to_owned(), recorded);
        state
    }

    #[test]
    fn what_was_made_a_minute_ago_may_be_hidden_and_what_is_old_is_not() {
        let made = Timestamp::UNIX_EPOCH;
        let after =
            |seconds| unseen(&state(Some(made)), &Observed::default(), made + SignedDuration::from_secs(seconds));
        assert!(after(60).young);
        assert!(!after(181).young);
        assert_eq!(after(181).addrs.len(), 1);
        assert!(!unseen(&state(None), &Observed::default(), made).young);
    }

    #[test]
    fn another_of_the_same_address_is_not_the_recorded_one() {
        let mut observed = Observed::default();
        let addr: Addr = "fake_disk.a".parse().expect("an address");
        observed.insert(addr.clone(), Live::new("disk-2"));
        assert_eq!(unseen(&state(None), &observed, Timestamp::UNIX_EPOCH).addrs, std::slice::from_ref(&addr));
        observed.insert(addr, Live::new("disk-1"));
        assert!(unseen(&state(None), &observed, Timestamp::UNIX_EPOCH).addrs.is_empty());
    }
}
