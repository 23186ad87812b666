//! A running simulator and a client that is signed in.

use std::collections::BTreeSet;

use google_admin_simulator::{Simulator, SimulatorBuilder};
use reqwest::{Client, Method, Response};
use serde_json::Value;

pub const DEVICES: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos";
pub const DEVICES_READ_ONLY: &str =
    "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly";
pub const ORG_UNITS: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";
pub const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
pub const CUSTOMER: &str = "https://www.googleapis.com/auth/admin.directory.customer.readonly";

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

    /// Id of any device that is listed.
    pub async fn any_device(&self) -> String {
        self.page("maxResults=1").await.ids().remove(0)
    }
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
