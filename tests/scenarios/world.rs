//! What a scenario happens in: a namespace of the shared API server, a Google, and an operator process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnection, ConnectionState};
use chrome_enterprise_operator::api::device::ChromeOSDevice;
use chrome_enterprise_operator::api::{conditions, crds};
use devcluster::DevCluster;
use google_admin_simulator::control::devices::TruthRow;
use google_admin_simulator::{Simulator, SimulatorBuilder};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// How long anything that should happen may take; the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Name of the connection in most scenarios.
pub(crate) const SCHOOL: &str = "school";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SHARED: OnceCell<Cluster> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// An API server with the definitions installed.
pub(crate) struct Cluster {
    pub(crate) server: DevCluster,
    pub(crate) client: Client,
}

impl Cluster {
    /// A cluster of its own, for scenarios that stop it. With controllers, deleted namespaces really go.
    pub(crate) async fn start() -> Self {
        let server = DevCluster::builder()
            .controller_manager(true)
            .start()
            .await
            .unwrap();
        let client = client(server.kubeconfig()).await;
        let api: Api<crds::Definition> = Api::all(client.clone());
        for definition in crds::all() {
            let name = definition.metadata.name.clone().unwrap();
            api.patch(&name, &PatchParams::apply("tests"), &Patch::Apply(&definition))
                .await
                .unwrap();
        }
        let (connections, devices) = (
            Api::<ChromeEnterpriseConnection>::all(client.clone()),
            Api::<ChromeOSDevice>::all(client.clone()),
        );
        let began = Instant::now();
        while connections.list(&ListParams::default()).await.is_err()
            || devices.list(&ListParams::default()).await.is_err()
        {
            assert!(began.elapsed() < PATIENCE, "the definitions are not served");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { server, client }
    }
}

/// A client as an administrator has it.
pub(crate) async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

/// Runs a scenario on the runtime that the shared API server's connections live on.
pub(crate) fn run<F: Future<Output = ()>>(scenario: impl FnOnce(&'static Cluster) -> F) {
    RUNTIME.block_on(async { scenario(SHARED.get_or_init(Cluster::start).await).await });
}

/// Runs a scenario with an API server of its own, which it may stop.
pub(crate) fn run_alone(scenario: impl AsyncFnOnce(&Cluster)) {
    RUNTIME.block_on(async {
        let cluster = Cluster::start().await;
        scenario(&cluster).await;
        cluster.server.stop().await;
    });
}

/// One school: its namespace, its Google and its operator. Everything ends with it.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) google: Arc<Simulator>,
    pub(crate) operator: Operator,
}

impl World {
    /// A namespace, a Google with so many devices, the Secret, and an operator that has nothing to do yet.
    pub(crate) async fn start(cluster: &Cluster, devices: u32) -> Self {
        Self::with(cluster, Simulator::builder().devices(devices).seed(7)).await
    }

    /// The same with a Google of special settings.
    pub(crate) async fn with(cluster: &Cluster, google: SimulatorBuilder) -> Self {
        let google = Arc::new(google.start().await.unwrap());
        Self::beside(cluster, &google, &[]).await
    }

    /// The same with a Google that is there already and further flags of the operator.
    pub(crate) async fn beside(cluster: &Cluster, google: &Arc<Simulator>, flags: &[&str]) -> Self {
        let (namespace, google) = (unique("school"), google.clone());
        create_namespace(&cluster.client, &namespace).await;
        let operator = Operator::start_with(cluster.server.kubeconfig(), &[&namespace], &google.url(), flags);
        let world = Self {
            client: cluster.client.clone(),
            namespace,
            google,
            operator,
        };
        world
            .put_secret(
                "google",
                "service-account.json",
                &world.google.service_account_json().unwrap(),
            )
            .await;
        world
    }

