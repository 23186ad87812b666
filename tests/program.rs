//! The program as its users meet it: the built binary, its words, its exit codes, its signals and a real cluster.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use devcluster::DevCluster;
use google_admin_simulator::Simulator;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::Value;

/// The whole shutdown, from the signal to the end of the process.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);
/// Nothing that these tests wait for takes as long, but on a starved machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program with a home and an environment of its own.
fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chrome-enterprise-operator"));
    command.env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    program(home.path()).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A kubeconfig for an address without an API server.
fn write_kubeconfig(folder: &Path, server: &str) -> String {
    let file = folder.join("kubeconfig");
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: school,
          clusters: [{{name: school, cluster: {{server: '{server}'}}}}],
          users: [{{name: operator, user: {{token: none}}}}],
          contexts: [{{name: school, context: {{cluster: school, user: operator}}}}]}}"
    );
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A running operator, killed at the end of the test if it still runs.
struct Operator {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    base: String,
}

impl Operator {
    fn start(home: &Path, kubeconfig: &str, flags: &[&str]) -> Self {
        let mut command = program(home);
        command
            .args(["run", "--listen=127.0.0.1:0", "--kubeconfig", kubeconfig])
            .args(flags);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let paper = Arc::clone(&lines);
        thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .for_each(|line| paper.lock().unwrap().push(line));
        });
        let mut operator = Self {
            child,
            lines,
            base: String::new(),
        };
        let started = operator.line("\"listen\":");
        let started: Value = serde_json::from_str(&started).unwrap();
        operator.base = format!("http://{}", started["listen"].as_str().unwrap());
        operator
    }

    fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The first log line with this part, as soon as it is there.
    fn line(&self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.log().into_iter().find(|line| line.contains(part)) {
                return line;
            }
            assert!(
                Instant::now() < until,
                "no line with {part:?} in {:#?}",
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("{}{path}", self.base)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Asks until the answer is as wanted.
    async fn wait_for(&self, path: &str, code: u16, part: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if answer.0 == code && answer.1.contains(part) {
                return;
            }
            assert!(
                Instant::now() < until,
                "{path} answers {answer:?}; log: {:#?}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .arg(name)
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(done.success());
    }

    /// Waits for the end and says how long it took.
    fn end(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < PATIENCE, "still running: {:#?}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn stops_in_good_order(&mut self, signal: &str) {
        self.signal(signal);
        let (status, took) = self.end();
        assert_eq!(status.code(), Some(0), "{:#?}", self.log());
        assert!(took < SHUTDOWN_LIMIT, "{took:?}");
        let log = self.log().join("\n");
        assert!(!log.contains("panicked"), "{log}");
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_names_the_environment_variable_of_every_flag() {
    let help = output(&["run", "--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    let flags: Vec<&str> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--")?.split(' ').next())
        .filter(|flag| *flag != "help")
        .collect();
    assert!(flags.len() >= 19, "{flags:?}");
    for flag in flags {
        let variable = flag.to_uppercase().replace('-', "_");
        assert!(
            help.contains(&format!("[env: CHROME_ENTERPRISE_OPERATOR_{variable}")),
            "--{flag}"
        );
    }
    for heading in ["Kubernetes:", "Google:", "Sync:", "Health, metrics and logs:"] {
        assert!(help.lines().any(|line| line == heading), "no heading {heading}");
    }
}

#[test]
fn a_command_line_that_cannot_be_used_ends_with_2_and_names_the_flag() {
    let table: [(&[&str], &str); 7] = [
        (&[], "Usage: chrome-enterprise-operator <COMMAND>"),
        (&["walk"], "unrecognized subcommand 'walk'"),
        (
            &["run", "--page-size=301"],
            "invalid value '301' for '--page-size <DEVICES>'",
        ),
        (
            &["run", "--google-endpoint=http://google.school.example"],
            "--google-endpoint-allow-http",
        ),
        (
            &["run", "--google-ca-file=/no/such/file"],
            "--google-ca-file /no/such/file cannot be read",
        ),
        (
            &["run", "--retry-initial-seconds=9", "--retry-max-seconds=8"],
            "--retry-max-seconds 8 is less than",
        ),
        (&["run", "--log-filter=loud=very"], "--log-filter"),
    ];
    for (arguments, part) in table {
        let output = output(arguments);
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(part), "{arguments:?}: {complaint}");
        assert!(!complaint.contains("panicked"), "{complaint}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn environment_variables_are_flags_and_the_password_of_a_proxy_is_never_shown() {
    let home = tempfile::tempdir().unwrap();
    let refused = program(home.path())
        .arg("run")
        .env("CHROME_ENTERPRISE_OPERATOR_PAGE_SIZE", "0")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("'--page-size <DEVICES>'"),
        "{}",
        text(&refused.stderr)
    );

    let proxy = "http://operator:hunter2@proxy.school.example:3128";
    let mut help = program(home.path());
    help.args(["run", "--help"])
        .env("CHROME_ENTERPRISE_OPERATOR_GOOGLE_PROXY", proxy);
    let help = help.output().unwrap();
    assert!(help.status.success());
    assert!(!text(&help.stdout).contains("hunter2"));
}

#[test]
fn prints_definitions_that_a_cluster_can_read_or_writes_them_to_files() {
    let printed = output(&["crds"]);
    assert!(printed.status.success());
    let definitions: Vec<CustomResourceDefinition> = text(&printed.stdout)
        .split("---\n")
        .filter(|document| !document.trim().is_empty())
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect();
    let kinds: Vec<&str> = definitions
        .iter()
        .map(|definition| definition.spec.names.kind.as_str())
        .collect();
    for kind in [
        "ChromeEnterpriseConnection",
        "ChromeOSDevice",
        "DeviceAction",
        "DeviceActionReceipt",
    ] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/folder");
    assert!(
        output(&["crds", "--output", target.to_str().unwrap()])
            .status
            .success()
    );
    let written: Vec<CustomResourceDefinition> = std::fs::read_dir(&target)
        .unwrap()
        .map(|file| serde_saphyr::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap())
        .collect();
    assert_eq!(written.len(), definitions.len());
    assert!(written.iter().all(|definition| definitions.contains(definition)));

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let failed = output(&["crds", "--output", file.join("below").to_str().unwrap()]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        text(&failed.stderr).contains("cannot be made"),
        "{}",
        text(&failed.stderr)
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let mut child = program(home.path())
        .arg("crds")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert!(ended.stderr.is_empty(), "{}", text(&ended.stderr));
}

#[test]
fn without_a_cluster_the_program_says_what_to_do() {
    let ended = output(&["run", "--listen=127.0.0.1:0"]);
    assert_eq!(ended.status.code(), Some(1));
    let complaint = text(&ended.stderr);
    assert!(
        complaint.contains("no Kubernetes cluster is configured") && complaint.contains("--kubeconfig"),
        "{complaint}"
    );
    assert!(!complaint.contains("panicked"), "{complaint}");
}

#[test]
fn an_address_in_use_is_an_error_that_names_the_flag() {
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = write_kubeconfig(home.path(), "http://127.0.0.1:1");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--listen={}", taken.local_addr().unwrap());
    let ended = program(home.path())
        .args(["run", &listen, "--kubeconfig", &kubeconfig])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        text(&ended.stderr).contains("Choose another address with --listen"),
        "{}",
        text(&ended.stderr)
    );
}

#[tokio::test]
async fn an_unreachable_cluster_is_waited_for_with_a_reason_and_the_signal_still_works() {
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = write_kubeconfig(home.path(), "http://127.0.0.1:1");
    for signal in ["-TERM", "-INT"] {
        let mut operator = Operator::start(home.path(), &kubeconfig, &[]);
        operator
            .wait_for(
                "/readyz",
                503,
                "[-] crds: the Kubernetes API server cannot be reached",
            )
            .await;
        assert!(operator.get("/readyz").await.1.contains("refused"));
        assert_eq!(operator.get("/healthz").await.0, 200);
        assert!(
            operator
                .get("/metrics")
                .await
                .1
                .contains("chrome_enterprise_build_info")
        );
        operator.line("Not ready: the Kubernetes API server cannot be reached");
        operator.stops_in_good_order(signal);
        for line in operator.log() {
            let line: Value = serde_json::from_str(&line).unwrap();
            assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
        }
    }
}

#[tokio::test]
async fn an_api_server_that_never_answers_does_not_hold_the_process() {
    let home = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let kubeconfig = write_kubeconfig(home.path(), &format!("http://{}", silent.local_addr().unwrap()));
    let mut operator = Operator::start(home.path(), &kubeconfig, &["--log-format=json"]);
    let (mut connection, _) = silent.accept().unwrap();
    operator.wait_for("/readyz", 503, "crds").await;
    operator.stops_in_good_order("-TERM");
    // The other end is really gone.
    let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
}

async fn client(cluster: &DevCluster) -> kube::Client {
    let kubeconfig = Kubeconfig::from_yaml(cluster.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}

#[tokio::test]
async fn waits_for_its_definitions_works_through_an_outage_and_stops_in_good_order() {
    let home = tempfile::tempdir().unwrap();
    let cluster = DevCluster::builder().start().await.unwrap();
    let kubeconfig = cluster.kubeconfig_path();
    let mut operator = Operator::start(home.path(), kubeconfig.to_str().unwrap(), &[]);
    operator
        .wait_for(
            "/readyz",
            503,
            "[-] crds: waiting for the CustomResourceDefinitions",
        )
        .await;
    let missing = operator.get("/readyz").await.1;
    for name in [
        "chromeenterpriseconnections.chromeenterprise.dev",
        "chromeosdevices.inventory.chromeenterprise.dev",
    ] {
        assert!(missing.contains(name), "{missing}");
    }
    assert_eq!(operator.get("/healthz").await.0, 200);

    let definitions: Api<CustomResourceDefinition> = Api::all(client(&cluster).await);
    for definition in chrome_enterprise_operator::api::crds::all() {
        definitions
            .create(&PostParams::default(), &definition)
            .await
            .unwrap();
    }
    operator
        .wait_for("/readyz", 200, "[+] connections-listed: ok")
        .await;

    cluster.stop_apiserver();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(operator.get("/healthz").await.0, 200);
    assert!(
        operator.child.try_wait().unwrap().is_none(),
        "an outage ended the operator: {:#?}",
        operator.log()
    );
    operator.stops_in_good_order("-TERM");

    cluster.start_apiserver().await.unwrap();
    let mut second = Operator::start(
        home.path(),
        kubeconfig.to_str().unwrap(),
        &["--watch-namespace=default"],
    );
    second.wait_for("/readyz", 200, "ready").await;
    second.stops_in_good_order("-TERM");
    cluster.stop().await;
}

/// A connection in the namespace `default` that signs in with the key of this Google.
async fn connect(cluster: &DevCluster, google: &Simulator) {
    let client = client(cluster).await;
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in chrome_enterprise_operator::api::crds::all() {
        definitions
            .create(&PostParams::default(), &definition)
            .await
            .unwrap();
    }
    let key = google.service_account_json().unwrap();
    let secret =
        serde_json::json!({"metadata": {"name": "google"}, "stringData": {"service-account.json": key}});
    let secret: Secret = serde_json::from_value(secret).unwrap();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "default");
    secrets.create(&PostParams::default(), &secret).await.unwrap();
    let connection = serde_json::json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": "ChromeEnterpriseConnection",
        "metadata": {"name": "school"},
        "spec": {
            "adminEmail": google.admin_email(),
            "credentials": {"serviceAccountKey": {"secretRef": {"name": "google"}}},
        },
    });
    let connection: ChromeEnterpriseConnection = serde_json::from_value(connection).unwrap();
    let connections: Api<ChromeEnterpriseConnection> = Api::namespaced(client, "default");
    let until = Instant::now() + PATIENCE;
    // The API server serves a new type a moment after it has accepted the definition.
    while let Err(error) = connections.create(&PostParams::default(), &connection).await {
        assert!(Instant::now() < until, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How a stopped operator ends whose API server has fallen silent.
enum End {
    /// Only looks at the connection hang: they are given up, and the goodbye is clean.
    Clean,
    /// Writes of devices hang: their outcome is waited for, and cut in time.
    Cut,
    /// The same with a second signal.
    AtOnce,
}

#[tokio::test]
async fn a_silent_api_server_does_not_hold_the_goodbye() {
    let home = tempfile::tempdir().unwrap();
    let cluster = DevCluster::builder().start().await.unwrap();
    let google = Simulator::builder().devices(2500).start().await.unwrap();
    connect(&cluster, &google).await;
    let kubeconfig = cluster.kubeconfig_path();
    let endpoint = format!("--google-endpoint={}", google.url());
    let flags = [
        endpoint.as_str(),
        "--write-concurrency=4",
        "--secret-poll-seconds=1",
    ];
    for end in [End::Cut, End::AtOnce, End::Clean] {
        let mut operator = Operator::start(home.path(), kubeconfig.to_str().unwrap(), &flags);
        let begun = match end {
            End::Cut | End::AtOnce => {
                "chrome_enterprise_device_writes_total{operation=\"create\",outcome=\"ok\""
            }
            End::Clean => "chrome_enterprise_sync_duration_seconds_count{kind=\"full\",outcome=\"success\"",
        };
        operator.wait_for("/metrics", 200, begun).await;
        cluster.pause_apiserver().unwrap();
        // Long enough for the next look at the connection to begin, which then hangs.
        tokio::time::sleep(Duration::from_secs(2)).await;
        operator.signal("-TERM");
        operator.line("\"Stopping.");
        let (code, limit, word) = match end {
            End::Clean => (0, SHUTDOWN_LIMIT, "\"Stopping."),
            End::Cut => (1, SHUTDOWN_LIMIT, "were cut"),
            End::AtOnce => {
                operator.signal("-INT");
                (130, Duration::from_secs(1), "Ended at once by a second signal")
            }
        };
        let (status, took) = operator.end();
        assert_eq!(status.code(), Some(code), "{:#?}", operator.log());
        assert!(took < limit, "{took:?}");
        operator.line(word);
        cluster.resume_apiserver().unwrap();
    }
    cluster.stop().await;
}
