//! A program to run, and its run without a terminal.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::Error;
use crate::terminal::{Size, Terminal};

/// How long a program may run unless told otherwise.
const DEADLINE: Duration = Duration::from_mins(1);

/// A program with its arguments. Of the environment it gets only what is chosen here.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) deadline: Duration,
}

/// What a program without a terminal left.
#[derive(Clone, Debug)]
pub struct PlainOutput {
    /// Its standard output, with replacement characters for what is not UTF-8.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl PlainOutput {
    /// Its exit code; none if a signal ended it.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl Program {
    /// A program by its path, or by its name on the `PATH` of the test.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: None,
            deadline: DEADLINE,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn environment(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Passes on a variable of the test's own environment, such as `PATH`, if it is set.
    #[must_use]
    pub fn keep_environment(self, name: &str) -> Self {
        match std::env::var_os(name) {
            Some(value) => self.environment(name, value),
            None => self,
        }
    }

    /// The folder to run it in; else the test's own.
    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// How long it may run; else a minute.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it without a terminal: standard output and error are pipes, and `stdin` is all that it can read.
    ///
    /// # Errors
    ///
    /// It cannot be started, or it (or a child that holds its output) runs longer than the deadline.
    pub async fn run_plain(&self, stdin: impl AsRef<[u8]>) -> Result<PlainOutput, Error> {
        let mut command = tokio::process::Command::new(&self.path);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(|error| self.failed("start", &error))?;
        let pipe = child.stdin.take();
        let write = async {
            if let Some(mut pipe) = pipe {
                // A program need not read its input to the end.
                let _ = pipe.write_all(stdin.as_ref()).await;
                let _ = pipe.shutdown().await;
            }
        };
        let run = async { tokio::join!(write, child.wait_with_output()).1 };
        let output = timeout(self.deadline, run)
            .await
            .map_err(|_| Error::Deadline {
                what: format!("the end of {}", self.name()),
                after: self.deadline,
                seen: "it was ended".to_owned(),
            })?
            .map_err(|error| self.failed("read the output of", &error))?;
        Ok(PlainOutput {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status,
        })
    }

    /// Starts it in a pseudo terminal.
    ///
    /// `TERM` is `xterm-256color` unless it was set.
    ///
    /// # Errors
    ///
    /// There is no pseudo terminal, or the program cannot be started.
    pub fn in_terminal(&self, size: Size) -> Result<Terminal, Error> {
        Terminal::start(self, size)
    }

    /// For messages: arguments may hold what should not be printed.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn failed(&self, action: &'static str, reason: &impl ToString) -> Error {
        Error::Program {
            action,
            program: self.name(),
            reason: reason.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("/bin/sh").arguments(["-c", script])
    }

    #[tokio::test]
    async fn output_error_and_exit_code_are_kept_apart() {
        let output = shell("read line; echo out $line; echo err >&2; exit 3")
            .run_plain("typed\n")
            .await
            .unwrap();
        assert_eq!(output.stdout, "out typed\n");
        assert_eq!(output.stderr, "err\n");
        assert_eq!(output.exit_code(), Some(3));
    }

    #[tokio::test]
    async fn only_the_chosen_environment_is_passed_on() {
        let output = Program::new("/usr/bin/env")
            .environment("CHOSEN", "yes")
            .keep_environment("PATH")
            .keep_environment("NO_SUCH_VARIABLE")
            .run_plain("")
            .await
            .unwrap();
        let mut names: Vec<&str> = output
            .stdout
            .lines()
            .filter_map(|line| line.split('=').next())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["CHOSEN", "PATH"]);
    }

    #[tokio::test]
    async fn much_input_that_nobody_reads_blocks_nothing() {
        let output = shell("exec 0<&-; echo done")
            .run_plain("x".repeat(1 << 20))
            .await
            .unwrap();
        assert_eq!(output.stdout, "done\n");
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let error = shell("echo $$ > id; exec sleep 600")
            .keep_environment("PATH")
            .folder(folder.path())
            .deadline(Duration::from_millis(500))
            .run_plain("")
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error}");
        let id = std::fs::read_to_string(folder.path().join("id")).unwrap();
        crate::terminal::tests::wait_until_gone(id.trim());
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = Program::new("/no/such/program").run_plain("").await.unwrap_err();
        assert!(
            error.to_string().starts_with("cannot start /no/such/program: "),
            "{error}"
        );
    }
}
