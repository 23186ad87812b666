//! Shows how it goes: a progress bar on a terminal; lines elsewhere, one per change and one every few seconds.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::proof::human;

/// How often a line is printed where there is no terminal, while it moves.
const MOVING: Duration = Duration::from_secs(1);
/// And while it does not.
const STANDING: Duration = Duration::from_secs(15);

/// How far the sync is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// One word for the connection.
    pub(crate) state: String,
    /// Devices that the operator has read from Google.
    pub(crate) read: i64,
    /// `ChromeOSDevice` objects in the cluster.
    pub(crate) objects: i64,
    /// How many there will be.
    pub(crate) expected: i64,
}

impl Progress {
    fn sentence(&self) -> String {
        let [read, objects, expected] = [self.read, self.objects, self.expected].map(human);
        format!(
            "{}: {objects} of {expected} devices in the cluster, {read} read from Google",
            self.state
        )
    }
}

/// Standard output, and a bar on it if it is a terminal.
#[derive(Debug)]
pub(crate) struct Display {
    begun: Instant,
    bar: Option<ProgressBar>,
    told: Option<(Instant, Progress)>,
    terminal: bool,
}

impl Display {
    pub(crate) fn new() -> Self {
        let terminal = stdout().is_terminal() && stderr().is_terminal();
        Self {
            begun: Instant::now(),
            bar: None,
            told: None,
            terminal,
        }
    }

    /// One line about something that happened, with the time since the start.
    pub(crate) fn say(&self, text: &str) {
        self.print(&format!("[{:6.1} s] {text}", self.begun.elapsed().as_secs_f64()));
    }

    /// One line as it is.
    pub(crate) fn print(&self, line: &str) {
        // Nobody reads any more (`demo | head`): the result is in the exit code too.
        let write = || _ = writeln!(stdout().lock(), "{line}");
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// How far it is now; to be called a few times a second.
    pub(crate) fn progress(&mut self, progress: &Progress) {
        if self.terminal {
            let bar = self.bar.get_or_insert_with(|| bar(progress.expected));
            bar.set_position(u64::try_from(progress.objects).unwrap_or_default());
            bar.set_message(progress.state.clone());
        } else if self
            .told
            .as_ref()
            .is_none_or(|(time, told)| is_due(time.elapsed(), told, progress))
        {
            self.told = Some((Instant::now(), progress.clone()));
            self.say(&progress.sentence());
        }
    }

    /// Takes the bar away; what follows is the result.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.finish();
    }
}

fn is_due(since: Duration, told: &Progress, now: &Progress) -> bool {
    since >= if told == now { STANDING } else { MOVING }
}

fn bar(length: i64) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or_default());
    // The template is a constant; were it wrong, the library's own one would do.
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {msg:<12} {wide_bar} {human_pos} of {human_len} devices")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_sentence() {
        let progress = Progress {
            state: "Syncing".to_owned(),
            read: 1_000,
            objects: 800,
            expected: 1_200,
        };
        assert_eq!(
            progress.sentence(),
            "Syncing: 800 of 1,200 devices in the cluster, 1,000 read from Google"
        );
    }

    #[test]
    fn what_moves_is_told_more_often() {
        let before = Progress {
            objects: 1,
            ..Progress::default()
        };
        let after = Progress {
            objects: 2,
            ..Progress::default()
        };
        assert!(is_due(MOVING, &before, &after));
        assert!(!is_due(MOVING / 2, &before, &after));
        assert!(!is_due(MOVING, &before, &before));
        assert!(is_due(STANDING, &before, &before));
    }

    #[test]
    fn the_template_of_the_bar_is_valid() {
        assert_eq!(bar(5).length(), Some(5));
        ProgressStyle::with_template("{spinner} {msg:<12} {wide_bar} {human_pos} of {human_len} devices")
            .unwrap();
    }
}
