//! Terraform itself evaluates hostile strings: what comes out must be what went in.

use anyhow::{Context as _, Result, ensure};
use clusterctl_core::addr::Addr;
use clusterctl_core::graph::{Concern, Graph, Kind, Node};
use clusterctl_core::terraform::{Output, ProviderPin, Settings, export};
use clusterctl_core::value::{Encoding, Part, Text, decode, encode};
use serde_json::{Value, json};

use super::Judge;

/// A thing to look up, of which the stub answers `stub` to everything.
static IDENTITY: Kind = Kind::new("data.aws_caller_identity");

/// What HCL gives a meaning to, and what text editors do not like. Composed characters only: Terraform keeps strings in
/// Unicode's NFC form.
const PIECES: [&str; 13] =
    ["$", "%", "{", "}", "${", "%{", "\"", "\\", "\n", "a", "\u{1}\u{1f}\u{7f}\r\t", "\u{feff}\u{2028}é😀", "@{1}"];

/// Every text of up to three pieces.
fn texts() -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut last = texts.clone();
    for _ in 0..3 {
        last = last.iter().flat_map(|text| PIECES.iter().map(move |piece| format!("{text}{piece}"))).collect();
        texts.extend(last.iter().cloned());
    }
    texts
}

fn slot() -> Part {
    Part::Output { of: Addr::new(IDENTITY.name, "me"), attr: "account_id".to_owned() }
}

/// Each text before and after an output; several lines make it a file.
fn around(text: &str, encoding: Encoding) -> Text {
    Text { parts: vec![Part::Text(text.to_owned()), slot(), Part::Text(text.to_owned())], encoding }
}

fn filled(text: &str) -> String {
    format!("{text}stub{text}")
}

/// Lists, objects and documents in each other: their layout is what `fmt -check` is asked about.
fn shapes(depth: usize) -> Vec<Value> {
    let mut found = vec![json!("x"), json!([]), json!({}), json!(["a".repeat(60), "b".repeat(60)])];
    if depth > 0 {
        for inner in shapes(depth - 1) {
            found.push(json!([inner, "x"]));
            found.push(json!({ "a": inner, "longer": 1, "é key": inner, "z": "x" }));
            found.push(json!({ "$json": inner }));
        }
    }
    found
}

pub(super) fn check(judge: &Judge) -> Result<String> {
    let texts = texts();
    let script = format!("#!/bin/sh\n\n\n{}", PIECES.concat());
    let plain: Vec<Value> = texts.iter().map(|text| Value::from(&around(text, Encoding::Plain))).collect();
    // A key cannot be a marker of ours, so none begins with `$`.
    let keys: serde_json::Map<String, Value> = texts.iter().map(|text| (format!("k{text}"), json!(text))).collect();
    let outputs = [
        ("literal", json!(texts)),
        ("around", json!(plain)),
        ("keys", Value::Object(keys.clone())),
        ("document", json!({ "$json": texts })),
        ("shapes", json!(shapes(2))),
        ("script", Value::from(&around(&script, Encoding::Plain))),
        ("base64", Value::from(&around(&script, Encoding::Base64))),
        ("gzip", Value::from(&around(&script, Encoding::GzipBase64))),
        ("sha256", Value::from(&around(&script, Encoding::Sha256))),
    ];
    let files = export(&graph()?, &settings(&outputs)).context("exporting hostile strings")?;
    let dir = judge.write("strings", &files)?;
    judge.terraform(&dir, &["fmt", "-check", "-diff", "-recursive"])?;
    judge.terraform(&dir, &["apply", "-auto-approve", "-refresh=false", "-input=false", "-no-color"])?;
    let said = judge.terraform(&dir, &["output", "-json"])?;
    let said: Value = serde_json::from_str(&said).context("terraform output -json")?;
    let got = |name: &str| said[name]["value"].clone();

    same("literal", &texts, &got("literal"))?;
    same("around", &texts.iter().map(|text| filled(text)).collect::<Vec<_>>(), &got("around"))?;
    ensure!(got("keys") == Value::Object(keys), "keys differ: {}", got("keys"));
    let document = got("document");
    let document: Value = serde_json::from_str(document.as_str().context("a document is a string")?)?;
    same("document", &texts, &document)?;
    let whole = filled(&script);
    ensure!(got("script") == whole, "the script differs: {}", got("script"));
    ensure!(got("base64") == encode(&whole, Encoding::Base64), "base64 differs: {}", got("base64"));
    ensure!(got("sha256") == encode(&whole, Encoding::Sha256), "sha256 differs: {}", got("sha256"));
    let unpacked = got("gzip").as_str().and_then(decode);
    ensure!(unpacked.as_deref() == Some(whole.as_str()), "gzip differs: {unpacked:?}");
    Ok(format!("formatted; {} hostile strings come out as they went in", 4 * texts.len() + 4))
}

fn same(what: &str, wanted: &[String], got: &Value) -> Result<()> {
    let got = got.as_array().with_context(|| format!("{what} is no list: {got}"))?;
    ensure!(got.len() == wanted.len(), "{what}: {} strings instead of {}", got.len(), wanted.len());
    for (wanted, got) in wanted.iter().zip(got) {
        ensure!(got == wanted, "{what}: {wanted:?} became {got}");
    }
    Ok(())
}

fn graph() -> Result<Graph> {
    let mut graph = Graph::new();
    graph.insert(Node {
        addr: Addr::new(IDENTITY.name, "me"),
        kind: &IDENTITY,
        concern: Concern::Identity,
        args: json!({}).into(),
        roll: None,
        ladder: Vec::new(),
    })?;
    Ok(graph)
}

fn settings(outputs: &[(&str, Value)]) -> Settings {
    Settings {
        title: "strings".to_owned(),
        provider: ProviderPin {
            name: "aws".to_owned(),
            source: "hashicorp/aws".to_owned(),
            version: "~> 6.10".to_owned(),
            config: vec![("region".to_owned(), json!("eu-central-1"))],
            blocks: Vec::new(),
        },
        required_version: ">= 1.5".to_owned(),
        variables: Vec::new(),
        outputs: outputs
            .iter()
            .map(|(name, value)| Output {
                name: (*name).to_owned(),
                description: "What terraform makes of it.".to_owned(),
                value: value.clone(),
            })
            .collect(),
        replacements: Vec::new(),
        imports: None,
        backend: None,
    }
}
