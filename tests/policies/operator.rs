//! The operator itself under its own role, beside the policies: what the role lacks, it cannot do.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use google_admin_simulator::Simulator;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::objects::{action_at, actions, in_future, receipt_at};
use crate::requests::accepted;
use crate::server::{Server, eventually, run};

const OPERATOR: &str = "system:serviceaccount:chromeenterprise:operator";

/// The program as a child process, with the certificate of a user who has the role and nothing else.
struct Operator {
    child: Child,
    folder: TempDir,
}

impl Operator {
    fn start(server: &Server, namespace: &str, google: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let text = server.cluster.kubeconfig_for_user(OPERATOR, None).unwrap();
        fs::write(&kubeconfig, text).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_chrome-enterprise-operator"))
            .env_clear()
            .args([
                "run",
                "--listen=127.0.0.1:0",
                "--secret-poll-seconds=1",
                "--retry-initial-seconds=1",
            ])
            .arg(format!("--google-endpoint={google}"))
            .arg(format!("--watch-namespace={namespace}"))
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the operator said:\n{}", self.log());
        }
    }
}

/// The connection of the namespace, and the devices.
fn paths(namespace: &str) -> (String, String) {
    let group = |group: &str| format!("/apis/{group}/v1alpha1/namespaces/{namespace}");
    (
        format!("{}/chromeenterpriseconnections", group("chromeenterprise.dev")),
        format!("{}/chromeosdevices", group("inventory.chromeenterprise.dev")),
    )
}

async fn connect(server: &Server, namespace: &str, google: &Simulator) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "google"},
        "stringData": {"service-account.json": google.service_account_json().unwrap()}
    });
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    accepted("a Secret", server.admin.create(&secrets, &secret).await);
    let connection = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection", "metadata": {"name": "school"},
        "spec": {
            "adminEmail": google.admin_email(), "access": "ReadWrite",
            "credentials": {"serviceAccountKey": {"secretRef": {"name": "google"}}}
        }
    });
    let created = server.admin.create(&paths(namespace).0, &connection).await;
    accepted("a connection", created);
}

/// How many devices there are, all with a status.
async fn devices(server: &Server, namespace: &str) -> usize {
    let list = accepted("the devices", server.admin.get(&paths(namespace).1).await);
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .filter(|device| device["status"] != Value::Null)
        .count()
}

/// Lost mode, from the claim to the removal of the action.
async fn carries_out_an_action(server: &Server, namespace: &str, google: &Simulator) {
    let truth = google
        .state()
        .truth(&google.customer_id(), 0, usize::MAX)
        .unwrap();
    let device = truth
        .iter()
        .find(|row| row.listed && json!(row.status) == "ACTIVE")
        .unwrap();
    let action = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction", "metadata": {"name": "lost"},
        "spec": {
            "deviceId": device.device_id, "type": "EnableLostMode", "ttlSecondsAfterFinished": 1,
            "notAfter": in_future(Duration::from_hours(1))
        }
    });
    accepted(
        "lost mode",
        server.admin.create(&actions(namespace), &action).await,
    );
    eventually("the action is done, and removed in its time", || async {
        let stored = server.admin.get(&action_at(namespace, "lost")).await;
        stored.err().filter(|gone| gone.code == 404)
    })
    .await;
    let receipt = server.admin.get(&receipt_at(namespace, "lost")).await;
    let receipt = accepted("the receipt", receipt);
    assert_eq!(receipt["reason"], "ChangedAtGoogle", "{receipt}");
    assert!(receipt["request"]["requester"].is_string(), "{receipt}");
    let events = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
    let events = accepted("the events", server.admin.get(&events).await);
    let told = |event: &Value| event["regarding"]["kind"] == "DeviceAction";
    assert!(events["items"].as_array().unwrap().iter().any(told), "{events}");
    let object = format!("{}/{}", paths(namespace).1, device.device_id);
    let object = accepted("the device", server.admin.get(&object).await);
    assert_eq!(object["status"]["state"], "DISABLED");
}

#[test]
fn the_operator_works_with_its_role() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let google = Simulator::builder().devices(40).start().await.unwrap();
        server
            .bind(&namespace, OPERATOR, "chromeenterprise-operator")
            .await;
        let operator = Operator::start(server, &namespace, &google.url());
        connect(server, &namespace, &google).await;
        let connection = format!("{}/school", paths(&namespace).0);
        eventually("the connection is Active", || async {
            let stored = accepted("the connection", server.admin.get(&connection).await);
            (stored["status"]["state"] == "Active").then_some(())
        })
        .await;
        let truth = google
            .state()
            .truth(&google.customer_id(), 0, usize::MAX)
            .unwrap();
        let listed = truth.iter().filter(|row| row.listed).count();
        assert!(listed > 30, "{listed}");
        assert_eq!(devices(server, &namespace).await, listed);
        // What it writes of a device that somebody deleted and of one whose label is gone.
        let list = accepted("the devices", server.admin.get(&paths(&namespace).1).await);
        let at = |index: usize| {
            let name = list["items"][index]["metadata"]["name"].as_str().unwrap();
            format!("{}/{name}", paths(&namespace).1)
        };
        accepted("a deletion", server.admin.delete(&at(0)).await);
        let unlabelled = json!({"metadata": {"labels": null}});
        accepted("no label", server.admin.merge(&at(1), &unlabelled).await);
        let request = json!({"metadata": {"annotations": {"chromeenterprise.dev/sync-requested-at": "now"}}});
        accepted("a request", server.admin.merge(&connection, &request).await);
        eventually("the devices are healed", || async {
            let device = server.admin.get(&at(0)).await.ok()?;
            let other = server.admin.get(&at(1)).await.ok()?;
            let healed = device["status"].is_object() && other["metadata"]["labels"].is_object();
            healed.then_some(())
        })
        .await;
        carries_out_an_action(server, &namespace, &google).await;
        accepted("the end", server.admin.delete(&connection).await);
        eventually("the connection is gone", || async {
            server
                .admin
                .get(&connection)
                .await
                .err()
                .filter(|gone| gone.code == 404)
        })
        .await;
        assert_eq!(devices(server, &namespace).await, 0);
        let log = operator.log();
        assert!(!log.contains("forbidden"), "{log}");
    });
}
