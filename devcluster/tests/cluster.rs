//! Clusters through the library: what they offer, and that they end.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use common::{Api, eventually, folder_of, processes_with};
use devcluster::{DevCluster, Error, Program};
use reqwest::{Method, StatusCode};
use serde_json::json;

async fn start() -> DevCluster {
    DevCluster::builder().start().await.unwrap()
}

fn config_map(name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": "value"}})
}

const VIEW: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/view";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn it_starts_serves_and_leaves_nothing_behind() {
    let cluster = start().await;
    let path = cluster.kubeconfig_path();
    let folder = folder_of(cluster.api_url());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let api = Api::new(&fs::read_to_string(&path).unwrap());
    assert_eq!(api.get("/readyz").await.0, StatusCode::OK);
    api.create(CONFIG_MAPS, config_map("first")).await;
    // What the project's admission policies need.
    let (_, group) = api.get("/apis/admissionregistration.k8s.io/v1").await;
    assert!(
        group.to_string().contains("\"mutatingadmissionpolicies\""),
        "{group}"
    );
    let programs = processes_with(&folder);
    // Two programs, the watcher of each (a shell that still shows the program's arguments), the keeper.
    assert!(programs.len() >= 3, "{programs:#?}");
    assert!(cluster.api_server_resident_bytes().unwrap() > 50_000_000);
    assert!(cluster.resident_bytes(Program::Etcd).unwrap() > 5_000_000);

    cluster.stop().await;

    assert!(!folder.exists());
    eventually("the watchers end", || async {
        processes_with(&folder).is_empty()
    })
    .await;
}

#[tokio::test]
async fn two_run_at_once_and_are_strangers() {
    let (first, second) = tokio::join!(start(), start());
    assert_ne!(first.api_url(), second.api_url());
    let (first_api, second_api) = (Api::new(first.kubeconfig()), Api::new(second.kubeconfig()));
    first_api
        .create(CONFIG_MAPS, config_map("only-in-the-first"))
        .await;
    let path = format!("{CONFIG_MAPS}/only-in-the-first");
    assert_eq!(first_api.get(&path).await.0, StatusCode::OK);
    assert_eq!(second_api.get(&path).await.0, StatusCode::NOT_FOUND);
    // The other cluster's administrator is nobody here, and its certificate is not trusted.
    let foreign = first.kubeconfig().replace(first.api_url(), second.api_url());
    assert!(
        Api::new(&foreign)
            .request(Method::GET, "/readyz", None)
            .await
            .is_err()
    );
    drop(first);
    assert_eq!(second_api.get("/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_restart_keeps_address_and_data() {
    let cluster = start().await;
    let api = Api::new(cluster.kubeconfig());
    let before = api.create(CONFIG_MAPS, config_map("kept")).await;

    cluster.stop_apiserver();
    // A client without an old connection, so that it is sure to see that nobody listens.
    let refused = Api::new(cluster.kubeconfig())
        .request(Method::GET, "/readyz", None)
        .await;
    assert!(refused.unwrap_err().is_connect());
    assert!(matches!(cluster.pause_apiserver(), Err(Error::NotRunning { .. })));
    cluster.start_apiserver().await.unwrap();
    cluster.restart_apiserver().await.unwrap();

    let (_, after) = api.get(&format!("{CONFIG_MAPS}/kept")).await;
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
}

#[tokio::test]
async fn a_paused_api_server_is_silent_until_it_is_resumed() {
    let cluster = start().await;
    let api = Api::new(cluster.kubeconfig());
    cluster.pause_apiserver().unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(1), api.get("/readyz")).await;
    assert!(answer.is_err(), "answered while paused: {answer:?}");
    cluster.resume_apiserver().unwrap();
    assert_eq!(api.get("/readyz").await.0, StatusCode::OK);
    // It can also be stopped while paused.
    cluster.pause_apiserver().unwrap();
    let started = Instant::now();
    cluster.stop().await;
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn rbac_refuses_whom_it_does_not_know() {
    let cluster = start().await;
    let admin = Api::new(cluster.kubeconfig());
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}});
    admin
        .create("/api/v1/namespaces/default/serviceaccounts", account)
        .await;
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let path = "/api/v1/namespaces/default/serviceaccounts/robot/token";
    let answer = admin.create(path, request).await;
    let token = answer["status"]["token"].as_str().unwrap();

    let robot = Api::new(&cluster.kubeconfig_for_token(token));
    let (status, answer) = robot.get(CONFIG_MAPS).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("system:serviceaccount:default:robot"),
        "{answer}"
    );
    let (status, _) = Api::new(&cluster.kubeconfig_for_token("made-up"))
        .get(CONFIG_MAPS)
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    let user = Api::new(
        &cluster
            .kubeconfig_for_user("anna@school.example", Some("helpdesk"))
            .unwrap(),
    );
    let (status, answer) = user.get(CONFIG_MAPS).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("anna@school.example"),
        "{answer}"
    );
    // A role for the group opens it.
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "helpdesk"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
    });
    admin
        .create(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
            role,
        )
        .await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "helpdesk"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "helpdesk"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "helpdesk"}],
    });
    admin
        .create(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
            binding,
        )
        .await;
    eventually("the role counts", || async {
        user.get(CONFIG_MAPS).await.0 == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn the_controller_manager_ends_namespaces_and_orphans() {
    let cluster = DevCluster::builder()
        .controller_manager(true)
        .start()
        .await
        .unwrap();
    let api = Api::new(cluster.kubeconfig());
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "school"}});
    api.create("/api/v1/namespaces", namespace).await;
    api.create("/api/v1/namespaces/school/configmaps", config_map("inside"))
        .await;
    let owner = api.create(CONFIG_MAPS, config_map("owner")).await;
    let mut dependent = config_map("owned");
    dependent["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"],
    }]);
    api.create(CONFIG_MAPS, dependent).await;

    api.delete("/api/v1/namespaces/school").await;
    api.delete(&format!("{CONFIG_MAPS}/owner")).await;

    let gone = async |path: &str| api.get(path).await.0 == StatusCode::NOT_FOUND;
    eventually("the namespace goes", || gone("/api/v1/namespaces/school")).await;
    eventually("the owned object goes", || {
        gone("/api/v1/namespaces/default/configmaps/owned")
    })
    .await;
    let gathered = async || {
        api.get(VIEW).await.1["rules"]
            .as_array()
            .is_some_and(|rules| rules.len() > 3)
    };
    eventually("the role `view` is gathered", gathered).await;
    // It survives an outage of the API server.
    cluster.restart_apiserver().await.unwrap();
    assert!(cluster.resident_bytes(Program::KubeControllerManager).unwrap() > 0);
}

