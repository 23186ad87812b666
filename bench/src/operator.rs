//! The operator: the real program, as a child process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::process::{Child, ChildStdin, Command};

use crate::metrics::Scrape;

const NAME: &str = "chrome-enterprise-operator";
/// How often the log is looked at; what is measured comes from the log itself.
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_mins(20);
/// The operator promises to end within 5 s.
const TO_END: Duration = Duration::from_secs(15);
const PASS_COMPLETE: &str = "a pass of the inventory is complete";

/// Starts the program as the leader of a process group in which a shell waits for our end of a pipe to close, and then
/// kills the group: the system closes it however this process ends. `exec` gives the program the shell's process ID.
const SCRIPT: &str = r#"
exec 3<&0
(read -r nothing <&3; kill -KILL 0) >/dev/null 2>&1 &
exec "$0" "$@" 3<&- </dev/null
"#;

/// Finds the program: the one that was named, or the one next to this program.
///
/// # Errors
/// When there is none.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    let path = match named {
        Some(path) => std::path::absolute(path)?,
        None => std::env::current_exe()?.with_file_name(NAME),
    };
    ensure!(
        path.is_file(),
        "there is no operator program at {}; `make bench` builds it, or name it with --operator-program",
        path.display()
    );
    Ok(path)
}

/// With what the operator is started.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) google: String,
    pub(crate) namespace: String,
    pub(crate) log: PathBuf,
    pub(crate) further: Vec<String>,
}

/// A pass that ended well, as the operator logged it.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) kind: String,
    pub(crate) listed: u64,
    pub(crate) seconds: f64,
}

/// The running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Operator {
    child: Child,
    start: Start,
    http: reqwest::Client,
    _lifeline: Option<ChildStdin>,
}

impl Operator {
    /// Starts it with a new log.
    ///
    /// # Errors
    /// When the system starts no process or no file.
    pub(crate) fn start(start: Start) -> Result<Self> {
        let log =
            File::create(&start.log).with_context(|| format!("cannot create {}", start.log.display()))?;
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg(&start.program)
            .args(["run", "--listen=127.0.0.1:0", "--log-format=json"])
            .arg(format!("--google-endpoint={}", start.google))
            // Google's quotas would be all that there is to measure.
            .arg("--google-queries-per-minute=1000000")
            .arg("--google-device-changes-per-minute=1000000")
            .arg(format!("--kubeconfig={}", start.kubeconfig.display()))
            .arg(format!("--watch-namespace={}", start.namespace))
            .args(&start.further)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", start.program.display()))?;
        let lifeline = child.stdin.take();
        Ok(Self {
            child,
            start,
            http: reqwest::Client::builder().no_proxy().build()?,
            _lifeline: lifeline,
        })
    }

    /// Waits until the health server listens, which is the last step before work.
    ///
    /// # Errors
    /// When the program ends, or says nothing for too long.
    pub(crate) async fn until_started(&mut self) -> Result<()> {
        self.until("has started", |lines| listen_address(lines).map(drop))
            .await
    }

    /// Waits for the next pass after the first `before` of this kind (`None`: of any kind).
    ///
    /// # Errors
    /// When the program ends, or says nothing for too long.
    pub(crate) async fn until_pass(&mut self, kind: Option<&str>, before: usize) -> Result<Pass> {
        self.until("has completed a pass", |lines| {
            passes(lines, kind).into_iter().nth(before)
        })
        .await
    }

    /// How many passes of this kind were complete until now.
    pub(crate) fn passes(&self, kind: &str) -> usize {
        passes(&self.lines(), Some(kind)).len()
    }

    /// What it measures itself, now.
    ///
    /// # Errors
    /// When its health server does not answer.
    pub(crate) async fn scrape(&self) -> Result<Scrape> {
        let address = listen_address(&self.lines()).context("the operator does not say where it listens")?;
        let answer = self.http.get(format!("http://{address}/metrics")).send().await?;
        Ok(Scrape::new(answer.error_for_status()?.text().await?))
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When the system does not.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end and waits.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // Not waited for yet, so the number still is its own. It fails only if it is gone already.
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM);
        }
        let ended = tokio::time::timeout(TO_END, self.child.wait()).await;
        ended.with_context(|| format!("the operator did not end within {} s", TO_END.as_secs()))??;
        Ok(())
    }

    async fn until<T>(&mut self, what: &str, found: impl Fn(&[Value]) -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(found) = found(&self.lines()) {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the operator ended by itself ({status}):\n{}", self.tail());
            }
            ensure!(
                begun.elapsed() < PATIENCE,
                "the operator did not say that it {what}:\n{}",
                self.tail()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.start.log).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The last lines of its log, for errors.
    pub(crate) fn tail(&self) -> String {
        let text = fs::read_to_string(&self.start.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

fn listen_address(lines: &[Value]) -> Option<String> {
    let line = lines.iter().find(|line| line["listen"].is_string())?;
    line["listen"].as_str().map(str::to_owned)
}

fn passes(lines: &[Value], kind: Option<&str>) -> Vec<Pass> {
    let complete = lines.iter().filter(|line| line["message"] == PASS_COMPLETE);
    complete
        .filter_map(|line| {
            Some(Pass {
                kind: line["kind"].as_str()?.to_owned(),
                listed: line["listed"].as_u64()?,
                seconds: line["seconds"].as_f64()?,
            })
        })
        .filter(|pass| kind.is_none_or(|kind| pass.kind == kind))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_log_tells_of_passes() {
        let lines = [
            json!({ "message": "Started.", "listen": "127.0.0.1:8080" }),
            json!({ "message": PASS_COMPLETE, "kind": "incremental", "listed": 3, "seconds": 0.5 }),
            json!({ "message": PASS_COMPLETE, "kind": "full", "listed": 100, "seconds": 1.5 }),
        ];
        assert_eq!(listen_address(&lines).unwrap(), "127.0.0.1:8080");
        assert_eq!(passes(&lines, None).len(), 2);
        let full = passes(&lines, Some("full"));
        assert_eq!((full[0].listed, full.len()), (100, 1));
        assert!((full[0].seconds - 1.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = find(Some(Path::new("/nowhere/operator")))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere/operator"), "{error}");
    }
}
