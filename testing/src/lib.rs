//! For tests of what a person sees. Only tests depend on it.
//!
//! - [`Browser`] is a real headless Chromium that reaches nothing but this machine.
//! - [`Program`] runs a program, in a [`Terminal`] or without one.
//! - [`assert_golden`] compares a text with a committed file.
//! - [`Secrets`] searches files, answers and command lines for secrets that leaked.
//! - [`artifact_path`] is where pictures are kept.
//!
//! Every wait has a deadline, so a test that uses these ends. What is started dies with its value.
//!
//! ```no_run
//! # async fn example() -> Result<(), operator_testing::Error> {
//! use operator_testing::{Browser, Program, Secrets, Size, artifact_path, assert_golden};
//!
//! let browser = Browser::launch().await?;
//! let mut page = browser.open("http://127.0.0.1:8080/").await?;
//! page.click_text("Show devices").await?;
//! page.wait_for_text("1,200 devices").await?;
//! page.screenshot(artifact_path("devices.png")?).await?;
//! assert_eq!(page.report().await?.problems(), Vec::<String>::new());
//!
//! let program = Program::new("kubectl").arguments(["chromeos", "list"]).keep_environment("PATH");
//! assert_golden("tests/golden/list.txt", &program.run_plain("").await?.stdout);
//! let mut terminal = program.in_terminal(Size::default())?;
//! terminal.wait_for("Go on?").await?;
//! terminal.send_line("yes").await?;
//! let output = terminal.finish().await?;
//! assert_golden("tests/golden/list-screen.txt", &output.screen());
//!
//! let mut search = Secrets::new().with("the token", "s3cret-t0ken").search();
//! search.bytes("the terminal", &output.bytes).processes()?.assert_none();
//! # Ok(()) }
//! ```

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
