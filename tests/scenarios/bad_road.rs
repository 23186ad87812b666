//! A bad road between operator and API server: refusals, lost answers and watches that end.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use kube::Client;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How often the road was bad in which way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Struck {
    pub(crate) conflicts: u32,
    pub(crate) throttled: u32,
    pub(crate) lost_answers: u32,
    pub(crate) ended_watches: u32,
}

/// A reverse proxy with the rights of `client`.
pub(crate) struct BadRoad {
    address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    client: Client,
    luck: Mutex<Luck>,
}

struct Luck {
    number: u64,
    struck: Struck,
}

/// What happens to one write of a device.
enum Fate {
    Arrives,
    Conflict,
    Throttled,
    AnswerIsLost,
}

impl Luck {
    fn next(&mut self) -> Fate {
        // Knuth's generator; the upper bits are good enough to choose by.
        self.number = self
            .number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match (self.number >> 33) % 100 {
            0..8 => {
                self.struck.conflicts += 1;
                Fate::Conflict
            }
            8..14 => {
                self.struck.throttled += 1;
                Fate::Throttled
            }
            14..20 => {
                self.struck.lost_answers += 1;
                Fate::AnswerIsLost
            }
            _ => Fate::Arrives,
        }
    }
}

impl BadRoad {
    /// Listens on a free port.
    pub(crate) async fn start(client: Client, seed: u64) -> Self {
        let luck = Luck {
            number: seed,
            struck: Struck::default(),
        };
        let shared = Arc::new(Shared {
            client,
            luck: Mutex::new(luck),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(pass_on).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            shared,
            server,
        }
    }

    /// A kubeconfig that leads along this road.
    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "road",
            "clusters": [{ "name": "road", "cluster": { "server": self.address } }],
            "users": [{ "name": "road", "user": {} }],
            "contexts": [{ "name": "road", "context": { "cluster": "road", "user": "road" } }],
        })
        .to_string()
    }

    /// How often it was bad.
    pub(crate) fn struck(&self) -> Struck {
        self.shared.luck.lock().unwrap().struck
    }
}

impl Drop for BadRoad {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass_on(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().clone();
    let is_write = *request.method() != Method::GET && path.path().contains("/chromeosdevices");
    let is_watch = path.query().is_some_and(|query| query.contains("watch=true"));
    let fate = if is_write {
        shared.luck.lock().unwrap().next()
    } else {
        Fate::Arrives
    };
    match fate {
        Fate::Conflict => return refusal(StatusCode::CONFLICT, "Conflict"),
        Fate::Throttled => return refusal(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
        Fate::Arrives | Fate::AnswerIsLost => {}
    }
    let (parts, body) = request.into_parts();
    let mut forwarded = http::Request::builder().method(parts.method).uri(path.as_str());
    for name in [header::ACCEPT, header::CONTENT_TYPE] {
        if let Some(value) = parts.headers.get(&name) {
            forwarded = forwarded.header(name, value);
        }
    }
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let answer = shared.client.send(forwarded.body(body.into()).unwrap()).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let text = error.to_string();
            return (StatusCode::BAD_GATEWAY, text).into_response();
        }
    };
    let (parts, body) = answer.into_parts();
    let mut response = Response::builder().status(parts.status);
    if let Some(kind) = parts.headers.get(header::CONTENT_TYPE) {
        response = response.header(header::CONTENT_TYPE, kind);
    }
    let body = if matches!(fate, Fate::AnswerIsLost) {
        let broken = futures::stream::iter([Err::<Vec<u8>, _>(io::Error::other("the line broke"))]);
        Body::from_stream(broken)
    } else if is_watch {
        shared.luck.lock().unwrap().struck.ended_watches += 1;
        let end = tokio::time::sleep(Duration::from_millis(1500));
        Body::from_stream(body.into_data_stream().take_until(Box::pin(end)))
    } else {
        Body::new(body)
    };
    response.body(body).unwrap()
}

/// As the API server would say it.
fn refusal(code: StatusCode, reason: &str) -> Response {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code.as_u16(), "reason": reason,
        "message": "the road is bad",
    });
    (
        code,
        [(header::CONTENT_TYPE, "application/json")],
        status.to_string(),
    )
        .into_response()
}
