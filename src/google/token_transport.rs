//! Carries the token requests of yup-oauth2 through the process's own HTTP client.
//!
//! yup-oauth2 accepts nothing but a hyper connector. So that proxy, certificate authorities, timeouts and
//! size limits of token requests are not a second set of settings that has to be kept equal, this connector
//! dials nobody: it hands yup-oauth2 one end of a pipe in memory, and what arrives at the other end is sent
//! by [`HttpClient`]. Whatever address the request names, it goes to the token endpoint of the operator.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use url::Url;

use super::errors::{GoogleError, Reason};
use super::http::{Answer, HttpClient};
use super::token::TOKEN_METHOD;

/// Size of the pipe: a token request and its answer fit.
const PIPE_BYTES: usize = 16 * 1024;

/// Largest token request. A signed request is below 2 kB.
const LARGEST_REQUEST: usize = 64 * 1024;

/// What came of the last token request. yup-oauth2 tells neither status nor headers.
pub(super) type Outcome = Result<Answer, GoogleError>;

/// The connector, and the way to learn what came of the last request.
#[derive(Clone)]
pub(super) struct TokenTransport {
    http: HttpClient,
    token_url: Url,
    last: Arc<Mutex<Option<Outcome>>>,
}

impl TokenTransport {
    pub(super) fn new(http: HttpClient, token_url: Url) -> Self {
        Self {
            http,
            token_url,
            last: Arc::new(Mutex::new(None)),
        }
    }

    /// What came of the last request; the next call finds nothing.
    pub(super) fn take_outcome(&self) -> Option<Outcome> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn record(&self, outcome: Outcome) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    /// Answers what yup-oauth2 writes into its end of the pipe. Ends when that end is closed.
    async fn serve(self, pipe: DuplexStream) {
        let service = service_fn(|request| self.forward(request));
        let served = hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(pipe), service)
            .await;
        if served.is_err() {
            // The reason is recorded; the error here only says that the pipe was closed.
            tracing::debug!("the token request ended without an answer");
        }
    }

    async fn forward(
        &self,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<Full<Bytes>>, GoogleError> {
        let outcome = self.send(request).await;
        let response = match &outcome {
            Ok(answer) => {
                let mut response = http::Response::new(Full::new(answer.body.clone()));
                *response.status_mut() = answer.status;
                Ok(response)
            }
            Err(error) => Err(error.clone()),
        };
        self.record(outcome);
        response
    }

    async fn send(&self, request: http::Request<Incoming>) -> Outcome {
        let form = Limited::new(request.into_body(), LARGEST_REQUEST)
            .collect()
            .await
            .map_err(|_| {
                let message = "the signed request is too large";
                GoogleError::local(TOKEN_METHOD, Reason::RequestInvalid, message)
            })?;
        self.http
            .post_form(TOKEN_METHOD, &self.token_url, form.to_bytes())
            .await
    }
}

impl tower_service::Service<http::Uri> for TokenTransport {
    type Response = Pipe;
    type Error = Infallible;
    type Future = Ready<Result<Pipe, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _address: http::Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(self.clone().serve(ours));
        ready(Ok(Pipe(TokioIo::new(theirs))))
    }
}

/// The end of the pipe that yup-oauth2 believes to be a connection.
pub(super) struct Pipe(TokioIo<DuplexStream>);

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
