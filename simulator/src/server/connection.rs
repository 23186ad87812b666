//! The accept loop. It is written out, because two things need the connection itself: a fault rule that breaks
//! it, and a simulator that goes away together with all its open connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A connection without a request is kept so long. Clients keep idle connections for a minute or two; one that is
/// closed under their hands looks like a lost answer, so this must be longer.
const HEAD_TIMEOUT: Duration = Duration::from_mins(10);

/// How a connection ends that is to end without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// By a TCP reset.
    Reset,
    /// In order, as far as the system can: if there is something left to read, it resets too.
    Close,
}

/// Lets a request break the connection on which it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionControl {
    ordered: Arc<OnceLock<Break>>,
}

impl ConnectionControl {
    /// The next byte that would be sent breaks the connection instead. Only the first order counts.
    pub(crate) fn order(&self, how: Break) {
        let _ = self.ordered.set(how);
    }
}

/// A server that accepts connections until it is stopped.
#[derive(Debug)]
pub(crate) struct RunningServer {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl RunningServer {
    /// Listens at the address; port 0 takes a free one.
    pub(crate) async fn start(address: SocketAddr, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept(listener, router, stop.clone()));
        Ok(Self { address, stop, task })
    }

    /// Closes the port and every connection, also in the middle of an answer.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        // The task never panics by itself; if it did, the port is closed as well.
        let _ = self.task.await;
    }

    /// The same without waiting.
    pub(crate) fn stop_soon(&self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, or the client is gone already: the next one may succeed.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone at once");
        return;
    }
    let control = ConnectionControl::default();
    let stream = WatchedStream {
        stream,
        control: control.clone(),
    };
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(control.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A connection that can be told to break.
#[derive(Debug)]
struct WatchedStream {
    stream: TcpStream,
    control: ConnectionControl,
}

impl WatchedStream {
    fn check(&self) -> io::Result<()> {
        match self.control.ordered.get() {
            None => Ok(()),
            Some(Break::Reset) => {
                // Without lingering, closing a connection sends a reset instead of an orderly end.
                self.stream.set_zero_linger()?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Some(Break::Close) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
