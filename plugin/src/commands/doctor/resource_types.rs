//! The resource types: served, and as this program knows them.

use std::collections::BTreeSet;

use chrome_enterprise_operator::api::crds::{self, Definition};
use kube::ResourceExt as _;
use kube::api::Api;
use serde_json::Value;

use super::difference::Difference;
use super::finding::Findings;
use crate::cluster::Cluster;
use crate::failure::Failure;

const CHECK: &str = "resource type";
const INSTALL: &str = "Install it: chrome-enterprise-operator crds | kubectl apply --server-side -f -";

/// Looks at them. False when connections are not served, so that none can be looked at.
pub(super) async fn look(cluster: &Cluster, findings: &mut Findings) -> bool {
    let mut connections_are_served = true;
    for (number, carried) in crds::all().iter().enumerate() {
        let name = carried.name_any();
        let served = is_served(cluster, carried).await;
        if served == Ok(false) && number == 0 {
            connections_are_served = false;
        }
        match Api::<Definition>::all(cluster.client().clone())
            .get_opt(&name)
            .await
        {
            Ok(Some(installed)) => compare(carried, &installed, findings),
            Ok(None) => {
                findings
                    .problem(CHECK, "It is not installed.")
                    .about(name)
                    .advise(INSTALL);
            }
            // Only administrators of the cluster may read the definitions; everybody may ask what is served.
            Err(error) => {
                let why = Failure::kubernetes(&format!("read the definition of {name}"), &error);
                match served {
                    Ok(true) => {
                        findings.ok(CHECK, "It is served.").about(name.clone());
                        findings.not_checked("definition", &why.to_string()).about(name);
                    }
                    Ok(false) => {
                        findings
                            .problem(CHECK, "It is not served.")
                            .about(name)
                            .advise(INSTALL);
                    }
                    Err(why) => {
                        findings.not_checked(CHECK, &why).about(name);
                    }
                }
            }
        }
    }
    connections_are_served
}

/// Whether the API server knows the kind; the reason if it does not say.
async fn is_served(cluster: &Cluster, definition: &Definition) -> Result<bool, String> {
    let spec = &definition.spec;
    for version in &spec.versions {
        let group = format!("{}/{}", spec.group, version.name);
        match cluster.client().list_api_group_resources(&group).await {
            Ok(list) => {
                if !list
                    .resources
                    .iter()
                    .any(|resource| resource.name == spec.names.plural)
                {
                    return Ok(false);
                }
            }
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(false),
            Err(error) => {
                return Err(
                    Failure::kubernetes(&format!("ask what is served of {group}"), &error).to_string(),
                );
            }
        }
    }
    Ok(true)
}

fn compare(carried: &Definition, installed: &Definition, findings: &mut Findings) {
    let name = carried.name_any();
    let not_true = |type_: &str| {
        let conditions = installed
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        let found = conditions.into_iter().find(|condition| condition.type_ == type_);
        found.is_none_or(|condition| condition.status != "True")
    };
    if not_true("Established") || not_true("NamesAccepted") {
        findings
            .problem(CHECK, "It is installed, and the API server has not accepted it.")
            .about(name)
            .advise(format!("See why: kubectl describe crd {}", carried.name_any()));
        return;
    }
    let (carried, installed) = (content(carried), content(installed));
    let difference = Difference::between(&carried, &installed);
    if difference.is_none() {
        findings
            .ok(CHECK, "It is installed as this program knows it.")
            .about(name);
        return;
    }
    let (known, found) = (fields(&carried), fields(&installed));
    let missing: Vec<_> = known.difference(&found).map(String::as_str).collect();
    let unknown: Vec<_> = found.difference(&known).map(String::as_str).collect();
    let update = "Bring it up to date: chrome-enterprise-operator crds | kubectl apply --server-side -f -, with the \
                  operator of the same version.";
    match (missing.is_empty(), unknown.is_empty()) {
        (false, true) => findings
            .problem(
                CHECK,
                format!("It is older than this program: it lacks {}.", few(&missing)),
            )
            .about(name)
            .advise(update),
        (true, false) => findings
            .warning(
                CHECK,
                format!(
                    "It is newer than this program, which does not know {}.",
                    few(&unknown)
                ),
            )
            .about(name)
            .advise("Use the program of the same version as the operator."),
        (false, false) => findings
            .problem(
                CHECK,
                format!(
                    "It is of another version: it lacks {}, and has {}.",
                    few(&missing),
                    few(&unknown)
                ),
            )
            .about(name)
            .advise(update),
        (true, true) => findings
            .problem(
                CHECK,
                format!(
                    "It has the same fields with other rules: {}.",
                    difference.places()
                ),
            )
            .about(name)
            .advise(update),
    };
}

/// What decides how objects are stored and shown. Conversion and the like are filled in by the API server.
fn content(definition: &Definition) -> Value {
    let spec = &definition.spec;
    serde_json::json!({ "scope": spec.scope, "versions": spec.versions })
}

/// The paths of all fields, such as `spec.sync.suspend`.
fn fields(content: &Value) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for version in content["versions"].as_array().into_iter().flatten() {
        collect(&version["schema"]["openAPIV3Schema"], "", &mut fields);
    }
    fields
}

fn collect(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect(schema, &path, fields);
        fields.insert(path);
    }
    for below in ["items", "additionalProperties"] {
        if schema[below].is_object() {
            collect(&schema[below], path, fields);
        }
    }
}

/// The first few, for a sentence.
fn few(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
