//! The built program, as a person starts it.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::wildcard_enum_match_arm,
    unused,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, whose helpers may panic"
)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_google-admin-simulator"))
}

fn refused(arguments: &[&str]) -> (Output, String) {
    let output = program().args(arguments).output().unwrap();
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    (output, text)
}

/// A running program; ended when the test ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_serves_what_it_has_printed_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program()
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--devices",
            "12",
            "--tenants",
            "2",
            "--credentials-dir",
        ])
        .arg(folder.path().join("keys"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut child = Running(child);
    let mut welcome = String::new();
    while !welcome.contains("Stop with Ctrl-C") {
        assert!(output.read_line(&mut welcome).unwrap() > 0, "{welcome}");
    }
    assert!(
        welcome.contains("admin@school.example") && welcome.contains("admin@second.example"),
        "{welcome}"
    );
    assert!(welcome.contains("Customer C0"), "{welcome}");
    for file in [
        "service-account.json",
        "client_secret.json",
        "second.example/service-account.json",
    ] {
        let path = folder.path().join("keys").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{file}"
        );
    }
    let address = welcome.lines().next().unwrap().rsplit(' ').next().unwrap();
    let health = reqwest::get(format!("{address}/sim/v1/health")).await.unwrap();
    let health: serde_json::Value = health.json().await.unwrap();
    assert_eq!(health["devices"], 24);
    let stopped = Command::new("kill")
        .args(["-TERM", &child.0.id().to_string()])
        .status()
        .unwrap();
    assert!(stopped.success());
    assert!(child.0.wait().unwrap().success(), "a stop is no failure");
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
}

#[test]
fn bad_flags_are_explained() {
    for (arguments, hint) in [
        (&["serve", "--listen", "nowhere"][..], "--listen"),
        (&["serve", "--devices", "900000"][..], "500000"),
        (
            &["serve", "--time-scale", "-3"][..],
            "the time scale must be between 0",
        ),
        (&["serve", "--clock-start", "yesterday"][..], "--clock-start"),
        (&["serve", "--page-size-limit", "0"][..], "1..=1000"),
        (&["serve", "--device", "3"][..], "--devices"),
        (&[][..], "serve"),
    ] {
        let (_, text) = refused(arguments);
        assert!(text.contains(hint), "{arguments:?}: {text}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_, text) = refused(&["serve", "--listen", &address, "--devices", "1"]);
    assert!(
        text.contains(&address) && text.contains("choose another address"),
        "{text}"
    );
}

#[test]
fn help_is_for_newcomers() {
    let output = program().args(["serve", "--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for word in [
        "--devices",
        "--seed",
        "--credentials-dir",
        "Example:",
        "--time-scale",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}
