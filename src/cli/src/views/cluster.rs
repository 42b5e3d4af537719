//! What is recorded of clusters, and what to do next.

use std::collections::BTreeMap;
use std::time::Duration;

use clusterctl_core::store::clock::Clock;
use clusterctl_core::store::lock::LeaseRecord;
use clusterctl_core::store::state::State;
use serde_json::{Value, json};

use crate::operations::inspect::{Entry, Status};
use crate::views::paint::one_line;
use crate::views::{count, span};

/// In one word.
pub(crate) fn phase(state: &State, lease: Option<&LeaseRecord>) -> &'static str {
    match (state.deleting, lease.is_some(), state.pending.is_empty()) {
        (true, true, _) => "deleting",
        (true, false, _) => "deletion stopped",
        (false, true, _) => "changing",
        (false, false, false) => "unfinished",
        (false, false, true) => "recorded",
    }
}

pub(crate) fn age(state: &State, clock: &dyn Clock) -> String {
    let age = Duration::try_from(clock.now().duration_since(state.created_at)).unwrap_or(Duration::ZERO);
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn at<'a>(state: &'a State, pointer: &str) -> Option<&'a Value> {
    state.spec.resolved.pointer(pointer)
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

pub(crate) const CLUSTER_HEADS: &[&str] = &["NAME", "CLOUD", "REGION", "KUBERNETES", "NODES", "STATE", "AGE"];
pub(crate) const CLUSTER_HEADS_WIDE: &[&str] =
    &["NAME", "CLOUD", "REGION", "KUBERNETES", "NODES", "STATE", "AGE", "ACCOUNT", "UID", "RESOURCES"];

/// A row of `get clusters`; the narrow table takes the first seven.
pub(crate) fn cluster_row(entry: &Entry, clock: &dyn Clock) -> Vec<String> {
    let state = match &entry.state {
        Ok(state) => state,
        Err(error) => return vec![entry.name.clone(), format!("unreadable: {error}")],
    };
    vec![
        state.name.clone(),
        state.cloud.clone(),
        state.region.clone(),
        text(at(state, "/spec/kubernetes")),
        nodes(state),
        phase(state, entry.lease.as_ref()).to_owned(),
        age(state, clock),
        state.account.clone().unwrap_or_else(|| "-".to_owned()),
        state.uid.to_string(),
        state.resources.len().to_string(),
    ]
}

/// Machines: control plane, and workers at least and at most.
fn nodes(state: &State) -> String {
    let Some(plane) = at(state, "/spec/controlPlane/count").and_then(Value::as_u64) else { return "-".to_owned() };
    let groups = at(state, "/spec/nodeGroups").and_then(Value::as_array);
    let sum = |pointer: &str| -> u64 {
        groups.into_iter().flatten().filter_map(|group| group.pointer(pointer)?.as_u64()).sum()
    };
    let (min, max) = (sum("/count/min"), sum("/count/max"));
    if min == max { format!("{plane}+{min}") } else { format!("{plane}+{min}..{max}") }
}

pub(crate) fn cluster_data(entry: &Entry) -> Value {
    match &entry.state {
        Ok(state) => json!({
            "name": state.name,
            "uid": state.uid.as_str(),
            "cloud": state.cloud,
            "region": state.region,
            "account": state.account,
            "kubernetes": at(state, "/spec/kubernetes"),
            "state": phase(state, entry.lease.as_ref()),
            "createdAt": state.created_at,
            "serial": state.serial,
            "resources": state.resources.len(),
            "deletionProtection": at(state, "/spec/deletionProtection"),
            "lockedBy": entry.lease.as_ref().map(|lease| lease.holder.to_string()),
            "endpoint": endpoint(state),
        }),
        Err(error) => json!({ "name": entry.name, "error": error.to_string() }),
    }
}

pub(crate) const GROUP_HEADS: &[&str] = &["CLUSTER", "NAME", "MACHINE", "COUNT", "GPU", "CAPACITY", "RUNG", "ZONES"];

/// One node group, as recorded and chosen.
pub(crate) fn groups(state: &State) -> Vec<Value> {
    let groups = at(state, "/spec/nodeGroups").and_then(Value::as_array);
    groups
        .into_iter()
        .flatten()
        .map(|group| {
            let name = text(group.get("name"));
            let chosen = state.choices.get("machines").and_then(|all| all.get(format!("group/{name}")));
            json!({
                "cluster": state.name,
                "name": name,
                "machine": chosen.and_then(|chosen| chosen.get("machine")),
                "cpu": chosen.and_then(|chosen| chosen.get("cpu")),
                "memoryMib": chosen.and_then(|chosen| chosen.get("memoryMib")),
                "gpu": chosen.and_then(|chosen| chosen.get("gpu")),
                "min": group.pointer("/count/min"),
                "max": group.pointer("/count/max"),
                "capacity": group.get("capacity"),
                "rung": state.choices.get("rungs").and_then(|rungs| rungs.get(&name)).unwrap_or(&json!(0)),
                "zones": chosen.and_then(|chosen| chosen.get("zones")),
            })
        })
        .collect()
}

