//! Questions, colours and progress: only where a person looks.

use std::io::{BufRead as _, IsTerminal as _, Write as _, stderr, stdin, stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

/// Where a table is not shown on a terminal it is as wide as it needs to be.
const NO_LIMIT: usize = usize::MAX;

/// The width that a table on standard output may have, in columns.
#[must_use]
pub fn width() -> usize {
    if !stdout().is_terminal() {
        return NO_LIMIT;
    }
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).max(20))
}

/// Whether somebody can be asked.
#[must_use]
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks a question and returns the answer without blanks around it; an end of input is an empty answer.
///
/// # Errors
/// When there is no terminal, or it cannot be read.
pub fn ask(question: &str) -> Result<String, Failure> {
    if !can_ask() {
        return Err(Failure::usage("There is no terminal to ask on."));
    }
    let problem = |error: std::io::Error| Failure::new(format!("The terminal cannot be used: {error}."));
    let mut stderr = stderr().lock();
    write!(stderr, "{question} ")
        .and_then(|()| stderr.flush())
        .map_err(problem)?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer).map_err(problem)?;
    Ok(answer.trim().to_owned())
}

/// One line to the person, beside the result on standard output: what goes on, hints.
pub fn say(line: &str) {
    // When standard error is closed there is nobody to tell.
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// The same for text of several sentences: on a terminal its lines are broken between words.
pub fn say_at_length(text: &str) {
    if !stderr().is_terminal() {
        return say(text);
    }
    let width =
        terminal_size::terminal_size_of(stderr()).map_or(80, |(width, _)| usize::from(width.0).max(20));
    say(&textwrap::fill(
        text,
        textwrap::Options::new(width).break_words(false),
    ));
}

/// What is going on now: a spinner on a terminal, one line for each change elsewhere.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    last: String,
}

impl Progress {
    /// Nothing is shown until there is something to tell.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bar: None,
            last: String::new(),
        }
    }

    /// Shows what is going on now.
    pub fn show(&mut self, text: &str) {
        if text == self.last {
            return;
        }
        text.clone_into(&mut self.last);
        if !stderr().is_terminal() {
            say(text);
            return;
        }
        self.bar.get_or_insert_with(spinner).set_message(text.to_owned());
    }

    /// Shows how far it is: a bar on a terminal, one line for each change of `text` elsewhere.
    pub fn show_part(&mut self, text: &str, done: u64, all: u64) {
        if stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(spinner);
            if bar.length() != Some(all) {
                bar.set_length(all);
                bar.set_style(style("{spinner} {msg} {wide_bar} {human_pos} of {human_len}"));
            }
            bar.set_position(done);
            bar.set_message(text.to_owned());
        } else {
            self.show(&format!("{text}: {done} of {all}"));
        }
    }

    /// Prints a line that stays, above what is going on.
    pub fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }

    /// Takes the spinner away; what follows is the result.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} {wide_msg}"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants; were one wrong, the library's own would do.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
