//! What the reader let in, onwards: resolved, chosen, designed, lowered for AWS, exported and packed. Nobody is asked.
//!
//! Each position is tried in the first sound file that has it. There a mark goes first: a harmless text of the same
//! format. A hostile text has to give the very same graph but for the mark. Several positions share a graph, because
//! making one is dear; when it differs, each of them is asked alone, so that a failure names one text and one field.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine as _;
use clusterctl_core::blueprint::design;
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::Owner;
use clusterctl_core::cluster::{Cluster, Comments, resolve_document};
use clusterctl_core::graph::{Graph, Node};
use clusterctl_core::provider::Refusal;
use clusterctl_core::value::{self, ENCODING, Encoding, JSON, Part};
use clusterctl_core::{names, spec, terraform};
use serde_json::{Map, Value};

use super::file::{Accepted, in_clean_words};
use super::flat::{self, Leaf, Swap};
use super::positions::Spot;
use super::{Counts, Proof, evaluate, guarded, violation};
use crate::UID;

const JSON_CLUSTER: &str = "JSON, the cluster";
const YAML_CLUSTER: &str = "YAML, the cluster with its defaults";
const GRAPH: &str = "user-data and arguments";
const HCL: &str = "HCL, the export";

/// Files that have what the cases do not: every other field that takes free text.
const FILES: [&str; 4] = [
    include_str!("rich.yaml"),
    include_str!("machines.yaml"),
    include_str!("existing.yaml"),
    include_str!("listed.yaml"),
];

/// A field in a file, and what is to be put there. The texts of a list or a map are dealt out to its items.
struct Field<'a> {
    accepted: &'a Accepted<'a>,
    spot: Spot,
    /// Tells its mark from those of the other fields.
    number: usize,
    /// Whether a mark gets as far as a graph: no made-up word is a region, a zone or a machine type.
    marked: bool,
    /// What resolves and is chosen for.
    texts: Vec<String>,
}

impl Field<'_> {
    fn name(&self) -> String {
        self.accepted.position.name()
    }
}

