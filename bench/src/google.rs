//! The simulated Google, in a process of its own, so that its work is on nobody's account.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use chrome_enterprise_operator::api::action::ActionType;
use google_admin_simulator::Simulator;
use google_admin_simulator::quota::QuotaLimits;
use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// Google's quota would hide what the programs can do: neither side has one here.
const NO_QUOTA: u32 = 1_000_000;
/// Devices that one answer of the control API lists.
const ROWS: usize = 5_000;
const SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly";

/// What the process says when it is ready, as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    /// Google's ID of the customer.
    pub(crate) customer: String,
    /// The administrator.
    pub(crate) admin: String,
    /// Key file of the service account; it opens nothing but this process.
    pub(crate) key: String,
}

/// An action that Google accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) type_: ActionType,
    /// By the clock of this computer.
    pub(crate) at: Timestamp,
}

/// The part of this program that is Google. Ends when standard input is closed, however the other end ended.
///
/// # Errors
/// When the simulator does not start.
pub(crate) async fn serve(devices: u32) -> Result<()> {
    let quota = QuotaLimits {
        queries_per_minute: NO_QUOTA,
        device_writes_per_minute: NO_QUOTA,
        ..QuotaLimits::default()
    };
    let simulator = Simulator::builder()
        .devices(devices)
        .seed(7)
        .quota(quota)
        .start()
        .await?;
    let account = Account {
        url: simulator.url(),
        customer: simulator.customer_id(),
        admin: simulator.admin_email(),
        key: simulator.service_account_json()?,
    };
    let mut output = std::io::stdout();
    writeln!(output, "{}", serde_json::to_string(&account)?)?;
    output.flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    simulator.stop().await;
    Ok(())
}

/// The running process. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Google {
    pub(crate) account: Account,
    http: reqwest::Client,
    _child: Child,
    /// Its end tells the process to end. Apart from `child`, which would close it when it is waited for.
    _lifeline: Option<ChildStdin>,
}

