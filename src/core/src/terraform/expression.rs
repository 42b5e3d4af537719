//! A value with outputs, texts and documents in it, as an HCL expression.

use std::collections::BTreeMap;

use hcl::Identifier;
use hcl::expr::{Expression, FuncCall, Object, ObjectKey, TemplateExpr, Traversal, Variable};
use serde_json::Value;

use super::text::{self, Piece, Scripts};
use super::{ExportError, Fault, Place, Settings, VAR, layout};
use crate::addr::Addr;
use crate::graph::Graph;
use crate::value::{self, DIGEST, Encoding, JSON, OUTPUT, Part, TEXT};

/// Turns values into expressions and keeps the scripts that they need.
pub(super) struct Writer<'a> {
    pub(super) graph: &'a Graph,
    pub(super) settings: &'a Settings,
    /// Strings that are written as a variable wherever they stand.
    everywhere: BTreeMap<&'a str, &'a str>,
    scripts: Scripts,
}

impl<'a> Writer<'a> {
    pub(super) fn new(graph: &'a Graph, settings: &'a Settings) -> Self {
        let everywhere = settings
            .replacements
            .iter()
            .filter(|r| matches!(r.place, Place::Everywhere))
            .filter_map(|r| {
                let default = settings.variables.iter().find(|v| v.name == r.variable)?.default.as_ref()?;
                Some((default.as_str()?, r.variable.as_str()))
            })
            .collect();
        Self { graph, settings, everywhere, scripts: Scripts::default() }
    }

    pub(super) fn into_scripts(self) -> BTreeMap<String, String> {
        self.scripts.into_files()
    }

