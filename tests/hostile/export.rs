//! A graph against what leaves the program: its export as Terraform, and what is packed for the cloud.

use std::io::Read as _;

use base64::Engine as _;
use clusterctl_core::graph::{Graph, Node};
use clusterctl_core::terraform;
use clusterctl_core::value::{self, ENCODING, Encoding, JSON, Part};
use serde_json::{Map, Value};

use super::evaluate;

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
pub(super) fn packed(value: &Value) -> Result<(), String> {
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
