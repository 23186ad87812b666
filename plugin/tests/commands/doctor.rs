//! `kubectl chromeos doctor` on a whole installation and on broken ones.

use chrome_enterprise_operator::api::connection::ConnectionState;
use chrome_enterprise_operator::api::crds;
use chrome_enterprise_operator::policies;
use jiff::SignedDuration;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::connections::ago;
use crate::world::{Cluster, World, run};

/// The report, and the exit code.
pub(crate) async fn doctor(world: &World, arguments: &[&str]) -> (Value, i32) {
    let arguments: Vec<_> = ["doctor", "-o", "json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let printed = world.plugin(&arguments).await;
    assert_eq!(printed.stderr, "");
    (
        serde_json::from_str(&printed.stdout).unwrap(),
        printed.code.unwrap(),
    )
}

/// The findings with this verdict, as `check object: message`.
pub(crate) fn told(report: &Value, verdict: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["verdict"] == verdict)
        .map(|finding| {
            let object = finding["object"]
                .as_str()
                .map_or_else(String::new, |object| format!(" {object}"));
            format!(
                "{}{object}: {}",
                finding["check"].as_str().unwrap(),
                finding["message"].as_str().unwrap()
            )
        })
        .collect()
}

async fn install_policies(cluster: &Cluster) {
    for manifest in policies::ALL {
        let objects: Vec<DynamicObject> = serde_saphyr::from_multiple(manifest.text).unwrap();
        for object in objects {
            let kind = GroupVersionKind::try_from(object.types.as_ref().unwrap()).unwrap();
            let api: Api<DynamicObject> =
                Api::all_with(cluster.client.clone(), &ApiResource::from_gvk(&kind));
            let parameters = PatchParams::apply("tests").force();
            api.patch(&object.name_any(), &parameters, &Patch::Apply(&object))
                .await
                .unwrap();
        }
    }
}

async fn bind_the_operator(cluster: &Cluster) {
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "chromeenterprise-operator" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "chromeenterprise-operator" },
        "subjects": [{ "kind": "ServiceAccount", "namespace": "chromeenterprise", "name": "chrome-enterprise-operator" }],
    });
    let api: Api<ClusterRoleBinding> = Api::all(cluster.client.clone());
    let parameters = PatchParams::apply("tests");
    api.patch("chromeenterprise-operator", &parameters, &Patch::Apply(&binding))
        .await
        .unwrap();
}

