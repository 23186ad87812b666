//! One object as JSON, YAML or name.

use std::io::{Write as _, stdout};

use kube::{Resource, ResourceExt as _};
use serde::Serialize;
use serde_json::Value;

use super::{ObjectFormat, unwritten};
use crate::failure::Failure;

/// The object as the API server would print it, without the bookkeeping of who wrote which field.
///
/// # Errors
/// Never for the resource types of this project; another type may refuse to be written as JSON.
pub(super) fn as_json<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(object).map_err(|error| {
        Failure::new(format!(
            "{} cannot be written as JSON: {error}.",
            object.name_any()
        ))
    })?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), K::api_version(&()).into());
        fields.insert("kind".to_owned(), K::kind(&()).into());
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
    }
    Ok(value)
}

/// `deviceaction.chromeenterprise.dev/NAME`, as kubectl prints it with `-o name`.
pub(super) fn kubectl_name<K: Resource<DynamicType = ()>>(object: &K) -> String {
    format!(
        "{}.{}/{}",
        K::kind(&()).to_lowercase(),
        K::group(&()),
        object.name_any()
    )
}

/// YAML of a value.
///
/// # Errors
/// When the value cannot be written as YAML.
pub fn to_yaml(value: &impl Serialize) -> Result<String, Failure> {
    serde_saphyr::to_string(value)
        .map_err(|error| Failure::new(format!("An object cannot be written as YAML: {error}.")))
}

/// Prints one object. [`ObjectFormat::Text`] is the caller's own affair: `text` writes it.
///
/// # Errors
/// When standard output cannot be written.
pub fn print_object<K: Resource<DynamicType = ()> + Serialize>(
    object: &K,
    format: ObjectFormat,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let printed = match format {
        ObjectFormat::Text => text(),
        ObjectFormat::Json => serde_json::to_string_pretty(&as_json(object)?).map_err(|error| {
            Failure::new(format!(
                "{} cannot be written as JSON: {error}.",
                object.name_any()
            ))
        })?,
        ObjectFormat::Yaml => to_yaml(&as_json(object)?)?,
        ObjectFormat::Name => kubectl_name(object),
    };
    if format == ObjectFormat::Text {
        // Through the filter that takes colours away where no terminal is.
        return writeln!(anstream::stdout().lock(), "{}", printed.trim_end())
            .map_err(|error| unwritten(&error));
    }
    writeln!(stdout().lock(), "{}", printed.trim_end()).map_err(|error| unwritten(&error))
}
