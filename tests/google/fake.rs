//! A scripted stand-in for Google, and what the tests need around it.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use bytes::Bytes;
use chrome_enterprise_operator::google::{
    Access, DirectoryClient, Endpoints, GoogleContext, HttpSettings, Lane, Observer, QuotaSettings,
    RetrySettings, parse_service_account_key,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

pub(crate) const ADMIN: &str = "admin@school.example";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// As on the request line: proxies get whole addresses.
    pub(crate) target: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The claims of the signed token request.
    pub(crate) fn claims(&self) -> Value {
        let form = self.form();
        let (_, assertion) = form.iter().find(|(key, _)| key == "assertion").unwrap();
        let payload = assertion.split('.').nth(1).unwrap().trim_end_matches('=');
        let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(payload)
            .unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    pub(crate) fn scopes(&self) -> Vec<String> {
        self.claims()["scope"]
            .as_str()
            .unwrap()
            .split(' ')
            .map(ToOwned::to_owned)
            .collect()
    }
}

/// An answer to give.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    delay: Duration,
    cut: bool,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=UTF-8", body.to_string())
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::text(
            status,
            "text/html",
            "<html><body>some machine in between</body></html>",
        )
    }

    pub(crate) fn text(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
            delay: Duration::ZERO,
            cut: false,
        }
    }

    /// An error in Google's classic form.
    pub(crate) fn error(status: u16, reason: &str, message: &str) -> Self {
        let item = json!({"message": message, "domain": "global", "reason": reason});
        Self::json(
            status,
            &json!({"error": {"code": status, "message": message, "errors": [item]}}),
        )
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Announces more than it sends.
    pub(crate) fn cut(mut self) -> Self {
        self.cut = true;
        self
    }
}

/// The token that the fake hands out for its n-th token request.
pub(crate) fn token_reply(number: usize) -> Reply {
    let token = format!("ya29.token-{number}");
    Reply::json(
        200,
        &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}),
    )
}

type Script = dyn Fn(&Seen, usize) -> Option<Reply> + Send + Sync;

/// A server that answers by a script and remembers what it was asked.
pub(crate) struct Fake {
    pub(crate) url: Url,
    requests: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    /// `script` gets a request and how many came to the same path before; `None` is answered with a token
    /// on `/token` and with 404 in HTML elsewhere.
    pub(crate) async fn start(
        script: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(script, None).await
    }

    pub(crate) async fn start_with(
        script: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = Url::parse(&format!(
            "{scheme}://127.0.0.1:{}",
            listener.local_addr().unwrap().port()
        ))
        .unwrap();
        let requests: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let script: Arc<Script> = Arc::new(script);
        let log = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log, tls) = (Arc::clone(&script), Arc::clone(&log), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, script, log).await;
                            }
                        }
                        None => serve(stream, script, log).await,
                    }
                });
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests other than those for tokens.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.requests()
            .into_iter()
            .filter(|seen| seen.path != "/token")
            .collect()
    }

    pub(crate) fn token_requests(&self) -> Vec<Seen> {
        self.requests()
            .into_iter()
            .filter(|seen| seen.path == "/token")
            .collect()
    }

    pub(crate) fn client(&self) -> DirectoryClient {
        client(&context(&self.url, quick()))
    }
}

async fn serve<S>(stream: S, script: Arc<Script>, log: Arc<Mutex<Vec<Seen>>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (script, log) = (Arc::clone(&script), Arc::clone(&log));
        async move { Ok::<_, Infallible>(answer(request, &script, &log).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: http::Request<Incoming>,
    script: &Arc<Script>,
    log: &Arc<Mutex<Vec<Seen>>>,
) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let seen = Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        path: head.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    };
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|earlier| earlier.path == seen.path).count();
        log.push(seen.clone());
        before
    };
    let reply = script(&seen, before).unwrap_or_else(|| {
        if seen.path.ends_with("/token") {
            token_reply(before + 1)
        } else {
            Reply::html(404)
        }
    });
    tokio::time::sleep(reply.delay).await;
    let mut response = http::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if reply.cut {
        // hyper ends the connection when the body is shorter than announced.
        response = response.header("content-length", reply.body.len() + 1_000);
    }
    response.body(Full::new(reply.body)).unwrap()
}

/// A service account key file, with addresses in it that nobody may ever contact.
pub(crate) fn key_file(trap: &str) -> Vec<u8> {
    static KEY: LazyLock<String> = LazyLock::new(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    });
    let file = json!({
        "type": "service_account",
        "project_id": "fleet-project",
        "private_key_id": "0123456789abcdef",
        "private_key": &*KEY,
        "client_email": "operator@fleet-project.iam.gserviceaccount.com",
        "client_id": "112233445566778899001",
        "auth_uri": format!("{trap}auth"),
        "token_uri": format!("{trap}token"),
        "auth_provider_x509_cert_url": format!("{trap}certs"),
        "client_x509_cert_url": format!("{trap}x509"),
        "universe_domain": "evil.example",
    });
    serde_json::to_vec(&file).unwrap()
}

/// Settings under which a test of retries takes milliseconds.
pub(crate) fn quick() -> HttpSettings {
    HttpSettings {
        environment_proxy: false,
        retry: RetrySettings {
            base_delay: Duration::from_millis(2),
            max_retries: 5,
        },
        ..HttpSettings::default()
    }
}

/// Remembers what it is told.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) calls: Mutex<Vec<(&'static str, &'static str, usize)>>,
}

impl Observer for Recorder {
    fn call(&self, method: &'static str, outcome: &'static str, _duration: Duration, bytes: usize) {
        self.calls.lock().unwrap().push((method, outcome, bytes));
    }

    fn waited_for_quota(&self, _lane: Lane, _duration: Duration) {}
}

pub(crate) fn context(base: &Url, http: HttpSettings) -> GoogleContext {
    observed(base, &http, Arc::new(Recorder::default()))
}

pub(crate) fn observed(base: &Url, http: &HttpSettings, observer: Arc<Recorder>) -> GoogleContext {
    GoogleContext::new(Endpoints::all_at(base), http, QuotaSettings::default(), observer).unwrap()
}

pub(crate) fn client(context: &GoogleContext) -> DirectoryClient {
    client_with(context, "https://trap.invalid/", Access::ReadWrite)
}

pub(crate) fn client_with(context: &GoogleContext, trap: &str, access: Access) -> DirectoryClient {
    let key = parse_service_account_key(&key_file(trap)).unwrap();
    DirectoryClient::new(context, key, ADMIN, access).unwrap()
}
