//! No secret is ever written anywhere, at any level.

use std::io;
use std::sync::{Arc, Mutex};

use chrome_enterprise_operator::google::{Access, ListRequest};
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
