//! What lists do not show yet.
//!
//! A cloud's lists are behind: what was made a moment ago may be missing in one answer and be there in the next. So what
//! the record has and no list shows is looked for again before it counts as gone, and a create that was perhaps carried
//! out twice is not left before its twin would have appeared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::addr::Addr;
use clusterctl_core::cloud::{Live, Observed};
use clusterctl_core::graph::{Kind, kind_of};
use clusterctl_core::store::journal::{Action, Intent, Op};
use clusterctl_core::store::state::State;
use jiff::{SignedDuration, Timestamp};

use super::{App, Notice};

/// How far behind a list is taken to be at most. EC2 gives no bound
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>); this is what the reliability programme
/// plays.
pub(crate) const LAG: Duration = Duration::from_secs(180);

/// What is recorded and was not observed, and whether any of it is so young that lists may not know it.
#[derive(Debug, Default)]
pub(crate) struct Unseen {
    pub(crate) addrs: Vec<Addr>,
    pub(crate) young: bool,
}

/// Compares the record with what was observed. What somebody has asked to delete may well be gone.
pub(crate) fn unseen(state: &State, observed: &Observed, now: Timestamp, lag: Duration) -> Unseen {
    let going = |addr: &str| state.pending.values().any(|i| i.action == Action::Delete && i.addr == addr);
    let mut unseen = Unseen::default();
    for (text, recorded) in &state.resources {
        let Ok(addr) = text.parse::<Addr>() else { continue };
        let lives = observed.resources.get(&addr).map_or(&[][..], Vec::as_slice);
        if lives.iter().any(|live| live.id == recorded.id) || going(text) {
            continue;
        }
        unseen.young |= recorded.made_at.is_some_and(|at| is_young(at, now, lag));
        unseen.addrs.push(addr);
    }
    unseen
}

/// Whether an address was changed so lately, by whichever run, that lists may tell of it as it was before.
pub(crate) fn is_in_motion(state: &State, addr: &Addr, now: Timestamp, lag: Duration) -> bool {
    state.changed.get(&addr.to_string()).is_some_and(|at| is_young(*at, now, lag))
}

