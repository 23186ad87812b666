//! The files themselves: that they are what the program prints, and that they keep the rules of the house.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chrome_enterprise_operator::api::action::ActionType;
use chrome_enterprise_operator::policies::{self, Manifest};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::rbac::v1::ClusterRole;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::server::documents;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chrome-enterprise-operator"))
        .env_clear()
        .args(arguments)
        .output()
        .unwrap()
}

fn all_documents() -> Vec<Value> {
    policies::ALL
        .iter()
        .flat_map(|manifest| documents(manifest.text))
        .collect()
}

fn of_kind(kind: &str) -> Vec<Value> {
    let mut all = all_documents();
    all.retain(|document| document["kind"] == kind);
    all
}

/// A field that the type does not know would be lost on the way there and back.
fn check_type<Kind: DeserializeOwned + Serialize>(kind: &str, count: usize) {
    let found = of_kind(kind);
    assert_eq!(found.len(), count, "{kind}");
    for document in found {
        let typed: Kind = serde_json::from_value(document.clone()).unwrap();
        assert_eq!(serde_json::to_value(&typed).unwrap(), document);
    }
}

#[test]
fn every_manifest_is_of_its_type() {
    check_type::<ClusterRole>("ClusterRole", 7);
    check_type::<ValidatingAdmissionPolicy>("ValidatingAdmissionPolicy", 4);
    check_type::<ValidatingAdmissionPolicyBinding>("ValidatingAdmissionPolicyBinding", 4);
    check_type::<MutatingAdmissionPolicy>("MutatingAdmissionPolicy", 1);
    check_type::<MutatingAdmissionPolicyBinding>("MutatingAdmissionPolicyBinding", 1);
    assert_eq!(all_documents().len(), 17);
}

#[test]
fn the_program_prints_the_files() {
    let printed = program(&["policies"]);
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).unwrap();
    let mut files = String::new();
    for manifest in policies::ALL {
        let path = root().join("policies").join(manifest.file_name);
        files += "---\n";
        files += &fs::read_to_string(path).unwrap();
    }
    assert_eq!(printed, files);
    let stream = printed.strip_prefix("---\n").unwrap();
    assert_eq!(documents(stream), all_documents(), "read as one stream");
}

#[test]
fn the_program_writes_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/folder");
    let written = program(&["policies", "--output", target.to_str().unwrap()]);
    assert!(written.status.success());
    assert!(written.stdout.is_empty());
    for Manifest { file_name, text } in policies::ALL {
        assert_eq!(fs::read_to_string(target.join(file_name)).unwrap(), text);
    }
    assert_eq!(fs::read_dir(&target).unwrap().count(), policies::ALL.len());
}

#[test]
fn no_file_is_left_out() {
    let listed: BTreeSet<_> = policies::ALL
        .iter()
        .map(|one| PathBuf::from(one.file_name))
        .collect();
    let there: BTreeSet<_> = fs::read_dir(root().join("policies"))
        .unwrap()
        .map(|entry| PathBuf::from(entry.unwrap().file_name()))
        .collect();
    assert_eq!(listed, there);
}

/// A policy without a binding does nothing, and one that only warns protects nothing.
#[test]
fn every_policy_is_bound_and_refuses_when_in_doubt() {
    for (kind, binding) in [
        (
            "ValidatingAdmissionPolicy",
            json!({"validationActions": ["Deny"]}),
        ),
        ("MutatingAdmissionPolicy", json!({})),
    ] {
        let bound: Vec<_> = of_kind(kind)
            .into_iter()
            .map(|policy| {
                assert_eq!(policy["spec"]["failurePolicy"], "Fail", "{}", policy["metadata"]);
                let mut spec = binding.clone();
                spec["policyName"] = policy["metadata"]["name"].clone();
                (policy["metadata"]["name"].clone(), spec)
            })
            .collect();
        // Nothing else in them: a binding could leave namespaces out.
        let bindings: Vec<_> = of_kind(&format!("{kind}Binding"))
            .into_iter()
            .map(|binding| (binding["metadata"]["name"].clone(), binding["spec"].clone()))
            .collect();
        assert_eq!(bindings, bound);
    }
}

/// Shown when the expression of the message gives nothing, or more than the API server shows.
#[test]
fn every_validation_has_a_fixed_message_too() {
    for policy in of_kind("ValidatingAdmissionPolicy") {
        for validation in policy["spec"]["validations"].as_array().unwrap() {
            let message = validation["message"].as_str().unwrap_or_default();
            assert!(message.ends_with('.') && message.len() > 40, "{validation}");
        }
    }
}

#[test]
fn every_object_says_what_it_belongs_to() {
    for document in all_documents() {
        let labels = &document["metadata"]["labels"];
        let component = match document["kind"].as_str().unwrap() {
            "ClusterRole" => "roles",
            _ => "admission-policies",
        };
        let name = &document["metadata"]["name"];
        assert_eq!(
            labels["app.kubernetes.io/name"], "chrome-enterprise-operator",
            "{name}"
        );
        assert_eq!(labels["app.kubernetes.io/component"], component, "{name}");
    }
}

/// The verbs of a role on a resource.
fn verbs(role: &Value, resource: &str) -> BTreeSet<String> {
    let texts = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap() };
    let rules = role["rules"].as_array().unwrap().iter();
    rules
        .filter(|rule| texts(&rule["resources"]).contains(&resource.to_owned()))
        .flat_map(|rule| texts(&rule["verbs"]))
        .collect()
}

/// A type of action that is added must find its way into the roles.
#[test]
fn the_roles_have_the_verbs_of_the_types() {
    let roles: BTreeMap<String, Value> = of_kind("ClusterRole")
        .into_iter()
        .map(|role| (role["metadata"]["name"].as_str().unwrap().to_owned(), role))
        .collect();
    for role in [
        "chromeenterprise-device-administrator",
        "chromeenterprise-restore",
    ] {
        let verbs = verbs(&roles[role], "deviceactions");
        for type_ in ActionType::ALL {
            assert!(verbs.contains(type_.verb()), "{role}: {}", type_.verb());
        }
    }
    let claiming: Vec<_> = roles
        .iter()
        .filter(|(_, role)| verbs(role, "deviceactionreceipts").contains("claim"))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(claiming, ["chromeenterprise-operator"]);
    for (name, role) in &roles {
        let description = &role["metadata"]["annotations"]["kubernetes.io/description"];
        assert!(description.is_string(), "{name} is not described");
    }
}

#[test]
fn every_rule_of_a_role_has_its_reason() {
    let text = policies::ALL[0].text;
    assert_eq!(policies::ALL[0].file_name, "roles.yaml");
    let lines: Vec<_> = text.lines().collect();
    let rules: Vec<_> = (0..lines.len())
        .filter(|line| lines[*line].starts_with("  - apiGroups:"))
        .collect();
    assert!(rules.len() >= 20, "{rules:?}");
    for line in rules {
        assert!(
            lines[line - 1].starts_with("  # "),
            "line {} has no comment before it",
            line + 1
        );
    }
}
