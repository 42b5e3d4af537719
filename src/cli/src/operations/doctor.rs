//! Checks everything that a run relies on, and reports all of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clusterctl_core::provider::Provider;
use clusterctl_core::store::probe::check_conditional_writes;
use clusterctl_core::transport::{Transport, TransportError};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::App;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Good,
    Warning,
    Bad,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) verdict: Verdict,
    pub(crate) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
}

impl Check {
    fn new(what: impl Into<String>, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { what: what.into(), verdict, found: found.into(), remedy: None }
    }

    fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// Every check, whatever the others say.
pub(crate) async fn doctor(app: &App, region: Option<&str>) -> Vec<Check> {
    let mut checks = vec![terminal(app), path(app)];
    let clouds = futures::future::join_all(app.providers.iter().map(|provider| cloud(app, *provider, region)));
    let (store, clouds) = tokio::join!(store(app), clouds);
    checks.extend(clouds.into_iter().flatten());
    if app.providers.is_empty() {
        checks.push(Check::new("clouds", Verdict::Bad, "this clusterctl was built without any"));
    }
    checks.push(store);
    checks
}

fn terminal(app: &App) -> Check {
    let found = match (app.settings.interactive, app.settings.stderr.color) {
        (true, true) => "interactive, with colours",
        (true, false) => "interactive, without colours",
        (false, _) => "not interactive: changes need --yes",
    };
    Check::new("terminal", Verdict::Good, found)
}

/// Other programs of the same name, such as Cluster API's.
fn path(app: &App) -> Check {
    let this = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    let places = app.settings.environment.get("PATH").map(String::as_str).unwrap_or_default();
    let found: Vec<PathBuf> =
        std::env::split_paths(places).map(|dir| dir.join("clusterctl")).filter(|path| path.is_file()).collect();
    let foreign: Vec<String> = found
        .iter()
        .filter(|path| path.canonicalize().ok() != this)
        .map(|path| format!("{}{}", path.display(), if is_cluster_api(path) { " (Cluster API's)" } else { "" }))
        .collect();
    let first_is_foreign = found.first().is_some_and(|first| first.canonicalize().ok() != this);
    if foreign.is_empty() {
        return Check::new("clusterctl on PATH", Verdict::Good, "no other program of this name");
    }
    let verdict = if first_is_foreign { Verdict::Bad } else { Verdict::Warning };
    Check::new("clusterctl on PATH", verdict, format!("another program of this name: {}", foreign.join(", ")))
        .remedy("call this one by its full path, or put its directory first in PATH")
}

/// Cluster API's command is a Go program that names its module; its bytes say so without running it.
fn is_cluster_api(path: &Path) -> bool {
    use std::io::Read as _;
    const MARK: &[u8] = b"sigs.k8s.io/cluster-api";
    let Ok(file) = std::fs::File::open(path) else { return false };
    let mut bytes = Vec::new();
    file.take(128 << 20).read_to_end(&mut bytes).is_ok() && bytes.windows(MARK.len()).any(|window| window == MARK)
}

async fn cloud(app: &App, provider: &dyn Provider, region: Option<&str>) -> Vec<Check> {
    let name = provider.name();
    let mut access = match app.access(provider.name(), region) {
        Ok(access) => access,
        Err(failure) => return vec![Check::new(format!("{name}: network"), Verdict::Bad, failure.to_string())],
    };
    let dated = Arc::new(Dated { inner: Arc::clone(&access.transport), ahead: Mutex::new(None) });
    access.transport = Arc::clone(&dated) as Arc<dyn Transport>;
    let connection = match provider.connect(access).await {
        Ok(connection) => connection,
        Err(error) => {
            return vec![
                Check::new(format!("{name}: configuration"), Verdict::Bad, error.to_string())
                    .remedy("set a region, as in --region, and credentials in the way of the cloud's own tools"),
            ];
        }
    };
    let mut checks = vec![Check::new(format!("{name}: region"), Verdict::Good, connection.region())];
    let asked = tokio::time::timeout(Duration::from_secs(20), connection.account()).await;
    checks.push(match asked {
        Ok(Ok(account)) => {
            Check::new(format!("{name}: account"), Verdict::Good, format!("{} as {}", account.id, account.caller))
        }
        Ok(Err(error)) => {
            let check = Check::new(format!("{name}: account"), Verdict::Bad, error.to_string());
            match connection.hint(&error) {
                Some(hint) => check.remedy(hint),
                None => check,
            }
        }
        Err(_) => Check::new(format!("{name}: account"), Verdict::Bad, "no answer within 20 s")
            .remedy("check the network, the proxy and the endpoint"),
    });
    checks.extend(dated.ahead().map(|ahead| clock(name, ahead)));
    checks
}

/// Signed requests are refused when the clocks differ by more than a few minutes.
fn clock(cloud: &str, ahead: SignedDuration) -> Check {
    let what = format!("{cloud}: clock");
    let seconds = ahead.as_secs();
    if seconds.abs() <= 60 {
        return Check::new(what, Verdict::Good, "agrees with the cloud's");
    }
    let side = if seconds > 0 { "ahead of" } else { "behind" };
    let verdict = if seconds.abs() <= 240 { Verdict::Warning } else { Verdict::Bad };
    Check::new(what, verdict, format!("{} s {side} the cloud's", seconds.abs())).remedy("set this machine's clock")
}

/// Notes by the answers how far this machine's clock is ahead.
#[derive(Debug)]
struct Dated {
    inner: Arc<dyn Transport>,
    ahead: Mutex<Option<SignedDuration>>,
}

impl Dated {
    fn ahead(&self) -> Option<SignedDuration> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Dated {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let answer = self.inner.send(request).await?;
        let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
        if let Some(theirs) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            let ahead = Timestamp::now().duration_since(theirs.timestamp());
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
        Ok(answer)
    }
}

async fn store(app: &App) -> Check {
    let what = "state store";
    let store = match app.open_store().await {
        Ok(store) => store,
        Err(failure) => return Check::new(what, Verdict::Bad, failure.to_string()),
    };
    match check_conditional_writes(&*store, &mut app.rng()).await {
        Ok(()) => Check::new(what, Verdict::Good, format!("{} honours conditional writes", store.describe())),
        Err(error) => {
            let check = Check::new(what, Verdict::Bad, format!("{}: {error}", store.describe()));
            match error.way_out() {
                Some(way_out) => check.remedy(way_out),
                None => check,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told() {
        let verdict = |seconds| clock("a cloud", SignedDuration::from_secs(seconds)).verdict;
        assert_eq!([verdict(-5), verdict(100), verdict(-600)], [Verdict::Good, Verdict::Warning, Verdict::Bad]);
        let date = jiff::fmt::rfc2822::parse("Sun, 22 Nov 2026 08:15:00 GMT").expect("a date as HTTP writes it");
        assert_eq!(date.timestamp().to_string(), "2026-11-22T08:15:00Z");
    }

    #[test]
    fn cluster_apis_program_is_told_by_its_bytes() {
        let dir = tempfile::tempdir().expect("a directory");
        let theirs = dir.path().join("clusterctl");
        std::fs::write(&theirs, b"\x7fELF ... sigs.k8s.io/cluster-api/cmd/clusterctl ...").expect("a file");
        assert!(is_cluster_api(&theirs));
        std::fs::write(&theirs, b"\x7fELF something else").expect("a file");
        assert!(!is_cluster_api(&theirs));
    }
}
