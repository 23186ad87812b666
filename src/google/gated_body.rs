//! The body of a request that changes something: it is handed out once, and only if that is still right.
//!
//! Between deciding to send and sending lie a connection and a TLS handshake, and a process can be stopped in
//! between for minutes. So the last question is asked when the bytes are about to go out, and whether they went is
//! known afterwards: a request whose body was never handed out surely changed nothing at Google.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Says whether the request may still be sent. Asked once, right before the bytes go out.
pub type MaySend = Box<dyn FnOnce() -> bool + Send + Sync>;

/// Whether the body was handed out.
#[derive(Debug, Clone, Default)]
pub(super) struct HandedOut(Arc<AtomicBool>);

impl HandedOut {
    /// Whether the request may have left this machine.
    pub(super) fn is_true(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The bytes, and the question.
pub(super) struct GatedBody {
    bytes: Option<Bytes>,
    length: u64,
    may_send: Option<MaySend>,
    handed_out: HandedOut,
}

/// It was no longer right to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was too late to send the request")]
pub(super) struct TooLate;

impl GatedBody {
    /// A body, and the way to learn whether it was handed out.
    pub(super) fn new(bytes: Bytes, may_send: MaySend) -> (Self, HandedOut) {
        let handed_out = HandedOut::default();
        let body = Self {
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            bytes: Some(bytes),
            may_send: Some(may_send),
            handed_out: handed_out.clone(),
        };
        (body, handed_out)
    }
}

impl fmt::Debug for GatedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatedBody")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        let Some(bytes) = self.bytes.take() else {
            return Poll::Ready(None);
        };
        let allowed = self.may_send.take().is_some_and(|may_send| may_send());
        if !allowed {
            return Poll::Ready(Some(Err(TooLate)));
        }
        self.handed_out.0.store(true, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    /// Known, so that the request has a length and the other side can tell a part of it from the whole.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.bytes.is_some() { self.length } else { 0 })
    }
}
