//! A Terraform module that holds every string in every place where HCL can have one.

use std::collections::BTreeMap;

use clusterctl_core::addr::Addr;
use clusterctl_core::graph::{Concern, Graph, Kind, Node};
use clusterctl_core::terraform::{self, Output, ProviderPin, Settings, Variable, VariableType};
use clusterctl_core::value::{self, Encoding, Part, Text};
use serde_json::{Map, Value, json};

use super::{Counts, Proof, Violation, evaluate, export, guarded, violation};

const HCL: &str = "HCL, a module of hostile text";

static ROLE: Kind = Kind::new("aws_iam_role");
static GROUP: Kind = Kind { blocks: &["tag"], ..Kind::new("aws_autoscaling_group") };

/// Where a string stands in a module, and whether a string can stand there at all.
const PLACES: [&str; 13] = [
    "argument",
    "item",
    "key",
    "value of a key",
    "nested block",
    "before an output",
    "after an output",
    "key in a document",
    "value in a document",
    "script",
    "packed script",
    "variable",
    "output",
];

/// Each string in a module of its own, so that a failure names it.
pub(super) fn check(strings: &[String], counts: &mut Counts) -> Proof<()> {
    for text in strings {
        let told = |what| Box::new(Violation { renderer: HCL, field: "any".to_owned(), text: text.clone(), what });
        let graph = graph(text).map_err(told)?;
        let settings = settings(text);
        guarded(HCL, "any", text, || export::exported(&graph, &settings))?
            .or_else(|what| violation(HCL, "any", text, what))?;
        around(text, &graph, &settings).or_else(|what| violation(HCL, "variable or output", text, what))?;
        counts.proven(HCL, PLACES.len());
    }
    Ok(())
}

fn graph(text: &str) -> Result<Graph, String> {
    let role = Addr::new(ROLE.name, "main");
    let whole = |parts: Vec<Part>, encoding| Value::from(&Text { parts, encoding });
    let literal = |text: &str| Part::Text(text.to_owned());
    let slot = || Part::Output { of: role.clone(), attr: "name".to_owned() };
    let script = |encoding| whole(vec![literal("#!/bin/sh\n\n\n"), literal(text), slot(), literal(text)], encoding);
    let args = json!({
        "argument": text,
        "list": [text, [text]],
        "tags": keyed(text, Value::from(text)),
        "before": whole(vec![literal(text), slot()], Encoding::Plain),
        "after": whole(vec![slot(), literal(text), slot()], Encoding::Base64),
        "document": {value::JSON: keyed(text, json!([text, value::output(&role, "name")]))},
        "script": script(Encoding::Plain),
        "user_data": script(Encoding::GzipBase64),
        "tag": [{"key": text, "value": text}],
    });
    let mut graph = Graph::new();
    for (kind, name, args) in [(&ROLE, "main", json!({"name": text})), (&GROUP, "main", args)] {
        let node = Node {
            addr: Addr::new(kind.name, name),
            kind,
            concern: Concern::Identity,
            args: args.into(),
            roll: None,
            ladder: Vec::new(),
        };
        graph.insert(node).map_err(|e| e.to_string())?;
    }
    Ok(graph)
}

/// A key of ours starts with `$`; no rule of names lets a user's do so.
fn keyed(text: &str, value: Value) -> Map<String, Value> {
    let key = if text.starts_with('$') { format!("k{text}") } else { text.to_owned() };
    Map::from_iter([(key, value)])
}

fn settings(text: &str) -> Settings {
    Settings {
        title: text.to_owned(),
        provider: ProviderPin {
            name: "aws".to_owned(),
            source: "hashicorp/aws".to_owned(),
            version: "~> 6.10".to_owned(),
            config: vec![("profile".to_owned(), json!(text))],
            blocks: Vec::new(),
        },
        required_version: ">= 1.5".to_owned(),
        variables: vec![Variable {
            name: "name".to_owned(),
            of: VariableType::String,
            description: text.to_owned(),
            default: Some(json!(text)),
        }],
        outputs: vec![Output { name: "name".to_owned(), description: text.to_owned(), value: json!(text) }],
        replacements: Vec::new(),
        imports: Some(BTreeMap::from([(Addr::new(ROLE.name, "main"), text.to_owned())])),
        backend: Some(terraform::Backend { name: "s3".to_owned(), config: vec![("key".to_owned(), json!(text))] }),
    }
}

/// The blocks around the resources hold it too; the backend is a comment and stays one.
fn around(text: &str, graph: &Graph, settings: &Settings) -> Result<(), String> {
    let files = terraform::export(graph, settings).map_err(|e| e.to_string())?;
    let module = evaluate::module(&files)?;
    for (block, field) in [
        ("variable name", "description"),
        ("variable name", "default"),
        ("output name", "description"),
        ("output name", "value"),
        ("provider aws", "profile"),
        ("import", "id"),
    ] {
        let got = module.others.get(block).and_then(|block| block.get(field));
        if got != Some(&json!(text)) {
            return Err(format!("{field} of {block} is {got:?}"));
        }
    }
    let backend = files["versions.tf"].lines().rev().take_while(|line| line.starts_with('#')).count();
    if backend < 3 || module.others.keys().any(|block| block.contains("s3")) {
        return Err(format!("the backend is no comment: {}", files["versions.tf"]));
    }
    Ok(())
}
