//! A bad road to the API server: it loses answers, and makes up some.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What becomes of one creation of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is carried out, and the connection breaks before the answer.
    LostAnswer,
    /// The connection breaks before the request arrives.
    LostRequest,
    /// It is carried out, and this status is answered in its place.
    Instead(u16),
    /// It is carried out, and nothing is ever answered.
    Silence,
    /// It does not arrive, and nothing is ever answered.
    Hole,
}

type Answer = Response<UnsyncBoxBody<Bytes, kube::Error>>;

struct Road {
    client: Client,
    faults: Mutex<VecDeque<Fault>>,
    requests: Mutex<Vec<String>>,
    connections: Mutex<JoinSet<()>>,
}

/// The road; it is closed when this is dropped.
pub(crate) struct Proxy {
    road: Arc<Road>,
    address: std::net::SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Lets these creations of actions go wrong, in this order; everything else passes.
    pub(crate) async fn start(client: Client, faults: &[Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let road = Arc::new(Road {
            client,
            faults: Mutex::new(faults.iter().copied().collect()),
            requests: Mutex::new(Vec::new()),
            connections: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&road)));
        Self { road, address, task }
    }

    /// A kubeconfig that leads here.
    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "road",
            "clusters": [{ "name": "road", "cluster": { "server": format!("http://{}", self.address) } }],
            "contexts": [{ "name": "road", "context": { "cluster": "road", "user": "nobody" } }],
            "users": [{ "name": "nobody", "user": {} }],
        })
        .to_string()
    }

    /// Method and path of every request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.road.requests.lock().unwrap().clone()
    }

    /// Breaks every connection that is open now, in the middle of whatever goes over it.
    pub(crate) fn cut(&self) {
        self.road.connections.lock().unwrap().abort_all();
    }

    /// How many faults have not happened yet.
    pub(crate) fn faults_left(&self) -> usize {
        self.road.faults.lock().unwrap().len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, road: Arc<Road>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let served = serve(stream, Arc::clone(&road));
        road.connections.lock().unwrap().spawn(served);
    }
}

async fn serve(stream: TcpStream, road: Arc<Road>) {
    let service = service_fn(move |request| answer(Arc::clone(&road), request));
    let http = hyper::server::conn::http1::Builder::new();
    // A service that fails closes the connection without an answer: that is what is wanted.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(road: Arc<Road>, request: Request<Incoming>) -> io::Result<Answer> {
    let line = format!("{} {}", request.method(), request.uri());
    road.requests.lock().unwrap().push(line);
    let is_creation = request.method() == Method::POST && request.uri().path().ends_with("/deviceactions");
    let fault = if is_creation {
        road.faults.lock().unwrap().pop_front()
    } else {
        None
    };
    let lost = || io::Error::other("the road ends here");
    match fault {
        Some(Fault::LostRequest) => return Err(lost()),
        Some(Fault::Hole) => return std::future::pending().await,
        Some(Fault::LostAnswer | Fault::Instead(_) | Fault::Silence) | None => {}
    }
    let answer = forward(&road, request).await;
    match fault {
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::LostAnswer) => Err(lost()),
        Some(Fault::Instead(status)) => Ok(made_up(status)),
        Some(Fault::LostRequest | Fault::Hole) | None => Ok(answer),
    }
}

async fn forward(road: &Road, request: Request<Incoming>) -> Answer {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove("host");
    let body = body.collect().await.unwrap().to_bytes();
    let request = Request::from_parts(parts, Body::from(body.to_vec()));
    let answer = road.client.send(request).await.unwrap();
    answer.map(BodyExt::boxed_unsync)
}

fn made_up(status: u16) -> Answer {
    let text = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": status,
        "message": "something between you and the API server is busy", "reason": "Unknown",
    });
    let body = Full::new(Bytes::from(text.to_string())).map_err(|never: Infallible| match never {});
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", "application/json")
        .header("retry-after", "1")
        .body(body.boxed_unsync())
        .unwrap()
}
