//! One step against one driver: write down, call, look, wait.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::budget::{Budget, Class};
use super::event::Event;
use super::ledger::{Ended, Intended, Ledger};
use super::retry::{Patience, Verdict, after_silence, patience, poll_after, verdict};
use super::run::{Settings, Waiting};
use crate::addr::Addr;
use crate::cloud::{AnyDriver, Call, CloudError, Fault, Live, Progress, Remains};
use crate::graph::Kind;
use crate::plan::{Action, Item, StepId, Verb};
use crate::value;

/// Why a step did not come to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The cloud refused, or patience ran out.
    Failed { error: CloudError, attempts: u32 },
    /// The run was stopped.
    Stopped,
    /// Nothing more may be asked for: the lock is lost or the ledger cannot be written.
    Forbidden(String),
}

/// What all steps of a run share.
pub(super) struct Shop<'a> {
    pub(super) ledger: &'a dyn Ledger,
    pub(super) budget: Budget,
    pub(super) settings: &'a Settings,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) started: Instant,
}

/// One step's own.
pub(super) struct Work<'a> {
    pub(super) shop: &'a Shop<'a>,
    pub(super) driver: &'a dyn AnyDriver,
    pub(super) kind: &'static Kind,
    pub(super) item: &'a Item,
    pub(super) call: Call,
    pub(super) step: StepId,
    pub(super) expected: f64,
    /// Which rung of the ladder is in use; 0 is what the arguments say.
    pub(super) rung: usize,
    rng: StdRng,
}

/// A resource that is there.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) live: Live,
    pub(super) want: Value,
    pub(super) rung: usize,
}

type Came<T> = Result<T, Broken>;

impl<'a> Work<'a> {
    pub(super) fn new(
        shop: &'a Shop<'a>,
        driver: &'a dyn AnyDriver,
        kind: &'static Kind,
        item: &'a Item,
        call: Call,
        step: StepId,
        expected: f64,
    ) -> Self {
        let rng = StdRng::seed_from_u64(shop.settings.seed ^ step as u64);
        Self { shop, driver, kind, item, call, step, expected, rung: 0, rng }
    }

    /// Makes it and says what it is; whether it is ready is another question.
    pub(super) async fn create(mut self, mut want: Value) -> Came<Made> {
        let mut intent = self.intend(Verb::Create, None, &want).await?;
        let begun = Instant::now();
        let patience = patience(self.expected);
        let mut attempt = 0;
        let live = loop {
            self.allowed().await?;
            let mut error = match self.ask(Class::Write, self.driver.create(&self.call, &want)).await {
                Ok(live) => break live,
                Err(error) => error,
            };
            attempt += 1;
            if let Some(live) = error.made.take() {
                self.ended(intent, applied(&live)).await?;
                intent = self.intend(Verb::Update, Some(&live), &want).await?;
                break self.complete(*live, &want, intent).await?;
            }
            match verdict(&error, attempt, begun.elapsed(), patience, &mut self.rng) {
                Verdict::Again(wait) => self.pause(&error, attempt, wait).await?,
                Verdict::Look => {
                    if let Some(live) = self.look(&want, begun, patience).await? {
                        self.tell(|step, addr, at| Event::Adopted { step, addr, id: live.id.clone(), at });
                        break self.complete(live, &want, intent).await?;
                    }
                    if begun.elapsed() > patience.deadline {
                        return self.fail(intent, error, attempt).await;
                    }
                    self.pause(&error, attempt, after_silence(attempt)).await?;
                    if !self.kind.idempotent {
                        // The one without an answer stays on record as such: its twin may appear later.
                        intent = self.intend(Verb::Create, None, &want).await?;
                    }
                }
                Verdict::NextRung => match self.next_rung(&want) {
                    Some(lower) => want = lower,
                    None => return self.fail(intent, error, attempt).await,
                },
                Verdict::GiveUp => return self.fail(intent, error, attempt).await,
            }
        };
        self.ended(intent, applied(&live)).await?;
        Ok(Made { live, want, rung: self.rung })
    }