async fn change<K>(cluster: &Cluster, name: &str, patch: Value)
where
    K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    K: kube::Resource<Scope = k8s_openapi::ClusterResourceScope>,
{
    let api: Api<K> = Api::all(cluster.client.clone());
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

#[test]
fn a_whole_installation_is_healthy_and_each_broken_part_is_found() {
    run(|_| async {
        let cluster = Cluster::start().await;
        install_policies(&cluster).await;
        bind_the_operator(&cluster).await;
        let world = World::start(&cluster).await;
        let connected = world.connected(20).await;
        let google = connected.google.url();
        let healthy = doctor(&world, &["--google-endpoint", &google]).await;
        assert_eq!(healthy.1, 0, "{:#}", healthy.0);
        assert_eq!(healthy.0["healthy"], true);
        for verdict in ["problem", "warning", "notChecked"] {
            assert_eq!(told(&healthy.0, verdict), Vec::<String>::new(), "{verdict}");
        }
        let all = told(&healthy.0, "ok").join("\n");
        for line in [
            "cluster: Kubernetes v1.37.2 answers at https://127.0.0.1",
            "clock of the cluster: It agrees with this machine.",
            "resource type deviceactionreceipts.chromeenterprise.dev: It is installed as this program knows it.",
            "policy action-requester-stamp.chromeenterprise.dev: It is installed as this program knows it.",
            "your rights: You may in namespace ",
            "rights of the operator chromeenterprise/chrome-enterprise-operator: It may do in namespace ",
            "operator: It has looked at the present settings of 1 of 1 connections, and is not late.",
            "/school: Active with 20 devices.",
            "/school: Secret google holds usable credentials.",
            "/school: All 3 are granted.",
            "google clock: It agrees with this machine.",
        ] {
            assert!(all.contains(line), "{line}\n{all}");
        }
        drop(connected.operator);
        resource_types(&cluster, &world).await;
        admission(&cluster, &world).await;
        operator(&cluster, &world).await;
    });
}

/// One broken part: what is told, and the exit code.
async fn finds(world: &World, verdict: &str, line: &str) {
    let (report, code) = doctor(world, &["--no-google"]).await;
    let found = told(&report, verdict);
    assert!(
        found.iter().any(|finding| finding.contains(line)),
        "{line}\n{report:#}"
    );
    assert_eq!(code, if verdict == "problem" { 3 } else { 0 }, "{report:#}");
}

async fn resource_types(cluster: &Cluster, world: &World) {
    let api: Api<crds::Definition> = Api::all(cluster.client.clone());
    let carried = crds::all();
    let connection = &carried[0];
    let name = connection.name_any();
    let install = |definition: Value, name: String| {
        let api = api.clone();
        async move {
            let parameters = PatchParams::apply("tests").force();
            api.patch(&name, &parameters, &Patch::Apply(&definition))
                .await
                .unwrap();
        }
    };
    let whole = serde_json::to_value(connection).unwrap();
    let sync = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/sync/properties";
    let mut old = whole.clone();
    old.pointer_mut(sync)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove("includeRecentUsers");
    // The default of the whole group must fit what is left of it.
    let group = sync.strip_suffix("/properties").unwrap();
    let default = old.pointer_mut(&format!("{group}/default")).unwrap();
    default.as_object_mut().unwrap().remove("includeRecentUsers");
    install(old, name.clone()).await;
    finds(
        world,
        "problem",
        "It is older than this program: it lacks spec.sync.includeRecentUsers.",
    )
    .await;
    let mut new = whole.clone();
    new.pointer_mut(sync).unwrap()["colour"] = json!({ "type": "string" });
    install(new, name.clone()).await;
    finds(
        world,
        "warning",
        "It is newer than this program, which does not know spec.sync.colour.",
    )
    .await;
    let mut other = whole.clone();
    other.pointer_mut(sync).unwrap()["intervalSeconds"]["minimum"] = 5.into();
    install(other, name.clone()).await;
    finds(world, "problem", "It has the same fields with other rules: ").await;
    install(whole, name).await;

    let receipts = carried[3].name_any();
    api.delete(&receipts, &DeleteParams::default()).await.unwrap();
    finds(
        world,
        "problem",
        &format!("resource type {receipts}: It is not installed."),
    )
    .await;
    install(serde_json::to_value(&carried[3]).unwrap(), receipts).await;
}

async fn admission(cluster: &Cluster, world: &World) {
    let creation = "action-creation.chromeenterprise.dev";
    let exception = json!([{ "name": "never", "expression": "false" }]);
    change::<ValidatingAdmissionPolicy>(
        cluster,
        creation,
        json!({ "spec": { "matchConditions": exception } }),
    )
    .await;
    finds(
        world,
        "problem",
        "so it may let through what it should not: spec.matchConditions",
    )
    .await;
    install_policies(cluster).await;
    change::<ValidatingAdmissionPolicy>(cluster, creation, json!({ "spec": { "matchConditions": null } }))
        .await;

    change::<ValidatingAdmissionPolicyBinding>(
        cluster,
        creation,
        json!({ "spec": { "validationActions": ["Audit"] } }),
    )
    .await;
    finds(
        world,
        "problem",
        "policy binding action-creation.chromeenterprise.dev: It differs",
    )
    .await;
    let api: Api<ValidatingAdmissionPolicyBinding> = Api::all(cluster.client.clone());
    api.delete(creation, &DeleteParams::default()).await.unwrap();
    finds(
        world,
        "problem",
        "policy binding action-creation.chromeenterprise.dev: It is not installed",
    )
    .await;
    let api: Api<ValidatingAdmissionPolicy> = Api::all(cluster.client.clone());
    api.delete("receipt-writers.chromeenterprise.dev", &DeleteParams::default())
        .await
        .unwrap();
    finds(world, "problem", "so receipts can be forged and deleted").await;
    install_policies(cluster).await;

    let all = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
    change::<ClusterRole>(cluster, "chromeenterprise-help-desk", json!({ "rules": all })).await;
    finds(
        world,
        "warning",
        "role chromeenterprise-help-desk: It gives other rights",
    )
    .await;
    install_policies(cluster).await;
}

async fn operator(cluster: &Cluster, world: &World) {
    let binding: Api<ClusterRoleBinding> = Api::all(cluster.client.clone());
    binding
        .delete("chromeenterprise-operator", &DeleteParams::default())
        .await
        .unwrap();
    finds(
        world,
        "notChecked",
        "no ServiceAccount is bound to the role chromeenterprise-operator",
    )
    .await;
    let account = [
        "--no-google",
        "--operator-service-account",
        "chromeenterprise/chrome-enterprise-operator",
    ];
    let (report, code) = doctor(world, &account).await;
    assert_eq!(code, 3);
    let problem = told(&report, "problem").join("\n");
    assert!(
        problem.contains("chromeenterprise/chrome-enterprise-operator: It may not do in namespace"),
        "{problem}"
    );
    assert!(
        problem.contains("get secrets") || problem.contains(" more."),
        "{problem}"
    );
    bind_the_operator(cluster).await;

    world
        .connection_status(
            "school",
            json!({ "sync": { "nextTime": ago(SignedDuration::from_mins(10)) } }),
        )
        .await;
    finds(
        world,
        "problem",
        "The next look at Google is overdue by 10m, so no operator seems to run.",
    )
    .await;
    world
        .connection_status(
            "school",
            json!({ "state": ConnectionState::Suspended, "sync": { "nextTime": null } }),
        )
        .await;
    finds(world, "warning", "/school: It is suspended.").await;
    let hold = json!({ "id": "5a918e3e", "devices": 15, "since": ago(SignedDuration::from_mins(10)) });
    world
        .connection_status(
            "school",
            json!({ "state": "Active", "sync": { "pruneHold": hold } }),
        )
        .await;
    finds(
        world,
        "warning",
        "15 vanished devices are kept until somebody agrees.",
    )
    .await;
    world
        .change_connection("school", json!({ "spec": { "access": "ReadOnly" } }))
        .await;
    finds(world, "notChecked", "the connection was changed just now").await;
}