    /// `user` names the script that a long text becomes.
    pub(super) fn expression(&mut self, user: &str, value: &Value) -> Result<Expression, Fault> {
        Ok(match value {
            Value::Null => Expression::Null,
            Value::Bool(b) => Expression::Bool(*b),
            Value::Number(n) => Expression::Number(number(n)?),
            Value::String(s) => match self.everywhere.get(s.as_str()) {
                Some(name) => reference(&["var", name])?,
                None => Expression::String(s.clone()),
            },
            Value::Array(items) => {
                Expression::Array(items.iter().map(|item| self.expression(user, item)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                if let Some(special) = self.special(user, value)? {
                    return Ok(special);
                }
                let mut object = Object::new();
                for (key, item) in map {
                    object.insert(ObjectKey::from(key.as_str()), self.expression(user, item)?);
                }
                Expression::Object(object)
            }
        })
    }

    /// A value in which nothing gives way to a variable, as in a variable's own default.
    pub(super) fn literal(&mut self, value: &Value) -> Result<Expression, Fault> {
        let everywhere = std::mem::take(&mut self.everywhere);
        let said = self.expression("default", value);
        self.everywhere = everywhere;
        said
    }

    /// The expression of an object whose key starts with `$`; `None` for any other object.
    fn special(&mut self, user: &str, value: &Value) -> Result<Option<Expression>, Fault> {
        let Some((first, inner)) = value.as_object().and_then(|map| map.iter().find(|(key, _)| key.starts_with('$')))
        else {
            return Ok(None);
        };
        match first.as_str() {
            OUTPUT => {
                let (of, attr) = value::as_output(value).ok_or(Fault::Malformed(OUTPUT))?;
                output(&of, &attr)
            }
            JSON if value.as_object().is_some_and(|map| map.len() == 1) => {
                Ok(call("jsonencode", vec![self.expression(user, inner)?]))
            }
            JSON => Err(Fault::Malformed(JSON)),
            VAR => {
                let name = inner.as_str().ok_or(Fault::Malformed(VAR))?;
                if !self.settings.variables.iter().any(|v| v.name == name) {
                    return Err(Fault::UnknownVariable(name.to_owned()));
                }
                reference(&["var", name])
            }
            DIGEST => Err(Fault::Observed),
            // `$text` and `$encoding`, and a user's own key: no rule lets one begin like this where it could be mistaken.
            _ if value.get(TEXT).is_some() => {
                let text = value::as_text(value).ok_or(Fault::Malformed(TEXT))?;
                let whole = self.text(user, &text.parts)?;
                Ok(match text.encoding {
                    Encoding::Plain => whole,
                    Encoding::Base64 => call("base64encode", vec![whole]),
                    Encoding::GzipBase64 => call("base64gzip", vec![whole]),
                    Encoding::Sha256 => call("sha256", vec![whole]),
                })
            }
            _ => return Ok(None),
        }
        .map(Some)
    }

    /// A short text is a template; a long one a file, its outputs put in place of marks.
    fn text(&mut self, user: &str, parts: &[Part]) -> Result<Expression, Fault> {
        if !text::is_script(parts) {
            return template(parts);
        }
        let mut outputs: Vec<(&Addr, &str)> = Vec::new();
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            pieces.push(match part {
                Part::Text(text) => Piece::Text(text),
                Part::Output { of, attr } => {
                    let output = (of, attr.as_str());
                    let at = outputs.iter().position(|known| *known == output).unwrap_or_else(|| {
                        outputs.push(output);
                        outputs.len() - 1
                    });
                    Piece::Slot(at + 1)
                }
            });
        }
        let (text, opening) = text::marked(&pieces);
        let file = self.scripts.file(user, text);
        let path = format!("${{path.module}}/{}", text::escaped(&file));
        let mut whole = call("file", vec![Expression::TemplateExpr(Box::new(TemplateExpr::QuotedString(path)))]);
        for (at, (of, attr)) in outputs.into_iter().enumerate() {
            let mark = Expression::String(format!("{opening}{}}}", at + 1));
            whole = call("replace", vec![whole, mark, output(of, attr)?]);
        }
        Ok(whole)
    }
}

/// Adjacent literals are one literal before they are escaped: `$` and `{` may stand in different parts.
fn template(parts: &[Part]) -> Result<Expression, Fault> {
    let mut literal = String::new();
    let mut quoted = String::new();
    let mut only = None;
    for part in parts {
        match part {
            Part::Text(text) => literal.push_str(text),
            Part::Output { of, attr } => {
                let slot = output(of, attr)?;
                quoted.push_str(&text::escaped_before_slot(&std::mem::take(&mut literal)));
                quoted.push_str("${");
                quoted.push_str(&layout::expression(&slot, 0));
                quoted.push('}');
                only = Some(slot);
            }
        }
    }
    let Some(only) = only else { return Ok(Expression::String(literal)) };
    quoted.push_str(&text::escaped(&literal));
    // `terraform fmt` unwraps a template that is nothing but one interpolation.
    let bare = parts.iter().filter(|part| !matches!(part, Part::Text(t) if t.is_empty())).count() == 1;
    Ok(if bare { only } else { Expression::TemplateExpr(Box::new(TemplateExpr::QuotedString(quoted))) })
}

pub(super) fn identifier(word: &str) -> Result<Identifier, Fault> {
    Identifier::new(word).map_err(|_| Fault::NotIdentifier(word.to_owned()))
}

/// `a.b.c`
pub(super) fn reference(words: &[&str]) -> Result<Expression, Fault> {
    let mut words = words.iter();
    let first = words.next().copied().unwrap_or_default();
    let root = Variable::new(first).map_err(|_| Fault::NotIdentifier(first.to_owned()))?;
    let mut traversal = Traversal::builder(root);
    for word in words {
        traversal = traversal.attr(identifier(word)?);
    }
    Ok(traversal.build().into())
}

/// The words of an address: looked-up things start with `data`.
pub(super) fn words(addr: &Addr) -> Vec<&str> {
    match addr.kind.strip_prefix("data.") {
        Some(kind) => vec!["data", kind, &addr.name],
        None => vec![&addr.kind, &addr.name],
    }
}

fn output(of: &Addr, attr: &str) -> Result<Expression, Fault> {
    let mut all = words(of);
    all.push(attr);
    reference(&all)
}

fn number(n: &serde_json::Number) -> Result<hcl::Number, Fault> {
    n.as_u64()
        .map(hcl::Number::from)
        .or_else(|| n.as_i64().map(hcl::Number::from))
        .or_else(|| n.as_f64().and_then(hcl::Number::from_f64))
        .ok_or(Fault::Number)
}

fn call(name: &'static str, args: Vec<Expression>) -> Expression {
    let mut call = FuncCall::new(Identifier::unchecked(name));
    call.args = args;
    Expression::FuncCall(Box::new(call))
}

/// Says where a fault is.
pub(super) fn at(place: impl std::fmt::Display) -> impl FnOnce(Fault) -> ExportError {
    move |fault| ExportError::Value { at: place.to_string(), fault }
}
