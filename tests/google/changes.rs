//! Requests that change something: sent once whatever happens on the way, and never called "not sent" when they may
//! have arrived.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrome_enterprise_operator::google::{
    HttpSettings, Lane, MaySend, Reason, RemoteCommand, Sent, StateChange,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::fake::{Fake, Reply, client, context, quick};

const DEVICE: &str = "0d2f3a4b-1111-2222-3333-444455556666";

/// What happens to a request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Road {
    /// The connection is closed before anything is read.
    ClosedAtOnce,
    /// The request is read to its end, and the connection closed.
    ClosedAfterReading,
    HalfAHead,
    HalfABody,
    NoAnswer,
    Redirect,
    Done,
}

/// A server on which every byte is decided here. It gives tokens to whoever asks.
struct Wire {
    url: Url,
    /// Requests that arrived with their whole body.
    whole: Arc<AtomicUsize>,
    /// Connections on which a request that changes something was begun.
    begun: Arc<AtomicUsize>,
}

impl Wire {
    async fn start(road: Road) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (whole, begun) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counters = (whole.clone(), begun.clone());
        tokio::spawn(async move {
            let mut first = true;
            while let Ok((stream, _)) = listener.accept().await {
                // The first connection brings the request for a token.
                let at_once = road == Road::ClosedAtOnce && !first;
                first = false;
                if at_once {
                    counters.1.fetch_add(1, Ordering::SeqCst);
                    drop(stream);
                    continue;
                }
                tokio::spawn(serve(stream, road, counters.clone()));
            }
        });
        Self { url, whole, begun }
    }
}