#[tokio::test]
async fn a_wrong_argument_is_explained_at_once() {
    let started = Instant::now();
    let result = DevCluster::builder()
        .apiserver_args(["--no-such-flag"])
        .start()
        .await;
    let text = result.unwrap_err().to_string();
    assert!(
        text.contains("kube-apiserver ended") && text.contains("--no-such-flag"),
        "{text}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_cluster_that_is_not_ready_in_time_is_explained_and_removed() {
    let builder = DevCluster::builder().ready_timeout(Duration::ZERO);
    let text = builder.start().await.unwrap_err().to_string();
    assert!(text.contains("not ready after"), "{text}");
}

#[tokio::test]
async fn the_end_of_a_program_is_noticed() {
    let cluster = start().await;
    let folder = folder_of(cluster.api_url());
    let line = format!("--data-dir={}", folder.join("etcd").display());
    let pid = fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let text = fs::read(entry.path().join("cmdline")).ok()?;
        let own = String::from_utf8_lossy(&text)
            .split('\0')
            .any(|word| word == line);
        // The watcher shell shows the same arguments, but is not the leader of its group.
        let etcd = fs::read_to_string(entry.path().join("comm")).ok()?.trim() == "etcd";
        (own && etcd)
            .then(|| entry.file_name().to_str()?.parse::<i32>().ok())
            .flatten()
    });
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid.unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    let error = tokio::time::timeout(Duration::from_secs(20), cluster.failure())
        .await
        .unwrap();
    assert!(
        matches!(
            error,
            Error::Ended {
                program: Program::Etcd,
                ..
            }
        ),
        "{error}"
    );
}

/// A port that another program takes first is tried again elsewhere; this is the error that tells.
#[tokio::test]
async fn a_taken_port_is_recognised() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--secure-port={}", taken.local_addr().unwrap().port());
    let error = DevCluster::builder()
        .apiserver_args([port])
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("address already in use"), "{error}");
}