    /// What was found may be made only in part, where making it takes several requests.
    async fn complete(&mut self, live: Live, want: &Value, intent: u64) -> Came<Live> {
        let (wanted, there) = (value::ordered(want, self.kind.sets), value::ordered(&live.args, self.kind.sets));
        let lacking: Vec<String> = wanted
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !self.kind.write_only.contains(&name.as_str()) && there.is_object())
            .filter(|(name, _)| !live.unseen.contains(name.as_str()))
            .filter(|(name, value)| !there.get(*name).is_some_and(|there| value::same(value, there)))
            .map(|(name, _)| name.clone())
            .collect();
        if lacking.is_empty() { Ok(live) } else { self.change(&live, want, &lacking, intent).await }
    }

    pub(super) async fn update(mut self, live: &Live, want: Value) -> Came<Made> {
        let changed: Vec<String> = self.item.changes.iter().map(|change| change.argument.clone()).collect();
        let intent = self.intend(Verb::Update, Some(live), &want).await?;
        let live = self.change(live, &want, &changed, intent).await?;
        self.ended(intent, applied(&live)).await?;
        Ok(Made { live, want, rung: self.rung })
    }

    /// Setting what is set already does no harm, so that an unanswered update is simply repeated.
    async fn change(&mut self, live: &Live, want: &Value, changed: &[String], intent: u64) -> Came<Live> {
        let begun = Instant::now();
        let patience = patience(self.expected);
        let mut attempt = 0;
        loop {
            self.allowed().await?;
            let error = match self.ask(Class::Write, self.driver.update(&self.call, live, want, changed)).await {
                Ok(updated) => return Ok(updated),
                Err(error) => error,
            };
            attempt += 1;
            match verdict(&error, attempt, begun.elapsed(), patience, &mut self.rng) {
                Verdict::Again(wait) => self.pause(&error, attempt, wait).await?,
                Verdict::Look if begun.elapsed() < patience.deadline => {
                    self.pause(&error, attempt, after_silence(attempt)).await?;
                }
                Verdict::Look | Verdict::NextRung | Verdict::GiveUp => return self.fail(intent, error, attempt).await,
            }
        }
    }

    pub(super) async fn delete(mut self, live: &Live) -> Came<()> {
        let intent = self.intend(Verb::Delete, Some(live), &Value::String(live.id.clone())).await?;
        let begun = Instant::now();
        // What blocks a deletion is often slower than the thing itself: interfaces of a load balancer, for one.
        let patience = Patience { deadline: patience(self.expected).deadline.max(Duration::from_secs(900)) };
        let mut attempt = 0;
        loop {
            self.allowed().await?;
            let Err(error) = self.ask(Class::Write, self.driver.delete(&self.call, live)).await else { break };
            attempt += 1;
            match verdict(&error, attempt, begun.elapsed(), patience, &mut self.rng) {
                Verdict::Again(wait) => self.pause(&error, attempt, wait).await?,
                Verdict::Look if begun.elapsed() < patience.deadline => {
                    self.pause(&error, attempt, after_silence(attempt)).await?;
                }
                Verdict::Look | Verdict::NextRung | Verdict::GiveUp => return self.fail(intent, error, attempt).await,
            }
        }
        let mut polls = 0;
        loop {
            match self.ask(Class::Read, self.driver.gone(&self.call, live)).await {
                Ok(Remains::Nothing) => break,
                Ok(Remains::Something(words)) => self.tell(|step, addr, at| Event::Waiting { step, addr, words, at }),
                Err(error) if passing(&error) => {}
                Err(error) => return self.fail(intent, error, attempt + 1).await,
            }
            if begun.elapsed() > patience.deadline {
                return self.fail(intent, overdue("its deletion", begun), attempt + 1).await;
            }
            self.sleep(poll_after(polls, self.expected)).await?;
            polls += 1;
        }
        self.ended(intent, Ended::Gone).await
    }

    /// Waits until it is ready; a ladder goes down a rung when the cloud has no capacity.
    pub(super) async fn ready(mut self, made: Made) -> Came<Made> {
        let Made { mut live, mut want, rung } = made;
        self.rung = rung;
        if self.kind.machines && self.shop.settings.waiting == Waiting::NotForMachines {
            return Ok(Made { live, want, rung });
        }
        let begun = Instant::now();
        let patience = patience(self.expected);
        let (mut polls, mut pending) = (0, false);
        loop {
            let error = match self.ask(Class::Read, self.driver.ready(&self.call, &live, &want)).await {
                Ok(Progress::Done(now)) => {
                    if now.outputs != live.outputs || self.is_new() {
                        let known = self.intend(Verb::Check, Some(&now), &want).await?;
                        self.ended(known, applied(&now)).await?;
                    }
                    return Ok(Made { live: now, want, rung: self.rung });
                }
                Ok(Progress::Pending(words)) => {
                    self.tell(|step, addr, at| Event::Waiting { step, addr, words, at });
                    pending = true;
                    None
                }
                Err(error) if passing(&error) => {
                    pending = false;
                    None
                }
                Err(error) => Some(error),
            };
            match error {
                Some(error) if error.fault == Fault::Capacity => match self.next_rung(&want) {
                    Some(lower) => {
                        let changed = differing(&want, &lower);
                        let intent = self.intend(Verb::Update, Some(&live), &lower).await?;
                        live = self.change(&live, &lower, &changed, intent).await?;
                        self.ended(intent, applied(&live)).await?;
                        want = lower;
                    }
                    None => return self.stuck(&live, &want, error, polls + 1).await,
                },
                Some(error) if matches!(error.fault, Fault::Permanent | Fault::Quota) => {
                    return self.stuck(&live, &want, error, polls + 1).await;
                }
                Some(error) => return Err(Broken::Failed { error, attempts: polls + 1 }),
                None => {}
            }
            if begun.elapsed() > patience.deadline {
                let error = overdue("it", begun);
                // Who could not ask does not know.
                return match pending {
                    true => self.stuck(&live, &want, error, polls + 1).await,
                    false => Err(Broken::Failed { error, attempts: polls + 1 }),
                };
            }
            self.sleep(poll_after(polls, self.expected)).await?;
            polls += 1;
        }
    }

    /// Whether it is the record's business that this becomes ready: not of what was ready before.
    fn is_new(&self) -> bool {
        self.is_awaited() && self.item.action != Action::Keep
    }

    fn is_awaited(&self) -> bool {
        self.kind.awaited && !(self.kind.machines && self.shop.settings.waiting == Waiting::NotForMachines)
    }

    /// Puts on record that it never became ready.
    async fn stuck(&self, live: &Live, want: &Value, error: CloudError, polls: u32) -> Came<Made> {
        if !self.is_new() {
            return Err(Broken::Failed { error, attempts: polls });
        }
        let known = self.intend(Verb::Check, Some(live), want).await?;
        self.fail(known, error, polls).await
    }

    /// Looks for what an unanswered create may have made, for as long as it may still be invisible.
    async fn look(&mut self, want: &Value, begun: Instant, patience: Patience) -> Came<Option<Live>> {
        let asked = Instant::now();
        let mut attempt = 0;
        loop {
            match self.ask(Class::Read, self.driver.find(&self.call, want)).await {
                Ok(mut found) if !found.is_empty() => {
                    found.sort_by(|a, b| a.id.cmp(&b.id));
                    return Ok(Some(found.swap_remove(0)));
                }
                Ok(_) if self.kind.idempotent || asked.elapsed() >= self.shop.settings.visible_within => {
                    return Ok(None);
                }
                Ok(_) => self.sleep(Duration::from_millis(500 << attempt.min(2))).await?,
                Err(error) => {
                    let wait = match verdict(&error, attempt, begun.elapsed(), patience, &mut self.rng) {
                        Verdict::Again(wait) => wait,
                        Verdict::Look if begun.elapsed() < patience.deadline => Duration::from_secs(1),
                        _ => return Err(Broken::Failed { error, attempts: attempt + 1 }),
                    };
                    self.sleep(wait).await?;
                }
            }
            attempt += 1;
        }
    }

    fn next_rung(&mut self, want: &Value) -> Option<Value> {
        let (name, patch) = self.item.ladder.get(self.rung)?;
        self.rung += 1;
        let name = name.clone();
        self.tell(|step, addr, at| Event::Rung { step, addr, name, at });
        let mut lower = want.clone();
        merge(&mut lower, patch);
        Some(lower)
    }

    async fn intend(&self, verb: Verb, live: Option<&Live>, request: &Value) -> Came<u64> {
        self.allowed().await?;
        let intent = Intended {
            addr: self.call.addr.clone(),
            verb,
            id: live.map(|live| live.id.clone()),
            token: self.call.token.clone(),
            digest: value::sha256_hex(request.to_string().as_bytes()),
            depends: self.item.needs.iter().cloned().collect(),
            awaited: matches!(verb, Verb::Create | Verb::Update) && self.is_awaited(),
        };
        self.shop.ledger.intend(intent).await.map_err(|e| Broken::Forbidden(e.to_string()))
    }

    async fn ended(&self, intent: u64, ended: Ended) -> Came<()> {
        self.shop.ledger.end(intent, ended).await.map_err(|e| Broken::Forbidden(e.to_string()))
    }

    async fn fail<T>(&self, intent: u64, error: CloudError, attempts: u32) -> Came<T> {
        self.ended(intent, Ended::Failed { fault: error.fault, code: error.code.clone() }).await?;
        Err(Broken::Failed { error, attempts })
    }

    /// Nothing is sent after a stop or without the lock.
    async fn allowed(&self) -> Came<()> {
        if *self.shop.stop.borrow() {
            return Err(Broken::Stopped);
        }
        self.shop.ledger.fence().await.map_err(|e| Broken::Forbidden(e.to_string()))
    }

    async fn ask<T>(
        &self,
        class: Class,
        request: impl Future<Output = Result<T, CloudError>>,
    ) -> Result<T, CloudError> {
        let bucket = (self.kind.name, class);
        let turn = self.shop.budget.turn(bucket).await;
        let answer = tokio::time::timeout(self.shop.settings.answer_within, request).await.unwrap_or_else(|_| {
            let seconds = self.shop.settings.answer_within.as_secs();
            Err(CloudError::new(Fault::Ambiguous, self.kind.name, "Timeout", format!("no answer within {seconds} s")))
        });
        drop(turn);
        self.shop.budget.learn(bucket, answer.as_ref().err().map(|e| e.fault));
        answer
    }

    async fn pause(&self, error: &CloudError, attempt: u32, wait: Duration) -> Came<()> {
        let (fault, code) = (error.fault, error.code.clone());
        self.tell(|step, addr, at| Event::Retrying { step, addr, fault, code, attempt, wait, at });
        self.sleep(wait).await
    }

    async fn sleep(&self, wait: Duration) -> Came<()> {
        let mut stop = self.shop.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            _ = stop.wait_for(|stop| *stop) => Err(Broken::Stopped),
        }
    }

    fn tell(&self, event: impl FnOnce(StepId, Addr, Duration) -> Event) {
        // The run that listens ends after its workers, so that nobody is there to miss this.
        let _ = self.shop.events.send(event(self.step, self.call.addr.clone(), self.shop.started.elapsed()));
    }
}

