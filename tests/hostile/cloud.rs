//! What the reader let in, onwards: resolved, chosen, designed, lowered for AWS, exported and packed. Nobody is asked.
//!
//! Each position is tried in the first sound file that has it. There a mark goes first: a harmless text of the same
//! format. A hostile text has to give the very same graph but for the mark. Several positions share a graph, because
//! making one is dear; when it differs, each of them is asked alone, so that a failure names one text and one field.

use std::collections::BTreeMap;

use clusterctl_core::blueprint::design;
use clusterctl_core::choices::Choices;
use clusterctl_core::cloud::Owner;
use clusterctl_core::cluster::{Cluster, Comments, resolve_document};
use clusterctl_core::graph::Graph;
use clusterctl_core::provider::Refusal;
use clusterctl_core::{names, spec, terraform};
use serde_json::Value;

use super::file::{Accepted, in_clean_words};
use super::flat::{self, Leaf, Swap};
use super::positions::Spot;
use super::{Counts, Proof, export, guarded, violation};
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
        graph(&document).or_else(|what| violation(GRAPH, "", file, what))?;
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
            // Closed words are bound by rules between the items, and many taints here have the same key.
            let alone = !marked || accepted.position.format == Some("taint");
            let count = if alone { 1 } else { spots.len() };
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
            each(document, &batch, &mut known)?;
            for renderer in [JSON_CLUSTER, YAML_CLUSTER, GRAPH, HCL] {
                counts.proven(renderer, batch.len());
            }
        }
    }
    Ok(())
}

/// All of these together; where that is refused, as two tags of one name are, in halves down to each alone.
fn each(document: &Value, batch: &[(&Field<'_>, &str)], known: &mut BTreeMap<String, Vec<Leaf>>) -> Proof<()> {
    match (together(document, batch, known), batch) {
        (Ok(()), _) | (_, []) => Ok(()),
        (Err(what), [(field, text)]) => violation(GRAPH, &field.name(), text, what),
        (Err(_), batch) => {
            let (one, other) = batch.split_at(batch.len() / 2);
            each(document, one, known)?;
            each(document, other, known)
        }
    }
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
    graph.iter().try_for_each(|node| export::packed(&node.args))?;
    export::exported(&graph, &settings)
}
