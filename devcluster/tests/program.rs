//! The program as a person uses it, and how it ends.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod common;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Api, eventually, folder_of, processes_with};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::StatusCode;

fn devcluster(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devcluster"));
    command.args(arguments);
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Starts `devcluster up --dir` and waits for the kubeconfig, as a script would.
async fn up(dir: &Path, more: &[&str]) -> (Child, String) {
    let arguments = [&["up", "--dir", dir.to_str().unwrap()], more].concat();
    let mut child = devcluster(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    let path = dir.join("kubeconfig");
    let limit = Instant::now() + Duration::from_mins(2);
    while !path.exists() {
        if let Some(status) = child.try_wait().unwrap() {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("{status}: {error}");
        }
        assert!(Instant::now() < limit, "no kubeconfig in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (child, fs::read_to_string(path).unwrap())
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
}

#[tokio::test]
async fn up_serves_until_it_is_asked_to_stop() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("cluster");
        let (mut child, kubeconfig) = up(&dir, &[]).await;
        let api = Api::new(&kubeconfig);
        assert_eq!(api.get("/readyz").await.0, StatusCode::OK);
        let server = kubeconfig
            .lines()
            .find_map(|line| line.trim().strip_prefix("server: "))
            .unwrap();
        let folder = folder_of(server);
        assert!(dir.join("logs/kube-apiserver.log").exists());

        let second = devcluster(&["up", "--dir", dir.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(!second.status.success());
        assert!(
            text(&second).contains("used by another devcluster"),
            "{}",
            text(&second)
        );
        assert_eq!(
            api.get("/readyz").await.0,
            StatusCode::OK,
            "the second one did no harm"
        );

        send(&child, signal);
        let status = child.wait().unwrap();
        assert!(status.success(), "{signal}: {status}");
        assert!(!folder.exists() && !dir.exists());
        eventually("all processes end", || async {
            processes_with(&folder).is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_outlives_a_killed_parent() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("cluster");
    let (mut child, kubeconfig) = up(&dir, &["--controller-manager"]).await;
    let server = kubeconfig
        .lines()
        .find_map(|line| line.trim().strip_prefix("server: "))
        .unwrap();
    let folder = folder_of(server);
    let programs = processes_with(&folder);
    for name in ["etcd", "kube-apiserver", "kube-controller-manager"] {
        assert!(
            programs.iter().any(|line| line.contains(name)),
            "{name} is not in {programs:#?}"
        );
    }

    send(&child, Signal::SIGKILL);
    child.wait().unwrap();

    eventually("all processes end", || async {
        processes_with(&folder).is_empty()
    })
    .await;
    assert!(!folder.exists() && !dir.exists());
    assert!(
        Api::new(&kubeconfig)
            .request(reqwest::Method::GET, "/readyz", None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn exec_runs_a_command_against_the_cluster_and_passes_on_its_status() {
    let script = "grep server: \"$KUBECONFIG\"; dirname \"$KUBECONFIG\"; echo \"$1\"; exit 7";
    let output = devcluster(&["up", "--exec", "sh", "-c", script, "sh", "--hyphen"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].contains("server: https://127.0.0.1:"), "{printed}");
    assert!(!Path::new(lines[1]).exists());
    assert_eq!(lines[2], "--hyphen");
}

#[tokio::test]
async fn a_signal_reaches_the_command_before_the_cluster_goes() {
    let root = tempfile::tempdir().unwrap();
    // The command says that it is ready, and on SIGTERM whether the cluster is still there.
    let script = "cd \"$1\"; trap 'test -s \"$KUBECONFIG\" && echo asked > answer; exit 0' TERM
        echo > ready; while :; do sleep 0.1; done";
    let arguments = [
        "up",
        "--exec",
        "sh",
        "-c",
        script,
        "sh",
        root.path().to_str().unwrap(),
    ];
    let mut child = devcluster(&arguments).spawn().unwrap();
    eventually("the command runs", || async {
        root.path().join("ready").exists()
    })
    .await;
    send(&child, Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert_eq!(fs::read_to_string(root.path().join("answer")).unwrap(), "asked\n");
}

#[tokio::test]
async fn logs_are_kept_on_request() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().to_str().unwrap();
    let output = devcluster(&["up", "--dir", dir, "--keep-logs", "--exec", "true"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(!root.path().join("kubeconfig").exists());
    assert!(
        fs::metadata(root.path().join("logs/kube-apiserver.log"))
            .unwrap()
            .len()
            > 0
    );
}

#[test]
fn assets_prints_one_folder_with_the_programs() {
    let output = devcluster(&["assets"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    let folder = Path::new(printed.trim_end());
    for (name, version) in [("etcd", "etcd Version: 3."), ("kube-apiserver", "Kubernetes v1.")] {
        let output = Command::new(folder.join(name)).arg("--version").output().unwrap();
        assert!(text(&output).contains(version), "{name}: {}", text(&output));
    }
    // What is there is found again, and fast.
    let started = Instant::now();
    let again = devcluster(&["assets"]).output().unwrap();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), printed);
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// An environment in which nothing can be found.
fn bare(cache: &Path, arguments: &[&str]) -> Command {
    let mut command = devcluster(arguments);
    command
        .env_clear()
        .env("XDG_CACHE_HOME", cache)
        .env("PATH", cache);
    command
}

#[test]
fn missing_go_is_explained() {
    let cache = tempfile::tempdir().unwrap();
    let output = bare(cache.path(), &["assets"]).output().unwrap();
    assert!(!output.status.success());
    let error = text(&output);
    assert!(
        error.contains("etcd was not found") && error.contains("https://go.dev/dl/"),
        "{error}"
    );
}

#[test]
fn old_go_is_explained() {
    let cache = tempfile::tempdir().unwrap();
    // Another process writes it: see the note on "text file busy" in src/assets.rs.
    let script = "printf '#!/bin/sh\\n[ \"$1\" = env ] && echo local || echo go version go1.20.1 linux/amd64\\n' > go; chmod 755 go";
    let written = Command::new("sh")
        .args(["-c", script])
        .current_dir(cache.path())
        .status()
        .unwrap();
    assert!(written.success());
    let output = bare(cache.path(), &["assets"]).output().unwrap();
    assert!(!output.status.success());
    let error = text(&output);
    assert!(
        error.contains("go1.20.1") && error.contains("needs Go 1."),
        "{error}"
    );
}

#[test]
fn no_cache_folder_is_explained() {
    let output = devcluster(&["assets"]).env_clear().output().unwrap();
    assert!(text(&output).contains("set HOME"), "{}", text(&output));
}

#[test]
fn usage_is_explained() {
    let help = text(&devcluster(&["--help"]).output().unwrap());
    assert!(help.contains("up") && help.contains("assets"), "{help}");
    let error = text(&devcluster(&["up"]).output().unwrap());
    assert!(error.contains("--dir"), "{error}");
    let error = text(&devcluster(&["assets", "--with", "kubelet"]).output().unwrap());
    assert!(error.contains("kube-controller-manager, kubectl"), "{error}");
}
