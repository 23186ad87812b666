//! The house rules of every schema, beyond what the API server insists on.

use chrome_enterprise_operator::api::crds;
use serde_json::{Value, json};

/// Every breach of the rules in this schema, each with the path of the field.
fn breaches(schema: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut breach = |text: &str| found.push(format!("{path}: {text}"));
    for word in [
        "nullable",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "$ref",
        "title",
        "uniqueItems",
        "const",
    ] {
        if schema.get(word).is_some() {
            breach(&format!("has {word}"));
        }
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.iter().all(Value::is_string)
    {
        breach("an enum value is not a word");
    }
    let bounded = |word: &str| schema.get(word).is_some_and(Value::is_number);
    match schema["type"].as_str() {
        Some("string") => {
            let has_end =
                bounded("maxLength") || schema["enum"].is_array() || schema["format"] == "date-time";
            if !has_end {
                breach("a string without maxLength");
            }
        }
        Some("array") if !bounded("maxItems") => breach("a list without maxItems"),
        Some("array") if !schema["items"].is_object() => breach("a list without items"),
        Some("integer") => {
            if !bounded("minimum") || (path.contains(".spec.") && !bounded("maximum")) {
                breach("an integer without bounds");
            }
            if !matches!(schema["format"].as_str(), Some("int32" | "int64")) {
                breach("an integer that is not int32 or int64");
            }
        }
        Some("object") if !schema["properties"].is_object() => breach("an object without named fields"),
        Some("array" | "object" | "boolean") => {}
        other => breach(&format!("type {other:?}")),
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if field["description"]
            .as_str()
            .is_none_or(|text| text.trim().len() < 10)
        {
            found.push(format!("{path}: no description"));
        }
        found.extend(breaches(field, &path));
    }
    if schema["items"].is_object() {
        found.extend(breaches(&schema["items"], &format!("{path}[]")));
    }
    found.extend(rules_without_message(schema, path));
    found
}

fn rules_without_message(schema: &Value, path: &str) -> Vec<String> {
    let rules = schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten();
    rules
        .filter(|rule| rule["message"].as_str().is_none_or(str::is_empty))
        .map(|rule| format!("{path}: a rule without a message: {}", rule["rule"]))
        .collect()
}

#[test]
fn every_schema_keeps_the_rules() {
    for definition in crds::all() {
        for version in &definition.spec.versions {
            let schema = version
                .schema
                .as_ref()
                .and_then(|schema| schema.open_api_v3_schema.as_ref())
                .unwrap();
            let schema = serde_json::to_value(schema).unwrap();
            assert!(schema["description"].as_str().is_some_and(|text| text.len() > 20));
            let found = breaches(&schema, &definition.spec.names.kind);
            assert!(found.is_empty(), "{found:#?}");
        }
    }
}

#[test]
fn the_walk_sees_each_kind_of_breach() {
    let field = |schema: Value| json!({"type": "object", "properties": {"spec": {"type": "object", "description": "long enough", "properties": {"a": schema}}}});
    let said = "some words about it";
    let cases = [
        (
            "string without maxLength",
            json!({"type": "string", "description": said}),
        ),
        (
            "list without maxItems",
            json!({"type": "array", "description": said, "items": {"type": "boolean"}}),
        ),
        (
            "string without maxLength",
            json!({"type": "array", "maxItems": 2, "description": said, "items": {"type": "string"}}),
        ),
        (
            "integer without bounds",
            json!({"type": "integer", "format": "int32", "minimum": 0, "description": said}),
        ),
        (
            "not int32 or int64",
            json!({"type": "integer", "format": "uint32", "minimum": 0, "maximum": 1, "description": said}),
        ),
        (
            "has nullable",
            json!({"type": "boolean", "nullable": true, "description": said}),
        ),
        (
            "has anyOf",
            json!({"type": "boolean", "anyOf": [], "description": said}),
        ),
        (
            "not a word",
            json!({"type": "string", "enum": ["A", null], "description": said}),
        ),
        ("no description", json!({"type": "boolean", "description": ""})),
        (
            "without named fields",
            json!({"type": "object", "description": said}),
        ),
        (
            "type Some(\"number\")",
            json!({"type": "number", "description": said}),
        ),
        (
            "without a message",
            json!({"type": "boolean", "description": said, "x-kubernetes-validations": [{"rule": "self"}]}),
        ),
    ];
    for (expected, schema) in cases {
        let found = breaches(&field(schema), "Kind");
        assert!(
            matches!(found.as_slice(), [one] if one.contains(expected)),
            "{expected}: {found:?}"
        );
    }
    assert!(breaches(&field(json!({"type": "boolean", "description": said})), "Kind").is_empty());
}

#[test]
fn kinds_have_the_names_of_the_documentation() {
    let names: Vec<_> = crds::all()
        .iter()
        .map(|definition| {
            let names = &definition.spec.names;
            assert_eq!(names.categories.as_deref(), Some(&["chromeos".to_owned()][..]));
            assert_eq!(definition.spec.scope, "Namespaced");
            assert!(definition.spec.versions.iter().all(|version| {
                version
                    .selectable_fields
                    .as_ref()
                    .is_some_and(|fields| (1..=8).contains(&fields.len()))
            }));
            format!(
                "{} {} {}",
                definition.spec.group,
                names.plural,
                names.short_names.as_ref().unwrap().join(",")
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            "chromeenterprise.dev chromeenterpriseconnections cec",
            "inventory.chromeenterprise.dev chromeosdevices cros",
            "chromeenterprise.dev deviceactions cda",
            "chromeenterprise.dev deviceactionreceipts cdr",
        ]
    );
}

#[test]
fn only_the_receipt_is_written_as_a_whole() {
    for definition in crds::all() {
        let status = definition.spec.versions[0]
            .subresources
            .as_ref()
            .and_then(|sub| sub.status.as_ref());
        assert_eq!(
            status.is_none(),
            definition.spec.names.kind == "DeviceActionReceipt"
        );
    }
}

/// Each rule has a case that it refuses, with its whole message, in one of the tables beside this file.
#[test]
fn every_rule_has_a_case() {
    let tables = [
        include_str!("action.rs"),
        include_str!("connection.rs"),
        include_str!("receipt.rs"),
        include_str!("receipt_changes.rs"),
    ]
    .concat();
    let mut count = 0;
    for definition in crds::all() {
        let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
        for message in messages(&schema["openAPIV3Schema"]) {
            count += 1;
            assert!(
                tables.contains(&format!("\"{message}\"")),
                "no case is refused with: {message}"
            );
        }
    }
    assert!(count > 15, "only {count} rules were found");
}

fn messages(schema: &Value) -> Vec<String> {
    let rules = schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten();
    let own = rules.map(|rule| rule["message"].as_str().unwrap().to_owned());
    let fields = schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values);
    let items = Some(&schema["items"]).filter(|items| items.is_object());
    own.chain(fields.chain(items).flat_map(messages)).collect()
}
