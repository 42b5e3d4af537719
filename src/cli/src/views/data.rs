//! Data for programs: JSON or YAML, always with a `schema`.

use serde_json::{Value, json};

use crate::args::Format;
use crate::failure::{Failure, Kind};

/// `clusterctl.dev/v1/KIND`, first among the fields of `value`.
pub(crate) fn document(kind: &str, value: Value) -> Value {
    let mut document = json!({ "schema": format!("clusterctl.dev/v1/{kind}") });
    if let (Some(document), Value::Object(fields)) = (document.as_object_mut(), value) {
        document.extend(fields);
    }
    document
}

/// The text of a document.
pub(crate) fn text(format: Format, document: &Value) -> Result<String, Failure> {
    match format {
        Format::Yaml => serde_yaml::to_string(document).map_err(|e| Failure::new(Kind::Bug, e.to_string())),
        _ => serde_json::to_string_pretty(document)
            .map(|text| text + "\n")
            .map_err(|e| Failure::new(Kind::Bug, e.to_string())),
    }
}
