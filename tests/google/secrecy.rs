//! No secret is ever written anywhere, at any level.

use std::io;
use std::sync::{Arc, Mutex};

use chrome_enterprise_operator::google::{
    Access, DirectoryClient, Keyless, ListRequest, parse_authorized_user, revoke_consent,
};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::fake::{Fake, Reply, client_with, context, key_file, quick};

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_most_talkative_log_shows_no_secret() {
    let capture = Capture::default();
    // Everything, and what libraries write to the `log` crate with it.
    let _guard = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(capture.clone())
        .set_default();
    let google = Fake::start(|seen, before| {
        let page =
            json!({"chromeosdevices": [{"deviceId": "device-1", "annotatedUser": "pupil@school.example"}]});
        let dead = || Reply::error(401, "authError", "Invalid Credentials");
        (seen.path != "/token").then(|| {
            if before == 0 {
                dead()
            } else {
                Reply::json(200, &page)
            }
        })
    })
    .await;
    let client = client_with(
        &context(&google.url, quick()),
        "https://trap.invalid/",
        Access::ReadWrite,
    );
    let request = ListRequest {
        include_recent_users: true,
        ..ListRequest::default()
    };
    let page = client.list_devices(&request, None).await.unwrap();
    tracing::debug!(?client, ?page, devices = ?page.devices, "a line that must be there");

    let shown = String::from_utf8_lossy(&capture.0.lock().unwrap()).into_owned();
    assert!(shown.contains("a line that must be there"));
    let assertion = google.token_requests()[0]
        .form()
        .into_iter()
        .find(|(name, _)| name == "assertion")
        .unwrap()
        .1;
    let key: serde_json::Value = serde_json::from_slice(&key_file("x")).unwrap();
    let key_line = key["private_key"]
        .as_str()
        .unwrap()
        .lines()
        .nth(1)
        .unwrap()
        .to_owned();
    for secret in [
        "ya29.",
        assertion.as_str(),
        assertion.split('.').next_back().unwrap(),
        &key_line[..60],
        "PRIVATE KEY",
        "pupil@",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn the_most_talkative_log_shows_no_secret_of_a_consent_or_of_keyless() {
    let capture = Capture::default();
    let _guard = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(capture.clone())
        .set_default();
    for answer in [200, 400] {
        let google = Fake::start(move |seen, _| {
            let token = json!({"access_token": "ya29.hush-access", "expires_in": 3599});
            Some(match seen.path.as_str() {
                "/token" if answer == 400 => Reply::json(400, &json!({"error": "invalid_grant"})),
                "/v1/userinfo" => Reply::json(200, &json!({"email": super::fake::ADMIN})),
                "/revoke" => Reply::json(answer, &json!({"error": "server_error"})),
                path if path.starts_with("/v1/") => Reply::json(200, &json!({"signedJwt": "eyJhush.jwt"})),
                path if path.starts_with("/admin/") => Reply::json(200, &json!({"chromeosdevices": []})),
                _ => Reply::json(200, &token),
            })
        })
        .await;
        let context = context(&google.url, quick());
        let consent = super::consent::consenting(&google, Access::ReadWrite);
        let keyless = Keyless::new("fleet@project.iam.gserviceaccount.com", Vec::new());
        let keyless = DirectoryClient::new(&context, keyless, super::fake::ADMIN, Access::ReadWrite).unwrap();
        for client in [&consent, &keyless] {
            let listed = client.list_devices(&ListRequest::default(), None).await;
            assert_eq!(listed.is_ok(), answer == 200);
            tracing::debug!(?client, ?listed, "a line that must be there");
        }
        let user = parse_authorized_user(&super::consent::user_file()).unwrap();
        let revoked = revoke_consent(&context, &user).await;
        tracing::debug!(?user, ?revoked, "a line that must be there");
    }
    let shown = String::from_utf8_lossy(&capture.0.lock().unwrap()).into_owned();
    assert_eq!(shown.matches("a line that must be there").count(), 6);
    for secret in ["hush", "ya29.", "eyJ", "GOCSPX", "1//"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
