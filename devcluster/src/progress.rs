//! Tells a person that something slow goes on.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

/// How often a line is printed where there is no terminal, as in CI.
const EVERY: Duration = Duration::from_secs(15);

/// Prints one line on standard error.
///
/// Not `eprintln!`: the test harness holds that back, and a silent build of ten minutes looks like
/// a test that hangs. A closed standard error is no reason to stop.
pub(crate) fn say(text: &str) {
    let _ = writeln!(stderr().lock(), "devcluster: {text}");
}

/// Shows how long one piece of work has been going on: a counting line on a terminal, else a line
/// every 15 seconds.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    started: Instant,
    shown: Duration,
    terminal: bool,
}

impl Progress {
    pub(crate) fn start(what: String) -> Self {
        say(&what);
        Self {
            what,
            started: Instant::now(),
            shown: Duration::ZERO,
            terminal: stderr().is_terminal(),
        }
    }

    /// To be called a few times a second.
    pub(crate) fn tick(&mut self) {
        let elapsed = self.started.elapsed();
        let every = if self.terminal {
            Duration::from_secs(1)
        } else {
            EVERY
        };
        if elapsed.saturating_sub(self.shown) < every {
            return;
        }
        self.shown = elapsed;
        let time = minutes_and_seconds(elapsed);
        if self.terminal {
            let _ = write!(stderr().lock(), "\r\x1b[K  {time} elapsed");
        } else {
            say(&format!("{} ({time} elapsed)", self.what));
        }
    }

    /// Says how it ended, and how long it took.
    pub(crate) fn finish(self, result: &str) {
        if self.terminal {
            let _ = write!(stderr().lock(), "\r\x1b[K");
        }
        say(&format!(
            "{result} after {}",
            minutes_and_seconds(self.started.elapsed())
        ));
    }
}

fn minutes_and_seconds(time: Duration) -> String {
    format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shown_as_minutes_and_seconds() {
        assert_eq!(minutes_and_seconds(Duration::from_secs(5)), "0:05 min");
        assert_eq!(minutes_and_seconds(Duration::from_secs(605)), "10:05 min");
    }
}
