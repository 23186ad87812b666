//! A running simulator and a client that is signed in.

use std::collections::BTreeSet;

use google_admin_simulator::control::ClockChange;
use google_admin_simulator::control::devices::{DeviceMode, TruthRow};
use google_admin_simulator::switches::Switches;
use google_admin_simulator::witness::WitnessRow;
use google_admin_simulator::{DeviceStatus, Simulator, SimulatorBuilder};
use reqwest::{Client, Method, Response};
use serde_json::Value;

pub const DEVICES: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos";
pub const DEVICES_READ_ONLY: &str =
    "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly";
pub const ORG_UNITS: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";
pub const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
pub const CUSTOMER: &str = "https://www.googleapis.com/auth/admin.directory.customer.readonly";

/// An id that no device has.
pub const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Path of the device list.
pub const LIST: &str = "/admin/directory/v1/customer/my_customer/devices/chromeos";

pub struct World {
    pub simulator: Simulator,
    pub http: Client,
    pub token: String,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status, reason and message of an error.
    pub fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            self.status,
            text(&body["error"]["errors"][0]["reason"]),
            text(&body["error"]["message"]),
        )
    }

    pub fn rows(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["chromeosdevices"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    pub fn ids(&self) -> Vec<String> {
        self.rows()
            .iter()
            .map(|row| row["deviceId"].as_str().unwrap().to_owned())
            .collect()
    }

    pub fn next(&self) -> Option<String> {
        self.json()["nextPageToken"].as_str().map(str::to_owned)
    }
}

/// A simulator with a clock that stands still, so that nothing moves by itself.
pub fn frozen(devices: u32) -> SimulatorBuilder {
    Simulator::builder()
        .devices(devices)
        .seed(7)
        .clock_start("2026-11-23T10:00:00Z".parse().unwrap())
        .time_scale(0.0)
}

impl World {
    pub async fn start(builder: SimulatorBuilder) -> Self {
        let simulator = builder.start().await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let token = token(
            &simulator,
            &simulator.admin_email(),
            &[DEVICES, ORG_UNITS, USERS, CUSTOMER],
        );
        Self {
            simulator,
            http,
            token,
        }
    }

    pub async fn with_devices(devices: u32) -> Self {
        Self::start(frozen(devices)).await
    }

    pub fn customer(&self) -> String {
        self.simulator.customer_id()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.url())
    }

    /// A call with the administrator's token.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(&self.token, path).await
    }

    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        Answer::of(
            self.http
                .get(self.url(path))
                .bearer_auth(token)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self
            .http
            .request(method, self.url(path))
            .bearer_auth(&self.token)
            .json(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// One page of the device list.
    pub async fn page(&self, query: &str) -> Answer {
        self.get(&format!("{LIST}?{query}")).await
    }

    /// All pages; every one of them must be good.
    pub async fn walk(&self, query: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let mut token = None;
        loop {
            let page = match token {
                None => self.page(query).await,
                Some(token) => self.page(&format!("{query}&pageToken={token}")).await,
            };
            ids.extend(page.ids());
            token = page.next();
            if token.is_none() {
                return ids;
            }
        }
    }

    /// A control call.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self
            .http
            .request(method, self.url(&format!("/sim/v1{path}")))
            .json(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Everything that is true of all devices.
    pub fn truth(&self) -> Vec<TruthRow> {
        let state = self.simulator.state();
        state.truth(&self.customer(), 0, 10_000).unwrap()
    }

    /// Ids of devices that are online, in this state and mode.
    pub fn devices(&self, status: DeviceStatus, mode: DeviceMode) -> Vec<String> {
        let rows = self.truth().into_iter();
        rows.filter(|row| row.status == status && row.mode == mode)
            .filter(|row| row.online == status.talks())
            .map(|row| row.device_id)
            .collect()
    }

    /// An active laptop that is online.
    pub fn laptop(&self) -> String {
        self.devices(DeviceStatus::Active, DeviceMode::UserSession)
            .remove(0)
    }

    /// An active kiosk that is online.
    pub fn kiosk(&self) -> String {
        self.devices(DeviceStatus::Active, DeviceMode::Kiosk).remove(0)
    }

    /// What happened to a device.
    pub fn witness(&self, id: &str) -> WitnessRow {
        let state = self.simulator.state();
        state.witness_of(&self.customer(), id).unwrap()
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: i64) {
        let change = ClockChange {
            advance_seconds: Some(seconds),
            scale: None,
        };
        self.simulator.state().change_clock(change).unwrap();
    }

    /// Changes the switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        let state = self.simulator.state();
        let mut switches = (*state.switches()).clone();
        change(&mut switches);
        state.set_switches(switches);
    }

    /// One device as `get` answers it, with everything.
    pub async fn device(&self, id: &str) -> Value {
        let answer = self.get(&format!("{LIST}/{id}?projection=FULL")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Asks for a change of state of these devices, for example `DISABLE`.
    pub async fn change_status(&self, ids: &[&str], action: &str) -> Answer {
        let body = status_body(ids, action);
        let path = format!("{LIST}:batchChangeStatus");
        self.send(Method::POST, &path, &body).await
    }

    /// Asks for a remote command.
    pub async fn issue(&self, id: &str, command: &str) -> Answer {
        let body = serde_json::json!({ "commandType": command });
        self.send(Method::POST, &format!("{LIST}/{id}:issueCommand"), &body)
            .await
    }

    /// The same for one that is accepted; its id.
    pub async fn accepted(&self, id: &str, command: &str) -> String {
        let answer = self.issue(id, command).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["commandId"].as_str().unwrap().to_owned()
    }

    /// What Google says of a command.
    pub async fn command(&self, device: &str, command: &str) -> Answer {
        self.get(&format!("{LIST}/{device}/commands/{command}")).await
    }

    /// Its state.
    pub async fn state_of(&self, device: &str, command: &str) -> String {
        let answer = self.command(device, command).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["state"].as_str().unwrap().to_owned()
    }

    /// Id of any device that is listed.
    pub async fn any_device(&self) -> String {
        self.page("maxResults=1").await.ids().remove(0)
    }
}

/// The body of `batchChangeStatus`; releasing is told a reason.
pub fn status_body(ids: &[&str], action: &str) -> Value {
    let mut body = serde_json::json!({
        "deviceIds": ids,
        "changeChromeOsDeviceStatusAction": format!("CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_{action}"),
    });
    if action == "DEPROVISION" {
        body["deprovisionReason"] = "DEPROVISION_REASON_SAME_MODEL_REPLACEMENT".into();
    }
    body
}

/// The error code of each row of `batchChangeStatus`; 0 for success.
pub fn codes(answer: &Answer) -> std::collections::BTreeMap<String, i64> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let rows = body["changeChromeOsDeviceStatusResults"].as_array().cloned();
    let codes = rows.unwrap_or_default().into_iter().map(|row| {
        let id = row["deviceId"].as_str().unwrap().to_owned();
        assert_ne!(row.get("response").is_some(), row.get("error").is_some(), "{row}");
        (id, row["error"]["code"].as_i64().unwrap_or(0))
    });
    codes.collect()
}

pub fn token(simulator: &Simulator, account: &str, scopes: &[&str]) -> String {
    let scopes: BTreeSet<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
    simulator
        .state()
        .mint_access_token(account, &scopes, None)
        .unwrap()
}

pub fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}
