//! All that is recorded of a cluster and its last run, as one page that needs nothing else, or as data.
//!
//! - `markup` the only way onto the page, which escapes every value
//! - `topology` the layout; `gantt` the last run
//!
//! The same record gives the same bytes: nothing here asks for the time.

mod gantt;
mod markup;
mod topology;

use clusterctl_core::plan::Verb;
use clusterctl_core::store::state::State;
use clusterctl_core::timeline::{Fate, Outcome, Purpose, StepTime, Summary, Timeline};
use serde_json::{Value, json};

use self::markup::Markup;
use super::cluster::{endpoint, phase};
use super::timeline::{difference, lasting};
use crate::operations::report::Account;

/// Nothing is loaded and nothing runs; the style is in the page.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";

pub(super) fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Check => "check",
    }
}

/// The page.
pub(crate) fn page(account: &Account) -> String {
    let Account { state, blueprint, timeline, .. } = account;
    let mut markup = Markup::default();
    markup.raw(HEAD);
    markup.leaf("title", &[], &format!("{}: clusterctl report", state.name));
    markup.raw("\n<style>\n");
    markup.raw(include_str!("style.css"));
    markup.raw("</style>\n</head>\n<body>\n<main>\n");
    markup.leaf("h1", &[], &format!("Cluster {}", state.name));
    markup.line();
    if account.simulated {
        markup.leaf("p", &[], &"Simulated: no cloud has any of this.");
        markup.line();
    }
    summary(&mut markup, account);
    heading(&mut markup, "Layout");
    match blueprint {
        Some(blueprint) => topology::draw(&mut markup, blueprint, state),
        None => markup.raw("<p>The record holds no cluster file, so that the layout is not known.</p>\n"),
    }
    heading(&mut markup, "Last run");
    match timeline {
        Some(timeline) => run(&mut markup, timeline),
        None => markup.raw("<p>No run is recorded.</p>\n"),
    }
    heading(&mut markup, "Resources");
    if state.resources.is_empty() {
        markup.raw("<p>Nothing is recorded.</p>\n");
    } else {
        let row = |thing: Thing| vec![thing.address, thing.kind, thing.id, thing.created.unwrap_or_default()];
        let rows: Vec<Vec<String>> = inventory(state, timeline.as_ref()).into_iter().map(row).collect();
        markup.table("Everything that is recorded", &["Address", "Kind", "Id", "Created"], &rows);
    }
    markup.raw("</main>\n</body>\n</html>\n");
    markup.into_text()
}

fn heading(markup: &mut Markup, title: &'static str) {
    markup.leaf("h2", &[], &title);
    markup.line();
}

fn condition(state: &State) -> String {
    match &state.tombstone {
        Some(tombstone) => format!("deleted at {:.0}", tombstone.deleted_at),
        None => phase(state, None).to_owned(),
    }
}

