//! One node as a block, and one live resource as an import.

use hcl::expr::Expression;
use hcl::structure::{Attribute, Block, BlockLabel, Body};
use serde_json::{Map, Value};

use super::expression::{Writer, at, identifier, reference, words};
use super::{ExportError, Fault, Place, variable};
use crate::addr::Addr;
use crate::graph::{Node, Order};

pub(super) fn block(writer: &mut Writer<'_>, node: &Node) -> Result<Block, ExportError> {
    let args = with_variables(writer, node)?;
    let name = &node.addr.name;
    identifier(name).map_err(at(&node.addr))?;
    let mut content = body(writer, name, &args, &|arg| node.kind.blocks.contains(&arg))
        .map_err(|(arg, fault)| at(format!("{}, argument {arg},", node.addr))(fault))?;
    let (keyword, kind) = match node.addr.kind.strip_prefix("data.") {
        Some(kind) => ("data", kind),
        None => ("resource", node.addr.kind.as_str()),
    };
    if keyword == "resource" && node.kind.replace == Order::CreateFirst {
        let lifecycle = Block::builder("lifecycle").add_attribute(("create_before_destroy", true)).build();
        content.0.push(lifecycle.into());
    }
    Ok(labelled(keyword, &[kind, name], content))
}

/// The arguments, with literals given way to variables where the settings name the place.
fn with_variables(writer: &Writer<'_>, node: &Node) -> Result<Map<String, Value>, ExportError> {
    let mut args = Value::clone(&node.args);
    for replacement in &writer.settings.replacements {
        let Place::Argument { of, pointer } = &replacement.place else { continue };
        if *of != node.addr {
            continue;
        }
        let name = &replacement.variable;
        let default = writer.settings.variables.iter().find(|v| v.name == *name).and_then(|v| v.default.as_ref());
        match args.pointer_mut(pointer) {
            Some(found) if Some(&*found) == default => *found = variable(name),
            _ => return Err(at(format!("{of}{pointer}"))(Fault::NotTheDefault(name.clone()))),
        }
    }
    // The graph holds objects only.
    let Value::Object(mut args) = args else { return Ok(Map::new()) };
    args.retain(|name, _| !node.kind.implied.contains(&name.as_str()));
    Ok(args)
}

/// Arguments first, then nested blocks, both in the order given. A null is an argument that is not set.
pub(super) fn body(
    writer: &mut Writer<'_>,
    user: &str,
    args: &Map<String, Value>,
    is_block: &dyn Fn(&str) -> bool,
) -> Result<Body, (String, Fault)> {
    let mut attributes: Vec<Attribute> = Vec::new();
    let mut blocks = Vec::new();
    for (name, value) in args.iter().filter(|(_, value)| !value.is_null()) {
        let fail = |fault| (name.clone(), fault);
        if !is_block(name) {
            let key = identifier(name).map_err(fail)?;
            attributes.push(Attribute::new(key, writer.expression(user, value).map_err(fail)?));
            continue;
        }
        let one = std::slice::from_ref(value);
        for item in value.as_array().map_or(one, Vec::as_slice) {
            let Value::Object(inner) = item else { return Err(fail(Fault::NotABlock(name.clone()))) };
            let inner = body(writer, user, inner, is_block).map_err(|(arg, f)| (format!("{name}.{arg}"), f))?;
            blocks.push(labelled(name, &[], inner));
        }
    }
    Ok(Body::builder().add_attributes(attributes).add_blocks(blocks).build())
}

pub(super) fn labelled(keyword: &str, labels: &[&str], body: Body) -> Block {
    let labels: Vec<BlockLabel> = labels.iter().map(|label| BlockLabel::from(*label)).collect();
    let mut block = Block::builder(hcl::Identifier::sanitized(keyword)).add_labels(labels).build();
    block.body = body;
    block
}

pub(super) fn import(writer: &Writer<'_>, of: &Addr, id: &str) -> Result<Block, ExportError> {
    if writer.graph.get(of).is_none() || of.kind.starts_with("data.") {
        return Err(ExportError::Import(of.clone()));
    }
    let to = reference(&words(of)).map_err(at(of))?;
    Ok(Block::builder("import").add_attribute(("to", to)).add_attribute(("id", Expression::from(id))).build())
}
