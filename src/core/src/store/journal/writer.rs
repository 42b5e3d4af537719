//! Writes records so that they survive, many at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::record::{Op, Record};
use super::replay::segments;
use super::segment::{Segment, SegmentId};
use crate::store::settle::{self, Patience};
use crate::store::{Clock, ClusterKeys, Condition, KeyError, Store, StoreError, envelope};

/// Ops that one epoch can number; keeps every number exact in JSON readers that only know doubles.
const OPS_PER_EPOCH: u64 = 1_000_000_000;
/// Records in one segment; bounds the object, not the caller.
const RECORDS_PER_SEGMENT: usize = 2_000;
/// How far ahead of a run that still writes its row is closed.
const BARRIER_AHEAD: u64 = 8;

/// A record could not be made durable. Nothing that follows from it may be done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    #[error("another run has taken the cluster over{}", .by.map(|epoch| format!(" with epoch {epoch}")).unwrap_or_default())]
    Fenced { by: Option<u64> },
    #[error("the journal cannot be written: {0}")]
    Store(#[from] StoreError),
    #[error("the journal was closed")]
    Closed,
}

impl From<KeyError> for JournalError {
    fn from(error: KeyError) -> Self {
        Self::Store(error.into())
    }
}

/// The journal of one run; clones write to the same one.
///
/// A background task makes one write of all that arrived while its last one was under way. After the first failure it
/// takes nothing more: what is durable then is open, and only a new run finds out.
#[derive(Debug, Clone)]
pub struct Journal {
    epoch: u64,
    next_op: Arc<AtomicU64>,
    queue: mpsc::UnboundedSender<Batch>,
}

#[derive(Debug)]
struct Batch {
    records: Vec<Record>,
    done: oneshot::Sender<Result<(), JournalError>>,
}

impl Journal {
    /// Begins the journal of an epoch, after sealing the rows of runs that may still be alive.
    ///
    /// `unsealed` are the epochs whose holders did not give the lock back, as the lease knows them. Read the journal
    /// after this, not before: until they are sealed, those runs may still add to it.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        keys: ClusterKeys,
        epoch: u64,
        unsealed: &[u64],
    ) -> Result<Self, JournalError> {
        let found = segments(&*store, &keys).await?;
        let next = |epoch| found.iter().filter(|id| id.epoch == epoch).map(|id| id.seq + 1).max().unwrap_or(0);
        let row = Row { store, clock, keys, at: SegmentId { epoch, seq: next(epoch) } };
        for &old in unsealed {
            row.seal(SegmentId { epoch: old, seq: next(old) }).await?;
        }
        let (queue, arrivals) = mpsc::unbounded_channel();
        tokio::spawn(row.serve(arrivals));
        Ok(Self { epoch, next_op: Arc::new(AtomicU64::new(epoch * OPS_PER_EPOCH)), queue })
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A number for a new intent.
    pub fn next_op(&self) -> Op {
        Op(self.next_op.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns when the records would survive a crash, in this order and after all that were appended before.
    ///
    /// Dropping the future leaves open whether they are written.
    pub async fn append(&self, records: Vec<Record>) -> Result<(), JournalError> {
        if records.is_empty() {
            return Ok(());
        }
        let (done, outcome) = oneshot::channel();
        self.queue.send(Batch { records, done }).map_err(|_| JournalError::Closed)?;
        outcome.await.map_err(|_| JournalError::Closed)?
    }
}

/// The row of segments of one epoch.
struct Row {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    keys: ClusterKeys,
    /// The segment that is written next.
    at: SegmentId,
}

impl Row {
    async fn serve(mut self, mut arrivals: mpsc::UnboundedReceiver<Batch>) {
        let mut outcome = Ok(());
        while let Some(first) = arrivals.recv().await {
            let Batch { mut records, done } = first;
            let mut waiting = vec![done];
            while records.len() < RECORDS_PER_SEGMENT {
                let Ok(next) = arrivals.try_recv() else { break };
                records.extend(next.records);
                waiting.push(next.done);
            }
            if outcome.is_ok() {
                outcome = self.write(records).await;
            }
            for done in waiting {
                // Whoever stopped waiting does not want to know.
                let _ = done.send(outcome.clone());
            }
        }
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
        let segment = Segment { at: self.clock.now(), sealed_by: None, records };
        match self.create(self.at, &segment).await {
            Err(JournalError::Store(StoreError::Conflict { .. })) => {
                Err(JournalError::Fenced { by: self.sealer().await })
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.at.seq += 1;
                Ok(())
            }
        }
    }

    /// Closes another row at its end, wherever that is by the time.
    async fn seal(&self, end: SegmentId) -> Result<(), JournalError> {
        if self.seal_at(end).await? {
            return Ok(());
        }
        // That run still writes, perhaps faster than we follow: a barrier ahead of it bounds the chase.
        let mut ahead = BARRIER_AHEAD;
        while !self.seal_at(SegmentId { seq: end.seq + ahead, ..end }).await? {
            ahead *= 2;
        }
        for seq in end.seq + 1..end.seq + ahead {
            if self.seal_at(SegmentId { seq, ..end }).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether the seal could be put there.
    async fn seal_at(&self, id: SegmentId) -> Result<bool, JournalError> {
        let seal = Segment { at: self.clock.now(), sealed_by: Some(self.at.epoch), records: Vec::new() };
        match self.create(id, &seal).await {
            Ok(()) => Ok(true),
            Err(JournalError::Store(StoreError::Conflict { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn create(&self, id: SegmentId, segment: &Segment) -> Result<(), JournalError> {
        let key = id.key(&self.keys)?;
        let bytes = envelope::seal(&key, segment)?;
        settle::put(&*self.store, &key, bytes, Condition::Absent, Patience::default()).await?;
        Ok(())
    }

    /// Who sealed this row; a courtesy for the error, so that failing to find out is no error of its own.
    async fn sealer(&self) -> Option<u64> {
        let key = self.at.key(&self.keys).ok()?;
        let object = self.store.get(&key).await.ok()??;
        envelope::open::<Segment>(&key, &object.bytes).ok()?.sealed_by
    }
}
