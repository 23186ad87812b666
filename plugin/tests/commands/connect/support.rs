//! A Google, the files of its credentials, and a sign-in that waits for its browser.

use std::fs;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use google_admin_simulator::Simulator;
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use operator_testing::Search;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;

use crate::world::{Operator, PATIENCE, Printed, World};

/// A Google with three devices, and its credentials as files in the folder of a world.
pub(crate) struct Google {
    pub(crate) simulator: Simulator,
    pub(crate) http: reqwest::Client,
    pub(crate) client_secret: String,
    pub(crate) private_key: String,
    pub(crate) client_id: String,
}

impl Google {
    pub(crate) async fn start(world: &World) -> Self {
        let simulator = Simulator::builder().devices(3).seed(7).start().await.unwrap();
        let key = simulator.service_account_json().unwrap();
        let client = simulator.client_secret_json().unwrap();
        fs::write(world.folder.path().join("key.json"), &key).unwrap();
        fs::write(world.folder.path().join("client_secret.json"), &client).unwrap();
        let text = |file: &str, pointer: &str| {
            let file: Value = serde_json::from_str(file).unwrap();
            file.pointer(pointer).unwrap().as_str().unwrap().to_owned()
        };
        Self {
            simulator,
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .build()
                .unwrap(),
            client_secret: text(&client, "/installed/client_secret"),
            private_key: text(&key, "/private_key"),
            client_id: text(&key, "/client_id"),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.simulator.url()
    }

    pub(crate) async fn control(&self, verb: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/sim/v1{path}", self.url());
        let request = self.http.request(verb.parse().unwrap(), url).json(&body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{verb} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What the consent page does.
    pub(crate) async fn consent(&self, switches: Value) {
        self.control("PATCH", "/auth/switches", json!({ "consent": switches }))
            .await;
    }

    /// How many consents are alive.
    pub(crate) async fn consents(&self) -> u64 {
        let counts = self.control("GET", "/auth/tokens", json!({})).await;
        counts["refreshTokens"].as_u64().unwrap()
    }

    /// Does what a person does on the consent page, and gives the address that the browser is sent back to.
    pub(crate) async fn agree(&self, page: &str) -> String {
        let answer = self.http.get(page).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Everything that it remembers of what it was asked.
    pub(crate) async fn requests(&self) -> String {
        let url = format!("{}/sim/v1/requests", self.url());
        self.http.get(url).send().await.unwrap().text().await.unwrap()
    }
}

/// A running command.
pub(crate) struct Running {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: [JoinHandle<()>; 2],
}

impl Running {
    pub(crate) fn start(world: &World, google: &Google, arguments: &[&str]) -> Self {
        Self::start_with(world, google, arguments, &[])
    }

    pub(crate) fn start_with(
        world: &World,
        google: &Google,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = world.command(arguments);
        command
            .args(["--google-endpoint", &google.url()])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = [
            collect(child.stdout.take().unwrap(), Arc::clone(&stdout)),
            collect(child.stderr.take().unwrap(), Arc::clone(&stderr)),
        ];
        Self {
            child,
            stdout,
            stderr,
            readers,
        }
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Waits until it says this on standard error.
    pub(crate) async fn says(&self, text: &str) {
        let began = Instant::now();
        while !self.stderr().contains(text) {
            assert!(began.elapsed() < PATIENCE, "{text:?} in: {}", self.stderr());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The address to open.
    pub(crate) async fn address(&self) -> String {
        self.says("/start/").await;
        let stderr = self.stderr();
        let line = stderr.lines().find(|line| line.contains("/start/")).unwrap();
        line.trim().to_owned()
    }

    /// What Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().unwrap().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-INT", &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Printed {
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .unwrap_or_else(|_| panic!("still running: {}", self.stderr()))
            .unwrap();
        for reader in self.readers {
            reader.await.unwrap();
        }
        let text = |text: &Mutex<String>| text.lock().unwrap().clone();
        Printed {
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
            code: status.code(),
        }
    }
}

fn collect(pipe: impl AsyncRead + Unpin + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    })
}

/// What this machine's server answered.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) location: String,
    pub(crate) cookie: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

/// Gets an address with a cookie, as a browser would.
pub(crate) async fn get(google: &Google, address: &str, cookie: &str) -> Shown {
    let request = google.http.get(address).header("cookie", cookie);
    let answer = request.send().await.unwrap();
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
            .to_owned()
    };
    Shown {
        status: answer.status().as_u16(),
        location: header("location"),
        cookie: header("set-cookie").split(';').next().unwrap().to_owned(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

/// The address of the last page, on the host of `address`.
pub(crate) fn done(address: &str) -> String {
    format!("{}/done", address.split("/start/").next().unwrap())
}

impl World {
    pub(crate) fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Names of the Secrets and connections of the namespace.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let parameters = ListParams::default();
        let secrets = self.secrets().list(&parameters).await.unwrap();
        let connections = self.connections().list(&parameters).await.unwrap();
        let names = secrets.iter().map(|secret| secret.name_any());
        names
            .chain(connections.iter().map(|connection| connection.name_any()))
            .collect()
    }

    /// Searches everything of this world that people or programs may look at, beside the Secrets.
    pub(crate) async fn search(
        &self,
        search: &mut Search,
        google: &Google,
        operator: &Operator,
        printed: &Printed,
    ) {
        let connections = self.connections().list(&ListParams::default()).await.unwrap();
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let events = events.list(&ListParams::default()).await.unwrap();
        search
            .bytes("standard output", &printed.stdout)
            .bytes("standard error", &printed.stderr)
            .bytes("the operator's log", operator.log())
            .json("the connection", &serde_json::to_string(&connections).unwrap())
            .json("the events", &serde_json::to_string(&events).unwrap())
            .json("the simulator's log", &google.requests().await)
            .processes()
            .unwrap();
    }
}
