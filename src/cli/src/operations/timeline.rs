//! Where the time of a run went: which phase each address belongs to, and the record beside the state.

use clusterctl_core::store::state::State;
use clusterctl_core::store::timeline;
use clusterctl_core::timeline::{Phases, Timeline};

use super::load::Wanted;
use super::session::Session;
use super::{App, Notice, export};

/// The phases of what is recorded, as far as the record still says what was wanted.
pub(crate) fn phases(app: &App, state: &State) -> Phases {
    let lowered = Wanted::recorded(state).and_then(|wanted| export::lowered(app, &wanted, Some(state.clone())));
    // Nothing but the words of a table depends on it.
    lowered.map(|lowered| Phases::of(&lowered.graph)).unwrap_or_default()
}

/// Records a run that ended; where that fails it is said, and nothing else.
pub(crate) async fn keep(app: &App, session: &Session, mut timeline: Timeline) -> Timeline {
    if timeline.steps.is_empty() {
        return timeline;
    }
    // Without the lock the last run is somebody else's.
    if let Err(lost) = session.lease.fence().await {
        app.tell(Notice::TimelineNotKept { why: &lost.to_string() });
        return timeline;
    }
    if let Ok(Some(earlier)) = timeline::load(&*session.store, &session.keys).await {
        timeline.follow(earlier);
    }
    if let Err(error) = timeline::save(&*session.store, &session.keys, &timeline).await {
        app.tell(Notice::TimelineNotKept { why: &error.to_string() });
    }
    timeline
}