fn summary(markup: &mut Markup, account: &Account) {
    let Account { state, timeline, .. } = account;
    let unknown = || "unknown".to_owned();
    let kubernetes = state.choices.get("kubernetes").and_then(Value::as_str).map_or_else(unknown, str::to_owned);
    let run = timeline.as_ref().map_or_else(|| "none recorded".to_owned(), told);
    let rows = [
        ("Uid", state.uid.to_string()),
        ("Cloud", state.cloud.clone()),
        ("Account", state.account.clone().unwrap_or_else(unknown)),
        ("Region", state.region.clone()),
        ("Kubernetes", kubernetes),
        ("State", condition(state)),
        ("Created", format!("{:.0}", state.created_at)),
        ("API", endpoint(state).unwrap_or_else(|| "not there".to_owned())),
        ("Resources", state.resources.len().to_string()),
        ("Unanswered calls", state.pending.len().to_string()),
        ("Last run", run),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    markup.table("What it is", &["Property", "Value"], &rows);
}

/// The run in one line.
fn told(timeline: &Timeline) -> String {
    let what = match timeline.purpose {
        Purpose::Apply => "apply",
        Purpose::Delete => "delete",
    };
    let how = match timeline.outcome {
        Outcome::Done => "carried out",
        Outcome::Failed => "failed in part",
        Outcome::Interrupted => "interrupted",
    };
    let done = timeline.steps.iter().filter(|step| step.fate() == Fate::Done).count();
    let steps = timeline.steps.len();
    format!("{what} at {:.0}, {how}: {done} of {steps} steps in {}", timeline.began_at, lasting(timeline.elapsed))
}

fn run(markup: &mut Markup, timeline: &Timeline) {
    markup.leaf("p", &[], &told(timeline));
    markup.line();
    let summary = timeline.summary();
    markup.table("Phases, which overlap", PHASE_HEADS, &phase_rows(&summary));
    let path: Vec<Vec<String>> = summary
        .critical_path
        .iter()
        .map(|step| {
            let took = lasting(step.released - step.started);
            let address = step.address.to_string();
            vec![address, verb(step.verb).to_owned(), step.phase.title().to_owned(), lasting(step.started), took]
        })
        .collect();
    markup.table("Critical path", &["Address", "Step", "Phase", "From", "For"], &path);
    let troubled: Vec<&StepTime> =
        timeline.steps.iter().filter(|step| step.fate() != Fate::Done || step.retries > 0 || step.rungs > 0).collect();
    if !troubled.is_empty() {
        let rows: Vec<Vec<String>> = troubled.into_iter().map(trouble).collect();
        markup.table("Failures and retries", &["Address", "Step", "Outcome", "Cause", "Retries", "Retried for"], &rows);
    }
    gantt::draw(markup, timeline);
}

const PHASE_HEADS: &[&str] = &["Phase", "Steps", "Planned", "Actual", "Difference", "On the critical path"];

fn phase_rows(summary: &Summary) -> Vec<Vec<String>> {
    let row = |phase: &clusterctl_core::timeline::PhaseTime| {
        let actual = phase.actual;
        vec![
            phase.phase.title().to_owned(),
            format!("{}/{}", phase.done, phase.steps),
            lasting(phase.planned.seconds),
            actual.map_or("-".to_owned(), |actual| lasting(actual.seconds)),
            actual.map_or("-".to_owned(), |actual| difference(phase.planned.seconds, actual.seconds)),
            lasting(phase.critical_seconds),
        ]
    };
    summary.phases.iter().map(row).collect()
}

fn trouble(step: &StepTime) -> Vec<String> {
    let cause = step.refused.as_ref().map(|refused| format!("{}: {}", refused.fault, refused.code));
    let mut why: Vec<String> = step.faults.iter().map(|(fault, times)| format!("{fault} {times}x")).collect();
    if step.rungs > 0 {
        why.push(format!("down {} on its ladder", super::count(step.rungs as usize, "rung")));
    }
    vec![
        step.address.to_string(),
        verb(step.verb).to_owned(),
        step.fate().word().to_owned(),
        cause.unwrap_or_default(),
        step.retries.to_string(),
        why.join(", "),
    ]
}

/// One recorded resource.
struct Thing {
    address: String,
    kind: String,
    id: String,
    /// `None` where no run with a timeline made it.
    created: Option<String>,
}

fn inventory(state: &State, timeline: Option<&Timeline>) -> Vec<Thing> {
    let thing = |(address, recorded): (&String, &clusterctl_core::store::state::Recorded)| {
        let created = address.parse().ok().and_then(|addr| timeline?.created.get(&addr));
        Thing {
            address: address.clone(),
            kind: address.rsplit_once('.').map_or(address.as_str(), |(kind, _)| kind).to_owned(),
            id: recorded.id.clone(),
            created: created.map(|created| format!("{created:.0}")),
        }
    };
    state.resources.iter().map(thing).collect()
}

/// The same for programs.
pub(crate) fn data(account: &Account) -> Value {
    let Account { state, timeline, .. } = account;
    let things = inventory(state, timeline.as_ref());
    json!({
        "name": state.name,
        "uid": state.uid.as_str(),
        "cloud": state.cloud,
        "account": state.account,
        "region": state.region,
        "state": if state.tombstone.is_some() { "deleted" } else { phase(state, None) },
        "createdAt": state.created_at,
        "deletedAt": state.tombstone.as_ref().map(|tombstone| tombstone.deleted_at),
        "endpoint": endpoint(state),
        "unanswered": state.pending.len(),
        "lastRun": timeline.as_ref().map(run_data),
        "resources": things.into_iter().map(|thing| json!({
            "address": thing.address, "kind": thing.kind, "id": thing.id, "createdAt": thing.created,
        })).collect::<Vec<_>>(),
    })
}

fn run_data(timeline: &Timeline) -> Value {
    let steps: Vec<Value> = timeline
        .steps
        .iter()
        .zip(timeline.planned())
        .map(|(step, planned)| {
            json!({
                "address": step.address,
                "verb": step.verb,
                "phase": step.phase,
                "outcome": step.fate().word(),
                "expectedSeconds": step.expected,
                "planned": { "started": planned.start, "finished": planned.end },
                "started": step.started,
                "created": step.created,
                "finished": step.ended,
                "retries": step.retries,
                "faults": step.faults,
                "refused": step.refused,
            })
        })
        .collect();
    json!({
        "purpose": timeline.purpose,
        "beganAt": timeline.began_at,
        "timeline": timeline.summary(),
        "steps": steps,
    })
}

#[cfg(test)]
mod tests;