async fn serve(mut stream: TcpStream, road: Road, counters: (Arc<AtomicUsize>, Arc<AtomicUsize>)) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")
                        .map(str::to_owned)
                })
                .and_then(|length| length.parse::<usize>().ok())
                .unwrap_or_default();
            if body.len() >= length {
                let is_token = head.starts_with("POST /token");
                if !is_token {
                    counters.0.fetch_add(1, Ordering::SeqCst);
                    counters.1.fetch_add(1, Ordering::SeqCst);
                }
                answer(&mut stream, road, is_token).await;
                return;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

async fn answer(stream: &mut TcpStream, road: Road, is_token: bool) {
    let whole = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let token = r#"{"access_token":"ya29.wire","expires_in":3599,"token_type":"Bearer"}"#;
    let done = whole(r#"{"commandId":"77"}"#);
    let bytes = match road {
        _ if is_token => whole(token),
        Road::ClosedAtOnce | Road::ClosedAfterReading => return,
        Road::HalfAHead => "HTTP/1.1 200 OK\r\ncontent-ty".to_owned(),
        Road::HalfABody => done[..done.len() - 5].to_owned(),
        Road::NoAnswer => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            return;
        }
        Road::Redirect => {
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned()
        }
        Road::Done => done,
    };
    let _ = stream.write_all(bytes.as_bytes()).await;
}

fn yes() -> MaySend {
    Box::new(|| true)
}

async fn restart(url: &Url, http: HttpSettings, may_send: MaySend) -> Sent<String> {
    let client = client(&context(url, http));
    let turn = client.turn_to_change(Lane::Interactive, Timestamp::now()).await;
    let reboot = RemoteCommand::Reboot {
        user_session_delay_seconds: 0,
    };
    client
        .issue_command(&turn, "my_customer", DEVICE, reboot, may_send)
        .await
}

#[tokio::test]
async fn whatever_happens_on_the_way_it_is_sent_once_and_told_as_it_is() {
    let impatient = || HttpSettings {
        request_timeout: Duration::from_millis(400),
        ..quick()
    };
    for (road, expected, arrived) in [
        (Road::Done, "accepted", 1),
        // Whether the end of the connection is noticed before the body is handed out is a matter of luck.
        (Road::ClosedAtOnce, "not sent or unknown", 0),
        (Road::ClosedAfterReading, "unknown", 1),
        (Road::HalfAHead, "unknown", 1),
        (Road::HalfABody, "unknown", 1),
        (Road::NoAnswer, "unknown", 1),
        (Road::Redirect, "unknown", 1),
    ] {
        let wire = Wire::start(road).await;
        let told = match restart(&wire.url, impatient(), yes()).await {
            Sent::Accepted(id) => {
                assert_eq!(id, "77");
                "accepted"
            }
            Sent::NotSent(_) => "not sent",
            Sent::Refused(_) => "refused",
            Sent::Unknown(_) => "unknown",
        };
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(
            expected.split(" or ").any(|expected| expected == told),
            "{road:?}: {told}"
        );
        assert_eq!(
            wire.whole.load(Ordering::SeqCst),
            arrived,
            "{road:?}: whole requests"
        );
        assert_eq!(
            wire.begun.load(Ordering::SeqCst),
            1,
            "{road:?}: never a second try"
        );
    }
}

#[tokio::test]
async fn what_may_no_longer_be_sent_does_not_arrive() {
    let wire = Wire::start(Road::Done).await;
    let sent = restart(&wire.url, quick(), Box::new(|| false)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(matches!(sent, Sent::NotSent(_)), "{sent:?}");
    assert_eq!(wire.whole.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_connection_that_is_refused_sends_nothing_and_is_not_asked() {
    // A token comes from here, and then the port is closed.
    let google = Fake::start(|_, _| None).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = Url::parse(&format!("http://{}", closed.local_addr().unwrap())).unwrap();
    drop(closed);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let may_send: MaySend = Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        true
    });
    let sent = restart(&nowhere, quick(), may_send).await;
    let Sent::NotSent(error) = sent else {
        panic!("{sent:?}")
    };
    assert_eq!(error.reason, Reason::NetworkUnreachable);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(google.requests().is_empty());
}

#[tokio::test]
async fn a_refused_token_is_not_sent_again_and_the_next_request_has_a_new_one() {
    let google = Fake::start(|seen, before| {
        (seen.path != "/token").then(|| match before {
            0 => Reply::error(401, "authError", "Invalid Credentials"),
            _ => Reply::json(200, &json!({ "commandId": "77" })),
        })
    })
    .await;
    let client = google.client();
    let turn = client.turn_to_change(Lane::Urgent, Timestamp::now()).await;
    let wipe = || client.issue_command(&turn, "my_customer", DEVICE, RemoteCommand::WipeUsers, yes());
    assert!(matches!(wipe().await, Sent::NotSent(_)));
    assert_eq!(google.calls().len(), 1);
    assert_eq!(wipe().await, Sent::Accepted("77".to_owned()));
    let calls = google.calls();
    assert_ne!(calls[0].header("authorization"), calls[1].header("authorization"));
    assert_eq!(google.token_requests().len(), 2);
}

#[tokio::test]
async fn a_state_change_is_written_as_google_documents_it() {
    let google = Fake::start(|seen, _| {
        (seen.path != "/token").then(|| {
            let row = json!({ "deviceId": DEVICE, "response": {} });
            Reply::json(200, &json!({ "changeChromeOsDeviceStatusResults": [row] }))
        })
    })
    .await;
    let client = google.client();
    let turn = client.turn_to_change(Lane::Urgent, Timestamp::now()).await;
    let sent = client
        .change_state(&turn, "C01abc", DEVICE, StateChange::Disable, yes())
        .await;
    assert_eq!(sent, Sent::Accepted(()));
    let call = &google.calls()[0];
    assert_eq!(call.method, "POST");
    assert_eq!(
        call.path,
        "/admin/directory/v1/customer/C01abc/devices/chromeos:batchChangeStatus"
    );
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.header("transfer-encoding"), None, "its length is known");
    let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["deviceIds"], json!([DEVICE]));
    for id in ["../x", "", "a b", "a:issueCommand"] {
        let sent = client
            .change_state(&turn, "C01abc", id, StateChange::Disable, yes())
            .await;
        assert!(matches!(sent, Sent::Refused(_)), "{id}: {sent:?}");
    }
    assert_eq!(google.calls().len(), 1, "an ID that is none goes nowhere");
}

#[tokio::test]
async fn after_a_quota_refusal_changes_rest_and_reads_go_on() {
    let google = Fake::start(|seen, before| match (seen.path.as_str(), seen.method.as_str()) {
        ("/token", _) => None,
        (_, "POST") if before == 0 => {
            Some(Reply::error(429, "rateLimitExceeded", "Slow down").with_header("retry-after", "1"))
        }
        (_, "POST") => Some(Reply::json(200, &json!({ "commandId": "77" }))),
        _ => Some(Reply::json(200, &json!({ "deviceId": DEVICE }))),
    })
    .await;
    let client = google.client();
    let wipe = async || {
        let turn = client.turn_to_change(Lane::Urgent, Timestamp::now()).await;
        client
            .issue_command(&turn, "my_customer", DEVICE, RemoteCommand::WipeUsers, yes())
            .await
    };
    let began = std::time::Instant::now();
    let Sent::NotSent(error) = wipe().await else {
        panic!("turned away")
    };
    assert_eq!(error.retry_after, Some(Duration::from_secs(1)));
    client.get_device("my_customer", DEVICE, false).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(800));
    assert_eq!(wipe().await, Sent::Accepted("77".to_owned()));
    assert!(
        began.elapsed() >= Duration::from_millis(950),
        "{:?}",
        began.elapsed()
    );
}