fn applied(live: &Live) -> Ended {
    Ended::Applied { id: live.id.clone(), outputs: live.outputs.clone() }
}

/// Errors of a read that say nothing about what is read.
fn passing(error: &CloudError) -> bool {
    matches!(error.fault, Fault::Throttled | Fault::NotReady | Fault::Ambiguous)
}

fn overdue(what: &str, since: Instant) -> CloudError {
    let minutes = since.elapsed().as_secs() / 60;
    CloudError::new(Fault::NotReady, "wait", "Timeout", format!("{what} was not done after {minutes} minutes"))
}

fn differing(before: &Value, after: &Value) -> Vec<String> {
    after
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Lays `patch` over `value`, objects key by key (RFC 7396 without deletions).
pub(crate) fn merge(value: &mut Value, patch: &Value) {
    match (value, patch) {
        (Value::Object(value), Value::Object(patch)) => {
            for (key, part) in patch {
                merge(value.entry(key.clone()).or_insert(Value::Null), part);
            }
        }
        (value, patch) => value.clone_from(patch),
    }
}

/// The token of an intent: the same for the same owner, address, generation and request.
pub(super) fn token(call: &Call, generation: u32, want: &Value) -> String {
    let whole = format!("{}\n{}\n{generation}\n{want}", call.owner.uid, call.addr);
    value::sha256_hex(whole.as_bytes())[..40].to_owned()
}
