//! Between the engine's ledger and the journal: every intent durable under the lease.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clusterctl_core::engine::{Ended, Intended, Ledger, LedgerError};
use clusterctl_core::plan::Verb;
use clusterctl_core::store::Clock;
use clusterctl_core::store::journal::{Action, Came, Intent, Journal, Op, Outcome, Record};
use clusterctl_core::store::lock::Lease;

use crate::failure::Failure;

/// Writes a run into the journal.
pub(crate) struct JournalLedger {
    journal: Journal,
    lease: Arc<Lease>,
    clock: Arc<dyn Clock>,
    generations: BTreeMap<String, u32>,
    /// Why the run may not go on, when that was found out here.
    cause: Mutex<Option<Failure>>,
}

impl JournalLedger {
    pub(crate) fn new(
        journal: Journal,
        lease: Arc<Lease>,
        clock: Arc<dyn Clock>,
        generations: BTreeMap<String, u32>,
    ) -> Self {
        Self { journal, lease, clock, generations, cause: Mutex::new(None) }
    }

    /// Why the run had to end, where this ledger knows.
    pub(crate) fn into_cause(self) -> Option<Failure> {
        self.cause.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, failure: Failure) -> String {
        let text = failure.to_string();
        let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        // The first is the cause of those after it.
        cause.get_or_insert(failure);
        text
    }

    fn generation(&self, addr: &str) -> u32 {
        self.generations.get(addr).copied().unwrap_or(0)
    }
}

#[async_trait]
impl Ledger for JournalLedger {
    async fn fence(&self) -> Result<(), LedgerError> {
        self.lease.fence().await.map_err(|lost| LedgerError(self.note(lost.into())))
    }

    async fn intend(&self, intent: Intended) -> Result<u64, LedgerError> {
        let op = self.journal.next_op();
        let addr = intent.addr.to_string();
        let action = match intent.verb {
            Verb::Create => Action::Create,
            Verb::Update => Action::Update,
            Verb::Check => Action::Check,
            Verb::Delete => Action::Delete,
        };
        let record = Record::Intent(Intent {
            op,
            action,
            id: intent.id,
            generation: self.generation(&addr),
            addr,
            token: intent.token,
            digest: intent.digest,
            depends: intent.depends.iter().map(ToString::to_string).collect(),
            awaited: intent.awaited,
            at: self.clock.now(),
        });
        self.journal.append(vec![record]).await.map_err(|e| LedgerError(self.note(e.into())))?;
        Ok(op.0)
    }

    async fn end(&self, intent: u64, ended: Ended) -> Result<(), LedgerError> {
        let came = match ended {
            Ended::Applied { id, outputs } => Came::Applied { id, outputs: outputs.into_iter().collect() },
            Ended::Gone => Came::Gone,
            Ended::Failed { fault, code } => Came::Failed { fault: fault.word().to_owned(), code },
        };
        let outcome = Record::Outcome(Outcome { op: Op(intent), at: self.clock.now(), came });
        self.journal.append(vec![outcome]).await.map_err(|e| LedgerError(self.note(e.into())))
    }
}
