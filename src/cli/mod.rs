//! The command line: what the program can be told, and what it answers when it is told nonsense.
//!
//! Exit codes: 0 done or stopped in good order; 1 failed while working; 2 the command line cannot be used.

#![allow(
    clippy::doc_markdown,
    reason = "doc comments here are the help text, which is printed as it stands"
)]

mod google_arguments;
mod keyless_arguments;
mod output;
mod policies;
mod resource_types;
mod run_arguments;

use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::run;
use crate::runtime::telemetry;

pub use google_arguments::GoogleArguments;
pub use keyless_arguments::KeylessArguments;
pub use policies::PoliciesArguments;
pub use resource_types::{CrdsArguments, GenerateArguments};
pub use run_arguments::RunArguments;

/// Exit code for a command line that cannot be used; the same that clap gives.
const USAGE: u8 = 2;

/// How long tasks that ignore the shutdown may hold the process after the drain.
const LEFTOVERS_LIMIT: Duration = Duration::from_millis(250);

/// Runs a ChromeOS fleet from Kubernetes: mirrors the devices of Google's Admin console as resources and keeps them in
/// step.
#[derive(Debug, Parser)]
#[command(name = "chrome-enterprise-operator", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator against a Kubernetes cluster, until SIGTERM or SIGINT
    ///
    /// Every flag can be given as an environment variable too; the flag wins. The operator reads the admin's
    /// credentials from Secrets that ChromeEnterpriseConnection objects name, never from flags.
    Run(Box<RunArguments>),
    /// Print the CustomResourceDefinitions, to be piped into `kubectl apply --server-side -f -`
    Crds(CrdsArguments),
    /// Print the admission policies and cluster roles, to be piped into `kubectl apply --server-side -f -`
    ///
    /// They decide who may create which action, guard receipts and the status of actions, and record who asked for an
    /// action. Recording needs Kubernetes 1.36; an older cluster refuses that one policy and accepts the others.
    Policies(PoliciesArguments),
    /// Write the committed files that are made from the resource types
    #[command(hide = true)]
    Generate(GenerateArguments),
}

/// Reads the command line of this process, does what it says, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(arguments) => return run_operator(&arguments),
        Command::Crds(arguments) => resource_types::print_or_write(&arguments),
        Command::Policies(arguments) => policies::print_or_write(&arguments),
        Command::Generate(arguments) => resource_types::generate(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_operator(arguments: &RunArguments) -> ExitCode {
    let settings = match arguments.settings() {
        Ok(settings) => settings,
        Err(problem) => return refuse(&problem),
    };
    if let Err(error) = telemetry::start(&arguments.log_settings()) {
        return refuse(&error.to_string());
    }
    match run_to_the_end(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("The operator ended with an error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_to_the_end(settings: run::RunSettings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run::run(settings));
    runtime.shutdown_timeout(LEFTOVERS_LIMIT);
    outcome
}

/// Says what is wrong with the values of `run`, in the form that clap gives its own errors.
fn refuse(problem: &str) -> ExitCode {
    let mut command = Cli::command();
    command.build();
    let error = match command.find_subcommand_mut("run") {
        Some(run) => run.error(ErrorKind::ValueValidation, problem),
        None => command.error(ErrorKind::ValueValidation, problem),
    };
    // When standard error is closed there is nobody to tell.
    let _ = error.print();
    ExitCode::from(USAGE)
}

#[cfg(test)]
mod tests;