/// Follows every accepted text as far as it gets.
pub(super) fn check(accepted: &[Accepted<'_>], counts: &mut Counts) -> Proof<()> {
    let mut left: Vec<&Accepted<'_>> = accepted.iter().filter(|accepted| !accepted.texts.is_empty()).collect();
    for file in FILES {
        let document = match spec::read(file).map(|document| serde_json::to_value(document.spec)) {
            Ok(Ok(document)) => document,
            other => return violation(GRAPH, "", file, format!("is no sound file: {other:?}")),
        };
        let mut fields = Vec::new();
        let mut later = Vec::new();
        for accepted in left {
            let spots = accepted.position.spots(&document);
            let Some(first) = spots.first() else {
                later.push(accepted);
                continue;
            };
            let mark = mark(accepted.position.format, 0, "");
            let marked = mark.is_some_and(|mark| graph(&first.put(&document, &mark)).is_ok());
            let texts = resolved(accepted, first, &document, counts)?;
            // Closed words are bound by rules between the items; made-up ones are not.
            let count = if marked { spots.len() } else { 1 };
            for (at, spot) in spots.into_iter().take(count).enumerate() {
                let there = spot.get(&document, "").unwrap_or_default();
                let dealt = texts.iter().skip(at).step_by(count);
                let texts = dealt.map(|text| own(accepted.position.format, text, &there)).collect();
                fields.push(Field { accepted, spot, number: fields.len(), marked, texts });
            }
        }
        left = later;
        lowered(&document, &fields, counts)?;
    }
    counts.unlowered = left.iter().map(|accepted| accepted.position.name()).collect();
    Ok(())
}

/// A harmless text of a format. Nothing but this mark holds its words.
fn mark(format: Option<&str>, number: usize, like: &str) -> Option<String> {
    let word = format!("mk{number}q");
    let text = match format? {
        // A name in the cloud is cut, and ends in a digest of what it is made of. These hold letters, digits and hyphens.
        "cluster-name" | "group-name" => return None,
        "ssh-key" => match key(like) {
            Some(key) => format!("{key} {word}"),
            None => format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f {word}"),
        },
        "dns-zone" => format!("{word}.example.com"),
        "taint" => {
            // Key and value part ways, so that the mark has a value only where the text has one.
            let (rest, effect) = like.rsplit_once(':').unwrap_or((like, "NoSchedule"));
            if rest.contains('=') && !rest.ends_with('=') {
                format!("{word}k={word}v:{effect}")
            } else {
                format!("{word}k:{effect}")
            }
        }
        _ => word,
    };
    matches!(names::check(format?, &text), Some(Ok(()))).then_some(text)
}

/// A public key without its comment.
fn key(text: &str) -> Option<&str> {
    let end = text.match_indices(' ').nth(1).map_or(text.len(), |(at, _)| at);
    text.starts_with("ssh-").then_some(&text[..end])
}

/// The text as it can stand in one of several places: nobody may give the same key twice.
fn own(format: Option<&str>, text: &str, there: &str) -> String {
    match (format, key(text), key(there)) {
        (Some("ssh-key"), Some(shared), Some(own)) => text.replacen(shared, own, 1),
        _ => text.to_owned(),
    }
}

/// What stands in place of what.
fn swap(format: Option<&str>, mark: &str, text: &str) -> Swap {
    if format != Some("taint") {
        return vec![(mark.to_owned(), text.to_owned())];
    }
    let parts = |taint: &str| {
        let rest = taint.rsplit_once(':').map_or(taint, |(rest, _)| rest).to_owned();
        match rest.split_once('=') {
            Some((key, value)) => vec![key.to_owned(), value.to_owned()],
            None => vec![rest],
        }
    };
    parts(mark).into_iter().zip(parts(text)).collect()
}

/// Each text alone: resolves and comes out of JSON and YAML as it went in, or is refused. Gives those that can be had.
fn resolved(accepted: &Accepted<'_>, spot: &Spot, document: &Value, counts: &mut Counts) -> Proof<Vec<String>> {
    let name = accepted.position.name();
    let mut texts = Vec::new();
    for text in &accepted.texts {
        let file = spot.put(document, text).to_string();
        let read = match guarded(YAML_CLUSTER, &name, text, || spec::read(&file))? {
            Ok(read) => read,
            Err(problems) => {
                return violation(YAML_CLUSTER, &name, text, format!("is refused in this file: {problems}"));
            }
        };
        let cluster = match guarded(YAML_CLUSTER, &name, text, || resolve_document(&read))? {
            Ok(cluster) => cluster,
            Err(problems) => {
                // A rule between two fields may be told at the other one.
                in_clean_words(&problems).or_else(|what| violation(YAML_CLUSTER, &name, text, what))?;
                counts.refused += 1;
                continue;
            }
        };
        match clusterctl_aws::provider().choose_offline(&cluster, &Choices::default()) {
            Ok(_) => texts.push(text.clone()),
            Err(Refusal::Cluster { path: at, message, .. }) if at.is_empty() => {
                return violation(YAML_CLUSTER, &name, text, format!("is refused nowhere: {message}"));
            }
            Err(_) => {
                printed(&cluster).or_else(|what| violation(YAML_CLUSTER, &name, text, what))?;
                counts.proven(JSON_CLUSTER, 1);
                counts.proven(YAML_CLUSTER, 1);
                counts.refused += 1;
            }
        }
    }
    Ok(texts)
}

/// The cluster as JSON and as YAML with comments is the same cluster.
fn printed(cluster: &Cluster) -> Result<(), String> {
    let json = serde_json::to_string(cluster).map_err(|e| e.to_string())?;
    for printed in [json, cluster.to_yaml(Comments::Defaults)] {
        match spec::read(&printed).and_then(|read| resolve_document(&read)) {
            Ok(again) if again.to_spec() == cluster.to_spec() => {}
            Ok(_) => return Err(format!("printed, it says something else: {printed}")),
            Err(problems) => return Err(format!("printed, it is refused: {problems}\n{printed}")),
        }
    }
    Ok(())
}

/// The graph of a file, and the words of its refusal.
fn graph(document: &Value) -> Result<(Cluster, Graph, terraform::Settings), String> {
    let read = spec::read(&document.to_string()).map_err(|e| e.to_string())?;
    let cluster: Cluster = resolve_document(&read).map_err(|e| e.to_string())?;
    let provider = clusterctl_aws::provider();
    let choices = provider.choose_offline(&cluster, &Choices::default()).map_err(|e| e.to_string())?;
    let blueprint = design(&cluster, &choices, UID, provider.traits()).map_err(|e| e.to_string())?;
    let owner = Owner { uid: UID.to_owned(), cluster: cluster.name.to_string() };
    let graph = provider.lower(&blueprint, &owner).map_err(|e| e.to_string())?;
    let settings = provider.terraform(&blueprint, &graph);
    Ok((cluster, graph, settings))
}

fn graph_leaves(graph: &Graph) -> Result<Vec<Leaf>, String> {
    let mut all = Vec::new();
    for node in graph.iter() {
        let rungs = node.ladder.iter().map(|rung| (format!("{} rung {}", node.addr, rung.name), &rung.patch));
        for (at, value) in rungs.chain([(node.addr.to_string(), &*node.args)]) {
            all.extend(flat::leaves(value)?.into_iter().map(|(place, text)| (format!("{at}{place}"), text)));
        }
    }
    Ok(all)
}

/// Rounds of one text for each field, until every text had its turn.
///
/// Fields whose texts are closed words go by themselves: a word of theirs is in both files that are compared.
fn lowered(document: &Value, fields: &[Field<'_>], counts: &mut Counts) -> Proof<()> {
    let (free, closed): (Vec<&Field<'_>>, Vec<&Field<'_>>) = fields.iter().partition(|field| field.marked);
    let mut known = BTreeMap::new();
    for fields in [free, closed] {
        let rounds = fields.iter().map(|field| field.texts.len()).max().unwrap_or_default();
        for round in 0..rounds {
            // Two fields that must not say the same thing do not come to the same text at the same time.
            let turn = |field: &Field<'_>| (round + field.number) % field.texts.len();
            let due = fields.iter().filter(|field| round < field.texts.len());
            let mut batch: Vec<(&Field<'_>, &str)> =
                due.map(|field| (*field, field.texts[turn(field)].as_str())).collect();
            batch.sort_by_key(|(field, _)| field.spot.is_key());
            if together(document, &batch, &mut known).is_err() {
                for (field, text) in &batch {
                    together(document, &[(*field, *text)], &mut known)
                        .or_else(|what| violation(GRAPH, &field.name(), text, what))?;
                }
            }
            for renderer in [JSON_CLUSTER, YAML_CLUSTER, GRAPH, HCL] {
                counts.proven(renderer, batch.len());
            }
        }
    }
    Ok(())
}

/// One file with all of these texts, against the same file with marks in their places.
fn together(
    document: &Value,
    batch: &[(&Field<'_>, &str)],
    known: &mut BTreeMap<String, Vec<Leaf>>,
) -> Result<(), String> {
    let mut swaps = Swap::new();
    let mut marked = document.clone();
    let mut hostile = document.clone();
    for (field, text) in batch {
        let format = field.accepted.position.format;
        hostile = field.spot.put(&hostile, text);
        if let Some(mark) = mark(format, field.number, text).filter(|_| field.marked) {
            marked = field.spot.put(&marked, &mark);
            swaps.extend(swap(format, &mark, text));
        }
    }
    let (cluster, graph, settings) = graph(&hostile)?;
    printed(&cluster)?;
    if !swaps.is_empty() {
        let key = marked.to_string();
        if !known.contains_key(&key) {
            let (_, graph, _) = self::graph(&marked).map_err(|e| format!("with marks: {e}"))?;
            known.insert(key.clone(), graph_leaves(&graph)?);
        }
        let wanted = flat::swapped(&known[&key], &swaps);
        let got = flat::swapped(&graph_leaves(&graph)?, &Swap::new());
        if let Some(difference) = flat::difference(&wanted, &got) {
            return Err(difference);
        }
    }
    graph.iter().try_for_each(|node| packed(&node.args))?;
    exported(&graph, &settings)
}

/// The export, evaluated, is the graph.
pub(super) fn exported(graph: &Graph, settings: &terraform::Settings) -> Result<(), String> {
    let files = terraform::export(graph, settings).map_err(|e| e.to_string())?;
    let mut module = evaluate::module(&files)?;
    for node in graph.iter() {
        let mut got =
            module.blocks.remove(&node.addr.to_string()).ok_or_else(|| format!("{} is missing", node.addr))?;
        if let Value::Object(got) = &mut got {
            got.remove("lifecycle");
        }
        let wanted = arguments(node);
        if wanted != got {
            return Err(format!("{} is exported as {got} instead of {wanted}", node.addr));
        }
    }
    match module.blocks.keys().next() {
        Some(more) => Err(format!("{more} is exported and not in the graph")),
        None => Ok(()),
    }
}

fn arguments(node: &Node) -> Value {
    let mut args = canonical(&node.args);
    if let Value::Object(args) = &mut args {
        args.retain(|name, _| !node.kind.implied.contains(&name.as_str()));
        blocks(args, node.kind.blocks);
    }
    args
}

/// A nested block is an item of a list, also where there is one.
fn blocks(args: &mut Map<String, Value>, names: &[&str]) {
    args.retain(|_, value| !value.is_null());
    for (name, value) in args.iter_mut().filter(|(name, _)| names.contains(&name.as_str())) {
        if value.is_object() {
            *value = Value::Array(vec![value.take()]);
        }
        for inner in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            blocks(inner, names);
        }
        debug_assert!(value.is_array(), "{name}");
    }
    // A list of no blocks is no block.
    args.retain(|name, value| !names.contains(&name.as_str()) || value.as_array().is_none_or(|list| !list.is_empty()));
}

/// Texts in the one form in which they are evaluated.
fn canonical(value: &Value) -> Value {
    if let Some(text) = value::as_text(value) {
        let parts = text.parts.iter().map(|part| match part {
            Part::Text(text) => Value::from(text.as_str()),
            Part::Output { of, attr } => value::output(of, attr),
        });
        let encoding = value.get(ENCODING).and_then(Value::as_str).unwrap_or_default();
        return evaluate::text(parts.collect(), encoding);
    }
    match value {
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, item)| (key.clone(), canonical(item))).collect()),
        other => other.clone(),
    }
}

/// What is sent, unpacked by other means than ours, is the text.
fn packed(value: &Value) -> Result<(), String> {
    if let Some(text) = value::as_text(value) {
        let known = value::resolve(value, &|of, attr| Some(Value::from(format!("<{of}.{attr}>"))));
        let sent = value::render(&known).ok_or("a text is not known when it is sent")?;
        let sent = sent.as_str().ok_or("a text is sent as something else")?;
        let whole: String = text
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Output { of, attr } => format!("<{of}.{attr}>"),
            })
            .collect();
        let bytes = || base64::engine::general_purpose::STANDARD.decode(sent).map_err(|e| e.to_string());
        let got = match text.encoding {
            Encoding::Plain => sent.as_bytes().to_vec(),
            Encoding::Base64 => bytes()?,
            Encoding::GzipBase64 => {
                let mut got = Vec::new();
                let packed = bytes()?;
                flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut got).map_err(|e| e.to_string())?;
                got
            }
            Encoding::Sha256 => return Ok(()),
        };
        return if got == whole.as_bytes() { Ok(()) } else { Err(format!("{whole:?} is packed as something else")) };
    }
    if let Some(document) = value.get(JSON).filter(|_| value.as_object().is_some_and(|map| map.len() == 1)) {
        let known = value::resolve(value, &|of, attr| Some(Value::from(format!("<{of}.{attr}>"))));
        let sent = value::render(&known).ok_or("a document is not known when it is sent")?;
        let got: Value = serde_json::from_str(sent.as_str().unwrap_or_default()).map_err(|e| e.to_string())?;
        let wanted = value::resolve(document, &|of, attr| Some(Value::from(format!("<{of}.{attr}>"))));
        // Texts may stand inside of it; nothing in a document is packed.
        return if value::render(&wanted) == Some(got) {
            Ok(())
        } else {
            Err(format!("{document} is sent as something else"))
        };
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(packed),
        Value::Object(map) => map.values().try_for_each(packed),
        _ => Ok(()),
    }
}
