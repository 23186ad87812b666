//! Child processes that never outlive the process that started them, however it ends.
//!
//! A destructor is not enough: nothing runs after SIGKILL. Linux has `PR_SET_PDEATHSIG`, but that
//! follows the *thread* which started the child, so a child would die with the test thread or the
//! worker thread of an async runtime. What every system has is a pipe: when its last writer is
//! gone, for whatever reason, the reader wakes up. So each program starts as
//!
//! ```text
//! sh (leader of a new process group)
//!  ├─ in the background: wait for the pipe to close, then kill the whole group
//!  └─ becomes the program itself (exec), so this process id, exit status and signals are its own
//! ```
//!
//! The watcher stays in the group as long as it lives, so the group's number cannot be given to
//! another process meanwhile: it never kills a stranger. The new group also keeps the terminal's
//! Ctrl-C away from the program; its owner decides when it ends.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// File descriptor 3 is the pipe: a shell points the standard input of a background job at
/// `/dev/null` unless told otherwise.
const SCRIPT: &str = r#"
exec 3<&0
{ read -r line <&3; kill -9 0; } >/dev/null 2>&1 &
exec "$0" "$@" 3<&- </dev/null
"#;

/// A running program that dies with this process, with this value, or on [`Leashed::kill`].
#[derive(Debug)]
pub struct Leashed {
    /// Holds the writing end of the pipe as its standard input.
    child: Child,
}

impl Leashed {
    /// Starts `program`; both of its output streams go to `log`.
    ///
    /// A program that cannot be executed is not an error here: it ends at once with status 126 or
    /// 127 and a line in its log.
    ///
    /// # Errors
    ///
    /// There is no shell to start it with.
    pub fn start(
        program: &Path,
        arguments: &[String],
        configure: impl FnOnce(&mut Command),
        log: &File,
    ) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(SCRIPT).arg(program).args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?);
        command.process_group(0);
        configure(&mut command);
        Ok(Self {
            child: command.spawn()?,
        })
    }

    /// The process id of the program itself.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// The operating system does not know it any more.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) -> nix::Result<()> {
        // Not reaped yet, so the number still belongs to the child; it fits, being a pid_t.
        kill(Pid::from_raw(self.child.id().cast_signed()), signal)
    }

    /// Ends it at once and waits until it is gone. Doing it again does nothing.
    pub fn kill(&mut self) {
        // Both fail only if it is gone already. `wait` also closes the pipe, which ends the watcher.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use super::*;

    fn start(script: &str, folder: &Path) -> Leashed {
        let log = File::create(folder.join("log")).unwrap();
        let arguments = ["-c".to_owned(), script.to_owned()];
        Leashed::start(Path::new("/bin/sh"), &arguments, |_| (), &log).unwrap()
    }

    fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
        let started = Instant::now();
        while !done() {
            assert!(started.elapsed() < Duration::from_secs(20), "timed out: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A zombie counts as gone: who has to reap it depends on the machine's first process.
    fn lives(pid: &str) -> bool {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
            !stat
                .rsplit(')')
                .next()
                .unwrap_or("")
                .trim_start()
                .starts_with('Z')
        })
    }

    #[test]
    fn exit_status_and_output_are_the_programs_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut leashed = start("echo out; echo err >&2; exit 7", folder.path());
        let mut status = None;
        wait_for("the end of the program", || {
            status = leashed.ended().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(7));
        assert_eq!(
            fs::read_to_string(folder.path().join("log")).unwrap(),
            "out\nerr\n"
        );
    }

    #[test]
    fn a_missing_program_ends_with_a_line_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let missing = folder.path().join("missing");
        let mut leashed = Leashed::start(&missing, &[], |_| (), &log).unwrap();
        wait_for("the end of the shell", || leashed.ended().unwrap().is_some());
        assert!(
            fs::read_to_string(folder.path().join("log"))
                .unwrap()
                .contains("missing")
        );
    }

    #[test]
    fn closing_the_pipe_kills_the_program_and_its_children_even_when_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let mut leashed = start("sleep 600 & echo $!; wait", folder.path());
        let mut grandchild = String::new();
        wait_for("the grandchild's id", || {
            grandchild = fs::read_to_string(folder.path().join("log"))
                .unwrap()
                .trim()
                .to_owned();
            !grandchild.is_empty()
        });
        assert!(lives(&grandchild));
        leashed.signal(Signal::SIGSTOP).unwrap();

        drop(leashed.child.stdin.take());

        wait_for("the program to die", || leashed.ended().unwrap().is_some());
        wait_for("its child to die", || !lives(&grandchild));
    }

    #[test]
    fn dropping_kills() {
        let folder = tempfile::tempdir().unwrap();
        let leashed = start("exec sleep 600", folder.path());
        let pid = leashed.id().to_string();
        assert!(lives(&pid));
        drop(leashed);
        assert!(!lives(&pid));
    }
}
