//! What a machine does between its start and its joining.
//!
//! It boots, cloud-init runs, and then the script of our user data, as `templates/node` has it: the same phases in the
//! same order, told on the console in the form that `clusterctl_core::bootstrap::console` reads, with what they put into
//! SSM. The first control-plane node initialises, under a lock; the others join one after another; workers join when
//! there is something to join.
//!
//! - `script` what the user data says, and the phases of a role
//! - `step` what a phase waits for, how long it takes and what is different after it; `secret` the parameters in SSM
//!
//! The state of all this is in `_machine` of the instance; `_api_from` says since when its API answers.

mod script;
mod secret;
mod step;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ec2::{compute, launch};
use super::table::Behaviour;
use crate::world::{Change, Ms, World};
use script::Script;
use step::Step;

pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "the_first_control_plane_node_initialises_and_the_others_join",
        source: "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/",
    },
    Behaviour {
        name: "a_worker_joins_when_the_api_can_be_reached",
        source: "https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/",
    },
    Behaviour {
        name: "a_machine_that_never_joins_says_why_on_its_console",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html",
    },
    Behaviour {
        name: "machines_of_groups_die_as_the_weather_has_it",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-retirement.html",
    },
    Behaviour {
        name: "a_machine_without_our_script_only_boots",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html",
    },
];

const KIND: &str = "instance";
const HOUR: Ms = 60 * 60 * 1000;
/// How often a phase looks whether what it waits for is there.
const POLL: Ms = 5000;
/// How often it says that it waits.
const TELLS: Ms = 30_000;
/// After so long systemd runs a script again that has failed.
const AGAIN: Ms = 20_000;

/// How far a machine has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    script: Script,
    name: String,
    gpu: bool,
    /// Counts starts: what was to happen to an earlier run does not happen to this one.
    run: u64,
    phase: usize,
    /// It has said that the phase starts.
    open: bool,
    /// It waits for nothing any more.
    working: bool,
    /// Its disk had served before, so that it rejoins.
    rejoins: bool,
    began: Ms,
    told: Ms,
    /// What it waits for, and since when.
    waits: Option<(String, Ms)>,
    /// The script has run before, and the heavy parts are there.
    prepared: bool,
    /// The script has run to its end.
    done: bool,
    /// The phase in which this machine fails, whatever is there.
    fails_in: Option<usize>,
    failures: u32,
    /// The generation of the lock that it holds.
    lock: Option<u64>,
    /// The holder of the lock was first seen dead then.
    dead_since: Option<Ms>,
}

fn load(world: &World, id: &str) -> Option<Progress> {
    serde_json::from_value(world.get(KIND, id)?.attrs.get("_machine")?.clone()).ok()
}

fn save(world: &mut World, id: &str, progress: &Progress) {
    let value = serde_json::to_value(progress).unwrap_or_default();
    if let Some(instance) = world.get_mut(KIND, id) {
        instance.set("_machine", value);
    }
}

fn later(world: &mut World, after: Ms, id: &str, name: &str, run: u64) {
    world.later(after, KIND, id, Change::Named(format!("{name}/{run}")));
}

/// Puts a line onto the console, as the kernel's clock would stamp it.
fn print(world: &mut World, id: &str, line: &str) {
    if let Some(console) = world.get_mut(KIND, id).and_then(|instance| instance.attrs.get_mut("_console")) {
        let mut text = console.as_str().unwrap_or_default().to_owned();
        text.push_str(line);
        text.push_str("\r\n");
        *console = Value::String(text);
    }
}

/// What the script says of a phase.
fn say(world: &mut World, id: &str, phase: &str, state: &str, elapsed: Ms, rest: &str) {
    print(world, id, &format!("clusterctl: phase={phase} state={state} elapsed={}s{rest}", elapsed / 1000));
}

/// A machine runs since now.
pub(super) fn began(world: &mut World, id: &str) {
    let Some(instance) = world.get(KIND, id) else { return };
    let script = script::of(instance.text("_userData"));
    let (name, gpu) = (instance.text("privateDnsName").to_owned(), launch::has_gpu(instance.text("instanceType")));
    let grouped = instance.tags.contains_key("aws:autoscaling:groupName");
    let host = name.split('.').next().unwrap_or_default().to_owned();
    let boot = world.takes("aws.Instance.boot");
    print(world, id, "[    0.000000] Linux version 6.14.0-1018-aws (buildd@lcy02) #18~24.04.1-Ubuntu SMP");
    print(world, id, &format!("Ubuntu 24.04.3 LTS {host} ttyS0"));
    let run = load(world, id).map_or(1, |before| before.run + 1);
    if grouped && world.weather.machine_deaths > 0.0 {
        later(world, 1, id, "hour", run);
    }
    let Some(script) = script else { return };
    let before = load(world, id).filter(|before| before.script == script);
    let done = before.as_ref().is_some_and(|before| before.done);
    let phases = script.phases().len();
    let fails_in = match &before {
        Some(before) => before.fails_in,
        None if world.chance.happens("machine/never-joins", world.weather.never_joins) => {
            Some(world.chance.number("machine/fails-in") as usize % phases)
        }
        None => None,
    };
    let now = world.now();
    let progress = Progress {
        name,
        gpu,
        run,
        phase: 0,
        open: false,
        working: false,
        rejoins: false,
        began: now,
        told: now,
        waits: None,
        prepared: before.is_some_and(|before| before.prepared),
        done,
        fails_in,
        failures: 0,
        lock: None,
        dead_since: None,
        script,
    };
    save(world, id, &progress);
    if done {
        later(world, boot + 20_000, id, "up", run);
    } else {
        let init = world.takes("os.cloudInit.stock");
        later(world, boot + init, id, "go", run);
    }
}

