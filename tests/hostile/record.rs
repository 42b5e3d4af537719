//! The documents of the store and the plan: what a cloud, an environment or a user said, written as JSON and read again.

use clusterctl_core::plan::Plan;
use clusterctl_core::store::envelope::{self, Document};
use clusterctl_core::store::journal::segment::Segment;
use clusterctl_core::store::lock::LeaseRecord;
use clusterctl_core::store::state::State;
use clusterctl_core::store::{ClusterKeys, Key};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Counts, Proof, Violation, guarded, violation};

const RECORD: &str = "JSON, the record";

pub(super) fn check(strings: &[String], counts: &mut Counts) -> Proof<()> {
    let keys = ClusterKeys::new("demo").or_else(|e| violation(RECORD, "key", "demo", e.to_string()))?;
    for text in strings {
        sealed::<State>("state", &keys.state, &state(text), text, counts)?;
        sealed::<LeaseRecord>("lock", &keys.lock, &lock(text), text, counts)?;
        sealed::<Segment>("journal", &keys.journal, &journal(text), text, counts)?;
        plain::<Plan>("plan", &plan(text), text, counts)?;
    }
    Ok(())
}

/// In its envelope, as it lies in a store.
fn sealed<D: Document + PartialEq>(
    field: &str,
    key: &Key,
    value: &Value,
    text: &str,
    counts: &mut Counts,
) -> Proof<()> {
    let told =
        |what: String| Box::new(Violation { renderer: RECORD, field: field.to_owned(), text: text.to_owned(), what });
    let document = typed::<D>(field, value, text)?;
    let bytes = guarded(RECORD, field, text, || envelope::seal(key, &document))?.map_err(|e| told(e.to_string()))?;
    let again: D = envelope::open(key, &bytes).map_err(|e| told(e.to_string()))?;
    equal(field, value, &again, &document, text, counts)
}

/// By itself.
fn plain<D: Serialize + DeserializeOwned + PartialEq>(
    field: &str,
    value: &Value,
    text: &str,
    counts: &mut Counts,
) -> Proof<()> {
    let document = typed::<D>(field, value, text)?;
    let printed = serde_json::to_string(&document).or_else(|e| violation(RECORD, field, text, e.to_string()))?;
    let again: D = serde_json::from_str(&printed).or_else(|e| violation(RECORD, field, text, e.to_string()))?;
    equal(field, value, &again, &document, text, counts)
}

fn typed<D: DeserializeOwned>(field: &str, value: &Value, text: &str) -> Proof<D> {
    serde_json::from_value(value.clone()).or_else(|e| violation(RECORD, field, text, format!("{e}: {value}")))
}

/// The same document, and with as many of the string in it as were put there.
fn equal<D: Serialize + PartialEq>(
    field: &str,
    value: &Value,
    again: &D,
    document: &D,
    text: &str,
    counts: &mut Counts,
) -> Proof<()> {
    let got = serde_json::to_value(again).or_else(|e| violation(RECORD, field, text, e.to_string()))?;
    let put = occurrences(value, text);
    if again != document || occurrences(&got, text) != put {
        return violation(RECORD, field, text, format!("becomes {got}"));
    }
    counts.proven(RECORD, put);
    Ok(())
}

fn occurrences(value: &Value, text: &str) -> usize {
    match value {
        Value::String(s) => usize::from(s == text),
        Value::Array(items) => items.iter().map(|item| occurrences(item, text)).sum(),
        Value::Object(map) => map.iter().map(|(key, item)| usize::from(key == text) + occurrences(item, text)).sum(),
        _ => 0,
    }
}

fn at() -> &'static str {
    "2030-01-02T03:04:05Z"
}

fn lock(text: &str) -> Value {
    json!({
        "epoch": 1,
        "holder": {
            "run": text, "user": text, "host": text, "pid": 1, "pid_start": null, "boot_id": text, "ci_url": text,
            "command": text,
        },
        "acquired_at": at(), "renewed_at": at(), "ttl_s": 60, "released_at": null, "unsealed": [], "state": null,
    })
}

fn intent(text: &str) -> Value {
    json!({
        "op": 1, "addr": text, "action": "create", "id": text, "generation": 1, "token": text, "digest": text,
        "depends": [text], "at": at(),
    })
}

fn journal(text: &str) -> Value {
    let mut intent = intent(text);
    intent["record"] = json!("intent");
    json!({"at": at(), "sealed_by": null, "records": [
        intent,
        {"record": "outcome", "op": 1, "at": at(), "came": {"came": "applied", "id": text, "outputs": {text: [text, {text: text}]}}},
        {"record": "outcome", "op": 1, "at": at(), "came": {"came": "failed", "fault": text, "code": text}},
        {"record": "note", "at": at(), "text": text},
    ]})
}

fn state(text: &str) -> Value {
    json!({
        "uid": "0011223344556677", "name": text, "cloud": text, "account": text, "region": text, "lineage": text,
        "serial": 1, "created_at": at(), "spec": {"text": text, "resolved": {text: [text]}}, "choices": {text: {text: text}},
        "kinds": [text],
        "resources": {text: {"id": text, "outputs": {text: text}, "depends": [text], "generation": 1}},
        "former": {text: [text]}, "generations": {text: 1}, "pending": {"1": intent(text)}, "folded": {}, "deleting": false,
        "tombstone": null,
    })
}

fn plan(text: &str) -> Value {
    // An address is a kind and a name; only the rest of a plan comes from elsewhere.
    let live = json!({"id": text, "args": {text: [text]}, "outputs": {text: text}});
    json!({
        "items": {"aws_vpc.main": {
            "action": "update", "risk": "safe",
            "changes": [{"argument": text, "from": text, "to": {text: text}, "forces_new": false}],
            "live": live, "surplus": [live], "want": {text: text}, "ladder": [[text, {text: text}]],
        }},
        "steps": [{"addr": "aws_vpc.main", "verb": "update", "live": live, "after": [], "seconds": 1.0}],
    })
}
