//! Waiting until the connection is `Active`, and saying meanwhile what is missing.

use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::conditions::{READY, STALLED, find};
use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnectionStatus, ConnectionState};
use kube::api::Api;

use super::arguments::Wait;
use super::words;
use super::write::{Written, ask_to_look_again};
use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};
use crate::output::clean;
use crate::terminal::Progress;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long the API server may be away while somebody waits.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// A wait for one connection.
pub(super) struct Follow<'a> {
    api: Api<ChromeEnterpriseConnection>,
    namespace: &'a str,
    name: &'a str,
    generation: i64,
    /// The requests that may be handled before it is ready; none needs to be if there are none.
    requests: Vec<String>,
    wait: &'a Wait,
    progress: Progress,
    began: Instant,
    looked_again: Instant,
    /// The last thing that was said to stay on the screen.
    told: String,
    silence_told: bool,
}

/// What a look showed.
enum Look {
    Done,
    NotYet,
}

impl<'a> Follow<'a> {
    pub(super) fn new(cluster: &'a Cluster, name: &'a str, written: &Written, wait: &'a Wait) -> Self {
        Self {
            api: cluster.api(),
            namespace: cluster.namespace(),
            name,
            generation: written.generation,
            requests: written.request.iter().cloned().collect(),
            wait,
            progress: Progress::new(),
            began: Instant::now(),
            looked_again: Instant::now(),
            told: String::new(),
            silence_told: false,
        }
    }

    /// Waits.
    ///
    /// # Errors
    /// When the time is over, Ctrl-C is pressed, or no waiting helps.
    pub(super) async fn until_active(mut self) -> Result<Exit, Failure> {
        let timeout = self.wait.timeout;
        let ended = tokio::select! {
            outcome = self.look_until_done() => Ok(outcome),
            () = tokio::time::sleep(timeout) => Err(("The time is over", Exit::StillRunning)),
            _ = tokio::signal::ctrl_c() => Err(("Stopped waiting", Exit::Interrupted)),
        };
        self.progress.finish();
        ended.unwrap_or_else(|(why, exit)| Err(self.over(why, exit)))
    }

    async fn look_until_done(&mut self) -> Result<Exit, Failure> {
        let mut answered = Instant::now();
        loop {
            match self.api.get(self.name).await {
                Ok(connection) => {
                    answered = Instant::now();
                    if matches!(self.look(&connection).await?, Look::Done) {
                        return Ok(Exit::Done);
                    }
                }
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    return Err(Failure::new(format!("The connection {} was deleted.", self.name)));
                }
                Err(error) if answered.elapsed() > LONGEST_SILENCE => {
                    let doing = format!("look at connection {}", self.name);
                    return Err(Failure::kubernetes(&doing, &error));
                }
                Err(_) => self.progress.show("The cluster does not answer; trying again."),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&mut self, connection: &ChromeEnterpriseConnection) -> Result<Look, Failure> {
        let status = connection.status.clone().unwrap_or_default();
        let seen = status.observed_generation.unwrap_or_default() >= self.generation;
        let (Some(state), true) = (status.state, seen) else {
            self.unseen();
            return Ok(Look::NotYet);
        };
        match state {
            ConnectionState::Active if self.is_handled(&status) => {
                self.progress.finish();
                words::active(self.name, self.namespace, &status)?;
                Ok(Look::Done)
            }
            ConnectionState::Syncing => {
                self.syncing(&status);
                Ok(Look::NotYet)
            }
            ConnectionState::Suspended => {
                self.progress.finish();
                words::suspended(self.name, self.namespace);
                Ok(Look::Done)
            }
            ConnectionState::Conflict | ConnectionState::Deleting => Err(Failure::new(format!(
                "The connection {} does not become Active: {}",
                self.name,
                message(&status)
            ))
            .exit_with(Exit::NotGood)),
            ConnectionState::Connecting | ConnectionState::Degraded | ConnectionState::Active => {
                self.waiting(&status).await;
                Ok(Look::NotYet)
            }
        }
    }

    fn is_handled(&self, status: &ChromeEnterpriseConnectionStatus) -> bool {
        let handled = status
            .sync
            .as_ref()
            .and_then(|sync| sync.handled_request.as_ref());
        self.requests.is_empty() || handled.is_some_and(|handled| self.requests.contains(handled))
    }

    fn unseen(&mut self) {
        self.progress.show("Waiting for the operator.");
        if self.began.elapsed() >= self.wait.silence && !self.silence_told {
            self.silence_told = true;
            self.progress
                .note(&words::no_operator(self.name, self.namespace, self.wait.silence));
        }
    }

    fn syncing(&mut self, status: &ChromeEnterpriseConnectionStatus) {
        let sync = status.sync.as_ref();
        let read = sync.and_then(|sync| sync.devices_read).unwrap_or_default();
        let text = "Reading the devices from Google";
        match sync.and_then(|sync| sync.devices_expected) {
            Some(expected) if expected > 0 => {
                let all = expected.max(read).unsigned_abs();
                self.progress.show_part(text, read.unsigned_abs(), all);
            }
            _ => self.progress.show(&format!("{text}.")),
        }
    }

    /// Somebody has to act, or Google does not answer, or the operator is just signing in.
    async fn waiting(&mut self, status: &ChromeEnterpriseConnectionStatus) {
        let stalled = find(&status.conditions, STALLED).is_some_and(|stalled| stalled.status == "True");
        if !stalled {
            self.progress.show(&message(status));
            return;
        }
        let told = words::what_is_missing(status);
        if told != self.told {
            self.progress.note(&told);
            self.told = told;
        }
        self.progress
            .show("Waiting until that is done; the operator looks again by itself.");
        if self.looked_again.elapsed() >= self.wait.look_again {
            self.looked_again = Instant::now();
            // It is only a hint. Without it the operator looks later.
            if let Ok(request) = ask_to_look_again(&self.api, self.name).await
                && !self.requests.is_empty()
            {
                self.requests.push(request);
            }
        }
    }

    fn over(&self, why: &str, exit: Exit) -> Failure {
        Failure::new(format!(
            "{why}: connection {} in namespace {} is not Active yet. The operator goes on without this program.",
            self.name, self.namespace
        ))
        .advise(format!(
            "See how it is: `kubectl chromeos status --namespace {}`.",
            self.namespace
        ))
        .exit_with(exit)
    }
}

/// What the operator says of the connection.
pub(super) fn message(status: &ChromeEnterpriseConnectionStatus) -> String {
    match find(&status.conditions, READY) {
        Some(ready) if !ready.message.is_empty() => clean(&ready.message).into_owned(),
        _ => "The operator says nothing about it.".to_owned(),
    }
}
