//! How what is installed differs from what this program carries.

use serde_json::Value;

/// What an API server fills in where a manifest says nothing. Each means the same as nothing.
const DEFAULTS: &[(&str, &str)] = &[
    ("matchPolicy", "Equivalent"),
    ("scope", "*"),
    ("failurePolicy", "Fail"),
    ("strategy", "None"),
    ("reinvocationPolicy", "Never"),
];

/// Fields whose presence alone means something, also when nothing is in them.
const SWITCHES: &[&str] = &["status", "default"];

/// Where the two differ: paths such as `spec.validations[0].expression`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Only what is carried has it.
    pub(super) missing: Vec<String>,
    /// Only what is installed has it.
    pub(super) added: Vec<String>,
    /// Both have it, with other values.
    pub(super) changed: Vec<String>,
}

impl Difference {
    /// Compares two values. What an API server fills in by itself is no difference.
    pub(super) fn between(carried: &Value, installed: &Value) -> Self {
        let mut difference = Self::default();
        difference.compare("", carried, installed);
        difference
    }

    pub(super) fn is_none(&self) -> bool {
        self.missing.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }

    /// The first few places, for a sentence.
    pub(super) fn places(&self) -> String {
        const SHOWN: usize = 3;
        let all: Vec<_> = self
            .missing
            .iter()
            .chain(&self.added)
            .chain(&self.changed)
            .collect();
        let shown: Vec<_> = all.iter().take(SHOWN).map(|place| place.as_str()).collect();
        let more = all.len().saturating_sub(SHOWN);
        if more == 0 {
            return shown.join(", ");
        }
        format!("{} and {more} more", shown.join(", "))
    }

    fn compare(&mut self, path: &str, carried: &Value, installed: &Value) {
        match (carried, installed) {
            (Value::Object(carried), Value::Object(installed)) => {
                for (name, value) in carried {
                    match installed.get(name) {
                        Some(other) => self.compare(&below(path, name), value, other),
                        None if is_nothing(name, value) => {}
                        None => self.missing.push(below(path, name)),
                    }
                }
                for (name, value) in installed {
                    if !carried.contains_key(name) && !is_nothing(name, value) {
                        self.added.push(below(path, name));
                    }
                }
            }
            (Value::Array(carried), Value::Array(installed)) => {
                for (number, value) in carried.iter().enumerate() {
                    let path = format!("{path}[{number}]");
                    match installed.get(number) {
                        Some(other) => self.compare(&path, value, other),
                        None => self.missing.push(path),
                    }
                }
                self.added
                    .extend((carried.len()..installed.len()).map(|number| format!("{path}[{number}]")));
            }
            (carried, installed) if is_same(carried, installed) => {}
            _ => self.changed.push(path.to_owned()),
        }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Whole numbers are equal however they are written, and so are texts with and without a line break at their end.
fn is_same(carried: &Value, installed: &Value) -> bool {
    match (carried, installed) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::String(left), Value::String(right)) => left.trim_end() == right.trim_end(),
        _ => carried == installed,
    }
}

/// Whether this value means the same as its absence.
fn is_nothing(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => {
            !SWITCHES.contains(&name) && fields.iter().all(|(name, value)| is_nothing(name, value))
        }
        Value::Array(items) => items.is_empty(),
        Value::String(text) => DEFAULTS.contains(&(name, text)),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_fills_in_is_no_difference_and_anything_else_is() {
        let carried = json!({"spec": {"rules": [{"verbs": ["get"]}], "minimum": 60}});
        for (installed, missing, added, changed) in [
            (
                json!({"spec": {"rules": [{"verbs": ["get"], "scope": "*"}], "minimum": 60.0, "matchPolicy": "Equivalent",
                "namespaceSelector": {}, "conversion": {"strategy": "None"}}}),
                0,
                0,
                0,
            ),
            (
                json!({"spec": {"rules": [{"verbs": ["get", "list"]}], "minimum": 60}}),
                0,
                1,
                0,
            ),
            (
                json!({"spec": {"rules": [{"verbs": ["list"]}], "minimum": 60}}),
                0,
                0,
                1,
            ),
            (json!({"spec": {"rules": [], "minimum": 61}}), 1, 0, 1),
            // An exception that somebody added lets actions pass: it must show.
            (
                json!({"spec": {"rules": [{"verbs": ["get"]}], "minimum": 60, "matchConditions": [{"name": "never"}]}}),
                0,
                1,
                0,
            ),
        ] {
            let found = Difference::between(&carried, &installed);
            assert_eq!(
                (found.missing.len(), found.added.len(), found.changed.len()),
                (missing, added, changed),
                "{found:?}"
            );
            assert_eq!(found.is_none(), missing + added + changed == 0);
        }
    }
}
