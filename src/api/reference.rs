//! The API reference as Markdown, made from the same definitions that the API server gets, so that it cannot
//! say anything else.

use std::fmt::Write as _;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinitionVersion, JSONSchemaProps, JSONSchemaPropsOrArray,
    ValidationRule,
};

use super::crds::{self, Definition};

const INTRODUCTION: &str = "<!-- Made by `make generate` from src/api; change the types there. -->

# API reference

Every field of every resource, with its bounds. `kubectl explain` shows the same text in a terminal, for example
`kubectl explain chromeenterpriseconnection.spec.sync`. All resources are namespaced and in the category
`chromeos`: `kubectl get chromeos` lists them together.
";

/// The whole reference.
#[must_use]
pub fn markdown() -> String {
    let definitions = crds::all();
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n| Kind | API version | Resource | Short name |\n|---|---|---|---|\n");
    for definition in &definitions {
        page.push_str(&overview_row(definition));
    }
    for definition in &definitions {
        for version in &definition.spec.versions {
            page.push_str(&kind(definition, version));
        }
    }
    page
}

fn overview_row(definition: &Definition) -> String {
    let names = &definition.spec.names;
    let versions: Vec<_> = definition
        .spec
        .versions
        .iter()
        .map(|version| format!("`{}/{}`", definition.spec.group, version.name))
        .collect();
    format!(
        "| [{kind}](#{anchor}) | {versions} | `{plural}` | `{short}` |\n",
        kind = names.kind,
        anchor = names.kind.to_lowercase(),
        versions = versions.join(", "),
        plural = names.plural,
        short = names
            .short_names
            .iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("`, `"),
    )
}

fn kind(definition: &Definition, version: &CustomResourceDefinitionVersion) -> String {
    let name = &definition.spec.names.kind;
    let mut text = format!("\n## {name}\n");
    if let Some(schema) = version
        .schema
        .as_ref()
        .and_then(|schema| schema.open_api_v3_schema.as_ref())
    {
        if let Some(description) = &schema.description {
            let _ = write!(text, "\n{description}\n");
        }
        text.push_str(&columns(
            version.additional_printer_columns.as_deref().unwrap_or_default(),
        ));
        text.push_str(&selectors(version));
        let root = Section {
            kind: name,
            path: String::new(),
        };
        text.push_str(&rules(schema));
        text.push_str(&root.fields(schema));
        text.push_str(&root.nested(schema));
    }
    text
}

fn columns(columns: &[CustomResourceColumnDefinition]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut text = "\nColumns of `kubectl get`:\n\n| Column | Meaning | Shown |\n|---|---|---|\n".to_owned();
    for column in columns {
        let shown = if column.priority.unwrap_or_default() > 0 {
            "with `-o wide`"
        } else {
            "always"
        };
        let meaning = column
            .description
            .as_deref()
            .unwrap_or("Time since the object was created");
        let _ = writeln!(text, "| {} | {} | {shown} |", column.name, cell(meaning));
    }
    text
}

fn selectors(version: &CustomResourceDefinitionVersion) -> String {
    let paths: Vec<_> = version
        .selectable_fields
        .iter()
        .flatten()
        .map(|field| format!("`{}`", field.json_path.trim_start_matches('.')))
        .collect();
    if paths.is_empty() {
        return String::new();
    }
    format!(
        "\nFields for `kubectl get --field-selector`: `metadata.name`, {}.\n",
        paths.join(", ")
    )
}

/// One object within a kind; an empty path is the resource itself.
struct Section<'a> {
    kind: &'a str,
    path: String,
}

impl Section<'_> {
    fn child(&self, field: &str, schema: &JSONSchemaProps) -> Self {
        let separator = if self.path.is_empty() { "" } else { "." };
        let list = if schema.items.is_some() { "[]" } else { "" };
        Section {
            kind: self.kind,
            path: format!("{}{separator}{field}{list}", self.path),
        }
    }

    fn heading(&self) -> String {
        format!("{} {}", self.kind, self.path)
    }

    /// The anchor that GitHub and GitLab give to the heading.
    fn anchor(&self) -> String {
        let kept = self.heading().to_lowercase();
        kept.chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    }

    fn fields(&self, schema: &JSONSchemaProps) -> String {
        let Some(properties) = &schema.properties else {
            return String::new();
        };
        let required = schema.required.as_deref().unwrap_or_default();
        let mut text =
            "\n| Field | Type | Default | Bounds | Description |\n|---|---|---|---|---|\n".to_owned();
        for (name, field) in properties {
            let _ = writeln!(
                text,
                "| `{name}` | {} | {} | {} | {} |",
                self.child(name, field).type_of(field),
                default(field, required.contains(name)),
                bounds(field),
                cell(field.description.as_deref().unwrap_or_default()),
            );
        }
        text
    }

    fn nested(&self, schema: &JSONSchemaProps) -> String {
        let mut text = String::new();
        for (name, field) in schema.properties.iter().flatten() {
            let Some(inner) = object(field) else { continue };
            let section = self.child(name, field);
            let _ = write!(text, "\n### {}\n", section.heading());
            if let Some(description) = &inner.description {
                let _ = write!(text, "\n{description}\n");
            }
            text.push_str(&rules(inner));
            text.push_str(&section.fields(inner));
            text.push_str(&section.nested(inner));
        }
        text
    }

    fn type_of(&self, schema: &JSONSchemaProps) -> String {
        if object(schema).is_some() {
            let list = if schema.items.is_some() { "list of " } else { "" };
            return format!("{list}[object](#{})", self.anchor());
        }
        match item(schema) {
            Some(inner) => format!("list of {}", scalar(inner)),
            None => scalar(schema),
        }
    }
}

