//! The program `demo`: the operator at work on this machine, see `make demo`.

mod actions;
mod child;
mod count;
mod course;
mod display;
mod failure;
mod follow;
mod google;
mod inventory;
mod invitation;
mod journey;
mod log_tail;
mod operator;
mod options;
mod outcome;
mod proof;
mod setup;
mod signals;
mod stage;
mod table;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use devcluster::{Assets, Program};
use kube::Client;

use crate::display::Display;
use crate::invitation::Invitation;
use crate::options::Options;
use crate::stage::Stage;

/// As shells say it of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nThe demo failed. {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    let program = operator::find(options.operator_program.as_deref())?;
    // Before signals are caught: a build of minutes ends at once with Ctrl-C.
    Assets::ensure(&[Program::Etcd, Program::KubeApiserver])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(perform(options, &program))
}

/// How the show ended.
enum Ending {
    /// Everything was shown, and the numbers agree.
    Shown,
    /// Somebody pressed Ctrl-C before.
    Interrupted,
}

async fn perform(options: &Options, program: &Path) -> Result<ExitCode> {
    let mut stop = Box::pin(signals::asked_to_stop()?);
    let mut display = Display::new();
    display.print(&format!(
        "Chrome Enterprise operator: demo with {} devices of school.example (seed {}).",
        proof::human(options.devices.into()),
        options.seed
    ));
    let (mut stage, client) = tokio::select! {
        stage = Stage::set(options, program, &display) => stage?,
        () = &mut stop => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let programs = program.parent().unwrap_or(Path::new("."));
    let played = tokio::select! {
        played = play(options, &mut stage, &client, &mut display) => played.map(|()| Ending::Shown),
        () = &mut stop => Ok(Ending::Interrupted),
    };
    display.finish();
    let code = match played {
        Ok(Ending::Shown) if options.once => Ok(ExitCode::SUCCESS),
        Ok(Ending::Shown) => stay(&mut stage, programs, &display, stop).await,
        Ok(Ending::Interrupted) => Ok(ExitCode::from(INTERRUPTED)),
        Err(error) => Err(error),
    };
    if let Err(error) = &code {
        eprintln!("\nThe demo failed. {error:#}");
        failure::explain(&client, &stage.operator).await;
    }
    stage.clear().await;
    Ok(code.unwrap_or(ExitCode::FAILURE))
}

/// From the applied connection to the proven numbers, and the actions after that.
async fn play(options: &Options, stage: &mut Stage, client: &Client, display: &mut Display) -> Result<()> {
    let (journey, connection) = tokio::select! {
        arrived = follow::until_active(client, options.devices, options.timeout(), display) => arrived?,
        error = stage.failure() => return Err(error),
    };
    display.finish();
    outcome::show(client, &stage.google, &journey, &connection, display).await?;
    let subject = stage.google.subject()?;
    tokio::select! {
        shown = actions::show(client, &subject, &connection, display) => shown?,
        error = stage.failure() => return Err(error),
    }
    stage.google.witness(&subject)?;
    display.print(
        "\nBy the simulated Google's own records the device was restarted, disabled and enabled again once each.",
    );
    Ok(())
}

/// Leaves everything running until people have seen enough.
async fn stay(
    stage: &mut Stage,
    programs: &Path,
    display: &Display,
    stop: impl Future<Output = ()>,
) -> Result<ExitCode> {
    let subject = stage.google.subject()?;
    let invitation = Invitation {
        serial_number: &subject.serial_number,
        not_after: actions::in_an_hour(),
        kubeconfig: &stage.cluster.kubeconfig_path(),
        google_url: stage.google.url(),
        customer_id: &stage.google.customer_id(),
        operator_log: stage.operator.log(),
        programs,
        kubectl: invitation::is_on_path("kubectl"),
    };
    display.print(&invitation.text());
    tokio::select! {
        error = stage.failure() => Err(error),
        () = stop => {
            display.print("\nEnding everything.");
            Ok(ExitCode::SUCCESS)
        }
    }
}
