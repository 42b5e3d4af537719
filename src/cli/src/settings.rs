//! Flags over environment over defaults: the only place that reads the environment.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clusterctl_core::store::lock::Holder;
use etcetera::BaseStrategy as _;

use crate::args::{ColorMode, Global, ProgressMode, read_span};
use crate::failure::Failure;
use crate::operations::lag::LAG;
use crate::simulated::Simulated;

/// Below the directory of the real records.
pub(crate) const SIMULATED: &str = "simulated";

/// Longer than a dead run's lock lasts, so that what it leaves behind never has to be broken by hand.
const LOCK_TIMEOUT: Duration = Duration::from_secs(90);

/// All that a run knows of the outside before it begins.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// A directory or a URL.
    pub(crate) store: String,
    pub(crate) progress: Progress,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    /// There is somebody to ask.
    pub(crate) interactive: bool,
    pub(crate) lock_timeout: Duration,
    pub(crate) profile: Option<String>,
    pub(crate) seed: Option<u64>,
    /// How far behind the cloud's lists are taken to be at most.
    pub(crate) lag: Duration,
    pub(crate) simulated: Option<Simulated>,
    /// What was typed, for the line that resumes.
    pub(crate) line: String,
    pub(crate) holder: Holder,
    /// What a provider may look at: the environment without what looks like a secret.
    pub(crate) environment: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) terminal: bool,
    pub(crate) color: bool,
}

/// How progress is shown, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Tty,
    Plain,
    /// Plain lines inside the groups of GitHub's log.
    GitHub,
    /// Plain lines inside the sections of GitLab's log.
    GitLab,
    Json,
    Quiet,
}

/// What the environment says, so that tests need not change it.
pub(crate) trait Environment {
    fn get(&self, name: &str) -> Option<String>;
    fn all(&self) -> BTreeMap<String, String>;
}

/// The environment of the process.
#[derive(Debug)]
pub(crate) struct Process;

impl Environment for Process {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn all(&self) -> BTreeMap<String, String> {
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
    }
}

/// Which of the three streams are terminals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminals {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

impl Terminals {
    pub(crate) fn found() -> Self {
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
        }
    }
}

impl Settings {
    /// Lays flags over variables over defaults.
    ///
    /// # Errors
    /// Names the variable whose value is none.
    pub(crate) fn new(
        flags: &Global,
        line: Vec<String>,
        environment: &dyn Environment,
        terminals: Terminals,
    ) -> Result<Self, Failure> {
        // An empty variable is one that is not set.
        let get = |name: &str| environment.get(name).filter(|value| !value.is_empty());
        let mut store = match flags.store.clone().or_else(|| get("CLUSTERCTL_STORE")) {
            Some(store) => store,
            None => default_store(&get)?,
        };
        let simulate = flags.simulate || get("CLUSTERCTL_SIMULATE").is_some_and(|v| v != "0" && v != "false");
        let simulated = if simulate {
            // A store in a simulated cloud has its account beside the directory that a store usually is.
            let beside = if store.contains("://") { default_store(&get)? } else { store.clone() };
            let dir = PathBuf::from(beside).join(SIMULATED);
            if !store.contains("://") {
                store = dir.display().to_string();
            }
            Some(Simulated { speed: flags.speed, dir: dir.join("accounts"), seed: flags.seed.unwrap_or(1) })
        } else {
            None
        };
        let dumb = get("TERM").as_deref() == Some("dumb");
        let color = match flags.color {
            Some(mode) => mode,
            None => word(&get, "CLUSTERCTL_COLOR")?.unwrap_or(ColorMode::Auto),
        };
        let stream = |terminal| Stream { terminal, color: colored(&get, color, terminal && !dumb) };
        let progress = match flags.progress {
            Some(mode) => mode,
            None => word(&get, "CLUSTERCTL_PROGRESS")?.unwrap_or(ProgressMode::Auto),
        };
        let lock_timeout = match (flags.lock_timeout, get("CLUSTERCTL_LOCK_TIMEOUT")) {
            (Some(span), _) => span,
            (None, Some(text)) => read_span(&text).ok_or_else(|| {
                Failure::usage(format!("CLUSTERCTL_LOCK_TIMEOUT: `{text}` is no time; right would be 0 or 10m"))
            })?,
            (None, None) => LOCK_TIMEOUT,
        };
        let line = shell_line(&line);
        Ok(Self {
            store,
            progress: shown(&get, progress, terminals.stderr && !dumb),
            stdout: stream(terminals.stdout),
            stderr: stream(terminals.stderr),
            interactive: terminals.stdin && terminals.stderr,
            lock_timeout,
            profile: flags.profile.clone().or_else(|| get("CLUSTERCTL_PROFILE")),
            seed: flags.seed,
            lag: flags.lists_behind.map_or(LAG, Duration::from_secs),
            simulated,
            holder: holder(&get, &line),
            line,
            environment: environment.all().into_iter().filter(|(name, _)| !secret(name)).collect(),
        })
    }