    /// Creates or replaces a Secret with one key.
    pub(crate) async fn put_secret(&self, name: &str, key: &str, content: &str) {
        let secret = Secret {
            data: Some(BTreeMap::from([(
                key.to_owned(),
                ByteString(content.as_bytes().to_vec()),
            )])),
            ..Secret::default()
        };
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "data": secret.data });
        api.patch(name, &PatchParams::apply("tests").force(), &Patch::Apply(&secret))
            .await
            .unwrap();
    }

    /// The connections of the namespace.
    pub(crate) fn connections(&self) -> Api<ChromeEnterpriseConnection> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The devices of the namespace.
    pub(crate) fn devices(&self) -> Api<ChromeOSDevice> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Applies the usual connection, with further settings of `spec` merged into it.
    pub(crate) async fn connect(&self, settings: Value) -> ChromeEnterpriseConnection {
        self.connect_as(SCHOOL, settings).await
    }

    /// Applies a connection under another name.
    pub(crate) async fn connect_as(&self, name: &str, settings: Value) -> ChromeEnterpriseConnection {
        let mut spec = json!({
            "adminEmail": self.google.admin_email(),
            "credentials": { "serviceAccountKey": { "secretRef": { "name": "google" } } },
        });
        merge(&mut spec, settings);
        let connection = json!({ "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection", "metadata": { "name": name }, "spec": spec });
        self.connections()
            .patch(
                name,
                &PatchParams::apply("tests").force(),
                &Patch::Apply(&connection),
            )
            .await
            .unwrap()
    }

    /// The connection as it is now.
    pub(crate) async fn connection(&self) -> ChromeEnterpriseConnection {
        self.connections().get(SCHOOL).await.unwrap()
    }

    /// Waits until the connection is as wanted; fails with what it was last.
    pub(crate) async fn until(
        &self,
        what: &str,
        wanted: impl Fn(&ChromeEnterpriseConnection) -> bool,
    ) -> ChromeEnterpriseConnection {
        self.until_named(SCHOOL, what, wanted).await
    }

    /// The same for a connection of another name.
    pub(crate) async fn until_named(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&ChromeEnterpriseConnection) -> bool,
    ) -> ChromeEnterpriseConnection {
        let began = Instant::now();
        loop {
            let connection = self.connections().get_opt(name).await.unwrap_or_default();
            if let Some(connection) = connection.as_ref().filter(|connection| wanted(connection)) {
                return connection.clone();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "not {what} in {PATIENCE:?}; the connection is {}\nthe operator said:\n{}",
                serde_json::to_string_pretty(&connection).unwrap(),
                self.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the connection is `Active`.
    pub(crate) async fn until_active(&self) -> ChromeEnterpriseConnection {
        self.until("Active", |connection| {
            state(connection) == Some(ConnectionState::Active)
        })
        .await
    }

    /// Waits until `Ready` has this reason.
    pub(crate) async fn until_reason(&self, reason: &str) -> ChromeEnterpriseConnection {
        self.until(reason, |connection| ready_reason(connection) == reason)
            .await
    }

    /// Asks for a full pass and waits until one that was asked for here is complete.
    pub(crate) async fn sync(&self) -> ChromeEnterpriseConnection {
        let request = self.request_sync().await;
        self.until("synced as requested", |connection| {
            let status = connection.status.as_ref();
            status.and_then(|status| status.sync.as_ref()?.handled_request.as_deref()) == Some(&request)
        })
        .await
    }

    /// Asks for a full pass, and returns the value of the annotation.
    pub(crate) async fn request_sync(&self) -> String {
        let request = format!("request-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.annotate("chromeenterprise.dev/sync-requested-at", &request)
            .await;
        request
    }

    /// Sets an annotation of the connection.
    pub(crate) async fn annotate(&self, key: &str, value: &str) {
        let patch = json!({ "metadata": { "annotations": { key: value } } });
        self.connections()
            .patch(SCHOOL, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// All device objects by name.
    pub(crate) async fn device_objects(&self) -> BTreeMap<String, ChromeOSDevice> {
        let list = self.devices().list(&ListParams::default()).await.unwrap();
        list.items
            .into_iter()
            .map(|device| (device.name_any(), device))
            .collect()
    }

    /// resourceVersion of every device object: a write of any kind changes it.
    pub(crate) async fn device_versions(&self) -> BTreeMap<String, String> {
        let objects = self.device_objects().await;
        objects
            .into_iter()
            .map(|(name, device)| (name, device.resource_version().unwrap()))
            .collect()
    }

    /// What Google has, by device ID.
    pub(crate) fn truth(&self) -> BTreeMap<String, TruthRow> {
        let rows = self
            .google
            .state()
            .truth(&self.google.customer_id(), 0, usize::MAX)
            .unwrap();
        rows.into_iter()
            .filter(|row| row.listed)
            .map(|row| (row.device_id.clone(), row))
            .collect()
    }

    /// Fails unless the device objects are exactly what Google has, in everything that an administrator set.
    pub(crate) async fn assert_inventory_is_true(&self) {
        let (objects, truth) = (self.device_objects().await, self.truth());
        let names = |map: Vec<&String>| map.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(objects.keys().collect()),
            names(truth.keys().collect()),
            "the same devices"
        );
        for (name, row) in &truth {
            let object = &objects[name];
            let status = object
                .status
                .as_ref()
                .unwrap_or_else(|| panic!("{name} has no status"));
            assert_eq!(
                status.serial_number.as_deref(),
                Some(row.serial_number.as_str()),
                "{name}"
            );
            assert_eq!(json!(status.state), json!(row.status), "{name}");
            assert_eq!(
                status.org_unit_path.as_deref(),
                Some(row.org_unit_path.as_str()),
                "{name}"
            );
            assert_eq!(status.notes, row.notes, "{name}");
            assert_eq!(status.annotated_user, row.annotated_user, "{name}");
            assert_eq!(status.annotated_location, row.annotated_location, "{name}");
            assert_eq!(status.annotated_asset_id, row.annotated_asset_id, "{name}");
            assert_eq!(
                object
                    .labels()
                    .get("chromeenterprise.dev/connection")
                    .map(String::as_str),
                Some(SCHOOL),
                "{name}"
            );
        }
    }

    /// Deletes the connection; the operator holds it until its devices are gone.
    pub(crate) async fn delete_connection(&self, name: &str) {
        self.connections()
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }

    /// Waits until the connection is gone.
    pub(crate) async fn until_gone(&self, name: &str) {
        let began = Instant::now();
        while let Some(connection) = self.connections().get_opt(name).await.unwrap() {
            assert!(
                began.elapsed() < PATIENCE,
                "{name} is still there: {}\nthe operator said:\n{}",
                serde_json::to_string_pretty(&connection.status).unwrap(),
                self.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A name that no other scenario of this run uses.
pub(crate) fn unique(what: &str) -> String {
    format!("{what}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// What must be the same however often a sync was disturbed: everything but the time of the writes and what moves
/// by itself at Google.
pub(crate) fn essence(objects: &BTreeMap<String, ChromeOSDevice>) -> BTreeMap<String, Value> {
    let essence = |device: &ChromeOSDevice| {
        let mut status = json!(device.status);
        if let Some(status) = status.as_object_mut() {
            status.remove("recordedTime");
            status.remove("activity");
        }
        json!({
            "labels": device.metadata.labels,
            "annotations": device.metadata.annotations,
            "finalizers": device.metadata.finalizers,
            "ownerReferences": device.metadata.owner_references,
            "spec": device.spec,
            "status": status,
        })
    };
    objects
        .iter()
        .map(|(name, device)| (name.clone(), essence(device)))
        .collect()
}

/// Fails at the first device that differs; the whole maps would be unreadable.
pub(crate) fn assert_same_devices(
    is: &BTreeMap<String, ChromeOSDevice>,
    should_be: &BTreeMap<String, ChromeOSDevice>,
    when: &str,
) {
    let (is, should_be) = (essence(is), essence(should_be));
    let names = |of: &BTreeMap<String, Value>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&is), names(&should_be), "{when}: the same devices");
    for (name, device) in &is {
        assert_eq!(device, &should_be[name], "{when}: {name}");
    }
}

/// Creates a namespace.
pub(crate) async fn create_namespace(client: &Client, name: &str) {
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    Api::<Namespace>::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
}

/// State of a connection.
pub(crate) fn state(connection: &ChromeEnterpriseConnection) -> Option<ConnectionState> {
    connection.status.as_ref()?.state
}

/// Reason of `Ready`; empty before there is one.
pub(crate) fn ready_reason(connection: &ChromeEnterpriseConnection) -> &str {
    let status = connection.status.as_ref();
    let ready = status.and_then(|status| conditions::find(&status.conditions, conditions::READY));
    ready.map_or("", |ready| ready.reason.as_str())
}

/// Message of `Ready`; empty before there is one.
pub(crate) fn ready_message(connection: &ChromeEnterpriseConnection) -> &str {
    let status = connection.status.as_ref();
    let ready = status.and_then(|status| conditions::find(&status.conditions, conditions::READY));
    ready.map_or("", |ready| ready.message.as_str())
}

/// Puts settings over others; `null` takes one away.
fn merge(base: &mut Value, settings: Value) {
    match (base, settings) {
        (Value::Object(base), Value::Object(settings)) => {
            for (key, value) in settings {
                if value.is_null() {
                    base.remove(&key);
                    continue;
                }
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, settings) => *base = settings,
    }
}

/// The operator program as a child process.
pub(crate) struct Operator {
    child: Child,
    folder: TempDir,
    arguments: Vec<String>,
    /// Environment variables of the process, from its next start on.
    pub(crate) environment: Vec<(String, String)>,
}

impl Operator {
    /// Starts the program for these namespaces with short waits.
    pub(crate) fn start(cluster: &Cluster, namespaces: &[&str], google: &str) -> Self {
        Self::start_with(cluster.server.kubeconfig(), namespaces, google, &[])
    }

    /// The same for any kubeconfig and with further flags.
    pub(crate) fn start_with(kubeconfig: &str, namespaces: &[&str], google: &str, flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("kubeconfig");
        fs::write(&path, kubeconfig).unwrap();
        let usual = [
            "run",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
            "--google-endpoint",
            google,
            "--kubeconfig",
            path.to_str().unwrap(),
            "--secret-poll-seconds",
            "1",
            "--retry-initial-seconds",
            "1",
            "--retry-max-seconds",
            "3",
            "--google-retry-base-milliseconds",
            "20",
        ];
        let namespaces = namespaces
            .iter()
            .map(|namespace| format!("--watch-namespace={namespace}"));
        let arguments: Vec<String> = usual
            .iter()
            .chain(flags)
            .map(ToString::to_string)
            .chain(namespaces)
            .collect();
        let child = spawn(&arguments, &[], &folder);
        Self {
            child,
            folder,
            arguments,
            environment: Vec::new(),
        }
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "the operator takes a signal");
    }

    /// Waits until the process has ended by itself, and returns its exit code.
    pub(crate) async fn until_exit(&mut self, limit: Duration) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                began.elapsed() < limit,
                "still running after {limit:?}:\n{}",
                self.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the process again after a kill, with the same flags.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.arguments, &self.environment, &self.folder);
    }

    /// Whether the process is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Process ID.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it wrote to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(log_path(&self.folder)).unwrap_or_default()
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // It may have ended by itself, which is what some scenarios want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_path(folder: &TempDir) -> PathBuf {
    folder.path().join("operator.log")
}

fn spawn(arguments: &[String], environment: &[(String, String)], folder: &TempDir) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(log_path(folder))
        .unwrap();
    Command::new(env!("CARGO_BIN_EXE_chrome-enterprise-operator"))
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}
