//! All that is recorded of a cluster and its last run, for a report: no cloud is asked.

use clusterctl_core::blueprint::{Blueprint, CloudTraits, design};
use clusterctl_core::store::journal::current;
use clusterctl_core::store::state::State;
use clusterctl_core::store::{ClusterKeys, StoreError, timeline};
use clusterctl_core::timeline::Timeline;

use super::load::{self, Wanted};
use super::prepare::kept_choices;
use super::{App, Notice};
use crate::failure::{Failure, Kind};

/// What a report is made of.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) state: State,
    /// The layout; `None` where the record has no cluster file any more.
    pub(crate) blueprint: Option<Blueprint>,
    /// The last run; `None` where none was recorded.
    pub(crate) timeline: Option<Timeline>,
    /// No cloud has any of it.
    pub(crate) simulated: bool,
}

/// Reads the record of a cluster, also of one that was deleted.
pub(crate) async fn account(app: &App, name: &str) -> Result<Account, Failure> {
    let store = app.open_store().await?;
    let keys = ClusterKeys::new(name)?;
    let Some(current) = current(&*store, &keys).await? else {
        return Err(load::unknown(app, &*store, name).await);
    };
    let state = current.state;
    let timeline = match timeline::load(&*store, &keys).await {
        Ok(timeline) => timeline.filter(|timeline| timeline.uid == state.uid),
        // Nothing depends on it, so that the rest is worth a report.
        Err(error @ (StoreError::Corrupt { .. } | StoreError::Newer { .. })) => {
            app.tell(Notice::TimelineUnreadable { why: &error.to_string() });
            None
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Account { blueprint: layout(&state), state, timeline, simulated: app.settings.simulated.is_some() })
}

/// The layout, which is the same in every cloud's words.
fn layout(state: &State) -> Option<Blueprint> {
    // Packets are not drawn: any cloud's size of them will do.
    const ANY: CloudTraits = CloudTraits { mtu: 1500 };
    let wanted = Wanted::recorded(state).ok()?;
    design(&wanted.cluster, &kept_choices(state).ok()?, state.uid.as_str(), ANY).ok()
}

/// Writes a file whole; `-` is for the console and not for here.
pub(crate) fn write(path: &str, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| Failure::new(Kind::Failed, format!("{path} cannot be written: {e}")))
}
