//! For tests of what a person sees. Only tests depend on it.
//!
//! - [`Browser`] is a real headless Chromium that reaches nothing but this machine.
//! - [`Program`] runs a program, in a [`Terminal`] or without one.
//! - [`assert_golden`] compares a text with a committed file.
//! - [`Secrets`] searches files, answers and command lines for secrets that leaked.
//! - [`artifact_path`] is where pictures are kept.
//!
//! Every wait has a deadline, so a test that uses these ends. What is started dies with its value.

mod artifacts;
mod browser;
mod error;
mod golden;
mod program;
mod secrets;
mod terminal;

pub use artifacts::artifact_path;
pub use browser::{Browser, ConsoleMessage, FailedRequest, Look, Page, Report};
pub use error::Error;
pub use golden::{Difference, assert_golden, compare_golden};
pub use program::{PlainOutput, Program};
pub use secrets::{Finding, Search, Secrets};
pub use terminal::{Size, Terminal, TerminalOutput};
