//! The custom resource definitions of the four kinds, as the API server gets them.
//!
//! The schema is generated here and not by kube's derive macro: the macro marks every optional field as nullable
//! and drops the documentation of enum values. The Kubernetes API conventions discourage the first, and `kubectl
//! explain` needs the second.

pub use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition as Definition;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::CustomResourceExt;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::structural::Structural;
use super::{ChromeEnterpriseConnection, ChromeOSDevice, DeviceAction, DeviceActionReceipt};

/// All definitions, in the order in which people meet the kinds.
///
/// # Panics
///
/// If a schema cannot be expressed as `JSONSchemaProps`. It depends on the types alone, never on input, and
/// `tests/crds.rs` calls it.
#[must_use]
pub fn all() -> Vec<Definition> {
    vec![
        definition::<ChromeEnterpriseConnection>(),
        definition::<ChromeOSDevice>(),
        definition::<DeviceAction>(),
        definition::<DeviceActionReceipt>(),
    ]
}

fn definition<Kind: CustomResourceExt + JsonSchema>() -> Definition {
    let mut definition = Kind::crd();
    for version in &mut definition.spec.versions {
        if let Some(validation) = &mut version.schema {
            validation.open_api_v3_schema = Some(schema::<Kind>());
        }
    }
    definition
}

/// The structural schema of one kind.
#[expect(
    clippy::expect_used,
    reason = "depends on the types alone; a test builds every schema"
)]
fn schema<Kind: JsonSchema>() -> JSONSchemaProps {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let generated = settings
        .with_transform(Structural)
        .into_generator()
        .into_root_schema_for::<Kind>()
        .to_value();
    serde_json::from_value(generated).expect("the schema of a resource type is a JSONSchemaProps")
}

/// The definition as YAML: keys in alphabetical order, whole numbers without a fraction, so that equal
/// definitions give equal text.
///
/// # Panics
///
/// Never for a definition of [`all`]; see there.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "plain data: maps with string keys, numbers, strings and lists"
)]
pub fn to_yaml(definition: &Definition) -> String {
    let value = serde_json::to_value(definition).expect("a definition is plain data");
    serde_saphyr::to_string(&tidy(value)).expect("plain JSON data can be written as YAML")
}

/// Sorts keys (whatever features of `serde_json` other crates switch on) and turns `60.0` into `60`.
fn tidy(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.into_iter().collect();
            sorted.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(
                sorted
                    .into_iter()
                    .map(|(key, entry)| (key, tidy(entry)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(entries) => Value::Array(entries.into_iter().map(tidy).collect()),
        Value::Number(number) => Value::Number(whole(&number).unwrap_or(number)),
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

/// The same number as an integer, if it is one. Bounds are `f64` in `JSONSchemaProps`.
fn whole(number: &serde_json::Number) -> Option<serde_json::Number> {
    let float = number
        .as_f64()
        .filter(|float| number.is_f64() && float.fract() == 0.0)?;
    format!("{float:.0}").parse::<i64>().ok().map(Into::into)
}

/// Name of the file that holds the definition: `<group>_<plural>.yaml`.
#[must_use]
pub fn file_name(definition: &Definition) -> String {
    format!("{}_{}.yaml", definition.spec.group, definition.spec.names.plural)
}
