//! How a run is stopped from outside.

use std::sync::atomic::{AtomicBool, Ordering};

use clusterctl_core::engine::Stop;
use tokio::sync::watch;

/// What a request to stop came upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Nothing was asked of the cloud yet: the command ends at once.
    BeforeTheRun,
    /// The run ends what is under way, within seconds.
    IntoTheRun,
    /// For the second time: the process ends at once. That is as safe, because every intent is on record.
    Again,
}

/// Asked to stop or not, and how far things have come.
#[derive(Debug)]
pub(crate) struct Interrupt {
    asked: watch::Sender<bool>,
    carrying: AtomicBool,
    pub(crate) stop: Stop,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self { asked: watch::Sender::new(false), carrying: AtomicBool::new(false), stop: Stop::default() }
    }
}

impl Interrupt {
    /// Asks to stop.
    pub(crate) fn request(&self) -> Came {
        if self.asked.send_replace(true) {
            return Came::Again;
        }
        self.stop.stop();
        if self.carrying.load(Ordering::SeqCst) { Came::IntoTheRun } else { Came::BeforeTheRun }
    }

    pub(crate) fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// From now on a stop lets the run end by itself.
    pub(crate) fn carry(&self) {
        self.carrying.store(true, Ordering::SeqCst);
    }

    /// Returns when a stop is asked for before anything was carried out.
    pub(crate) async fn before_the_run(&self) {
        let mut asked = self.asked.subscribe();
        // The sender lives as long as `self`.
        let _ = asked.wait_for(|asked| *asked).await;
        if self.carrying.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    /// Sleeps, or gives `false` at once when a stop is asked for.
    pub(crate) async fn sleep(&self, span: std::time::Duration) -> bool {
        let mut asked = self.asked.subscribe();
        tokio::select! {
            () = tokio::time::sleep(span) => true,
            _ = asked.wait_for(|asked| *asked) => false,
        }
    }
}