impl Google {
    /// Starts this program again as Google, and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start(devices: u32) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["google", "--devices", &devices.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the benchmark, which then ends Google last.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the simulated Google")?;
        let lifeline = child.stdin.take();
        let output = child
            .stdout
            .take()
            .context("the simulated Google has no output")?;
        let line = BufReader::new(output).lines().next_line().await?;
        let line = line.context("the simulated Google ended before it was ready; see the line above")?;
        let account =
            serde_json::from_str(&line).context("the simulated Google said something unexpected")?;
        Ok(Self {
            account,
            http: reqwest::Client::builder().no_proxy().build()?,
            _child: child,
            _lifeline: lifeline,
        })
    }

    /// Devices that Google lists.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn listed(&self) -> Result<u64> {
        let report = self.get(&format!("tenants/{}", self.account.customer)).await?;
        report["devices"]
            .as_u64()
            .context("the simulated Google does not count its devices")
    }

    /// Writes `notes` into the notes of one device in a hundred; returns how many these are.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn change_one_percent(&self, notes: &str, seed: u32) -> Result<u64> {
        let path = format!("tenants/{}/changes", self.account.customer);
        let change = json!({ "change": "notes", "percent": 1.0, "seed": seed, "to": notes });
        let report = self.post(&path, &change).await?;
        report["changed"]
            .as_u64()
            .context("the simulated Google does not say what it changed")
    }

    /// Devices that are in use and online.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn reachable(&self) -> Result<BTreeSet<String>> {
        let path = format!("tenants/{}/devices?limit={ROWS}", self.account.customer);
        let mut devices = BTreeSet::new();
        for offset in (0..).step_by(ROWS) {
            let report = self.get(&format!("{path}&offset={offset}")).await?;
            let rows = report["devices"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            if rows.is_empty() {
                break;
            }
            let reachable = |row: &&Value| row["status"] == "ACTIVE" && row["online"] == true;
            let ids = rows
                .iter()
                .filter(reachable)
                .filter_map(|row| row["deviceId"].as_str());
            devices.extend(ids.map(str::to_owned));
        }
        Ok(devices)
    }

    /// The actions that were accepted through its API, by device, as the witness saw them.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn accepted(&self) -> Result<BTreeMap<String, Vec<Accepted>>> {
        let clock = self.get("clock").await?;
        let (simulated, wall) = (moment(&clock["now"])?, moment(&clock["wall"])?);
        // The two run alike, unless somebody has set the clock of the computer.
        let ahead = simulated.duration_since(wall);
        let witness = self
            .get(&format!("witness?customer={}", self.account.customer))
            .await?;
        let mut accepted: BTreeMap<String, Vec<Accepted>> = BTreeMap::new();
        for row in witness["devices"].as_array().into_iter().flatten() {
            let device = row["deviceId"].as_str().unwrap_or_default().to_owned();
            for event in row["events"].as_array().into_iter().flatten() {
                if let Some(type_) = type_of(event) {
                    let at = moment(&event["time"])? - ahead;
                    accepted
                        .entry(device.clone())
                        .or_default()
                        .push(Accepted { type_, at });
                }
            }
        }
        Ok(accepted)
    }

    /// A token for the bare walk.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn token(&self) -> Result<String> {
        let wanted = json!({ "account": self.account.admin, "scopes": [SCOPE] });
        let token = self.post("auth/tokens", &wanted).await?;
        let token = token["access_token"].as_str();
        Ok(token.context("the simulated Google gives no token")?.to_owned())
    }

    /// Path and query with which the operator asked for the first page of its last walk.
    ///
    /// # Errors
    /// When nobody has walked yet.
    pub(crate) async fn last_walk(&self) -> Result<String> {
        let path = format!(
            "requests?path=/admin/directory/v1/customer/{}/devices/chromeos&last=2000",
            self.account.customer
        );
        let log = self.get(&path).await?;
        let entries = log["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
        let first = entries.iter().rev().find(|entry| entry["page"] == json!(1));
        let first = first.context("the operator has not walked through Google's list")?;
        let (path, query) = (first["path"].as_str(), first["query"].as_str());
        Ok(format!(
            "{}?{}",
            path.unwrap_or_default(),
            query.unwrap_or_default()
        ))
    }

    async fn get(&self, path: &str) -> Result<Value> {
        self.read(self.http.get(self.control(path))).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.read(self.http.post(self.control(path)).json(body)).await
    }

    fn control(&self, path: &str) -> String {
        format!("{}/sim/v1/{path}", self.account.url)
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let answer = request
            .send()
            .await
            .context("the simulated Google does not answer")?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(
            status.is_success(),
            "the simulated Google answered {status}: {text}"
        );
        Ok(serde_json::from_str(&text)?)
    }
}

/// The action that a witnessed event accepts, if it is one that came through the API.
fn type_of(event: &Value) -> Option<ActionType> {
    if event["by"] == "control" {
        return None;
    }
    match (event["kind"].as_str()?, event["commandType"].as_str()) {
        ("commandAccepted", Some("REBOOT")) => Some(ActionType::Restart),
        ("commandAccepted", _) => Some(ActionType::Wipe),
        ("disabled", _) => Some(ActionType::EnableLostMode),
        ("reenabled", _) => Some(ActionType::DisableLostMode),
        ("deprovisioned", _) => Some(ActionType::Deprovision),
        _ => None,
    }
}

fn moment(value: &Value) -> Result<Timestamp> {
    let text = value.as_str().context("the simulated Google tells no time")?;
    text.parse()
        .with_context(|| format!("the simulated Google tells an odd time: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_through_the_api_is_accepted() {
        let event =
            |kind: &str, by: &str| type_of(&json!({ "kind": kind, "by": by, "commandType": "REBOOT" }));
        assert_eq!(
            event("commandAccepted", "admin@school.example"),
            Some(ActionType::Restart)
        );
        assert_eq!(event("rebooted", "admin@school.example"), None);
        assert_eq!(
            event("disabled", "admin@school.example"),
            Some(ActionType::EnableLostMode)
        );
        assert_eq!(event("disabled", "control"), None);
    }
}
