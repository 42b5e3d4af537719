//! The schema, and what is explained out of it.

use expect_test::expect;
use serde_json::{Value, json};

use super::*;

#[test]
fn the_schema_uses_no_word_that_the_reader_does_not_know() {
    fn walk(value: &Value, names: bool) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    let known = names || shape::KEYWORDS.contains(&key.as_str());
                    assert!(known, "{key} in the schema");
                    if key == "patternProperties" && !names {
                        assert!(map.contains_key("x-keys"), "a map without the format of its keys");
                    }
                    let holds_names =
                        !names && matches!(key.as_str(), "properties" | "definitions" | "patternProperties");
                    if !matches!(key.as_str(), "default" | "examples" | "const") || names {
                        walk(inner, holds_names);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, false)),
            _ => {}
        }
    }
    walk(&schema(), false);
}

#[test]
fn every_example_in_the_schema_is_right() {
    fn walk(value: &Value, examples: &mut usize) {
        if let (Some(Value::String(format)), Some(Value::String(example))) =
            (value.get("format"), value.pointer("/examples/0"))
        {
            assert_eq!(crate::names::check(format, example), Some(Ok(())), "{format} {example}");
            let pattern = json!({"type": "string", "pattern": value["pattern"]});
            assert!(jsonschema::draft7::new(&pattern).expect("a pattern").is_valid(&json!(example)), "{format}");
            *examples += 1;
        }
        match value {
            Value::Object(map) => map.values().for_each(|inner| walk(inner, examples)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, examples)),
            _ => {}
        }
    }
    let mut examples = 0;
    walk(&schema(), &mut examples);
    assert!(examples > 25, "{examples}");
}

#[test]
fn every_field_is_explained() {
    fn walk(path: &str, fields: &mut usize) {
        let help = explain(path).expect("a field");
        assert!(!help.description.is_empty(), "{path} has no description");
        for (name, _) in &help.fields {
            *fields += 1;
            walk(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, fields);
        }
    }
    let mut fields = 0;
    walk("", &mut fields);
    assert!(fields > 60, "{fields}");
    expect![[r#"
        Some(
            FieldHelp {
                path: "spec.nodeGroups[].capacity",
                description: "How machines are bought: a ladder whose next rung is taken when the cloud has none on this one. Spot needs on-demand after it.",
                takes: "a list, each one of spot, on-demand",
                required: false,
                default: Some(
                    "[on-demand]",
                ),
                example: None,
                words: [
                    (
                        "spot",
                        "At a discount; the cloud may take them back at any time.",
                    ),
                    (
                        "on-demand",
                        "At the list price, until they are given back.",
                    ),
                ],
                fields: [],
            },
        )
    "#]].assert_debug_eq(&explain("spec.nodeGroups[1].capacity"));
    expect![[r#"
        Some(
            FieldHelp {
                path: "spec.nodeGroups[].gpu.sharing",
                description: "Whether pods share a GPU, and how.",
                takes: "one of none, mps, mig, or {timeSlicing: ...}",
                required: false,
                default: Some(
                    "none",
                ),
                example: None,
                words: [
                    (
                        "none",
                        "Each pod has its GPUs to itself.",
                    ),
                    (
                        "mps",
                        "Pods share a GPU through NVIDIA's Multi-Process Service.",
                    ),
                    (
                        "mig",
                        "A GPU is partitioned in hardware; only models that can do it.",
                    ),
                ],
                fields: [
                    (
                        "timeSlicing",
                        "How many pods take turns on each GPU.",
                    ),
                ],
            },
        )
    "#]]
    .assert_debug_eq(&explain("spec.nodeGroups.gpu.sharing"));
    assert_eq!(explain("spec.nodeGroup"), None);
    assert_eq!(nearest_field("spec.nodeGroup.coun.mx").as_deref(), Some("spec.nodeGroups[].count.max"));
}
