//! What can go wrong, each with what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a browser, a program or a search did not do what a test asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb: `create`, `read`, `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// There is no Chromium on this machine.
    #[error(
        "there is no Chromium ({looked_for}): run scripts/browser.sh, which installs it or says what to install"
    )]
    NoBrowser {
        /// Where it was looked for.
        looked_for: String,
    },

    /// Chromium did not get ready.
    #[error("Chromium did not start: {reason}. The last lines that it printed were:\n{tail}")]
    BrowserStart {
        /// What it did instead.
        reason: String,
        /// The end of its output.
        tail: String,
    },

    /// Chromium refused something, or the connection to it broke.
    #[error("the browser could not {action}: {reason}")]
    Browser {
        /// What was tried, as a verb.
        action: String,
        /// What came back.
        reason: String,
    },

    /// The script of a page, or one that the test ran in it, threw an exception.
    #[error("the script `{script}` failed in the page: {exception}")]
    Script {
        /// The script.
        script: String,
        /// The exception.
        exception: String,
    },

    /// Chromium reported something that the library does not understand, so a report would have gaps.
    #[error(
        "the browser sent messages that cannot be read ({0}): a newer version of chromiumoxide may know them"
    )]
    UnreadableMessages(String),

    /// A program could not be started, or talked to.
    #[error("cannot {action} {program}: {reason}")]
    Program {
        /// What was tried, as a verb.
        action: &'static str,
        /// The program.
        program: String,
        /// What came back.
        reason: String,
    },

    /// Something took longer than a test may wait.
    #[error("waited {after:?} for {what}; {seen}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
        /// What was there instead.
        seen: String,
    },
}
