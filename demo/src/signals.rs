//! When people want the demo to end.

use tokio::signal::unix::{SignalKind, signal};

/// Ends with the first Ctrl-C (SIGINT), SIGTERM or SIGHUP (the terminal is closed). They count from this call on.
///
/// # Errors
/// When the system does not let signals be caught.
pub(crate) fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
