//! The files around the resources: versions, provider, variables, outputs, imports.

use std::collections::BTreeSet;

use hcl::Identifier;
use hcl::expr::{Expression, FuncCall, Object, ObjectKey, Variable as Word};
use hcl::structure::{Block, Body};
use serde_json::{Map, Value};

use super::expression::{Writer, at, identifier};
use super::resource::{body, import, labelled};
use super::{ExportError, Fault, VariableType};
use crate::graph::Graph;
use crate::value;

pub(super) const VERSIONS: &str = "versions.tf";

/// Every file that has content, by name.
pub(super) fn bodies(writer: &mut Writer<'_>, graph: &Graph) -> Result<Vec<(&'static str, Body)>, ExportError> {
    let blocks = [
        (VERSIONS, vec![versions(writer)?]),
        ("providers.tf", vec![provider(writer)?]),
        ("variables.tf", variables(writer)?),
        ("outputs.tf", outputs(writer, graph)?),
        ("imports.tf", imports(writer)?),
    ];
    Ok(blocks
        .into_iter()
        .filter(|(_, blocks)| !blocks.is_empty())
        .map(|(file, blocks)| (file, Body::builder().add_blocks(blocks).build()))
        .collect())
}

fn versions(writer: &Writer<'_>) -> Result<Block, ExportError> {
    let provider = &writer.settings.provider;
    let mut pin = Object::new();
    for (key, text) in [("source", &provider.source), ("version", &provider.version)] {
        pin.insert(ObjectKey::from(key), Expression::from(text.as_str()));
    }
    let name = identifier(&provider.name).map_err(at("the provider"))?;
    let required = Block::builder("required_providers").add_attribute((name, Expression::Object(pin))).build();
    Ok(Block::builder("terraform")
        .add_attribute(("required_version", writer.settings.required_version.as_str()))
        .add_block(required)
        .build())
}

fn provider(writer: &mut Writer<'_>) -> Result<Block, ExportError> {
    let provider = &writer.settings.provider;
    let config: Map<String, Value> = provider.config.iter().cloned().collect();
    let content = body(writer, "provider", &config, &|arg| provider.blocks.iter().any(|block| block == arg))
        .map_err(|(arg, fault)| at(format!("provider {}, argument {arg},", provider.name))(fault))?;
    Ok(labelled("provider", &[&provider.name], content))
}

/// The backend that the user may switch on.
pub(super) fn backend(writer: &mut Writer<'_>) -> Result<Option<Body>, ExportError> {
    let Some(backend) = &writer.settings.backend else { return Ok(None) };
    let config: Map<String, Value> = backend.config.iter().cloned().collect();
    let content = body(writer, "backend", &config, &|_| false)
        .map_err(|(arg, fault)| at(format!("backend {}, argument {arg},", backend.name))(fault))?;
    let block = labelled("backend", &[&backend.name], content);
    Ok(Some(Body::builder().add_block(Block::builder("terraform").add_block(block).build()).build()))
}

fn type_of(of: VariableType) -> Expression {
    let word = |name: &'static str| Expression::Variable(Word::unchecked(name));
    let of_strings = |name: &'static str| {
        let mut call = FuncCall::new(Identifier::unchecked(name));
        call.args.push(word("string"));
        Expression::FuncCall(Box::new(call))
    };
    match of {
        VariableType::String => word("string"),
        VariableType::Number => word("number"),
        VariableType::Bool => word("bool"),
        VariableType::ListOfString => of_strings("list"),
        VariableType::MapOfString => of_strings("map"),
    }
}

fn variables(writer: &mut Writer<'_>) -> Result<Vec<Block>, ExportError> {
    let settings = writer.settings;
    let mut seen = BTreeSet::new();
    let mut blocks = Vec::new();
    for variable in &settings.variables {
        let place = || format!("variable {}", variable.name);
        identifier(&variable.name).map_err(at(place()))?;
        if !seen.insert(&variable.name) {
            return Err(at(place())(Fault::Twice(variable.name.clone())));
        }
        let mut block = Block::builder("variable")
            .add_label(variable.name.as_str())
            .add_attribute(("type", type_of(variable.of)))
            .add_attribute(("description", variable.description.as_str()));
        if let Some(default) = &variable.default {
            let default = writer.literal(default).map_err(at(place()))?;
            block = block.add_attribute(("default", default));
        }
        blocks.push(block.build());
    }
    Ok(blocks)
}

fn outputs(writer: &mut Writer<'_>, graph: &Graph) -> Result<Vec<Block>, ExportError> {
    let settings = writer.settings;
    let mut seen = BTreeSet::new();
    let mut blocks = Vec::new();
    for output in &settings.outputs {
        let place = || format!("output {}", output.name);
        identifier(&output.name).map_err(at(place()))?;
        if !seen.insert(&output.name) {
            return Err(at(place())(Fault::Twice(output.name.clone())));
        }
        if let Some((mentioned, _)) =
            value::mentions(&output.value).into_iter().find(|(addr, _)| graph.get(addr).is_none())
        {
            return Err(ExportError::Dangling { at: place(), mentioned });
        }
        let said = writer.expression(&output.name, &output.value).map_err(at(place()))?;
        let block = Block::builder("output")
            .add_label(output.name.as_str())
            .add_attribute(("description", output.description.as_str()))
            .add_attribute(("value", said));
        blocks.push(block.build());
    }
    Ok(blocks)
}

fn imports(writer: &Writer<'_>) -> Result<Vec<Block>, ExportError> {
    writer.settings.imports.iter().flatten().map(|(of, id)| import(writer, of, id)).collect()
}
