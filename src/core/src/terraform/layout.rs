//! HCL values as text, laid out as `terraform fmt` leaves it.
//!
//! The rules that matter, read off the formatter's behaviour: two spaces a level; a run of neighbouring one-line
//! assignments has its equals signs under each other; an assignment over several lines stands outside any run and
//! ends it, as does an empty line; a bracket that opens at the end of a line indents by one level however many open.

use hcl::expr::{Expression, FuncCall, ObjectKey, TemplateExpr};
use hcl::structure::{Body, Structure};

use super::text::{escaped, key};

/// Where a list no longer stands on one line.
const WIDTH: usize = 100;

const HEADER: &str = "# Written by `clusterctl export terraform`. The same cluster exports the same bytes.\n\n";

pub(super) fn file(body: &Body) -> String {
    let mut out = String::from(HEADER);
    structures(body, 0, &mut out);
    out
}

/// The body as a comment that works once its signs are taken off.
pub(super) fn commented(body: &Body) -> String {
    let mut plain = String::new();
    structures(body, 0, &mut plain);
    let mut out =
        String::from("\n# Terraform keeps its state in this directory unless told otherwise, for example:\n#\n");
    for line in plain.lines() {
        out.push_str(format!("# {line}").trim_end());
        out.push('\n');
    }
    out
}

fn indent(level: usize, out: &mut String) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

fn structures(body: &Body, level: usize, out: &mut String) {
    let mut run: Vec<(String, String)> = Vec::new();
    let mut first = true;
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                if run.is_empty() && !first {
                    out.push('\n');
                }
                run.push((attribute.key.to_string(), expression(&attribute.expr, level)));
            }
            Structure::Block(block) => {
                if !run.is_empty() || !first {
                    assignments(&std::mem::take(&mut run), level, out);
                    out.push('\n');
                }
                indent(level, out);
                out.push_str(&block.identifier);
                for label in &block.labels {
                    out.push_str(&format!(" \"{}\"", escaped(label.as_str())));
                }
                if block.body.0.is_empty() {
                    out.push_str(" {}\n");
                } else {
                    out.push_str(" {\n");
                    structures(&block.body, level + 1, out);
                    indent(level, out);
                    out.push_str("}\n");
                }
            }
        }
        first = false;
    }
    assignments(&run, level, out);
}

/// Lines of `key = value`, aligned run by run.
fn assignments(items: &[(String, String)], level: usize, out: &mut String) {
    let several = |value: &String| value.contains('\n');
    for run in items.chunk_by(|a, b| !several(&a.1) && !several(&b.1)) {
        // Keys are ASCII, so bytes are columns.
        let width = run.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
        for (key, value) in run {
            indent(level, out);
            out.push_str(&format!("{key:width$} = {value}\n"));
        }
    }
}

/// An expression that starts on a line of the given level.
pub(super) fn expression(expr: &Expression, level: usize) -> String {
    match expr {
        Expression::String(text) => format!("\"{}\"", escaped(text)),
        Expression::TemplateExpr(template) => match template.as_ref() {
            TemplateExpr::QuotedString(quoted) => format!("\"{quoted}\""),
            TemplateExpr::Heredoc(_) => spelt(expr),
        },
        Expression::Array(items) => array(items, level),
        Expression::Object(items) if items.is_empty() => "{}".to_owned(),
        Expression::Object(items) => {
            let items: Vec<(String, String)> =
                items.iter().map(|(name, value)| (object_key(name), expression(value, level + 1))).collect();
            let mut out = String::from("{\n");
            assignments(&items, level + 1, &mut out);
            indent(level, &mut out);
            out.push('}');
            out
        }
        Expression::FuncCall(call) => function(call, level),
        other => spelt(other),
    }
}

/// Numbers, references and words: what is spelt in one way only.
fn spelt(expr: &Expression) -> String {
    // Writing to memory does not fail.
    hcl::format::to_string(expr).unwrap_or_default()
}

fn object_key(name: &ObjectKey) -> String {
    match name {
        ObjectKey::Identifier(word) => key(word),
        ObjectKey::Expression(Expression::String(text)) => key(text),
        other => hcl::format::to_string(other).unwrap_or_default(),
    }
}

fn array(items: &[Expression], level: usize) -> String {
    let parts: Vec<String> = items.iter().map(|item| expression(item, level + 1)).collect();
    let line = format!("[{}]", parts.join(", "));
    if !line.contains('\n') && 2 * level + line.chars().count() <= WIDTH {
        return line;
    }
    let mut out = String::from("[\n");
    for part in parts {
        indent(level + 1, &mut out);
        out.push_str(&part);
        out.push_str(",\n");
    }
    indent(level, &mut out);
    out.push(']');
    out
}

/// Arguments stand in one line; a last one over several lines opens at its end: `jsonencode({`.
fn function(call: &FuncCall, level: usize) -> String {
    let args: Vec<String> = call.args.iter().map(|arg| expression(arg, level)).collect();
    format!("{}({})", call.name, args.join(", "))
}
