//! The built demo, with the built operator next to it: `cargo test --workspace` builds both.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(2);

/// The demo with a small fleet. Its temporary files go into `folder`, so that what is left behind can be seen.
fn demo(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command
        .args(["--devices", "40", "--latency-per-page-milliseconds", "0"])
        .env("TMPDIR", folder)
        .env_remove("CHROME_ENTERPRISE_OPERATOR_PROGRAM");
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "timed out: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// Processes whose command line names this folder, as those of the cluster and the operator do.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}

/// Starts the demo and waits until it says that it stays up.
fn start(folder: &Path) -> Child {
    let mut child = demo(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Ends with the program too.
    let seen: Vec<String> = lines
        .map(Result::unwrap)
        .take_while(|line| !line.starts_with("Ctrl-C ends everything"))
        .collect();
    assert!(
        seen.iter().any(|line| line.contains("export KUBECONFIG=")),
        "{}",
        seen.join("\n")
    );
    child
}

#[test]
fn it_shows_an_active_connection_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path()).arg("--once").output().unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for part in [
        "The connection went Connecting -> Syncing -> Active.",
        "Connected account  admin@school.example",
        "SERIAL",
        "All three agree, device by device.",
        "restart went Pending",
        "-> Succeeded in ",
        "shows DISABLED, ",
        "shows ACTIVE, ",
        "restarted, disabled and enabled again once each.",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(is_empty(folder.path()));
}

#[test]
fn a_missing_operator_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path())
        .args(["--once", "--operator-program", "/nowhere/operator"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(
        text.contains("There is no operator program at /nowhere/operator"),
        "{text}"
    );
    assert!(!text.contains("Starting"), "{text}");
}

#[test]
fn an_operator_that_ends_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path())
        .args(["--once", "--operator-program", "/bin/false"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(
        text.contains("The operator ended by itself (exit status: 1)."),
        "{text}"
    );
    assert!(is_empty(folder.path()));
}

#[test]
fn it_ends_in_good_order_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path());
    assert!(!processes_of(folder.path()).is_empty());
    let id = i32::try_from(child.id()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGINT).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(processes_of(folder.path()), Vec::<String>::new());
    assert!(is_empty(folder.path()));
}

#[test]
fn nothing_outlives_it_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path());
    let operators = |processes: &[String]| processes.iter().filter(|line| line.contains(" run ")).count();
    assert!(operators(&processes_of(folder.path())) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("all processes are gone", || {
        processes_of(folder.path()).is_empty()
    });
    wait_for("all files are gone", || is_empty(folder.path()));
}
