//! What a command runs in: a namespace of a shared API server, and where wanted a Google and an operator.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnection, ConnectionState};
use chrome_enterprise_operator::api::crds;
use chrome_enterprise_operator::api::device::ChromeOSDevice;
use devcluster::DevCluster;
use google_admin_simulator::Simulator;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use operator_testing::Program;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// How long anything that should happen may take; the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SHARED: OnceCell<Cluster> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// An API server with the resource types installed.
pub(crate) struct Cluster {
    pub(crate) server: DevCluster,
    pub(crate) client: Client,
}

impl Cluster {
    /// One of its own, for a test that changes what the whole cluster has.
    pub(crate) async fn start() -> Self {
        let server = DevCluster::builder().start().await.unwrap();
        let client = client(server.kubeconfig()).await;
        let api: Api<crds::Definition> = Api::all(client.clone());
        for definition in crds::all() {
            let name = definition.metadata.name.clone().unwrap();
            api.patch(&name, &PatchParams::apply("tests"), &Patch::Apply(&definition))
                .await
                .unwrap();
        }
        let began = Instant::now();
        while Api::<ChromeOSDevice>::all(client.clone())
            .list(&ListParams::default())
            .await
            .is_err()
            || Api::<ChromeEnterpriseConnection>::all(client.clone())
                .list(&ListParams::default())
                .await
                .is_err()
        {
            assert!(began.elapsed() < PATIENCE, "the definitions are not served");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { server, client }
    }
}

async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

/// Runs a test on the runtime that the shared API server's connections live on.
pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(&'static Cluster) -> F) {
    RUNTIME.block_on(async { test(SHARED.get_or_init(Cluster::start).await).await });
}

/// A namespace, and a folder for the kubeconfig and what commands write.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) folder: TempDir,
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl World {
    /// An empty namespace.
    pub(crate) async fn start(cluster: &Cluster) -> Self {
        let namespace = format!("school-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let object: Namespace = serde_json::from_value(json!({ "metadata": { "name": namespace } })).unwrap();
        Api::<Namespace>::all(cluster.client.clone())
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("kubeconfig"), cluster.server.kubeconfig()).unwrap();
        Self {
            client: cluster.client.clone(),
            namespace,
            folder,
        }
    }

    /// Path of the kubeconfig; its user is an administrator of the cluster.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The plugin with these arguments, for this namespace, without a terminal.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-chromeos"));
        command
            .args(arguments)
            .args(["--namespace", &self.namespace])
            .env_clear()
            .env("KUBECONFIG", self.kubeconfig())
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the plugin until it ends.
    pub(crate) async fn plugin(&self, arguments: &[&str]) -> Printed {
        finish(self.command(arguments)).await
    }

    /// The connections of this namespace.
    pub(crate) fn connections(&self) -> Api<ChromeEnterpriseConnection> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The plugin as a program that can be run in a terminal.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        Program::new(env!("CARGO_BIN_EXE_kubectl-chromeos"))
            .arguments(arguments)
            .arguments(["--namespace", &self.namespace])
            .environment("KUBECONFIG", self.kubeconfig())
            .environment("HOME", self.folder.path())
            .keep_environment("PATH")
            .folder(self.folder.path())
            .deadline(Duration::from_secs(60))
    }

    /// Creates or replaces a device object with this status.
    pub(crate) async fn device(&self, id: &str, status: Value) {
        let api: Api<ChromeOSDevice> = Api::namespaced(self.client.clone(), &self.namespace);
        let object = json!({
            "apiVersion": "inventory.chromeenterprise.dev/v1alpha1", "kind": "ChromeOSDevice",
            "metadata": { "name": id, "labels": { "chromeenterprise.dev/connection": "school" } }, "spec": {},
        });
        let parameters = PatchParams::apply("tests").force();
        api.patch(id, &parameters, &Patch::Apply(&object)).await.unwrap();
        api.patch_status(
            id,
            &PatchParams::default(),
            &Patch::Merge(json!({ "status": status })),
        )
        .await
        .unwrap();
    }

    /// Creates or replaces a Secret with one key.
    pub(crate) async fn secret(&self, name: &str, key: &str, content: &str) {
        let secret = Secret {
            data: Some(BTreeMap::from([(
                key.to_owned(),
                ByteString(content.as_bytes().to_vec()),
            )])),
            ..Secret::default()
        };
        let mut object = serde_json::to_value(&secret).unwrap();
        object["metadata"] = json!({ "name": name });
        Api::<Secret>::namespaced(self.client.clone(), &self.namespace)
            .patch(name, &PatchParams::apply("tests").force(), &Patch::Apply(&object))
            .await
            .unwrap();
    }

    /// A Google with so many devices, its key in Secret `google`, a connection `school` and an operator that has made it
    /// `Active`.
    pub(crate) async fn connected(&self, devices: u32) -> Connected {
        let google = Simulator::builder()
            .devices(devices)
            .seed(7)
            .start()
            .await
            .unwrap();
        let key = google.service_account_json().unwrap();
        self.secret("google", "service-account.json", &key).await;
        let operator = Operator::start(self, &google.url(), &[]);
        let connection = json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": "school" },
            "spec": {
                "adminEmail": google.admin_email(),
                "credentials": { "serviceAccountKey": { "secretRef": { "name": "google" } } },
            },
        });
        let api: Api<ChromeEnterpriseConnection> = Api::namespaced(self.client.clone(), &self.namespace);
        let parameters = PatchParams::apply("tests").force();
        api.patch("school", &parameters, &Patch::Apply(&connection))
            .await
            .unwrap();
        let began = Instant::now();
        loop {
            let connection = api.get("school").await.unwrap();
            let state = connection.status.as_ref().and_then(|status| status.state);
            if state == Some(ConnectionState::Active) {
                return Connected { google, operator };
            }
            assert!(
                began.elapsed() < PATIENCE,
                "not Active: {:?}\n{}",
                connection.status,
                operator.log()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A Google and an operator; both end with it.
pub(crate) struct Connected {
    pub(crate) google: Simulator,
    pub(crate) operator: Operator,
}

/// The operator program as a child process.
pub(crate) struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts it for the namespace of this world, with short waits.
    pub(crate) fn start(world: &World, google: &str, flags: &[&str]) -> Self {
        // Cargo gives a test only the programs of its own package; the operator lies beside them.
        let program = PathBuf::from(env!("CARGO_BIN_EXE_kubectl-chromeos"))
            .with_file_name("chrome-enterprise-operator");
        assert!(program.is_file(), "build the operator first: make build");
        let log = world.folder.path().join("operator.log");
        let file = fs::File::create(&log).unwrap();
        let child = Command::new(program)
            .args([
                "run",
                "--listen",
                "127.0.0.1:0",
                "--log-format",
                "json",
                "--google-endpoint",
                google,
            ])
            .arg("--kubeconfig")
            .arg(world.kubeconfig())
            .args([
                "--secret-poll-seconds",
                "1",
                "--retry-initial-seconds",
                "1",
                "--retry-max-seconds",
                "3",
            ])
            .args(["--google-retry-base-milliseconds", "20"])
            .arg(format!("--watch-namespace={}", world.namespace))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Everything that it wrote to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program until it ends, without blocking the tasks of the test.
pub(crate) async fn finish(mut command: Command) -> Printed {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    Printed {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}
