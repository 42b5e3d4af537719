//! Between the engine's ledger and the journal: every intent durable under the lease.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clusterctl_core::addr::Addr;
use clusterctl_core::engine::{Ended, Intended, Ledger, LedgerError};
use clusterctl_core::plan::{Plan, Verb};
use clusterctl_core::store::Clock;
use clusterctl_core::store::journal::{Action, Came, Intent, Journal, Op, Outcome, Record};
use clusterctl_core::store::lock::Lease;
use clusterctl_core::value::sha256_hex;
use serde_json::Value;

use crate::failure::Failure;

/// Writes a run into the journal.
pub(crate) struct JournalLedger {
    journal: Journal,
    lease: Arc<Lease>,
    clock: Arc<dyn Clock>,
    generations: BTreeMap<String, u32>,
    /// Which live resource an update or a deletion is of: by address, and for deletions also by the digest of the id.
    ids: BTreeMap<(Addr, Option<String>), String>,
    /// Why the run may not go on, when that was found out here.
    cause: Mutex<Option<Failure>>,
}

impl JournalLedger {
    pub(crate) fn new(
        journal: Journal,
        lease: Arc<Lease>,
        clock: Arc<dyn Clock>,
        generations: BTreeMap<String, u32>,
        plan: &Plan,
    ) -> Self {
        let ids = plan
            .steps
            .iter()
            .filter_map(|step| {
                let id = &step.live.as_ref()?.id;
                let digest = (step.verb == Verb::Delete).then(|| digest_of(id));
                Some(((step.addr.clone(), digest), id.clone()))
            })
            .collect();
        Self { journal, lease, clock, generations, ids, cause: Mutex::new(None) }
    }

    /// Asked before every call: whether the cluster is still ours. Renews the lease where that is needed to know it.
    pub(crate) fn fence(&self) -> Result<(), String> {
        let asked = futures::FutureExt::now_or_never(self.lease.fence());
        let held = match (asked, tokio::runtime::Handle::try_current().map(|h| (h.runtime_flavor(), h))) {
            (Some(held), _) => held,
            // After a sleep of the machine the lease has to be renewed before anything is sent.
            (None, Ok((tokio::runtime::RuntimeFlavor::MultiThread, handle))) => {
                tokio::task::block_in_place(|| handle.block_on(self.lease.fence()))
            }
            (None, _) => return Err("the lock could not be confirmed in time".to_owned()),
        };
        held.map_err(|lost| self.note(lost.into()))
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

    fn id(&self, intent: &Intended) -> Option<String> {
        let digest = (intent.verb == Verb::Delete).then(|| intent.digest.clone());
        self.ids.get(&(intent.addr.clone(), digest)).cloned()
    }
}

/// The digest by which the engine names the deletion of an id.
fn digest_of(id: &str) -> String {
    sha256_hex(Value::String(id.to_owned()).to_string().as_bytes())
}

#[async_trait]
impl Ledger for JournalLedger {
    async fn intend(&self, intent: Intended) -> Result<u64, LedgerError> {
        let op = self.journal.next_op();
        let addr = intent.addr.to_string();
        let action = match intent.verb {
            Verb::Create => Action::Create,
            Verb::Update | Verb::Check => Action::Update,
            Verb::Delete => Action::Delete,
        };
        let record = Record::Intent(Intent {
            op,
            action,
            id: if action == Action::Create { None } else { self.id(&intent) },
            generation: self.generation(&addr),
            addr,
            token: intent.token,
            digest: intent.digest,
            depends: intent.depends.iter().map(ToString::to_string).collect(),
            at: self.clock.now(),
        });
        self.journal.append(vec![record]).await.map_err(|e| LedgerError(self.note(e.into())))?;
        Ok(op.0)
    }

    async fn end(&self, intent: u64, ended: Ended) -> Result<(), LedgerError> {
        // A kept resource that was only checked has no intent.
        if intent == 0 {
            return Ok(());
        }
        let came = match ended {
            Ended::Applied { id, outputs } => Came::Applied { id, outputs: outputs.into_iter().collect() },
            Ended::Gone => Came::Gone,
            Ended::Failed { fault, code } => Came::Failed { fault: fault.word().to_owned(), code },
        };
        let outcome = Record::Outcome(Outcome { op: Op(intent), at: self.clock.now(), came });
        self.journal.append(vec![outcome]).await.map_err(|e| LedgerError(self.note(e.into())))
    }
}
