//! The program `devcluster`; see `docs/devcluster.md`.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use devcluster::{Assets, DevCluster, Program};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a real etcd and kube-apiserver on this machine, for development and tests.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a cluster until Ctrl-C, and leave nothing behind.
    Up(Up),
    /// Find the programs, or build them with Go, and print the folder that has them.
    ///
    /// Use it as `KUBEBUILDER_ASSETS=$(devcluster assets)`.
    Assets {
        /// Also prepare kube-controller-manager or kubectl; can be given several times.
        #[arg(long, value_name = "PROGRAM", value_parser = parse_program)]
        with: Vec<Program>,
    },
}

#[derive(Debug, Args)]
struct Up {
    /// Folder for the kubeconfig and the logs; made if missing.
    #[arg(long, required_unless_present = "exec")]
    dir: Option<PathBuf>,
    /// Also run the controllers that end deleted namespaces and objects whose owner is gone, and
    /// that fill the roles view, edit and admin.
    #[arg(long)]
    controller_manager: bool,
    /// Leave the log files in DIR/logs.
    #[arg(long, requires = "dir")]
    keep_logs: bool,
    /// One more argument for kube-apiserver, such as --apiserver-arg=--audit-log-path=/tmp/audit.log;
    /// can be given several times.
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    apiserver_arg: Vec<String>,
    /// Run this command with KUBECONFIG set, then stop and end with its exit status. Must come last.
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
    exec: Vec<String>,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("devcluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> anyhow::Result<ExitCode> {
    match action {
        Action::Assets { with } => {
            let mut programs = vec![Program::Etcd, Program::KubeApiserver];
            programs.extend(with);
            println!("{}", Assets::ensure(&programs)?.folder()?.display());
            Ok(ExitCode::SUCCESS)
        }
        Action::Up(up) => {
            // Before the signals are caught: a build of minutes ends at once with Ctrl-C.
            Assets::ensure(&up.programs())?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(up.run())
        }
    }
}

fn parse_program(name: &str) -> Result<Program, String> {
    Program::from_file_name(name).ok_or_else(|| {
        let known: Vec<_> = Program::ALL.iter().map(|program| program.file_name()).collect();
        format!("the programs are {}", known.join(", "))
    })
}

impl Up {
    fn programs(&self) -> Vec<Program> {
        let mut programs = vec![Program::Etcd, Program::KubeApiserver];
        programs.extend(self.controller_manager.then_some(Program::KubeControllerManager));
        programs
    }

    async fn run(self) -> anyhow::Result<ExitCode> {
        let mut stop = Box::pin(asked_to_stop()?);
        let starting = DevCluster::builder()
            .controller_manager(self.controller_manager)
            .dir(self.dir.clone())
            .keep_logs(self.keep_logs)
            .apiserver_args(self.apiserver_arg.clone())
            .start();
        let cluster = tokio::select! {
            cluster = starting => cluster?,
            _ = &mut stop => return Ok(ExitCode::SUCCESS),
        };
        let result = if self.exec.is_empty() {
            explain(&cluster);
            tokio::select! {
                _ = &mut stop => Ok(ExitCode::SUCCESS),
                error = cluster.failure() => Err(error.into()),
            }
        } else {
            self.execute(&cluster, stop).await
        };
        cluster.stop().await;
        result
    }

    /// Runs the command; its exit status becomes ours.
    async fn execute(
        &self,
        cluster: &DevCluster,
        stop: impl Future<Output = Signal>,
    ) -> anyhow::Result<ExitCode> {
        let (program, arguments) = self.exec.split_first().context("--exec needs a command")?;
        let mut child = Command::new(program)
            .args(arguments)
            .env("KUBECONFIG", cluster.kubeconfig_path())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        tokio::select! {
            status = child.wait() => Ok(ExitCode::from(shell_status(status?))),
            error = cluster.failure() => Err(error.into()),
            signal = stop => {
                // Ctrl-C on a terminal reaches the command too; any other signal only us.
                if let (Signal::SIGTERM | Signal::SIGHUP, Some(id)) = (signal, child.id()) {
                    // It fails only if the command has just ended.
                    let _ = kill(Pid::from_raw(id.cast_signed()), signal);
                }
                // The command may be cleaning up, and that against this very cluster.
                let _ = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
                Ok(ExitCode::from(shell_status(ExitStatus::from_raw(signal as i32))))
            }
        }
    }
}

/// The exit status as shells number it: 128 and the signal for a command that a signal ended.
fn shell_status(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// On standard error, so that the standard output belongs to the command of `--exec`.
fn explain(cluster: &DevCluster) {
    let path = cluster.kubeconfig_path();
    eprintln!(
        "The API server is ready at {}. In another terminal:",
        cluster.api_url()
    );
    eprintln!(
        "\n  export KUBECONFIG={}\n  kubectl get namespaces\n",
        path.display()
    );
    eprintln!(
        "Logs are in {}. Ctrl-C stops it and removes everything.",
        cluster.logs().display()
    );
}

/// The first SIGINT (Ctrl-C), SIGTERM or SIGHUP (the terminal is closed). They count from this call on.
fn asked_to_stop() -> std::io::Result<impl Future<Output = Signal>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Signal::SIGINT,
            _ = terminate.recv() => Signal::SIGTERM,
            _ = hang_up.recv() => Signal::SIGHUP,
        }
    })
}