/// What happens to a machine by name.
pub(super) fn happened(world: &mut World, id: &str, name: &str) {
    if compute::happened(world, id, name) {
        return;
    }
    let running = world.get(KIND, id).is_some_and(|instance| compute::state(instance) == "running");
    let Some((name, run)) = name.split_once('/').filter(|_| running) else { return };
    let progress = load(world, id);
    if progress.as_ref().is_some_and(|progress| progress.run.to_string() != run) {
        return;
    }
    match (name, progress) {
        ("hour", progress) => hour(world, id, progress.map_or(1, |progress| progress.run)),
        ("go", Some(progress)) => go(world, id, progress),
        ("up", Some(progress)) => step::up(world, id, &progress.script),
        _ => {}
    }
}

/// Once an hour it is drawn whether a machine dies in the next one, and when.
fn hour(world: &mut World, id: &str, run: u64) {
    let often = world.weather.machine_deaths;
    if world.chance.happens("machine/death", often) {
        let after = (world.chance.unit("machine/death/when") * HOUR as f64) as Ms;
        world.later(after, KIND, id, Change::Named("lost".to_owned()));
    } else {
        later(world, HOUR, id, "hour", run);
    }
}

/// The script goes on: phases begin, wait, work and end.
fn go(world: &mut World, id: &str, mut at: Progress) {
    loop {
        let now = world.now();
        let Some(phase) = at.script.phases().get(at.phase).copied() else {
            at.done = true;
            save(world, id, &at);
            let since = world.get(KIND, id).map_or(now, |instance| instance.born);
            say(world, id, "bootstrap", "ok", now - since, &format!(" message={}", at.name));
            return;
        };
        if !at.open {
            at.rejoins = step::has_served(world, &at.script);
        }
        let phase = if at.rejoins && phase == "control-plane" { "rejoin" } else { phase };
        if !at.open {
            (at.open, at.began, at.told) = (true, now, now);
            say(world, id, phase, "start", 0, "");
        }
        let elapsed = now - at.began;
        if at.working {
            if at.fails_in == Some(at.phase) {
                return fail(world, id, at, phase, step::trouble(phase));
            }
            step::done(world, id, &mut at, phase);
            say(world, id, phase, "ok", elapsed, "");
            (at.phase, at.open, at.working) = (at.phase + 1, false, false);
            save(world, id, &at);
            continue;
        }
        match step::ready(world, id, &mut at, phase) {
            Step::Ready => {
                (at.working, at.waits) = (true, None);
                let takes = step::takes(world, &at, phase);
                if phase == "kernel" && at.gpu && !at.prepared {
                    print(world, id, "[   31.207713] nvidia: loading out-of-tree module taints kernel.");
                    print(world, id, "[   31.402119] NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64");
                }
                later(world, takes, id, "go", at.run);
            }
            Step::Waits { patience, what } => {
                let since = at.waits.take().filter(|(earlier, _)| *earlier == what).map_or(now, |(_, since)| since);
                if now - since >= patience {
                    return fail(world, id, at, phase, &format!("gave up waiting for {what}"));
                }
                if now - at.told >= TELLS {
                    at.told = now;
                    say(world, id, phase, "wait", elapsed, &format!(" message={what}"));
                }
                at.waits = Some((what, since));
                later(world, POLL, id, "go", at.run);
            }
        }
        save(world, id, &at);
        return;
    }
}

/// The script fails, and systemd runs it again.
fn fail(world: &mut World, id: &str, mut at: Progress, phase: &str, words: &str) {
    let elapsed = world.now() - at.began;
    say(world, id, phase, "failed", elapsed, &format!(" line={} message={words}", 100 + phase.len() * 13));
    secret::unlock(world, &mut at);
    at.failures += 1;
    (at.phase, at.open, at.working) = (0, false, false);
    save(world, id, &at);
    // What is hopeless goes on failing, and says nothing new by it.
    if at.fails_in.is_none() || at.failures < 3 {
        later(world, AGAIN, id, "go", at.run);
    }
}
