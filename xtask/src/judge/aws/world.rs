//! An AWS account of its own: moto on a free port, what lay in it before us, a reader, and the command's own folders.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Rig;
use super::account::{Account, Reading};
use super::case::Case;
use crate::process::{Ran, Running, free_port, http, wait_for};

pub(crate) const REGION: &str = "eu-central-1";

/// No command of these may take longer.
const LIMIT: Duration = Duration::from_secs(240);

/// How long each answer of moto takes beyond its own time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Latency(pub(crate) u32);

impl Latency {
    pub(crate) const NONE: Self = Self(0);
    /// Enough that a random instant often falls between a call and its answer.
    pub(crate) const SHORT: Self = Self(30);
}

/// Who the command says it is.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
    /// Where the command finds AWS: moto itself or a proxy before it.
    pub(crate) endpoint: u16,
    pub(crate) key: Key,
    pub(crate) account: Account,
    pub(crate) python: PathBuf,
    pub(crate) root: PathBuf,
    /// Where the command keeps its records: a folder, or a bucket.
    pub(crate) store: String,
    binary: PathBuf,
    fault_proxy: PathBuf,
    log: PathBuf,
    /// How much of the log was there when calls were last forgotten.
    forgotten: Cell<usize>,
    runs: Cell<usize>,
    #[expect(dead_code, reason = "held, so that it ends with the world")]
    moto: Running,
}

/// Every request to moto, a line each.
const LOG: &str = "moto.log";

/// Starts moto with what is mended in it, on a port and with its files in `dir`.
pub(crate) fn moto(
    python: &Path,
    script: &Path,
    root: &Path,
    dir: &Path,
    port: u16,
    latency: Latency,
) -> Result<Running> {
    let mut command = Command::new(python);
    command
        .arg("-B")
        .arg(script)
        .arg(port.to_string())
        .arg(dir.join(LOG))
        .env("PYTHONPATH", root.join("tests/judge/mended"))
        .env("COUNT_LATENCY_MS", latency.0.to_string())
        .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "1")
        .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "1")
        .env("MOTO_ENABLE_AMI_VALIDATION", "1")
        .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        .env("MOTO_AMIS_PATH", root.join("tests/judge/amis.json"));
    Running::start(&mut command, &dir.join("moto"))
}

/// Calls by `service:action`.
pub(crate) type Calls = BTreeMap<String, u64>;

impl World {
    pub(crate) fn start(rig: &Rig, name: &str, latency: Latency) -> Result<Self> {
        let dir = rig.dir.join(name);
        fs::create_dir_all(&dir)?;
        let port = free_port()?;
        let log = dir.join(LOG);
        let mut moto = moto(&rig.python, &rig.moto, &rig.ground_root, &dir, port, latency)?;
        wait_for(&mut moto, port, "/__stats").context("moto")?;
        let account = Account::start(&rig.python, &rig.ground_root.join("tests/judge/account.py"), port, &dir)?;
        let store = dir.join("store").display().to_string();
        Ok(Self {
            dir,
            port,
            endpoint: port,
            key: Key { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: "secret".to_owned() },
            account,
            python: rig.python.clone(),
            root: rig.ground_root.clone(),
            store,
            binary: rig.binary.clone(),
            fault_proxy: rig.fault_proxy.clone(),
            log,
            forgotten: Cell::new(0),
            runs: Cell::new(0),
            moto,
        })
    }

    /// A case of tests/cases, with what it expects to find made.
    pub(crate) fn case(&self, name: &str) -> Result<Case> {
        Case::load(self, name)
    }

    /// Makes things that look like the case's and are not.
    pub(crate) fn add_decoys(&self, case: &Case) -> Result<u64> {
        let made = self.python("decoys.py", &[&case.cluster, &case.cidr])?;
        let made = made["made"].as_u64().unwrap_or(0);
        ensure!(made >= 20, "only {made} decoys were made");
        Ok(made)
    }