    /// Where simulated clusters are recorded, for those who look for one among the others.
    pub(crate) fn simulated_beside(&self) -> Option<PathBuf> {
        let among_others = self.simulated.is_none() && !self.store.contains("://");
        among_others.then(|| PathBuf::from(&self.store).join(SIMULATED))
    }

    /// What every line about this cluster needs behind it, so that it is found.
    pub(crate) fn flags(&self) -> &'static str {
        if self.simulated.is_some() { " --simulate" } else { "" }
    }

    /// What to do when a run stopped before its end.
    pub(crate) fn again(&self) -> String {
        format!("run the same line again: {}", self.line)
    }
}

fn word<T: clap::ValueEnum>(get: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<T>, Failure> {
    let Some(text) = get(name) else { return Ok(None) };
    T::from_str(&text, false).map(Some).map_err(|_| {
        let known: Vec<String> =
            T::value_variants().iter().filter_map(|v| v.to_possible_value().map(|v| v.get_name().to_owned())).collect();
        Failure::usage(format!("{name}: `{text}` is not known; right would be one of {}", known.join(", ")))
    })
}

fn default_store(get: &dyn Fn(&str) -> Option<String>) -> Result<String, Failure> {
    let state = match get("XDG_STATE_HOME").filter(|dir| dir.starts_with('/')) {
        Some(dir) => Some(PathBuf::from(dir)),
        None => etcetera::base_strategy::Xdg::new().ok().and_then(|xdg| xdg.state_dir()),
    };
    state.map(|dir| dir.join("clusterctl").display().to_string()).ok_or_else(|| {
        Failure::usage("there is no home directory to keep the state in")
            .hint("name a place with --store DIR or CLUSTERCTL_STORE")
    })
}

/// `NO_COLOR` before `FORCE_COLOR` before the flag before what the stream is.
fn colored(get: &dyn Fn(&str) -> Option<String>, mode: ColorMode, terminal: bool) -> bool {
    if get("NO_COLOR").is_some() {
        return false;
    }
    if ["FORCE_COLOR", "CLICOLOR_FORCE"].iter().any(|name| get(name).is_some_and(|value| value != "0")) {
        return true;
    }
    match mode {
        ColorMode::Always => true,
        ColorMode::Never => false,
        ColorMode::Auto => terminal,
    }
}

fn shown(get: &dyn Fn(&str) -> Option<String>, mode: ProgressMode, terminal: bool) -> Progress {
    let on = |name: &str| get(name).is_some_and(|value| value != "false" && value != "0");
    match mode {
        ProgressMode::Tty => Progress::Tty,
        ProgressMode::Json => Progress::Json,
        ProgressMode::Quiet => Progress::Quiet,
        ProgressMode::Auto | ProgressMode::Plain if on("GITHUB_ACTIONS") => Progress::GitHub,
        ProgressMode::Auto | ProgressMode::Plain if on("GITLAB_CI") => Progress::GitLab,
        ProgressMode::Auto if terminal && !on("CI") => Progress::Tty,
        ProgressMode::Auto | ProgressMode::Plain => Progress::Plain,
    }
}

/// A variable whose name says that its value is nobody's business.
fn secret(name: &str) -> bool {
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "ACCESS_KEY", "PRIVATE", "CREDENTIAL"]
        .iter()
        .any(|part| name.to_ascii_uppercase().contains(part))
}

fn holder(get: &dyn Fn(&str) -> Option<String>, line: &str) -> Holder {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let host = read("/proc/sys/kernel/hostname").or_else(|| get("HOSTNAME")).or_else(|| get("COMPUTERNAME"));
    let github = get("GITHUB_RUN_ID").and_then(|run| {
        Some(format!("{}/{}/actions/runs/{run}", get("GITHUB_SERVER_URL")?, get("GITHUB_REPOSITORY")?))
    });
    let pid = std::process::id();
    Holder {
        run: format!("{:032x}", rand::random::<u128>()),
        user: get("USER").or_else(|| get("LOGNAME")).or_else(|| get("USERNAME")).unwrap_or_else(|| "unknown".into()),
        host: host.unwrap_or_else(|| "unknown".into()),
        pid,
        pid_start: process_start(pid),
        boot_id: read("/proc/sys/kernel/random/boot_id"),
        ci_url: github.or_else(|| get("CI_JOB_URL")),
        command: line.to_owned(),
    }
}

