//! Facts below each other: a label and a value on each line.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, stderr};

use textwrap::{Options, WordSplitter};
use unicode_width::UnicodeWidthStr as _;

use crate::output::clean;
use crate::terminal;

/// Breaks lines at blanks only: names with hyphens are copied.
fn whole_words(width: usize) -> Options<'static> {
    Options::new(width).word_splitter(WordSplitter::NoHyphenation)
}

/// A text for a terminal of this width, with its lines broken at blanks.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    textwrap::fill(text, whole_words(width))
}

/// Says something of several words to the person. On a terminal its lines are broken at blanks.
pub(crate) fn say(text: &str) {
    let width = if stderr().is_terminal() {
        terminal_size::terminal_size_of(stderr()).map_or(80, |(width, _)| usize::from(width.0).max(20))
    } else {
        usize::MAX
    };
    terminal::say(&wrapped(text, width));
}

/// Labels and values. What comes from elsewhere is cleaned here.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    lines: Vec<(&'static str, String)>,
}

impl Sheet {
    /// An empty one.
    pub(crate) const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// Adds a fact, if there is one.
    pub(crate) fn add<'a>(&mut self, label: &'static str, value: impl Into<Option<&'a str>>) -> &mut Self {
        if let Some(value) = value.into().map(str::trim).filter(|value| !value.is_empty()) {
            self.lines.push((label, clean(value).into_owned()));
        }
        self
    }

    /// The lines, with values that are longer than `width` allows going on below themselves.
    pub(crate) fn text(&self, width: usize) -> String {
        let labels = self.lines.iter().map(|(label, _)| label.width());
        let indent = labels.max().unwrap_or_default() + 2;
        // On a terminal that is narrower than this nothing looks well.
        let room = width.saturating_sub(indent).max(20);
        let mut text = String::new();
        for (label, value) in &self.lines {
            let mut label = *label;
            for line in textwrap::wrap(value, whole_words(room)) {
                // Writing into a String cannot fail.
                let _ = writeln!(text, "{label:indent$}{line}");
                label = "";
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_go_on_below_themselves() {
        let mut sheet = Sheet::new();
        sheet
            .add("Model", "HP 11")
            .add("User", None)
            .add("Place", Some("  "))
            .add("Message", Some("one two three four\u{1b}[31m five six"));
        assert_eq!(
            sheet.text(30),
            "Model    HP 11\nMessage  one two three\n         four\\u{1b}[31m five\n         six\n"
        );
        assert_eq!(
            sheet.text(usize::MAX),
            "Model    HP 11\nMessage  one two three four\\u{1b}[31m five six\n"
        );
    }
}
