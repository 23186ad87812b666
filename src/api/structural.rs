//! From JSON Schema, as `schemars` writes it, to the structural schema of a custom resource definition.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value};

/// Turns JSON Schema as `schemars` writes it into the structural form that the API server wants, without
/// `nullable`: an optional field is one that may be absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Structural;

impl Transform for Structural {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(schema) = schema.as_object_mut() else {
            return;
        };
        unwrap_option(schema);
        merge_variants(schema);
        schema.remove("title");
        schema.remove("uniqueItems");
        if schema
            .get("format")
            .and_then(Value::as_str)
            .is_some_and(|format| format.starts_with("uint"))
        {
            schema.remove("format");
        }
        if let Some(Value::String(text)) = schema.get_mut("description") {
            *text = flow(text);
        }
    }
}

/// `Option<T>` is `T`: `type: [T, null]` becomes `type: T`, and `anyOf: [T, null]` becomes `T` under the
/// description of the field.
fn unwrap_option(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [single] = types.as_slice() {
            let single = single.clone();
            schema.insert("type".to_owned(), single);
        }
    }
    if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        alternatives.retain(|one| one.get("type") != Some(&Value::from("null")));
        if let [Value::Object(single)] = alternatives.as_slice() {
            let single = single.clone();
            schema.remove("anyOf");
            merge(schema, single);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|one| !one.is_null());
    }
}

/// The inner schema joins the outer one, whose own words about the field win. A list of enum values at the end
/// of the inner description is kept.
fn merge(schema: &mut Map<String, Value>, inner: Map<String, Value>) {
    for (key, value) in inner {
        let Some(outer) = schema.get_mut(&key) else {
            schema.insert(key, value);
            continue;
        };
        if key == "description"
            && let (Value::String(outer), Some((_, list))) =
                (outer, value.as_str().and_then(|text| text.split_once("\n\n- ")))
        {
            outer.push_str("\n\n- ");
            outer.push_str(list);
        }
    }
}

/// An enum whose values are documented comes as `oneOf` constants: it becomes `enum`, and the documentation of
/// the values a list at the end of the description.
fn merge_variants(schema: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = schema.get("oneOf") else {
        return;
    };
    let mut values = Vec::new();
    let mut list = Vec::new();
    for variant in variants {
        let Some(Value::String(name)) = variant.get("const") else {
            return;
        };
        let text = variant
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        values.push(Value::from(name.as_str()));
        list.push(format!("- {name}: {}", flow(text)));
    }
    let own = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let description = format!("{own}\n\n{}", list.join("\n"));
    schema.remove("oneOf");
    schema.insert("type".to_owned(), Value::from("string"));
    schema.insert("enum".to_owned(), Value::Array(values));
    schema.insert("description".to_owned(), Value::from(description));
}

/// Joins the lines of a paragraph, which the source wraps; paragraphs and list entries stay apart.
fn flow(text: &str) -> String {
    let join = |paragraph: &str| {
        paragraph
            .lines()
            .map(str::trim)
            .fold(String::new(), |joined, line| {
                let separator = match (joined.is_empty(), line.starts_with("- ")) {
                    (true, _) => "",
                    (false, true) => "\n",
                    (false, false) => " ",
                };
                joined + separator + line
            })
    };
    text.trim()
        .split("\n\n")
        .map(join)
        .collect::<Vec<_>>()
        .join("\n\n")
}
