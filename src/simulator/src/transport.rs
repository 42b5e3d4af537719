//! Requests in, answers out: a world behind the [`Transport`] seam.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clusterctl_core::transport::{Transport, TransportError, TransportFailure};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::aws;
use crate::fault::{Done, Injection, Seen, Trouble};
use crate::world::{Ms, World};

/// Where a world is kept between requests, so that several processes see one account.
pub trait Keep: Send + fmt::Debug {
    /// Takes the world for one request: what others made of it since, or `None` when nothing changed.
    ///
    /// # Errors
    /// In words, when it cannot be had.
    fn take(&mut self) -> Result<Option<World>, String>;

    /// Gives it back; `changed` tells whether it must be written.
    ///
    /// # Errors
    /// In words, when it cannot be written.
    fn give(&mut self, world: &World, changed: bool) -> Result<(), String>;
}

/// A process's way to a world.
#[derive(Debug, Clone)]
pub struct Simulation {
    inner: Arc<Mutex<Inner>>,
    killed: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    world: World,
    keep: Option<Box<dyn Keep>>,
    trouble: Option<Box<dyn Trouble>>,
    log: Log,
    /// The world's time when this process came, and tokio's.
    came: Ms,
    since: Instant,
    requests: u64,
    occurrences: BTreeMap<String, u64>,
    /// Of each kind that costs by the hour, the most that there ever were.
    most: BTreeMap<&'static str, usize>,
}

/// Everything that was asked and answered: a line each, and a hash of all of them.
#[derive(Debug, Default, Clone)]
pub struct Log {
    pub lines: Option<Vec<String>>,
    hash: [u8; 32],
}

impl Log {
    fn write(&mut self, line: String) {
        self.hash = Sha256::new().chain_update(self.hash).chain_update(line.as_bytes()).finalize().into();
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
    }

    /// Of all lines so far.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Simulation {
    /// A process that comes to `world` now. Must be called on a tokio runtime, whose clock is the world's.
    #[must_use]
    pub fn new(world: World) -> Self {
        let came = world.now();
        Self {
            inner: Arc::new(Mutex::new(Inner {
                world,
                keep: None,
                trouble: None,
                log: Log::default(),
                came,
                since: Instant::now(),
                requests: 0,
                occurrences: BTreeMap::new(),
                most: BTreeMap::new(),
            })),
            killed: watch::Sender::new(false),
        }
    }

    #[must_use]
    pub fn kept(self, keep: Box<dyn Keep>) -> Self {
        self.inner().keep = Some(keep);
        self
    }

    #[must_use]
    pub fn troubled(self, trouble: Box<dyn Trouble>) -> Self {
        self.inner().trouble = Some(trouble);
        self
    }

    /// Keeps the lines of the log, and goes on from an earlier one.
    pub fn logs(&self, log: Log) {
        self.inner().log = log;
    }

    #[must_use]
    pub fn log(&self) -> Log {
        self.inner().log.clone()
    }

    /// Resolves when an injection has killed the process.
    pub async fn killed(&self) {
        let mut killed = self.killed.subscribe();
        // The sender lives as long as `self`.
        let _ = killed.wait_for(|killed| *killed).await;
    }

    /// Kills the process from outside.
    pub fn kill(&self) {
        self.killed.send_replace(true);
    }

    /// Gives the world back as it is now; who still asks finds an empty one.
    #[must_use]
    pub fn leave(&self) -> World {
        let mut inner = self.inner();
        inner.catch_up();
        inner.world.take()
    }

    /// Of each kind that costs by the hour, the most that there were after any request of this process.
    #[must_use]
    pub fn most(&self) -> BTreeMap<&'static str, usize> {
        self.inner().most.clone()
    }

    /// Looks at the world, or changes it behind everybody's back.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut inner = self.inner();
        inner.catch_up();
        look(&mut inner.world)
    }

    /// Milliseconds since the world began.
    #[must_use]
    pub fn now(&self) -> Ms {
        self.inner().now()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hang(&self) -> Result<http::Response<Bytes>, TransportError> {
        std::future::pending().await
    }
}

impl Inner {
    fn now(&self) -> Ms {
        self.came + self.since.elapsed().as_millis() as Ms
    }

    fn catch_up(&mut self) {
        let now = self.now();
        self.world.pass(now, aws::happened);
    }

    fn see(&mut self, request: &http::Request<Bytes>) -> Seen {
        let (action, writes) = aws::name(request);
        let occurrence = self.occurrences.entry(action.clone()).or_insert(0);
        let seen = Seen { number: self.requests, action, occurrence: *occurrence, writes };
        *occurrence += 1;
        self.requests += 1;
        seen
    }

    /// Carries a request out.
    fn answer(
        &mut self,
        seen: &Seen,
        request: &http::Request<Bytes>,
        injected: Option<&Injection>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let kept = |message| TransportError { kind: TransportFailure::Connect, message };
        if let Some(keep) = &mut self.keep
            && let Some(newer) = keep.take().map_err(kept)?
        {
            // Another process may be ahead in time.
            let now = self.came + self.since.elapsed().as_millis() as Ms;
            self.came += newer.now().saturating_sub(now);
            self.world = newer;
        }
        self.catch_up();
        let answer = aws::answer(&mut self.world, request, injected);
        for (kind, number) in aws::charged(&self.world) {
            let most = self.most.entry(kind).or_default();
            *most = number.max(*most);
        }
        let digest =
            |bytes: &[u8]| Sha256::digest(bytes).iter().take(4).map(|b| format!("{b:02x}")).collect::<String>();
        let line = format!(
            "{} {} {} {} {}",
            self.world.now(),
            seen.action,
            digest(request.body()),
            answer.status().as_u16(),
            digest(answer.body()),
        );
        self.log.write(line);
        if let Some(keep) = &mut self.keep {
            keep.give(&self.world, seen.writes).map_err(kept)?;
        }
        Ok(answer)
    }
}

#[async_trait]
impl Transport for Simulation {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let lost = |kind, message: &str| Err(TransportError { kind, message: message.to_owned() });
        let (seen, injection, latency) = {
            let mut inner = self.inner();
            let seen = inner.see(&request);
            let injection = inner.trouble.as_mut().and_then(|trouble| trouble.meets(&seen));
            if let Some(injection) = &injection {
                let line = format!("{} {} injected {injection:?}", inner.now(), seen.action);
                inner.log.write(line);
            }
            let latency = aws::latency(&mut inner.world, &seen);
            (seen, injection, latency)
        };
        match injection {
            Some(Injection::Kill(Done::Before)) => {
                self.kill();
                return self.hang().await;
            }
            Some(Injection::NoConnection) => return lost(TransportFailure::Connect, "connection refused"),
            Some(Injection::Reset(Done::Before)) => return lost(TransportFailure::Lost, "connection reset by peer"),
            Some(Injection::Silence(Done::Before)) => return self.hang().await,
            _ => {}
        }
        let way = Duration::from_millis(latency / 2);
        tokio::time::sleep(way).await;
        let answer = self.inner().answer(&seen, &request, injection.as_ref())?;
        match injection {
            Some(Injection::Kill(Done::After)) => {
                self.kill();
                return self.hang().await;
            }
            Some(Injection::Reset(Done::After)) => return lost(TransportFailure::Lost, "connection reset by peer"),
            Some(Injection::Silence(Done::After)) => return self.hang().await,
            _ => {}
        }
        tokio::time::sleep(way).await;
        Ok(answer)
    }
}