/// When a process began, in the kernel's own count: field 22 of `/proc/PID/stat`.
///
/// `None` where there is no such process or no such file system.
pub(crate) fn process_start(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything, brackets too.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// The line as it can be typed again.
fn shell_line(words: &[String]) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&b));
    let mut line = String::from("clusterctl");
    for word in words.iter().skip(1) {
        line.push(' ');
        if plain(word) {
            line.push_str(word);
        } else {
            line.push('\'');
            line.push_str(&word.replace('\'', r"'\''"));
            line.push('\'');
        }
    }
    line
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[derive(Debug, Default)]
    pub(crate) struct Fixed(pub(crate) BTreeMap<String, String>);

    impl Environment for Fixed {
        fn get(&self, name: &str) -> Option<String> {
            self.0.get(name).cloned()
        }

        fn all(&self) -> BTreeMap<String, String> {
            self.0.clone()
        }
    }

    fn with(variables: &[(&str, &str)]) -> Fixed {
        Fixed(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    const TERMINAL: Terminals = Terminals { stdin: true, stdout: true, stderr: true };
    const PIPE: Terminals = Terminals { stdin: false, stdout: false, stderr: false };

    fn settings(flags: &Global, variables: &[(&str, &str)], terminals: Terminals) -> Settings {
        let line = vec!["clusterctl".to_owned(), "apply".to_owned()];
        let mut variables = variables.to_vec();
        variables.push(("XDG_STATE_HOME", "/state"));
        Settings::new(flags, line, &with(&variables), terminals).expect("settings")
    }

    #[test]
    fn a_flag_goes_before_a_variable_before_a_default() {
        let flags = Global { store: Some("/flag".into()), ..Global::default() };
        let variable = [("CLUSTERCTL_STORE", "/variable")];
        assert_eq!(settings(&flags, &variable, PIPE).store, "/flag");
        assert_eq!(settings(&Global::default(), &variable, PIPE).store, "/variable");
        assert_eq!(settings(&Global::default(), &[("CLUSTERCTL_STORE", "")], PIPE).store, "/state/clusterctl");
        let waits = [("CLUSTERCTL_LOCK_TIMEOUT", "2m")];
        assert_eq!(settings(&Global::default(), &waits, PIPE).lock_timeout, Duration::from_secs(120));
        let none = Global { lock_timeout: Some(Duration::ZERO), ..Global::default() };
        assert_eq!(settings(&none, &waits, PIPE).lock_timeout, Duration::ZERO);
    }

    #[test]
    fn a_variable_that_makes_no_sense_is_named() {
        for (name, value) in [("CLUSTERCTL_PROGRESS", "fancy"), ("CLUSTERCTL_LOCK_TIMEOUT", "soon")] {
            let environment = with(&[(name, value), ("XDG_STATE_HOME", "/state")]);
            let failure = Settings::new(&Global::default(), Vec::new(), &environment, PIPE).expect_err("nonsense");
            assert!(failure.message.contains(name) && failure.message.contains(value), "{}", failure.message);
            assert_eq!(failure.kind.exit(), 64);
        }
    }

    #[test]
    fn color_follows_no_color_then_force_then_flag_then_terminal() {
        let always = Global { color: Some(ColorMode::Always), ..Global::default() };
        let never = Global { color: Some(ColorMode::Never), ..Global::default() };
        let color =
            |flags: &Global, variables: &[(&str, &str)], terminals| settings(flags, variables, terminals).stderr.color;
        assert!(!color(&always, &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], TERMINAL));
        assert!(color(&never, &[("FORCE_COLOR", "1")], PIPE));
        assert!(color(&always, &[], PIPE));
        assert!(!color(&never, &[], TERMINAL));
        assert!(color(&Global::default(), &[], TERMINAL));
        assert!(!color(&Global::default(), &[], PIPE));
        assert!(!color(&Global::default(), &[("TERM", "dumb")], TERMINAL));
    }

    #[test]
    fn progress_fits_where_it_is_shown() {
        let auto = Global::default();
        assert_eq!(settings(&auto, &[], TERMINAL).progress, Progress::Tty);
        assert_eq!(settings(&auto, &[], PIPE).progress, Progress::Plain);
        assert_eq!(settings(&auto, &[("CI", "true")], TERMINAL).progress, Progress::Plain);
        assert_eq!(settings(&auto, &[("GITHUB_ACTIONS", "true")], PIPE).progress, Progress::GitHub);
        assert_eq!(settings(&auto, &[("GITLAB_CI", "true")], PIPE).progress, Progress::GitLab);
        let json = Global { progress: Some(ProgressMode::Json), ..Global::default() };
        assert_eq!(settings(&json, &[("CI", "true")], TERMINAL).progress, Progress::Json);
    }

    #[test]
    fn a_provider_does_not_see_secrets() {
        let variables =
            [("AWS_SECRET_ACCESS_KEY", "canary"), ("AWS_SESSION_TOKEN", "canary"), ("AWS_REGION", "eu-central-1")];
        let settings = settings(&Global::default(), &variables, PIPE);
        assert!(!format!("{settings:?}").contains("canary"));
        assert_eq!(settings.environment.get("AWS_REGION").map(String::as_str), Some("eu-central-1"));
    }

    #[test]
    fn the_line_can_be_typed_again() {
        let words = ["/usr/bin/clusterctl", "create", "demo", "--ssh-key", "ssh-ed25519 AAA it's me"];
        let line = shell_line(&words.map(str::to_owned));
        assert_eq!(line, r"clusterctl create demo --ssh-key 'ssh-ed25519 AAA it'\''s me'");
    }
}
