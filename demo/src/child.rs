//! A child process that cannot outlive this one, however this one ends.
//!
//! Nothing of ours runs after SIGKILL, but the system closes our end of a pipe. The child is started by a shell that
//! leaves a watcher in the child's own process group: when the pipe closes, the watcher kills the group. The group
//! also keeps the terminal's Ctrl-C away, so that this process decides who ends first.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};

/// The pipe is moved to descriptor 3, because a shell gives background jobs another standard input. `exec` makes the
/// shell the program itself, so process id and exit status are the program's own.
const SCRIPT: &str = r#"
exec 3<&0
(read -r nothing <&3; kill -KILL 0) >/dev/null 2>&1 &
exec "$0" "$@" 3<&- </dev/null
"#;

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct SupervisedChild {
    child: Child,
    /// The writing end of the pipe. Apart from `child`, which would close it when it is waited for.
    _lifeline: Option<ChildStdin>,
}

impl SupervisedChild {
    /// Starts a program; all its output goes to `log`.
    ///
    /// # Errors
    /// When no process can be started. A program that cannot be executed ends by itself with status 126 or 127.
    pub(crate) fn start(program: &Path, arguments: &[String], log: &File) -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let lifeline = child.stdin.take();
        Ok(Self {
            child,
            _lifeline: lifeline,
        })
    }

    /// The process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When the system cannot say.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to end, and kills it if it has not ended after `patience`. Returns when it is gone, with whether it
    /// went by itself.
    pub(crate) async fn stop(mut self, patience: Duration) -> bool {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // Not waited for yet, so the number still is its own. It fails only if it is gone already.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        if tokio::time::timeout(patience, self.child.wait()).await.is_ok() {
            return true;
        }
        let _ = self.child.kill().await;
        false
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn start(script: &str, folder: &Path) -> (SupervisedChild, PathBuf) {
        let path = folder.join("log");
        let log = File::create(&path).unwrap();
        let child = SupervisedChild::start(Path::new("/bin/sh"), &["-c".to_owned(), script.to_owned()], &log)
            .unwrap();
        (child, path)
    }

    async fn until(what: &str, mut done: impl FnMut() -> bool) {
        let waiting = async {
            while !done() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
            "timed out: {what}"
        );
    }

    /// Whether a process runs; a zombie does not.
    fn runs(id: &str) -> bool {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    #[tokio::test]
    async fn status_and_output_are_the_programs_own() {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, log) = start("echo out; echo err >&2; exit 7", folder.path());
        assert_eq!(child.ended().await.unwrap().code(), Some(7));
        assert_eq!(fs::read_to_string(log).unwrap(), "out\nerr\n");
    }

    #[tokio::test]
    async fn a_program_may_end_in_good_order() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
        let (child, log) = start(script, folder.path());
        until("the program is ready", || {
            fs::read_to_string(&log).unwrap().contains("ready")
        })
        .await;
        assert!(child.stop(PATIENCE).await);
        assert!(fs::read_to_string(&log).unwrap().ends_with("bye\n"));
    }

    #[tokio::test]
    async fn a_deaf_program_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let (child, log) = start(
            "trap '' TERM; echo $$; while :; do sleep 0.05; done",
            folder.path(),
        );
        until("the program is ready", || {
            fs::read_to_string(&log).unwrap().ends_with('\n')
        })
        .await;
        let id = fs::read_to_string(&log).unwrap().trim().to_owned();
        assert!(!child.stop(Duration::from_millis(100)).await);
        assert!(!runs(&id));
    }

    #[tokio::test]
    async fn without_its_owner_it_dies_with_its_own_children() {
        let folder = tempfile::tempdir().unwrap();
        let (child, log) = start("sleep 600 & echo $!; wait", folder.path());
        until("the grandchild is named", || {
            fs::read_to_string(&log).unwrap().ends_with('\n')
        })
        .await;
        let grandchild = fs::read_to_string(&log).unwrap().trim().to_owned();
        assert!(runs(&grandchild));
        // What the system does to the pipe of a process that was killed.
        let SupervisedChild {
            mut child,
            _lifeline: lifeline,
        } = child;
        drop(lifeline);
        until("the grandchild dies", || !runs(&grandchild)).await;
        tokio::time::timeout(PATIENCE, child.wait())
            .await
            .unwrap()
            .unwrap();
    }
}
