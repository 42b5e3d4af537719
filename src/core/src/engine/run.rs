//! The loop: one owner of the run's state, workers that say what came of their steps.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::budget::Budget;
use super::event::{Event, Failure, Report, Timing};
use super::ledger::Ledger;
use super::queue::Queue;
use super::work::{Broken, Made, Shop, Work, token};
use crate::addr::Addr;
use crate::cloud::{Call, Cloud, CloudError, Fault, Live, Owner};
use crate::graph::kind_of;
use crate::plan::{Action, Plan, Point, StepId, Verb};
use crate::value;

/// Whether a run also waits for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    ForMachines,
    NotForMachines,
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// Calls at once.
    pub slots: usize,
    pub waiting: Waiting,
    /// How long a single request may take.
    pub answer_within: Duration,
    /// How long something that was made may stay invisible to lists.
    pub visible_within: Duration,
    /// How long calls that are under way are given when the run is stopped.
    pub grace: Duration,
    /// Of the jitter.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: 24,
            waiting: Waiting::ForMachines,
            answer_within: Duration::from_secs(60),
            visible_within: Duration::from_secs(12),
            grace: Duration::from_secs(3),
            seed: 0,
        }
    }
}

/// Stops a run from outside.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }
}

/// All that a run needs.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub cloud: &'a dyn Cloud,
    pub owner: &'a Owner,
    pub ledger: &'a dyn Ledger,
    /// How often an address has been made before: a new making gets a new token.
    pub generation: &'a (dyn Fn(&Addr) -> u32 + Sync),
    pub settings: &'a Settings,
    pub stop: &'a Stop,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("owner", self.owner).field("settings", self.settings).finish_non_exhaustive()
    }
}

const STOPPED: &str = "stopped on request";

enum Came {
    /// Made or changed; its outputs are known.
    Made(Made),
    /// Ready, or gone.
    Done(Option<Made>),
}

type Worker<'a> = BoxFuture<'a, (StepId, Result<Came, Broken>)>;

/// Carries `run.plan` out; `on_event` sees everything that happens, in order.
pub async fn run(run: Run<'_>, on_event: &mut (dyn FnMut(&Event) + Send)) -> Report {
    let started = Instant::now();
    let (events, mut told) = mpsc::unbounded_channel();
    let shop = Shop {
        ledger: run.ledger,
        budget: Budget::new(run.settings.slots),
        settings: run.settings,
        events,
        stop: run.stop.0.subscribe(),
        started,
    };
    let mut owner = State::new(&run, &shop);
    let mut workers: FuturesUnordered<Worker<'_>> = FuturesUnordered::new();
    let mut stop = run.stop.0.subscribe();
    let mut grace: Option<Instant> = None;
    loop {
        if grace.is_none() && owner.report.interrupted.is_none() {
            while let Some(id) = owner.queue.next() {
                let event = Event::Started {
                    step: id,
                    addr: run.plan.steps[id].addr.clone(),
                    verb: run.plan.steps[id].verb,
                    at: started.elapsed(),
                };
                on_event(&event);
                owner.started.insert(id, started.elapsed());
                workers.push(owner.start(id));
            }
        }
        if workers.is_empty() {
            break;
        }
        let over = grace.or_else(|| owner.report.interrupted.is_some().then(|| Instant::now() + run.settings.grace));
        grace = over;
        tokio::select! {
            biased;
            Some(event) = told.recv() => on_event(&event),
            Some((id, came)) = workers.next() => {
                while let Ok(event) = told.try_recv() {
                    on_event(&event);
                }
                if let Some(next) = owner.came(id, came, on_event) {
                    workers.push(next);
                }
            }
            _ = stop.wait_for(|stop| *stop), if grace.is_none() => {
                owner.report.interrupted.get_or_insert_with(|| STOPPED.to_owned());
                grace = Some(Instant::now() + run.settings.grace);
            }
            () = tokio::time::sleep_until(over.unwrap_or(started)), if over.is_some() => break,
        }
    }
    drop(workers);
    owner.finish(started)
}

struct State<'a> {
    run: &'a Run<'a>,
    shop: &'a Shop<'a>,
    queue: Queue,
    outputs: BTreeMap<Addr, Map<String, Value>>,
    started: BTreeMap<StepId, Duration>,
    ended: BTreeMap<StepId, Duration>,
    report: Report,
}

impl<'a> State<'a> {
    fn new(run: &'a Run<'a>, shop: &'a Shop<'a>) -> Self {
        let outputs = run
            .plan
            .items
            .iter()
            .filter(|(_, item)| matches!(item.action, Action::Keep | Action::Check | Action::Update))
            .filter_map(|(addr, item)| Some((addr.clone(), item.live.as_ref()?.outputs.clone())))
            .collect();
        Self {
            run,
            shop,
            queue: Queue::new(&run.plan.steps),
            outputs,
            started: BTreeMap::new(),
            ended: BTreeMap::new(),
            report: Report { total: run.plan.steps.len(), ..Report::default() },
        }
    }

