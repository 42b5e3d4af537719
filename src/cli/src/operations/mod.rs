//! What a command does, without a word printed: load, prepare, observe, plan, carry out, record.
//!
//! ```text
//! load ─▶ session (lock) ─▶ prepare (connect, choose, design, lower) ─▶ observe ─▶ plan ─▶ carry ─▶ record ─▶ verify
//! ```
//! - [`App`] what every operation needs; [`Notice`] what it says on the way; [`interrupt`] how it is stopped
//! - [`load`] a file, flags or the record; [`filled`] a cluster with its defaults as data
//! - [`session`] the lock and the journal around everything that changes something
//! - [`prepare`] from a cluster to a plan; [`guard`] what is refused for the user's protection
//! - [`carry`] the engine against the journal; [`ledger`] between the two; [`record`] the state afterwards
//! - [`timeline`] where the time of a run went
//! - [`apply`], [`delete`], [`recover`], [`saved`], [`inspect`], [`export`], [`report`], [`doctor`] whole operations

pub(crate) mod apply;
pub(crate) mod carry;
pub(crate) mod delete;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod fenced;
pub(crate) mod filled;
pub(crate) mod guard;
pub(crate) mod inspect;
pub(crate) mod interrupt;
pub(crate) mod lag;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod patience;
pub(crate) mod prepare;
pub(crate) mod record;
pub(crate) mod recover;
pub(crate) mod report;
pub(crate) mod saved;
pub(crate) mod session;
#[cfg(test)]
mod tests;
pub(crate) mod timeline;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use clusterctl_core::cloud::CloudError;
use clusterctl_core::provider::{Access, Caller, Connection, Provider};
use clusterctl_core::store::lock::{Holder, Liveness};
use clusterctl_core::store::{Clock, LocalStore, Store};
use clusterctl_core::transport::Transport;

use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use fenced::{Fenced, Held};
use interrupt::Interrupt;

/// What is said on the way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Notice<'a> {
    Connecting {
        cloud: &'a str,
    },
    WaitingForLock {
        holder: &'a Holder,
        expires_in: Duration,
        patience: Duration,
    },
    /// A run before this one died with calls unanswered; what they made may not be visible yet.
    Settling {
        unanswered: usize,
        wait: Duration,
    },
    Observing {
        kinds: usize,
    },
    /// Recorded, and in no list.
    Unseen {
        resources: usize,
        wait: Duration,
    },
    /// Something may have been made twice; its twin is waited for.
    Doubtful {
        wait: Duration,
    },
    Again {
        what: &'a str,
        error: &'a CloudError,
        wait: Duration,
    },
    Verifying,
    Sweeping,
    StillThere {
        resources: usize,
    },
    /// The run is none the worse for it.
    TimelineNotKept {
        why: &'a str,
    },
    TimelineUnreadable {
        why: &'a str,
    },
}

type Notify = Box<dyn Fn(Notice<'_>) + Send + Sync>;
pub(crate) type Sight = Box<dyn Fn(&str) -> Result<View, Failure> + Send + Sync>;

/// The way to a cloud.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) caller: Caller,
    /// The region where neither the cluster nor the cloud's own configuration names one.
    pub(crate) region: Option<String>,
}

/// What every operation needs.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) providers: Vec<&'static dyn Provider>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) interrupt: Arc<Interrupt>,
    pub(crate) notify: Notify,
    /// The way to a cloud by its name.
    pub(crate) sight: Sight,
    /// Instead of the one that the settings name.
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) alive: fn(&Holder) -> Liveness,
    /// The lease under which the cloud may be changed.
    pub(crate) held: Held,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl App {
    pub(crate) fn tell(&self, notice: Notice<'_>) {
        (self.notify)(notice);
    }

    /// The provider of a cloud.
    pub(crate) fn provider(&self, cloud: &str) -> Result<&'static dyn Provider, Failure> {
        self.providers.iter().copied().find(|provider| provider.name() == cloud).ok_or_else(|| {
            let known: Vec<&str> = self.providers.iter().map(|provider| provider.name()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Failure::new(Kind::Spec, format!("this clusterctl was built without {cloud}"))
                .hint(format!("it knows {known}"))
        })
    }

    pub(crate) fn access(&self, cloud: &str, region: Option<&str>) -> Result<Access, Failure> {
        let View { transport, caller, region: default } = (self.sight)(cloud)?;
        let environment = self.settings.environment.clone();
        Ok(Access { transport, region: region.map(str::to_owned).or(default), caller, environment })
    }

    pub(crate) async fn connect(
        &self,
        provider: &dyn Provider,
        region: Option<&str>,
    ) -> Result<Arc<dyn Connection>, Failure> {
        self.tell(Notice::Connecting { cloud: provider.name() });
        let access = self.access(provider.name(), region)?;
        let transport = Arc::new(Fenced { inner: access.transport, held: self.held.clone() });
        provider.connect(Access { transport, ..access }).await.map_err(|error| {
            let hint = "`clusterctl doctor` shows which credentials and which region are found".to_owned();
            Failure::cloud(&error, Some(hint))
        })
    }

    /// The store that the settings name: a directory, or what a cloud has under that URL.
    pub(crate) async fn open_store(&self) -> Result<Arc<dyn Store>, Failure> {
        if let Some(store) = &self.store {
            return Ok(Arc::clone(store));
        }
        let place = &self.settings.store;
        let Some((scheme, rest)) = place.split_once("://") else {
            return Ok(Arc::new(LocalStore::new(place)));
        };
        if scheme == "file" {
            return Ok(Arc::new(LocalStore::new(rest)));
        }
        for provider in &self.providers {
            let Ok(connection) = provider.connect(self.access(provider.name(), None)?).await else { continue };
            if let Some(store) = connection.store(place) {
                return store.map_err(|e| Failure::new(Kind::Store, format!("{place}: {e}")));
            }
        }
        Err(Failure::usage(format!("no cloud that can be reached has a store under {scheme}://"))
            .hint("a store is a directory, or a URL such as s3://bucket/prefix"))
    }

    /// Randomness: the one seed where there is one.
    pub(crate) fn rng(&self) -> rand::rngs::StdRng {
        use rand::SeedableRng as _;
        self.settings.seed.map_or_else(rand::make_rng, rand::rngs::StdRng::seed_from_u64)
    }
}

/// What a failed call means, with the hint that its cloud has for it.
pub(crate) fn cloud_failure(connection: &dyn Connection, error: &CloudError) -> Failure {
    Failure::cloud(error, connection.hint(error))
}

/// Whether the process that holds a lock still runs, as far as this machine can tell.
pub(crate) fn alive(holder: &Holder) -> Liveness {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let (Some(boot), Some(theirs)) = (read("/proc/sys/kernel/random/boot_id"), &holder.boot_id) else {
        return Liveness::Unknown;
    };
    let host = read("/proc/sys/kernel/hostname");
    if boot != *theirs {
        // The same host after a restart has none of its old processes; another host says nothing.
        return if host.as_deref() == Some(&holder.host) { Liveness::Dead } else { Liveness::Unknown };
    }
    match (crate::settings::process_start(holder.pid), holder.pid_start) {
        (Some(now), Some(then)) if now == then => Liveness::Alive,
        // Containers on one kernel share its boot id and not its processes.
        _ if host.as_deref() != Some(&holder.host) => Liveness::Unknown,
        (_, Some(_)) => Liveness::Dead,
        (_, None) => Liveness::Unknown,
    }
}
