//! The operator: the real program, as a child process.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::child::SupervisedChild;
use crate::log_tail::last_lines;

/// The operator promises to end within 5 s of a signal.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of the log a failure shows.
const LOG_LINES: usize = 40;
const NAME: &str = "chrome-enterprise-operator";

/// Finds the program: the one that was named, or the one next to this program.
///
/// # Errors
/// A sentence that says what to do, when there is no such program.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()
            .context("cannot tell where this program is")?
            .with_file_name(NAME),
    };
    let shown = path.display();
    let advice = "Build it with `make build`, or name it with --operator-program.";
    let Ok(metadata) = path.metadata() else {
        bail!("There is no operator program at {shown}. {advice}")
    };
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        bail!("{shown} is not a program. {advice}");
    }
    std::path::absolute(&path).with_context(|| format!("cannot tell where {shown} is"))
}

/// The running operator.
#[derive(Debug)]
pub(crate) struct Operator {
    child: SupervisedChild,
    log: PathBuf,
}

impl Operator {
    /// Starts it. Its log goes to a file in `logs`.
    ///
    /// # Errors
    /// When the system starts no process or no file.
    pub(crate) fn start(
        program: &Path,
        google_endpoint: &str,
        kubeconfig: &Path,
        logs: &Path,
    ) -> Result<Self> {
        let log = logs.join("operator.log");
        let file = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let arguments = [
            "run",
            "--google-endpoint",
            google_endpoint,
            "--kubeconfig",
            &kubeconfig.to_string_lossy(),
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "text",
        ];
        let arguments = arguments.map(str::to_owned);
        let child = SupervisedChild::start(program, &arguments, &file)
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, log })
    }

    /// The process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// The file with its log.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// The end of its log.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        last_lines(&self.log, LOG_LINES)
    }

    /// Waits until it ends by itself, which it should not, and says how.
    pub(crate) async fn failure(&mut self) -> String {
        match self.child.ended().await {
            Ok(status) => format!("The operator ended by itself ({status})."),
            Err(error) => format!("The operator cannot be watched: {error}."),
        }
    }

    /// Ends it; whether it ended in good order.
    pub(crate) async fn stop(self) -> bool {
        self.child.stop(PATIENCE).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("operator");
        let error = find(Some(&missing)).unwrap_err().to_string();
        assert!(
            error.contains("no operator program at") && error.contains("--operator-program"),
            "{error}"
        );
        std::fs::write(&missing, "text").unwrap();
        let error = find(Some(&missing)).unwrap_err().to_string();
        assert!(error.contains("is not a program"), "{error}");
        assert!(find(Some(folder.path())).is_err());
    }

    #[test]
    fn a_program_is_found() {
        assert_eq!(find(Some(Path::new("/bin/sh"))).unwrap(), Path::new("/bin/sh"));
    }
}
