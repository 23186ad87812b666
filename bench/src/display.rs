//! Shows how far it is: a bar on a terminal, lines elsewhere.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Standard output, with a bar on it if it is a terminal.
#[derive(Debug)]
pub(crate) struct Display {
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Display {
    /// For so many steps.
    pub(crate) fn new(steps: u64) -> Self {
        let bar = (stdout().is_terminal() && stderr().is_terminal()).then(|| bar(steps));
        Self {
            begun: Instant::now(),
            bar,
        }
    }

    /// A step begins.
    pub(crate) fn step(&self, text: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(text.to_owned());
                bar.inc(1);
            }
            None => self.say(text),
        }
    }

    /// Something was measured.
    pub(crate) fn say(&self, text: &str) {
        self.print(&format!("[{:6.1} s] {text}", self.begun.elapsed().as_secs_f64()));
    }

    /// A line as it is.
    pub(crate) fn print(&self, line: &str) {
        // Nobody may be reading any more; the result is in the exit code too.
        let write = || _ = writeln!(stdout().lock(), "{line}");
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
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

fn bar(steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    // The template is a constant; were it wrong, the library's own one would do.
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {bar:24} {pos} of {len}  {elapsed}  {wide_msg}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