    /// Runs one of our scripts against this moto and reads its answer.
    pub(crate) fn python(&self, script: &str, args: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.python);
        command
            .arg("-B")
            .arg(self.root.join("tests/judge").join(script))
            .arg(format!("http://127.0.0.1:{}", self.port));
        // A caller is made for the whole account; everything else lives in the region.
        if script != "caller.py" {
            command.arg(REGION);
        }
        super::account::environment(command.args(args));
        let said = crate::ground::step(&mut command)?;
        serde_json::from_str(&said).with_context(|| format!("{script} said {said}"))
    }

    /// The command with a clean environment: only this account, only these folders.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.join("home"))
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.endpoint))
            .env("AWS_ACCESS_KEY_ID", &self.key.id)
            .env("AWS_SECRET_ACCESS_KEY", &self.key.secret)
            .env("AWS_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(args)
            .arg("--store")
            .arg(&self.store)
            // What moto has made is in its lists at once, or as late as the slowest of these scenarios makes it.
            .args(["--lists-behind", "15"])
            .current_dir(&self.dir);
        command
    }

    pub(crate) fn start_command(&self, args: &[&str]) -> Result<Running> {
        self.runs.set(self.runs.get() + 1);
        let words: Vec<&str> = args.iter().copied().filter(|word| !word.contains(['/', '-'])).collect();
        let stem = format!("{:03}-{}", self.runs.get(), words.join("-"));
        Running::start(&mut self.command(args), &self.dir.join(stem))
    }

    pub(crate) fn run(&self, args: &[&str]) -> Result<Ran> {
        self.start_command(args)?.end(LIMIT)
    }

    pub(crate) fn apply(&self, case: &Case) -> Result<Ran> {
        self.run(&case.apply_args())?.expect(0, "apply")
    }

    pub(crate) fn delete(&self, case: &Case) -> Result<Ran> {
        self.run(&case.delete_args())?.expect(0, "delete")
    }

    /// The law after every apply: nothing is left to do.
    pub(crate) fn plan_is_empty(&self, case: &Case) -> Result<()> {
        self.run(&["plan", "-f", &case.file, "--detailed-exitcode"])?.expect(0, "the plan after an apply")?;
        Ok(())
    }

    /// The law after every delete: the account is what it was. Also that our reader knows every service that was asked.
    pub(crate) fn unchanged_since(&mut self, before: &Reading) -> Result<()> {
        let now = self.account.read()?;
        let differences = before.differences(&now);
        ensure!(differences.is_empty(), "the account is not what it was:\n  {}", shorten(&differences));
        for service in self.services()? {
            ensure!(
                service == "sts" || now.services.contains(&service),
                "{service} was called, and the reader of the account does not read it"
            );
        }
        Ok(())
    }

    /// Calls since the last [`World::forget_calls`], by service and action.
    pub(crate) fn calls(&self) -> Result<Calls> {
        let stats: Value = serde_json::from_str(&http(self.port, "GET", "/__stats", "")?)?;
        let by_action = stats["by_action"].as_object().context("counts by action")?;
        Ok(by_action.iter().map(|(action, count)| (action.clone(), count.as_u64().unwrap_or(0))).collect())
    }

    pub(crate) fn forget_calls(&self) -> Result<()> {
        http(self.port, "POST", "/__stats/reset", "")?;
        self.forgotten.set(self.logged()?.len());
        Ok(())
    }

    /// Which calls were made since the last [`World::forget_calls`], in the order of their first answers.
    pub(crate) fn calls_in_order(&self) -> Result<Vec<String>> {
        let mut seen = Vec::new();
        for call in &self.logged()?[self.forgotten.get()..] {
            let action = call["act"].as_str().unwrap_or_default().to_owned();
            if !seen.contains(&action) {
                seen.push(action);
            }
        }
        Ok(seen)
    }

    fn services(&self) -> Result<Vec<String>> {
        let mut services: Vec<String> =
            self.logged()?.iter().filter_map(|call| call["svc"].as_str().map(ToOwned::to_owned)).collect();
        services.sort();
        services.dedup();
        // Requests without a signature are the judge's own.
        services.retain(|service| service != "?");
        Ok(services.into_iter().map(|service| renamed(&service).to_owned()).collect())
    }

    fn logged(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.log)?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    pub(crate) fn set_latency(&self, latency: Latency) -> Result<()> {
        http(self.port, "POST", &format!("/__stats/latency?{}", latency.0), "")?;
        Ok(())
    }

    /// Carries the next such action out, and kills `pid` before the answer leaves.
    pub(crate) fn kill_on(&self, action: &str, pid: u32) -> Result<()> {
        http(self.port, "POST", &format!("/__stats/killon?{action},{pid}"), "")?;
        Ok(())
    }

    /// Takes an unspent [`World::kill_on`] back.
    pub(crate) fn kill_nobody(&self) -> Result<()> {
        http(self.port, "POST", "/__stats/killon?no-such-action,0", "")?;
        Ok(())
    }

    /// Puts the fault injector before moto.
    pub(crate) fn fault_proxy(&self, args: &[String]) -> Result<(Running, u16)> {
        let port = free_port()?;
        let mut proxy = Running::start(
            Command::new(&self.python)
                .arg("-B")
                .arg(&self.fault_proxy)
                .arg(port.to_string())
                .arg(format!("http://127.0.0.1:{}", self.port))
                .args(args),
            &self.dir.join("fault-proxy"),
        )?;
        wait_for(&mut proxy, port, "/__stats").context("fault proxy")?;
        Ok((proxy, port))
    }

    /// Puts a proxy before moto that loses the first answers of every action that `actions` finds.
    pub(crate) fn lossy_proxy(&self, actions: &str, times: u32) -> Result<(Running, u16)> {
        let port = free_port()?;
        let mut proxy = Running::start(
            Command::new(&self.python).arg("-B").arg(self.root.join("tests/judge/drop_after.py")).args([
                port.to_string(),
                self.port.to_string(),
                actions.to_owned(),
                times.to_string(),
            ]),
            &self.dir.join("lossy-proxy"),
        )?;
        wait_for(&mut proxy, port, "/__lost").context("lossy proxy")?;
        Ok((proxy, port))
    }
}

/// The name that boto3 gives to a service, where its signature says another.
fn renamed(signed: &str) -> &str {
    match signed {
        "elasticloadbalancing" => "elbv2",
        other => other,
    }
}

/// The first of many lines.
pub(crate) fn shorten(lines: &[String]) -> String {
    const SHOWN: usize = 15;
    let mut text = lines[..lines.len().min(SHOWN)].join("\n  ");
    if lines.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", lines.len() - SHOWN));
    }
    text
}
