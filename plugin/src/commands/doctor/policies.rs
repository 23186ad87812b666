//! The admission policies and roles: installed, bound, and as this program knows them.

use chrome_enterprise_operator::policies;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::difference::Difference;
use super::finding::Findings;
use super::server::Server;
use crate::cluster::Cluster;
use crate::failure::Failure;

const INSTALL: &str = "Install it: chrome-enterprise-operator policies | kubectl apply --server-side -f -";

/// Looks at each manifest that this program carries.
pub(super) async fn look(cluster: &Cluster, server: &Server, findings: &mut Findings) {
    let manifests = match carried() {
        Ok(manifests) => manifests,
        Err(why) => {
            findings.not_checked("policy", &why);
            return;
        }
    };
    for carried in &manifests {
        let kind = carried.types.as_ref().map_or("", |types| types.kind.as_str());
        let check = match kind {
            "ClusterRole" => "role",
            "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => "policy binding",
            _ => "policy",
        };
        if kind.starts_with("Mutating") && !server.can_stamp() {
            findings
                .not_checked(
                    check,
                    "it needs Kubernetes 1.36, which records who asked for an action",
                )
                .about(carried.name_any());
            continue;
        }
        look_at(cluster, check, carried, findings).await;
    }
}

/// The manifests as objects.
pub(super) fn carried() -> Result<Vec<DynamicObject>, String> {
    let mut objects = Vec::new();
    for manifest in policies::ALL {
        let documents: Vec<DynamicObject> = serde_saphyr::from_multiple(manifest.text)
            .map_err(|error| format!("{} cannot be read: {error}", manifest.file_name))?;
        objects.extend(documents);
    }
    Ok(objects)
}

async fn look_at(cluster: &Cluster, check: &str, carried: &DynamicObject, findings: &mut Findings) {
    let name = carried.name_any();
    let Some(resource) = resource(carried) else {
        findings
            .not_checked(check, "this program's own manifest names no kind")
            .about(name);
        return;
    };
    let api: Api<DynamicObject> = Api::all_with(cluster.client().clone(), &resource);
    match api.get(&name).await {
        Ok(installed) => compare(check, carried, &installed, findings),
        Err(kube::Error::Api(status)) if status.code == 404 => {
            missing(check, &name, findings);
        }
        Err(error) => {
            let why = Failure::kubernetes(&format!("read {} {name}", resource.kind), &error);
            findings.not_checked(check, &why.to_string()).about(name);
        }
    }
}

fn resource(object: &DynamicObject) -> Option<ApiResource> {
    let types = object.types.as_ref()?;
    let kind = GroupVersionKind::try_from(types).ok()?;
    Some(ApiResource::from_gvk(&kind))
}

fn missing(check: &str, name: &str, findings: &mut Findings) {
    let consequence = match (check, name) {
        // An administrator may give the same rights in another way.
        ("role", "chromeenterprise-operator") => {
            findings
                .warning(
                    check,
                    "It is not installed, so the operator's account needs its rights from another role.",
                )
                .about(name)
                .advise(INSTALL);
            return;
        }
        ("role", _) => {
            findings
                .warning(check, "It is not installed, so nobody can be given it.")
                .about(name)
                .advise(INSTALL);
            return;
        }
        ("policy binding", _) => "It is not installed, so its policy has no effect.",
        _ => match name.split('.').next().unwrap_or_default() {
            "action-creation" => "It is not installed, so whoever may create actions may also wipe devices.",
            "action-requester" => {
                "It is not installed, so whoever creates actions may do so in another's name."
            }
            "action-requester-stamp" => "It is not installed, so nobody records who asked for an action.",
            "action-status" => {
                "It is not installed, so others than the operator may write the status of actions."
            }
            "receipt-writers" => "It is not installed, so receipts can be forged and deleted.",
            _ => "It is not installed.",
        },
    };
    findings.problem(check, consequence).about(name).advise(INSTALL);
}

fn compare(check: &str, carried: &DynamicObject, installed: &DynamicObject, findings: &mut Findings) {
    let name = carried.name_any();
    let difference = Difference::between(&content(carried), &content(installed));
    if difference.is_none() {
        findings
            .ok(check, "It is installed as this program knows it.")
            .about(name);
        return;
    }
    let places = difference.places();
    let remedy = "If nobody meant to change it, apply it again: chrome-enterprise-operator policies | kubectl apply \
                  --server-side --force-conflicts -f -";
    if check == "role" {
        findings
            .warning(
                check,
                format!("It gives other rights than this program knows: {places}."),
            )
            .about(name)
            .advise(remedy);
    } else {
        findings
            .problem(check, format!("It differs from what this program knows, so it may let through what it should not: {places}."))
            .about(name)
            .advise(remedy);
    }
}

/// What decides what it does.
fn content(object: &DynamicObject) -> Value {
    let data = &object.data;
    serde_json::json!({ "spec": data.get("spec"), "rules": data.get("rules") })
}
