//! The script of a node, past the rules of names: what if the blueprint held anything at all?
//!
//! [`render`] either refuses a text or quotes it. Quoting is judged twice: by a strict reader of shell words, and by the
//! machine's own `sh`, which runs nothing but the assignments.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use clusterctl_core::bootstrap::{NodeConfig, SlotName, render};
use serde_json::{Value, json};

use super::flat::{self, Leaf, Swap};
use super::{Counts, Proof, guarded, shell, violation};

const SHELL: &str = "shell, the script of a node";
const REAL: &str = "shell, read by sh itself";

/// A place in the configuration: a JSON pointer, and whether it is the key there that is meant.
#[derive(Debug, Clone)]
struct Place {
    pointer: String,
    key: Option<String>,
    name: String,
}

/// A configuration in which every field is set and nothing is there twice.
fn config() -> Value {
    json!({
        "role": {"kind": "controlPlane", "etcd": "volume"},
        "cluster": "demo",
        "uid": crate::UID,
        "kubernetes": "1.36",
        "networking": {
            "apiPort": 6443, "pods": "100.64.0.0/12", "services": "10.96.0.0/16", "nodes": ["10.20.0.0/19"],
            "plugin": "cilium", "mtu": 8951,
        },
        "mirrors": {"files": "https://mirror.example.com", "registries": {"quay.io": "https://mirror.example.com/quay"}},
        "architecture": "amd64",
        "checksums": {"a/file": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
        "dataDisk": "root",
        "labels": {"example.com/team": "vision"},
        "taints": [{"key": "example.com/dedicated", "value": "training", "effect": "NoExecute"}],
        "gpu": null,
        "cloudProvider": "external",
        "cloud": {
            "cloud": "aws", "region": "eu-central-1", "ssmEndpoint": "https://ssm.example.com",
            "kmsKey": "arn:aws:kms:eu-central-1:111122223333:key/a",
        },
    })
}

/// Every string of a value, and every key of a map that is none of the struct's own.
fn places(value: &Value, pointer: &str, found: &mut Vec<Place>) {
    match value {
        Value::String(_) => {
            found.push(Place { pointer: pointer.to_owned(), key: None, name: pointer.to_owned() });
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                places(item, &format!("{pointer}/{at}"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                if ["/labels", "/checksums", "/mirrors/registries"].contains(&pointer) {
                    let name = format!("{pointer}{{key}}");
                    found.push(Place { pointer: pointer.to_owned(), key: Some(key.clone()), name });
                }
                let step = key.replace('~', "~0").replace('/', "~1");
                places(item, &format!("{pointer}/{step}"), found);
            }
        }
        _ => {}
    }
}

fn put(value: &mut Value, place: &Place, text: &str) {
    let Some(at) = value.pointer_mut(&place.pointer) else { return };
    match (&place.key, at) {
        (Some(key), Value::Object(map)) => {
            let entry = map.remove(key).unwrap_or_default();
            map.insert(text.to_owned(), entry);
        }
        (_, at) => *at = Value::from(text),
    }
}

/// The script with these texts in these places; `None` where one of them is refused.
fn script(texts: &[(&Place, &str)]) -> Option<String> {
    let mut value = config();
    // Keys last: a pointer to a value leads through the old key.
    for keys in [false, true] {
        texts
            .iter()
            .filter(|(place, _)| place.key.is_some() == keys)
            .for_each(|(place, text)| put(&mut value, place, text));
    }
    let config: NodeConfig = serde_json::from_value(value).ok()?;
    let slot = |slot| match slot {
        SlotName::ApiEndpoint => "api.example.com".to_owned(),
        SlotName::EtcdVolume => "vol-0abc".to_owned(),
    };
    Some(render(&config).ok()?.fill(slot))
}

fn script_leaves(script: &str) -> Result<Vec<Leaf>, String> {
    let mut found = Vec::new();
    flat::script("", script, &mut found)?;
    Ok(found)
}

/// Every string in every field, those that take anything all at once.
pub(super) fn check(strings: &[String], counts: &mut Counts) -> Proof<()> {
    let mut all = Vec::new();
    places(&config(), "", &mut all);
    if script(&[]).is_none() {
        return violation(SHELL, "", "", "the configuration itself is refused");
    }
    // A field that takes this takes everything but what no shell word and no document can hold.
    let canary = "a'b \"c\" $(d)\n`e`";
    let (free, narrow): (Vec<Place>, Vec<Place>) =
        all.into_iter().partition(|place| script(&[(place, canary)]).is_some());
    if free.len() < 5 {
        return violation(SHELL, "", canary, format!("only {} fields take it", free.len()));
    }
    let mut heads = Vec::new();
    let mut known = Marked::new();
    for text in strings {
        let together: Vec<(&Place, &str)> = free.iter().map(|place| (place, text.as_str())).collect();
        let groups = if guarded(SHELL, "several fields", text, || script(&together))?.is_some() {
            vec![together]
        } else {
            together.into_iter().map(|one| vec![one]).collect()
        };
        for group in groups.into_iter().chain(narrow.iter().map(|place| vec![(place, text.as_str())])) {
            let name = names(&group);
            let Some(script) = guarded(SHELL, &name, text, || script(&group))? else {
                counts.refused += group.len();
                continue;
            };
            if let Err(what) = same(&group, text, &script, &mut known) {
                // One at a time, to say which.
                for one in &group {
                    let what = self::script(&[*one]).map_or(Ok(()), |script| same(&[*one], text, &script, &mut known));
                    what.or_else(|what| violation(SHELL, &one.0.name, text, what))?;
                }
                return violation(SHELL, &name, text, what);
            }
            counts.proven(SHELL, group.len());
            if group.len() > 1 {
                heads.push((text.as_str(), script));
            }
        }
    }
    real(&heads, free.len(), counts)
}

/// The scripts of some places with marks in them, by the names of the places. None where a closed word such as a role
/// takes no mark.
type Marked = BTreeMap<String, Option<Vec<Leaf>>>;

/// The script is the one with marks, but for the marks.
fn same(group: &[(&Place, &str)], text: &str, script: &str, known: &mut Marked) -> Result<(), String> {
    let got = flat::swapped(&script_leaves(script)?, &Swap::new());
    let marks: Vec<String> = (0..group.len()).map(|at| format!("mk{at}q")).collect();
    let name = names(group);
    if !known.contains_key(&name) {
        let marked: Vec<_> = group.iter().zip(&marks).map(|((place, _), mark)| (*place, mark.as_str())).collect();
        let leaves = self::script(&marked).map(|script| script_leaves(&script)).transpose()?;
        known.insert(name.clone(), leaves);
    }
    let Some(Some(wanted)) = known.get(&name) else { return Ok(()) };
    // An address is put in front of a path.
    let by = |place: &Place| match place.pointer.starts_with("/mirrors") || place.pointer == "/cloud/ssmEndpoint" {
        true => text.trim_end_matches('/').to_owned(),
        false => text.to_owned(),
    };
    let swap: Swap = group.iter().zip(&marks).map(|((place, _), mark)| (mark.clone(), by(place))).collect();
    let mut wanted = flat::swapped(wanted, &swap);
    // An empty value of a taint is left out: Kubernetes takes it for none.
    wanted.retain(|(place, text)| !(place.ends_with("taints/-/value") && text == "text "));
    flat::difference(&wanted, &got).map_or(Ok(()), Err)
}

fn names(group: &[(&Place, &str)]) -> String {
    group.iter().map(|(place, _)| place.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// One `sh` reads the assignments of every script and says what it understood.
fn real(heads: &[(&str, String)], fields: usize, counts: &mut Counts) -> Proof<()> {
    let mut program = String::new();
    let mut wanted = Vec::new();
    for (text, script) in heads {
        let (variables, body) = shell::head(script).or_else(|what| violation(REAL, "", text, what))?;
        program.push_str(script.strip_suffix(body).unwrap_or(script));
        for (name, value) in variables {
            program.push_str(&format!("printf '%s\\0' \"${name}\"\n"));
            wanted.push((*text, name, value));
        }
    }
    // Without a shell there is nothing to ask; the strict reader has judged already.
    let Ok(mut child) = Command::new("sh").arg("-s").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        return Ok(());
    };
    let stdin = child.stdin.take();
    let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(program.as_bytes())));
    let output = child.wait_with_output();
    let written = writer.join();
    let (Ok(output), Ok(Some(Ok(())))) = (output, written) else {
        return violation(REAL, "", "", "sh did not read to the end");
    };
    let got: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    for (at, (text, name, value)) in wanted.iter().enumerate() {
        if got.get(at).copied() != Some(value.as_bytes()) {
            let got = got.get(at).map(|got| String::from_utf8_lossy(got).into_owned());
            return violation(REAL, name, text, format!("is {got:?} instead of {value:?}"));
        }
    }
    if got.len() != wanted.len() + 1 {
        return violation(REAL, "", "", format!("{} answers instead of {}", got.len() - 1, wanted.len()));
    }
    counts.proven(REAL, heads.len() * fields);
    Ok(())
}
