//! `explain FIELD|CODE`: from the schema that the reader itself uses, and from the table of codes.

use clusterctl_core::spec;
use serde_json::Value;

use crate::args::Explain;
use crate::commands::Done;
use crate::failure::{Failure, Kind, TABLE};
use crate::output::Console;

pub(crate) fn run(args: &Explain, console: &Console) -> Result<Done, Failure> {
    let what = args.what.trim();
    if let Some(row) = TABLE.iter().find(|row| row.code.eq_ignore_ascii_case(what) || row.exit.to_string() == what) {
        let retry = if row.kind.is_retryable() { "\nThe same line can simply be run again." } else { "" };
        console.data(&format!("{} (exit code {}): {}\n\n{}{retry}\n", row.code, row.exit, row.means, row.remedy));
        return Ok(Done::Well);
    }
    console.data(&field(what)?);
    Ok(Done::Well)
}

fn field(path: &str) -> Result<String, Failure> {
    let schema = spec::schema();
    let mut at = resolved(&schema, &schema);
    let mut required = false;
    let mut walked = String::new();
    for word in path.split('.').map(|word| word.split('[').next().unwrap_or(word)).filter(|word| !word.is_empty()) {
        let Some((next, must)) = below(&schema, at, word) else {
            let known = fields(&schema, at).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            let here = if walked.is_empty() { "the cluster file".to_owned() } else { walked };
            let failure = Failure::new(Kind::NotFound, format!("{here} has no field `{word}`"));
            return Err(if known.is_empty() { failure } else { failure.hint(format!("it has {known}")) });
        };
        walked = if walked.is_empty() { word.to_owned() } else { format!("{walked}.{word}") };
        (at, required) = (next, must);
    }
    Ok(text(&schema, at, &walked, required))
}

/// Follows references and the wrappers around them.
fn resolved<'a>(root: &'a Value, mut at: &'a Value) -> &'a Value {
    // A schema of our own has no chain of references longer than this.
    for _ in 0..8 {
        let reference = at.get("$ref").or_else(|| at.pointer("/allOf/0/$ref")).and_then(Value::as_str);
        match reference.and_then(|reference| root.pointer(reference.strip_prefix('#')?)) {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}

/// The shapes that a value may have: itself, the items of a list, the branches of a union.
fn shapes<'a>(root: &'a Value, at: &'a Value) -> Vec<&'a Value> {
    let at = resolved(root, at);
    let mut all = vec![at];
    for branch in ["anyOf", "oneOf"].iter().filter_map(|key| at.get(*key)?.as_array()).flatten() {
        all.extend(shapes(root, branch));
    }
    if let Some(items) = at.get("items") {
        all.extend(shapes(root, items));
    }
    all
}

fn below<'a>(root: &'a Value, at: &'a Value, word: &str) -> Option<(&'a Value, bool)> {
    shapes(root, at).into_iter().find_map(|shape| {
        let field = shape.get("properties")?.get(word)?;
        let required = shape.get("required").and_then(Value::as_array);
        Some((field, required.is_some_and(|all| all.iter().any(|name| name == word))))
    })
}

fn fields<'a>(root: &'a Value, at: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let mut all: Vec<(&str, &Value)> = Vec::new();
    for shape in shapes(root, at) {
        for (name, field) in shape.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !all.iter().any(|(other, _)| other == name) {
                all.push((name, field));
            }
        }
    }
    all
}

fn text(root: &Value, at: &Value, path: &str, required: bool) -> String {
    let name = if path.is_empty() { "the cluster file" } else { path };
    let mut text = format!("{name}  <{}>{}\n", kind(root, at), if required { "  required" } else { "" });
    let about = at.get("description").or_else(|| resolved(root, at).get("description")).and_then(Value::as_str);
    if let Some(about) = about {
        text.push_str(&format!("\n  {}\n", about.replace('\n', "\n  ")));
    }
    let default = at.get("default").map(ToString::to_string);
    let default = default.or_else(|| at.get("x-default").and_then(Value::as_str).map(str::to_owned));
    if let Some(default) = default {
        text.push_str(&format!("\n  default: {}\n", default.trim_matches('"')));
    }
    let example = resolved(root, at).pointer("/examples/0");
    if let Some(example) = example {
        text.push_str(&format!("  example: {}\n", example.to_string().trim_matches('"')));
    }
    let words = words(root, at);
    if !words.is_empty() {
        text.push_str("\n  one of:\n");
        for (word, about) in words {
            text.push_str(&format!("    {word:<12} {about}\n"));
        }
    }
    let fields = fields(root, at);
    if !fields.is_empty() {
        text.push_str("\n  fields:\n");
        for (name, field) in fields {
            let about = field.get("description").or_else(|| resolved(root, field).get("description"));
            let about = about.and_then(Value::as_str).unwrap_or_default();
            let first = about.split_once(". ").map_or(about, |(first, _)| first).trim_end_matches('.');
            text.push_str(&format!("    {name:<20} <{}>  {first}\n", kind(root, field)));
        }
    }
    text
}

fn words<'a>(root: &'a Value, at: &'a Value) -> Vec<(&'a str, &'a str)> {
    let mut words: Vec<(&str, &str)> = Vec::new();
    for shape in shapes(root, at) {
        let about = shape.get("description").and_then(Value::as_str).unwrap_or_default();
        words.extend(shape.get("const").and_then(Value::as_str).map(|word| (word, about)));
        words.extend(shape.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(|w| Some((w.as_str()?, ""))));
    }
    words
}

fn kind(root: &Value, at: &Value) -> String {
    let at = resolved(root, at);
    if at.get("const").is_some() || at.get("enum").is_some() {
        return "word".to_owned();
    }
    if let Some(format) = at.get("format").and_then(Value::as_str).filter(|f| !f.starts_with("uint") && !f.starts_with("int")) {
        return format.to_owned();
    }
    let branches: Vec<String> = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| at.get(*key)?.as_array())
        .flatten()
        .map(|branch| kind(root, branch))
        .collect();
    if !branches.is_empty() {
        let mut unique: Vec<String> = Vec::new();
        branches.into_iter().for_each(|b| if !unique.contains(&b) { unique.push(b) });
        return unique.join(" or ");
    }
    match at.get("type").and_then(Value::as_str) {
        Some("array") => at.get("items").map_or("list".to_owned(), |items| format!("list of {}", kind(root, items))),
        Some(other) => other.to_owned(),
        None => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(what: &str) -> Result<String, Failure> {
        let (console, captured) = Console::captured(&[]);
        run(&Explain { what: what.to_owned() }, &console)?;
        let out = captured.lock().map(|captured| captured.out.clone()).unwrap_or_default();
        Ok(out)
    }

    #[test]
    fn a_field_says_what_it_takes() {
        let text = explained("spec.nodeGroups.machine.gpu.model").expect("a field");
        assert!(text.contains("required") && text.contains("a10g"), "{text}");
        let text = explained("spec.nodeGroups").expect("a field");
        assert!(text.contains("capacity") && text.contains("list of"), "{text}");
        let text = explained("spec.cloud").expect("a field");
        assert!(text.contains("openstack"), "{text}");
    }

    #[test]
    fn every_code_is_explained() {
        for row in TABLE {
            assert!(explained(row.code).expect("a code").contains(row.remedy));
        }
    }

    #[test]
    fn an_unknown_field_names_those_that_are_there() {
        let failure = explained("spec.nodeGroups.cpus").expect_err("there is none");
        assert_eq!(failure.kind.exit(), 66);
        assert!(failure.hints[0].contains("machine"), "{:?}", failure.hints);
    }
}
