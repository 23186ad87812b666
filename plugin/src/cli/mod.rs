//! What can be typed, and which command does it.
//!
//! Exit codes are those of [`Exit`].

#![allow(
    clippy::doc_markdown,
    clippy::large_enum_variant,
    reason = "doc comments here are the help text, which is printed as it stands"
)]

pub mod moment;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cluster::{Cluster, ClusterArguments};
use crate::commands::{
    actions, completion, connect, deprovision, device, devices, disconnect, doctor, generate, lost_mode,
    org_units, receipts, report, restart, resume, status, suspend, sync, wipe,
};
use crate::failure::{Exit, Failure};

/// Connects a Google customer to this cluster and looks after its ChromeOS devices
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-chromeos",
    bin_name = "kubectl chromeos",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Typed,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArguments,
}

/// What was typed.
#[derive(Debug, Subcommand)]
pub enum Typed {
    /// Something about a cluster.
    #[command(flatten)]
    Cluster(Command),
    /// Something about the program itself.
    #[command(flatten)]
    Program(ProgramCommand),
}

/// What the program can do about itself. It works without a kubeconfig.
#[derive(Debug, Subcommand)]
pub enum ProgramCommand {
    /// Print a completion script for a shell
    Completion(completion::Arguments),
    /// Print candidates for what is being typed, in the way that kubectl asks for
    #[command(name = "__complete", hide = true)]
    Complete(completion::Words),
    /// Write the committed files that are made from the command line
    #[command(hide = true)]
    Generate(generate::Arguments),
    /// Write manual pages, for whoever packages this program
    #[command(hide = true)]
    Man(generate::ManArguments),
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Connect a Google customer to a namespace
    Connect(Box<connect::Arguments>),
    /// Show how connections are: state, devices, last check-in, and what to do
    Status(status::Arguments),
    /// Read the devices from Google now
    Sync(sync::Arguments),
    /// Stop reading from Google; devices are kept as they are
    Suspend(suspend::Arguments),
    /// Go on after suspend
    Resume(resume::Arguments),
    /// Remove a connection and its device objects; nothing changes at Google
    Disconnect(disconnect::Arguments),
    /// Check the installation and every connection, and say what to do
    Doctor(doctor::Arguments),
    /// List devices
    Devices(devices::Arguments),
    /// Show everything about one device, with its actions
    Device(device::Arguments),
    /// Show the tree of org units with their devices
    OrgUnits(org_units::Arguments),
    /// Write a page about the fleet that opens in any browser
    Report(report::Arguments),
    /// Restart a device
    Restart(restart::Arguments),
    /// Remove the users of a device, or everything on it
    Wipe(wipe::Arguments),
    /// Release a device from management
    Deprovision(deprovision::Arguments),
    /// Lock a lost device, or unlock it
    LostMode(lost_mode::Arguments),
    /// List actions, and how they ended
    Actions(actions::Arguments),
    /// List receipts: what was done to which device, when and for whom
    Receipts(receipts::Arguments),
}

/// Reads the command line of this process, does what it says, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = match run(&cli) {
        Ok(exit) => exit,
        Err(failure) => {
            let text = failure.to_string();
            if !text.is_empty() {
                crate::terminal::say_at_length(&format!("error: {text}"));
            }
            failure.exit()
        }
    };
    ExitCode::from(exit.code())
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    // One thread: everything is waiting, and the program starts faster.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("The program cannot start: {error}.")))?;
    // A question to the cluster that is left open by Ctrl-C must not hold the process.
    let outcome = runtime.block_on(perform(cli));
    runtime.shutdown_background();
    outcome
}

async fn perform(cli: &Cli) -> Result<Exit, Failure> {
    let command = match &cli.command {
        Typed::Program(command) => return about_itself(command).await,
        Typed::Cluster(command) => command,
    };
    let cluster = Cluster::choose(&cli.cluster).await?;
    match command {
        Command::Connect(arguments) => connect::run(&cluster, arguments).await,
        Command::Status(arguments) => status::run(&cluster, arguments).await,
        Command::Sync(arguments) => sync::run(&cluster, arguments).await,
        Command::Suspend(arguments) => suspend::run(&cluster, arguments).await,
        Command::Resume(arguments) => resume::run(&cluster, arguments).await,
        Command::Disconnect(arguments) => disconnect::run(&cluster, arguments).await,
        Command::Doctor(arguments) => doctor::run(&cluster, arguments).await,
        Command::Devices(arguments) => devices::run(&cluster, arguments).await,
        Command::Device(arguments) => device::run(&cluster, arguments).await,
        Command::OrgUnits(arguments) => org_units::run(&cluster, arguments).await,
        Command::Report(arguments) => report::run(&cluster, arguments).await,
        Command::Restart(arguments) => restart::run(&cluster, arguments).await,
        Command::Wipe(arguments) => wipe::run(&cluster, arguments).await,
        Command::Deprovision(arguments) => deprovision::run(&cluster, arguments).await,
        Command::LostMode(arguments) => lost_mode::run(&cluster, arguments).await,
        Command::Actions(arguments) => actions::run(&cluster, arguments).await,
        Command::Receipts(arguments) => receipts::run(&cluster, arguments).await,
    }
}

async fn about_itself(command: &ProgramCommand) -> Result<Exit, Failure> {
    match command {
        ProgramCommand::Completion(arguments) => completion::run(arguments),
        ProgramCommand::Complete(words) => completion::complete(words).await,
        ProgramCommand::Generate(arguments) => generate::run(arguments),
        ProgramCommand::Man(arguments) => generate::man(arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_has_a_flag_that_means_something_else_to_kubectl() {
        let cli = Cli::command();
        let everywhere: Vec<_> = cli.get_arguments().filter(|flag| flag.is_global_set()).collect();
        assert!(everywhere.len() >= 7);
        for command in cli.get_subcommands() {
            for flag in command.get_arguments() {
                let clashes = |other: &&&clap::Arg| {
                    other.get_id() == flag.get_id()
                        || (flag.get_long().is_some() && other.get_long() == flag.get_long())
                        || (flag.get_short().is_some() && other.get_short() == flag.get_short())
                };
                let clash = everywhere.iter().find(clashes);
                assert!(clash.is_none(), "{}: {clash:?}", command.get_name());
            }
        }
    }
}
