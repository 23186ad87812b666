//! A running simulator and a client that signs assertions as Google's libraries do.

use std::time::{SystemTime, UNIX_EPOCH};

use google_admin_simulator::Simulator;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Map, Value, json};

pub(crate) const DEVICES: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos";
pub(crate) const DEVICES_READ_ONLY: &str =
    "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly";
pub(crate) const USERS_READ_ONLY: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(crate) const GOOGLE_AUDIENCE: &str = "https://oauth2.googleapis.com/token";
pub(crate) const DEVICE_LIST: &str = "/admin/directory/v1/customer/my_customer/devices/chromeos";

/// A simulator with five devices, and the key file of its service account.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) http: Client,
    pub(crate) key_file: Value,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status, `error` and `error_description`.
    pub(crate) fn oauth_error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (self.status, text("error"), text("error_description"))
    }

    /// Status and `error.errors[0].reason`.
    pub(crate) fn api_error(&self) -> (u16, String) {
        let reason = self.json()["error"]["errors"][0]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (self.status, reason)
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let simulator = Simulator::builder().devices(5).seed(7).start().await.unwrap();
        let key_file = serde_json::from_str(&simulator.service_account_json().unwrap()).unwrap();
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            simulator,
            http,
            key_file,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.url())
    }

    pub(crate) fn admin(&self) -> String {
        self.simulator.admin_email()
    }

    pub(crate) fn client_id(&self) -> &str {
        self.key_file["client_id"].as_str().unwrap()
    }

    pub(crate) fn service_account(&self) -> &str {
        self.key_file["client_email"].as_str().unwrap()
    }

    /// The claims of a good assertion for the administrator and the device scope.
    pub(crate) fn claims(&self) -> Map<String, Value> {
        let now = now();
        let claims = json!({
            "iss": self.service_account(),
            "sub": self.admin(),
            "scope": DEVICES,
            "aud": GOOGLE_AUDIENCE,
            "iat": now,
            "exp": now + 3600,
        });
        claims.as_object().cloned().unwrap()
    }

    /// The good claims with some replaced; `null` removes one.
    pub(crate) fn claims_with(&self, changes: &Value) -> Map<String, Value> {
        let mut claims = self.claims();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        claims
    }

    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> String {
        sign_with(&self.key_file, claims)
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.http.post(self.url(path)).form(form).send().await.unwrap()).await
    }

    pub(crate) async fn exchange(&self, assertion: &str) -> Answer {
        self.post_form("/token", &[("grant_type", JWT_BEARER), ("assertion", assertion)])
            .await
    }

    /// Exchanges the good claims with some replaced.
    pub(crate) async fn exchange_with(&self, changes: &Value) -> Answer {
        self.exchange(&self.sign(&self.claims_with(changes))).await
    }

    /// A token for these scopes and the administrator.
    pub(crate) async fn token(&self, scopes: &str) -> String {
        let answer = self.exchange_with(&json!({ "scope": scopes })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
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

    /// A call of the control API that must succeed.
    pub(crate) async fn control(&self, verb: &str, path: &str, body: &Value) -> Value {
        let request = self
            .http
            .request(verb.parse().unwrap(), self.url(&format!("/sim/v1{path}")))
            .json(body);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert!(
            answer.status < 300,
            "{verb} {path}: {} {}",
            answer.status,
            answer.text
        );
        if answer.text.is_empty() {
            Value::Null
        } else {
            answer.json()
        }
    }
}

pub(crate) fn sign_with(key_file: &Value, claims: &Map<String, Value>) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(key_file["private_key_id"].as_str().unwrap().to_owned());
    let key = EncodingKey::from_rsa_pem(key_file["private_key"].as_str().unwrap().as_bytes()).unwrap();
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