pub(crate) fn group_row(group: &Value) -> Vec<String> {
    let list = |name: &str| {
        let items = group.get(name).and_then(Value::as_array);
        items.map_or("-".to_owned(), |items| items.iter().map(|i| text(Some(i))).collect::<Vec<_>>().join(","))
    };
    let (min, max) = (text(group.get("min")), text(group.get("max")));
    let rung = group.get("rung").and_then(Value::as_u64).unwrap_or(0);
    let ladder = group.get("capacity").and_then(Value::as_array);
    let gpu = group.get("gpu").filter(|gpu| !gpu.is_null());
    vec![
        text(group.get("cluster")),
        text(group.get("name")),
        text(group.get("machine")),
        if min == max { min } else { format!("{min}..{max}") },
        gpu.map_or("-".to_owned(), |gpu| format!("{} x {}", text(gpu.get("count")), text(gpu.get("model")))),
        list("capacity"),
        text(ladder.and_then(|ladder| ladder.get(usize::try_from(rung).ok()?))),
        list("zones"),
    ]
}

/// The address of the API, out of the outputs of the resource that has one.
pub(crate) fn endpoint(state: &State) -> Option<String> {
    let named = |attr: &str| {
        state.resources.iter().find_map(|(addr, recorded)| {
            let host = recorded.outputs.get(attr)?.as_str()?;
            addr.contains("lb").then(|| host.to_owned())
        })
    };
    let private_or_public = |visibility: &Value| visibility != "none";
    let zone = at(state, "/spec/dns/visibility").filter(|v| private_or_public(v)).and(at(state, "/spec/dns/zone"));
    match zone.and_then(Value::as_str) {
        Some(zone) => Some(format!("https://api.{}.{zone}:6443", state.name)),
        None => named("dns_name").map(|host| format!("https://{host}:6443")),
    }
}