/// The rules of the object, and those of its fields that have no section of their own.
fn rules(schema: &JSONSchemaProps) -> String {
    let own = schema
        .x_kubernetes_validations
        .iter()
        .flatten()
        .map(|rule| (None, rule));
    let fields = schema
        .properties
        .iter()
        .flatten()
        .filter(|(_, field)| field.properties.is_none());
    let of_fields = fields.flat_map(|(name, field)| {
        field
            .x_kubernetes_validations
            .iter()
            .flatten()
            .map(move |rule| (Some(name.as_str()), rule))
    });
    let lines: String = own
        .chain(of_fields)
        .map(|(field, rule)| rule_line(field, rule))
        .collect();
    if lines.is_empty() {
        lines
    } else {
        format!("\nRules, checked by the API server:\n\n{lines}")
    }
}

fn rule_line(field: Option<&str>, rule: &ValidationRule) -> String {
    let field = field.map(|name| format!("`{name}`: ")).unwrap_or_default();
    format!(
        "- {field}{}: `{}`\n",
        rule.message.as_deref().unwrap_or("must hold"),
        rule.rule
    )
}

/// The schema of the list's items, if this is a list.
fn item(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(inner)) => Some(inner),
        Some(JSONSchemaPropsOrArray::Schemas(_)) | None => None,
    }
}

/// The object that gets a section of its own: the field itself, or the items of the list.
fn object(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    let inner = item(schema).unwrap_or(schema);
    inner.properties.is_some().then_some(inner)
}

fn scalar(schema: &JSONSchemaProps) -> String {
    match (&schema.enum_, schema.format.as_deref(), schema.type_.as_deref()) {
        (Some(_), _, _) => "word".to_owned(),
        (None, Some("date-time"), _) => "time".to_owned(),
        (None, _, type_) => type_.unwrap_or("any").to_owned(),
    }
}

fn default(schema: &JSONSchemaProps, required: bool) -> String {
    match (&schema.default, required) {
        (Some(_), _) if schema.properties.is_some() => "that of its fields".to_owned(),
        (Some(value), _) => format!("`{}`", serde_json::to_string(&value.0).unwrap_or_default()),
        (None, true) => "**required**".to_owned(),
        (None, false) => String::new(),
    }
}

fn bounds(schema: &JSONSchemaProps) -> String {
    let mut all = Vec::new();
    match (schema.minimum, schema.maximum) {
        (Some(least), Some(most)) => all.push(format!("{least} to {most}")),
        (Some(least), None) => all.push(format!("at least {least}")),
        (None, Some(most)) => all.push(format!("at most {most}")),
        (None, None) => {}
    }
    match (schema.min_length, schema.max_length) {
        (Some(least), Some(most)) => all.push(format!("{least} to {most} characters")),
        (None, Some(most)) => all.push(format!("at most {most} characters")),
        (Some(least), None) => all.push(format!("at least {least} characters")),
        (None, None) => {}
    }
    if let Some(most) = schema.max_items {
        all.push(format!("at most {most} items"));
    }
    if let Some(inner) = item(schema).filter(|inner| inner.properties.is_none()) {
        all.push(format!("each {}", bounds(inner)));
    }
    let explained = schema
        .description
        .as_deref()
        .is_some_and(|text| text.contains("\n- "));
    if let Some(values) = schema.enum_.as_ref().filter(|_| !explained) {
        all.extend(
            values
                .iter()
                .filter_map(|value| value.0.as_str().map(|value| format!("`{value}`"))),
        );
    }
    if let Some(pattern) = &schema.pattern {
        all.push(format!("`{}`", pattern.replace('|', "\\|")));
    }
    all.join(", ")
}

/// Text inside a table cell: one line, and no bar that would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace("\n\n- ", "<br>- ")
        .replace("\n- ", "<br>- ")
        .replace("\n\n", "<br>")
        .replace('\n', " ")
}