fn is_young(at: Timestamp, now: Timestamp, lag: Duration) -> bool {
    now.duration_since(at) < SignedDuration::try_from(lag).unwrap_or(SignedDuration::MAX)
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

/// The creates without an answer of which no list shows yet whether they made something: of a kind without token or name
/// of its own, asked for more often than new ones are seen, and so lately that lists may be behind.
pub(crate) fn doubts(
    state: &State,
    kinds: &[&'static Kind],
    observed: &Observed,
    now: Timestamp,
    lag: Duration,
) -> BTreeSet<Op> {
    let mut asked: BTreeMap<&str, Vec<&Intent>> = BTreeMap::new();
    for intent in unanswered(state, kinds) {
        asked.entry(&intent.addr).or_default().push(intent);
    }
    let mut doubts = BTreeSet::new();
    for (text, intents) in asked {
        let lives = text.parse().ok().and_then(|addr: Addr| observed.resources.get(&addr));
        let known = |id: &String| {
            state.resources.get(text).is_some_and(|recorded| recorded.id == *id)
                || state.former.get(text).is_some_and(|former| former.contains(id))
        };
        let new = lives.map_or(0, |lives| lives.iter().filter(|live| !known(&live.id)).count());
        let unseen = intents.into_iter().skip(new).filter(|intent| is_young(intent.at, now, lag));
        doubts.extend(unseen.map(|intent| intent.op));
    }
    doubts
}

/// Waits until a twin would be seen of what may have been made twice. `false` when it was interrupted.
pub(crate) async fn until_twins_are_seen(app: &App, state: &State, kinds: &[&'static Kind]) -> bool {
    let Some(asked) = unanswered(state, kinds).map(|intent| intent.at).max() else { return true };
    let passed = Duration::try_from(app.clock.now().duration_since(asked)).unwrap_or(Duration::ZERO);
    let wait = app.settings.lag.saturating_sub(passed);
    if wait.is_zero() {
        return true;
    }
    app.tell(Notice::Doubtful { wait });
    app.interrupt.sleep(wait).await
}

/// The creates that may have been carried out without anybody knowing, and that the cloud would carry out again.
pub(crate) fn unanswered<'a>(state: &'a State, kinds: &'a [&'static Kind]) -> impl Iterator<Item = &'a Intent> {
    let creates = state.pending.values().filter(|intent| intent.action == Action::Create);
    creates.filter(|intent| kind_of(kinds, intent.kind()).is_none_or(|kind| !kind.idempotent))
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
            unready: None,
        };
        state.resources.insert("fake_disk.a".to_owned(), recorded);
        state
    }

    #[test]
    fn what_was_made_a_minute_ago_may_be_hidden_and_what_is_old_is_not() {
        let made = Timestamp::UNIX_EPOCH;
        let after =
            |seconds| unseen(&state(Some(made)), &Observed::default(), made + SignedDuration::from_secs(seconds), LAG);
        assert!(after(60).young);
        assert!(!after(181).young);
        assert_eq!(after(181).addrs.len(), 1);
        assert!(!unseen(&state(None), &Observed::default(), made, LAG).young);
    }

    #[test]
    fn what_another_run_changed_a_minute_ago_may_be_told_as_it_was() {
        let (mut state, changed) = (state(None), Timestamp::UNIX_EPOCH);
        let addr: Addr = "fake_disk.a".parse().expect("an address");
        let after =
            |state: &State, seconds| is_in_motion(state, &addr, changed + SignedDuration::from_secs(seconds), LAG);
        assert!(!after(&state, 60));
        state.changed.insert(addr.to_string(), changed);
        assert!(after(&state, 60));
        assert!(!after(&state, 181));
    }

    #[test]
    fn another_of_the_same_address_is_not_the_recorded_one() {
        let mut observed = Observed::default();
        let addr: Addr = "fake_disk.a".parse().expect("an address");
        observed.insert(addr.clone(), Live::new("disk-2"));
        assert_eq!(unseen(&state(None), &observed, Timestamp::UNIX_EPOCH, LAG).addrs, std::slice::from_ref(&addr));
        observed.insert(addr, Live::new("disk-1"));
        assert!(unseen(&state(None), &observed, Timestamp::UNIX_EPOCH, LAG).addrs.is_empty());
    }

    #[test]
    fn a_create_of_which_nothing_is_seen_is_in_doubt_until_lists_must_know_it() {
        static NET: Kind = Kind { idempotent: false, ..Kind::new("fake_net") };
        let asked = Timestamp::UNIX_EPOCH;
        let mut state = state(None);
        for op in [1, 2] {
            let intent = Intent {
                op: Op(op),
                addr: "fake_net.main".to_owned(),
                action: Action::Create,
                id: None,
                generation: 0,
                token: String::new(),
                digest: String::new(),
                depends: BTreeSet::new(),
                awaited: false,
                at: asked,
            };
            state.pending.insert(Op(op), intent);
        }
        let mut observed = Observed::default();
        let doubts = |state: &State, observed: &Observed, seconds| {
            doubts(state, &[&NET], observed, asked + SignedDuration::from_secs(seconds), LAG).len()
        };
        assert_eq!((doubts(&state, &observed, 20), doubts(&state, &observed, 181)), (2, 0));
        observed.insert(Addr::new("fake_net", "main"), Live::new("net-1"));
        assert_eq!(doubts(&state, &observed, 20), 1);
        // What is on record has had its answer: it is none of those without.
        let recorded = state.resources["fake_disk.a"].clone();
        state.resources.insert("fake_net.main".to_owned(), Recorded { id: "net-1".to_owned(), ..recorded });
        assert_eq!(doubts(&state, &observed, 20), 2);
    }
}