    fn start(&self, id: StepId) -> Worker<'a> {
        let step = &self.run.plan.steps[id];
        let broken = |code: &str, message: String| {
            let error = CloudError::new(Fault::Permanent, &step.addr.kind, code, message);
            std::future::ready((id, Err(Broken::Failed { error, attempts: 0 }))).boxed()
        };
        let Some(item) = self.run.plan.items.get(&step.addr) else {
            return broken("NoItem", format!("the plan says nothing of {}", step.addr));
        };
        let (Some(driver), Some(kind)) =
            (self.run.cloud.driver(&step.addr.kind), kind_of(self.run.cloud.kinds(), &step.addr.kind))
        else {
            return broken("NoDriver", format!("nothing here can make {}", step.addr.kind));
        };
        let known = value::resolve(&item.want, &|of, attr| self.outputs.get(of)?.get(attr).cloned());
        let want = match (step.verb, value::render(&known)) {
            (Verb::Delete, _) => Value::Null,
            (_, Some(want)) => want,
            (_, None) => {
                let unknown: Vec<String> =
                    value::mentions(&known).into_iter().map(|(addr, attr)| format!("{addr}.{attr}")).collect();
                return broken("UnknownOutput", format!("{} is not known", unknown.join(", ")));
            }
        };
        let mut call = Call { addr: step.addr.clone(), owner: self.run.owner.clone(), token: String::new() };
        call.token = token(&call, (self.run.generation)(&step.addr), &want);
        let work = Work::new(self.shop, driver, kind, item, call, id, step.seconds);
        match (step.verb, &step.live) {
            (Verb::Create, _) => async move { (id, work.create(want).await.map(Came::Made)) }.boxed(),
            (Verb::Update, Some(live)) => async move { (id, work.update(live, want).await.map(Came::Made)) }.boxed(),
            (Verb::Delete, Some(live)) => {
                async move { (id, work.delete(live).await.map(|()| Came::Done(None))) }.boxed()
            }
            (Verb::Check, Some(live)) => {
                let made = Made { live: Live::clone(live), want, rung: 0 };
                async move { (id, work.ready(made).await.map(|made| Came::Done(Some(made)))) }.boxed()
            }
            (verb, None) => broken("NoTarget", format!("{verb:?} of {} has no target", step.addr)),
        }
    }

    fn wait_for(&self, id: StepId, made: Made) -> Worker<'a> {
        let step = &self.run.plan.steps[id];
        let parts = self
            .run
            .plan
            .items
            .get(&step.addr)
            .zip(self.run.cloud.driver(&step.addr.kind))
            .zip(kind_of(self.run.cloud.kinds(), &step.addr.kind));
        let Some(((item, driver), kind)) = parts else {
            return std::future::ready((id, Ok(Came::Done(Some(made))))).boxed();
        };
        let call = Call { addr: step.addr.clone(), owner: self.run.owner.clone(), token: String::new() };
        let work = Work::new(self.shop, driver, kind, item, call, id, step.seconds);
        async move { (id, work.ready(made).await.map(|made| Came::Done(Some(made)))) }.boxed()
    }

    /// Takes in what came of a step; gives the worker that waits for readiness, when there is something to wait for.
    fn came(
        &mut self,
        id: StepId,
        came: Result<Came, Broken>,
        on_event: &mut (dyn FnMut(&Event) + Send),
    ) -> Option<Worker<'a>> {
        let step = &self.run.plan.steps[id];
        let (addr, verb, at) = (step.addr.clone(), step.verb, self.shop.started.elapsed());
        match came {
            Ok(Came::Made(made)) => {
                self.outputs.insert(addr.clone(), made.live.outputs.clone());
                on_event(&Event::Created { step: id, addr, id: made.live.id.clone(), at });
                self.queue.reached(id, Point::Created);
                Some(self.wait_for(id, made))
            }
            Ok(Came::Done(made)) => {
                if let Some(made) = made {
                    if made.rung > 0 {
                        self.report.rungs.push((addr.clone(), made.rung));
                    }
                    self.outputs.insert(addr.clone(), made.live.outputs);
                }
                on_event(&Event::Finished { step: id, addr, verb, at });
                self.ended.insert(id, at);
                self.report.finished += 1;
                self.queue.reached(id, Point::Done);
                None
            }
            Err(Broken::Failed { error, attempts }) => {
                on_event(&Event::Failed {
                    step: id,
                    addr: addr.clone(),
                    verb,
                    fault: error.fault,
                    code: error.code.clone(),
                    message: error.message.clone(),
                    at,
                });
                self.ended.insert(id, at);
                for dropped in self.queue.failed(id) {
                    let skipped = self.run.plan.steps[dropped].addr.clone();
                    on_event(&Event::Skipped { step: dropped, addr: skipped.clone(), because: addr.clone(), at });
                    self.report.skipped.push((skipped, addr.clone()));
                }
                self.report.failures.push(Failure { addr, verb, error, attempts });
                None
            }
            Err(Broken::Stopped) => {
                self.report.interrupted.get_or_insert_with(|| STOPPED.to_owned());
                None
            }
            Err(Broken::Forbidden(why)) => {
                self.report.interrupted.get_or_insert(why);
                None
            }
        }
    }

    fn finish(mut self, started: Instant) -> Report {
        self.report.elapsed = started.elapsed();
        for (id, begun) in self.started {
            let step = &self.run.plan.steps[id];
            match self.ended.get(&id) {
                Some(ended) => self.report.timings.push(Timing {
                    addr: step.addr.clone(),
                    verb: step.verb,
                    started: begun,
                    finished: *ended,
                    expected: step.seconds,
                }),
                None => self.report.in_flight.push(step.addr.clone()),
            }
        }
        self.report
    }
}
