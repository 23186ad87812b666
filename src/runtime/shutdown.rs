//! How the process ends: at the first signal in good order and in bounded time, at the second at once.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long work in flight may take to end after the signal. With what comes after it, the process ends within 5 s.
pub const DRAIN_LIMIT: Duration = Duration::from_millis(3_500);

/// Exit code of a process that was killed by a signal is this plus the signal's number, by convention of the shells.
const KILLED_BY_SIGNAL: i32 = 128;

/// The token that stops everything, and the tasks that must end before the process does. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tracker: TaskTracker,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every tracked task ended by itself.
    Clean,
    /// The time was over; so many tasks were cut.
    Cut {
        /// Tasks that still ran.
        tasks: usize,
    },
}

impl Shutdown {
    /// A shutdown that nobody has asked for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The token that is cancelled when the process is to stop. Whoever starts new work looks at it.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// The tasks that the process waits for. A task that was begun before the signal may end within
    /// [`DRAIN_LIMIT`]; it should look at the token wherever it can stop earlier.
    #[must_use]
    pub fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Whether the process is to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Asks every part of the process to stop.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// Runs `work` unless the process is told to stop; `None` then, with `work` dropped where it was.
    pub async fn unless_requested<F: Future>(&self, work: F) -> Option<F::Output> {
        self.token.run_until_cancelled(work).await
    }

    /// Turns SIGTERM and SIGINT into a request. A second signal ends the process at once, with exit code
    /// 128 + signal number.
    ///
    /// # Errors
    /// When the operating system refuses to install a signal handler.
    pub fn listen_for_signals(&self) -> io::Result<()> {
        let mut signals = Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        let token = self.token.clone();
        tokio::spawn(async move {
            let first = signals.next().await;
            tracing::info!(
                signal = first.name,
                "Stopping. A second signal ends the process at once."
            );
            token.cancel();
            let second = signals.next().await;
            tracing::warn!(
                signal = second.name,
                "Ended at once by a second signal; work in flight was cut."
            );
            std::process::exit(KILLED_BY_SIGNAL + second.number);
        });
        Ok(())
    }

    /// Waits until every tracked task has ended, at most for `limit`.
    pub async fn drain(&self, limit: Duration) -> Drained {
        self.tracker.close();
        match tokio::time::timeout(limit, self.tracker.wait()).await {
            Ok(()) => Drained::Clean,
            Err(_elapsed) => Drained::Cut {
                tasks: self.tracker.len(),
            },
        }
    }
}

/// The two signals that ask a process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// A signal that arrived.
struct Arrived {
    name: &'static str,
    number: i32,
}

impl Signals {
    async fn next(&mut self) -> Arrived {
        tokio::select! {
            _ = self.terminate.recv() => Arrived { name: "SIGTERM", number: SignalKind::terminate().as_raw_value() },
            _ = self.interrupt.recv() => Arrived { name: "SIGINT", number: SignalKind::interrupt().as_raw_value() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_for_work_that_ends_in_time() {
        let shutdown = Shutdown::new();
        let work = shutdown
            .tracker()
            .spawn(tokio::time::sleep(Duration::from_millis(50)));
        shutdown.request();
        assert!(!work.is_finished());
        assert_eq!(shutdown.drain(DRAIN_LIMIT).await, Drained::Clean);
        assert!(work.is_finished());
    }

    #[tokio::test]
    async fn cuts_work_that_does_not_end_and_says_how_much() {
        let shutdown = Shutdown::new();
        for _ in 0..3 {
            shutdown.tracker().spawn(std::future::pending::<()>());
        }
        shutdown.tracker().spawn(async {});
        let limit = Duration::from_millis(50);
        let before = std::time::Instant::now();
        assert_eq!(shutdown.drain(limit).await, Drained::Cut { tasks: 3 });
        assert!(before.elapsed() >= limit && before.elapsed() < DRAIN_LIMIT);
    }

    #[tokio::test]
    async fn a_request_stops_what_looks_at_the_token() {
        let shutdown = Shutdown::new();
        assert_eq!(shutdown.unless_requested(async { 7 }).await, Some(7));
        let other = shutdown.clone();
        let waiting = tokio::spawn(async move { other.unless_requested(std::future::pending::<()>()).await });
        shutdown.request();
        assert_eq!(waiting.await.unwrap(), None);
        assert!(shutdown.is_requested());
    }
}