/// Everything that is recorded, for people.
pub(crate) fn describe(entry: &Entry, clock: &dyn Clock) -> String {
    let Ok(state) = &entry.state else { return String::new() };
    let mut rows: Vec<(String, String)> = vec![
        ("Name".into(), state.name.clone()),
        ("Uid".into(), state.uid.to_string()),
        ("Cloud".into(), state.cloud.clone()),
        ("Account".into(), state.account.clone().unwrap_or_else(|| "unknown".into())),
        ("Region".into(), state.region.clone()),
        ("Zones".into(), zones(state)),
        ("Kubernetes".into(), text(at(state, "/spec/kubernetes"))),
        ("State".into(), phase(state, entry.lease.as_ref()).to_owned()),
        ("Age".into(), age(state, clock)),
        ("API".into(), endpoint(state).unwrap_or_else(|| "not there yet".into())),
        ("API from".into(), text(at(state, "/spec/access/api/visibility"))),
        (
            "Network".into(),
            format!("{} ({})", text(at(state, "/spec/network/cidr")), text(at(state, "/spec/network/topology"))),
        ),
        ("Control plane".into(), control_plane(state)),
    ];
    if let Some(lease) = &entry.lease {
        rows.push(("Locked by".into(), format!("{} (`{}`)", lease.holder, lease.holder.command)));
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let mut out = String::new();
    for (name, value) in rows {
        out.push_str(&format!("{:<width$} {}\n", format!("{name}:"), one_line(&value)));
    }
    out.push_str("\nNode groups:\n");
    let groups: Vec<Vec<String>> = groups(state).iter().map(|group| group_row(group)[1..].to_vec()).collect();
    out.push_str(&indent(&super::table::table(&GROUP_HEADS[1..], &groups)));
    out.push_str(&format!("\nResources: {}\n", state.resources.len()));
    let kinds: Vec<Vec<String>> =
        kinds(state).into_iter().map(|(kind, number)| vec![kind, number.to_string()]).collect();
    out.push_str(&indent(&super::table::table(&["KIND", "COUNT"], &kinds)));
    if !state.pending.is_empty() {
        out.push_str(&format!(
            "\nUnanswered: {} (`clusterctl status {}` says what became of them)\n",
            state.pending.len(),
            state.name
        ));
    }
    out
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn zones(state: &State) -> String {
    let zones = state.choices.get("zones").and_then(Value::as_array);
    let zones: Vec<String> = zones.into_iter().flatten().map(|zone| text(Some(zone))).collect();
    if zones.is_empty() { "-".to_owned() } else { zones.join(", ") }
}

fn control_plane(state: &State) -> String {
    let machine = state.choices.get("machines").and_then(|all| all.pointer("/control-plane/machine"));
    format!("{} x {}", text(at(state, "/spec/controlPlane/count")), text(machine))
}

fn kinds(state: &State) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for addr in state.resources.keys() {
        let kind = addr.rsplit_once('.').map_or(addr.as_str(), |(kind, _)| kind);
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }
    kinds
}

/// Everything that is recorded, for programs.
pub(crate) fn describe_data(entry: &Entry) -> Value {
    let mut data = cluster_data(entry);
    if let (Some(data), Ok(state)) = (data.as_object_mut(), &entry.state) {
        data.insert("spec".to_owned(), state.spec.resolved.clone());
        data.insert("choices".to_owned(), json!(state.choices));
        data.insert("nodeGroups".to_owned(), json!(groups(state)));
        data.insert("kinds".to_owned(), json!(kinds(state)));
        data.insert("unanswered".to_owned(), json!(state.pending.len()));
    }
    data
}

/// The record against the cloud, for people.
pub(crate) fn status(status: &Status, flags: &str) -> String {
    let state = &status.state;
    let mut out = format!("{}: {}\n", state.name, phase(state, status.lease.as_ref()));
    out.push_str(&format!("{} recorded, {} seen\n", count(state.resources.len(), "resource"), status.there));
    if let Some(lease) = &status.lease {
        let holder = one_line(&format!("{} (`{}`)", lease.holder, lease.holder.command));
        out.push_str(&format!("Being changed by {holder} since {}\n", lease.acquired_at));
    }
    for (addr, asked, came) in &status.unanswered {
        let line = one_line(&format!("The {asked} of {addr} was never answered: {came}"));
        out.push_str(&format!("{line}\n"));
    }
    if status.plan.is_empty() {
        let what = if state.deleting { "Nothing is left of it" } else { "Everything is as in its file" };
        out.push_str(&format!("{what}.\n"));
    } else {
        let summary = status.plan.summary();
        out.push_str(&format!(
            "Differs: {} to create, {} to change, {} to replace, {} to delete.\n",
            summary.create, summary.update, summary.replace, summary.delete
        ));
    }
    if let Some(endpoint) = endpoint(state) {
        out.push_str(&format!("API: {}\n", one_line(&endpoint)));
    }
    let next = match (state.deleting, status.plan.is_empty()) {
        (true, _) => Some(format!("clusterctl delete cluster {}{flags}", state.name)),
        (false, false) => Some(format!("clusterctl apply {}{flags}", state.name)),
        (false, true) => None,
    };
    out.extend(next.map(|next| format!("Next: {next}\n")));
    out
}

pub(crate) fn status_data(status: &Status) -> Value {
    json!({
        "name": status.state.name,
        "uid": status.state.uid.as_str(),
        "state": phase(&status.state, status.lease.as_ref()),
        "recorded": status.state.resources.len(),
        "seen": status.there,
        "inSync": status.plan.is_empty(),
        "summary": status.plan.summary(),
        "endpoint": endpoint(&status.state),
        "lockedBy": status.lease.as_ref().map(|lease| lease.holder.to_string()),
        "unanswered": status.unanswered.iter().map(|(addr, asked, came)| json!({
            "address": addr, "asked": asked, "outcome": came,
        })).collect::<Vec<_>>(),
    })
}

/// What to do with a cluster that stands; every line has `flags` behind it.
pub(crate) fn next(state: &State, took: Option<Duration>, flags: &str) -> String {
    let mut out = String::new();
    let took = took.map(|took| format!(" after {}", span(took))).unwrap_or_default();
    out.push_str(&format!("{} stands{took}: {}.\n", state.name, count(state.resources.len(), "resource")));
    if let Some(endpoint) = endpoint(state) {
        out.push_str(&format!("  API        {}\n", one_line(&endpoint)));
        if at(state, "/spec/access/api/visibility").is_some_and(|v| v == "private") {
            out.push_str("             reachable from inside its network only\n");
        }
    }
    let name = &state.name;
    out.push_str(&format!("  look       clusterctl status {name}{flags}\n"));
    out.push_str(&format!(
        "  change     clusterctl get cluster {name}{flags} -o yaml > cluster.yaml; \
         clusterctl apply -f cluster.yaml{flags}\n"
    ));
    out.push_str(&format!("  delete     clusterctl delete cluster {name}{flags}"));
    out
}
