//! The server on this machine that Google sends the browser back to (RFC 8252, section 7.3).
//!
//! It answers `GET` on three paths, for the host that it has, and nothing else. What is not the answer to our attempt gets a
//! page and changes nothing: nobody can end the wait but the browser that began it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode, header};
use oauth2::CsrfToken;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::answer::{self, Answer, NotOurs};
use super::attempt::Attempt;
use super::pages::{Page, protected};
use crate::failure::Failure;

const START: &str = "/start/";
const RETURN: &str = "/callback";
const END: &str = "/done";

/// Longest time that a browser is kept waiting for the outcome, and that the last page may take.
const LONGEST_OUTCOME: Duration = Duration::from_secs(90);
const LAST_PAGE: Duration = Duration::from_secs(3);

/// A port of this machine, before anybody knows of it.
pub(super) struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Takes the port, or a free one.
    ///
    /// # Errors
    /// When it is taken.
    pub(super) async fn take(port: Option<u16>) -> Result<Self, Failure> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
        let unusable = |error: std::io::Error| {
            Failure::new(format!(
                "The browser cannot come back to {wanted}: {}.",
                if error.kind() == std::io::ErrorKind::AddrInUse {
                    "another program uses this port".to_owned()
                } else {
                    error.to_string()
                }
            ))
            .advise("Give another --port, or leave it out to take a free one.")
        };
        let listener = TcpListener::bind(wanted).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        Ok(Self { listener, address })
    }

    pub(super) const fn number(&self) -> u16 {
        self.address.port()
    }

    /// Where Google sends the browser back to.
    pub(super) fn redirect(&self) -> String {
        format!("http://{}{RETURN}", self.address)
    }

    /// Begins to answer.
    pub(super) fn listen(self, attempt: Attempt) -> Listener {
        let start = format!("http://{}{START}{}", self.address, attempt.ticket.secret());
        let (answers, answer) = mpsc::channel(1);
        let (outcome, seen) = watch::channel(None);
        let (shown, was_shown) = watch::channel(false);
        let (stop, stopped) = oneshot::channel::<()>();
        let desk = Arc::new(Desk {
            host: self.address.to_string(),
            cookie: format!("chromeos-sign-in-{}", self.address.port()),
            attempt,
            stage: Mutex::new(Stage::Unopened),
            answers,
            outcome: seen,
            shown,
        });
        let router = Router::new().fallback(serve).with_state(desk);
        let server = axum::serve(self.listener, router).with_graceful_shutdown(async {
            // A dropped sender means the same.
            let _ = stopped.await;
        });
        Listener {
            start,
            answer,
            outcome,
            was_shown,
            stop: Some(stop),
            server: tokio::spawn(async { server.await }),
        }
    }
}

/// The running server.
pub(super) struct Listener {
    start: String,
    answer: mpsc::Receiver<Answer>,
    outcome: watch::Sender<Option<Page>>,
    was_shown: watch::Receiver<bool>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Listener {
    /// The address to open. It works once.
    pub(super) fn start(&self) -> &str {
        &self.start
    }

    /// Waits for the answer to our attempt.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        self.answer.recv().await
    }

    /// Tells the browser that waits what came of it.
    pub(super) fn tell(&self, page: Page) {
        self.outcome.send_replace(Some(page));
    }

    /// Ends, when the last page is sent. A browser that does not fetch it is not waited for.
    pub(super) async fn close(&mut self) {
        if self.outcome.borrow().is_some() {
            let _ = tokio::time::timeout(LAST_PAGE, self.was_shown.wait_for(|shown| *shown)).await;
        }
        drop(self.stop.take());
        let _ = tokio::time::timeout(LAST_PAGE, &mut self.server).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// How far the attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unopened,
    Opened,
    Answered,
}

struct Desk {
    host: String,
    cookie: String,
    attempt: Attempt,
    stage: Mutex<Stage>,
    answers: mpsc::Sender<Answer>,
    outcome: watch::Receiver<Option<Page>>,
    shown: watch::Sender<bool>,
}

async fn serve(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let headers = request.headers();
    // A name of somebody else that leads here (DNS rebinding) is not ours.
    if headers.get(header::HOST).and_then(|host| host.to_str().ok()) != Some(desk.host.as_str()) {
        return protected(StatusCode::MISDIRECTED_REQUEST.into_response());
    }
    if request.method() != Method::GET {
        return protected((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response());
    }
    let path = request.uri().path();
    match path {
        RETURN => desk.came_back(headers, request.uri().query().unwrap_or_default()),
        END => desk.done(headers).await,
        _ => match path.strip_prefix(START) {
            Some(ticket) => desk.open(headers, ticket),
            None => Page::nothing_here().respond(),
        },
    }
}

impl Desk {
    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the browser that comes first on to Google.
    fn open(&self, headers: &HeaderMap, ticket: &str) -> Response {
        if CsrfToken::new(ticket.to_owned()) != self.attempt.ticket {
            return Page::nothing_here().respond();
        }
        let known = self.knows(headers);
        let mut stage = self.stage();
        match *stage {
            Stage::Answered => return Page::already_done().respond(),
            Stage::Opened if !known => return Page::opened_elsewhere().respond(),
            Stage::Unopened | Stage::Opened => *stage = Stage::Opened,
        }
        let cookie = format!(
            "{}={}; Path=/; HttpOnly; SameSite=Lax",
            self.cookie,
            self.attempt.cookie.secret()
        );
        let head = [
            (header::LOCATION, self.attempt.page.to_string()),
            (header::SET_COOKIE, cookie),
        ];
        protected((StatusCode::SEE_OTHER, head).into_response())
    }

    /// Google sends the browser back. It goes on to a page whose address holds neither code nor state, so that they stay in
    /// no history.
    fn came_back(&self, headers: &HeaderMap, query: &str) -> Response {
        if !self.knows(headers) {
            return Page::not_ours().respond();
        }
        let answer = match answer::read(query, &self.attempt.state) {
            Ok(answer) => answer,
            Err(NotOurs::State | NotOurs::Unreadable) => return Page::not_ours().respond(),
            Err(NotOurs::Issuer) => return Page::not_google().respond(),
        };
        let mut stage = self.stage();
        if *stage == Stage::Answered {
            return Page::already_done().respond();
        }
        *stage = Stage::Answered;
        // There is room for one, and only one gets here. When nobody waits any more, the next page says so.
        let _ = self.answers.try_send(answer);
        protected((StatusCode::SEE_OTHER, [(header::LOCATION, END)]).into_response())
    }

    async fn done(&self, headers: &HeaderMap) -> Response {
        if !self.knows(headers) || *self.stage() != Stage::Answered {
            return Page::nothing_here().respond();
        }
        let mut outcome = self.outcome.clone();
        let page = match tokio::time::timeout(LONGEST_OUTCOME, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(page)) => page.clone(),
            Ok(Err(_)) | Err(_) => None,
        };
        self.shown.send_replace(true);
        page.unwrap_or_else(Page::already_done).respond()
    }

    /// Whether the request comes from the browser that opened the attempt.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).iter();
        cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(name, value)| {
                name == self.cookie && CsrfToken::new(value.to_owned()) == self.attempt.cookie
            })
    }
}
