//! The JSON Schema of the cluster file, made from the types that read it.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

use super::types::Spec;

/// Where the schema of this version of the file lives.
pub const SCHEMA_ID: &str = "https://clusterctl.dev/schema/v1/cluster.json";

/// The JSON Schema of the cluster file (draft-07, the newest that yaml-language-server reads).
///
/// The reader checks files with this very value, so schema and reader cannot disagree about structure. Two keywords
/// are not of the standard and are ignored by other validators: `format` names a newtype of [`crate::names`], and
/// `x-default` says in words what is filled in where that is not a constant.
pub fn schema() -> Value {
    SCHEMA.clone()
}

pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let generator = SchemaSettings::draft07().with_transform(WithoutNull).into_generator();
    let mut schema = generator.into_root_schema_for::<Spec>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), json!(SCHEMA_ID));
        object.insert("title".to_owned(), json!("Cluster"));
    }
    schema
});

/// Takes `null` out of optional fields: a line without a value is a mistake, not a wish for the default.
///
/// Also makes each description one line.
#[derive(Clone, Debug)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        // Line ends of doc comments are none of the reader's.
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = text.replace('\n', " ");
        }
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
            branches.retain(|branch| branch.get("type").is_none_or(|kind| kind != "null"));
            if let [Value::Object(only)] = branches.as_slice() {
                let only = only.clone();
                object.remove("anyOf");
                // In draft-07 a `$ref` hides its siblings, so it goes into an `allOf` where there are some.
                if object.is_empty() {
                    object.extend(only);
                } else if only.contains_key("$ref") {
                    object.insert("allOf".to_owned(), json!([only]));
                } else {
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
        }
    }
}
