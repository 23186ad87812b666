//! The program `bench`: what the operator claims, measured on this machine; see `make bench` and docs/benchmarks.md.

mod action_claims;
mod actions;
mod api_writes;
mod cluster;
mod cpu;
mod display;
mod google;
mod interrupted;
mod latency;
mod lines;
mod metrics;
mod operator;
mod options;
mod raw_writes;
mod report;
mod round;
mod table;
mod walk;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use devcluster::{Assets, Program};

use crate::actions::Actions;
use crate::cluster::Cluster;
use crate::display::Display;
use crate::google::Google;
use crate::options::{Arguments, Options, Part, Section};
use crate::report::Report;
use crate::round::{Bench, CONCURRENCIES, FirstSync};

/// Devices of `--large`.
const LARGE: u32 = 50_000;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.part {
        Some(Part::Google { devices }) => block_on(google::serve(devices)),
        None => run(&arguments.options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

fn run(options: &Options) -> Result<()> {
    let program = operator::find(options.operator_program.as_deref())?;
    Assets::ensure(&[Program::Etcd, Program::KubeApiserver])?;
    block_on(measure(options, &program))
}

async fn measure(options: &Options, program: &Path) -> Result<()> {
    let mut display = Display::new(steps(options));
    let google = Google::start(options.devices).await?;
    let bench = Bench {
        google: &google,
        program,
        further: &options.operator_argument,
        display: &display,
    };
    let (mut interrupted, mut rounds, mut large) = (None, Vec::new(), None);
    let devices = google.listed().await?;
    if options.has(Section::Sync) {
        let (first, bodies) = interrupted::run(&bench).await?;
        interrupted = Some(first);
        for number in 1..=options.repeat {
            display.say(&format!("Round {number} of {}", options.repeat));
            rounds.push(bench.round(number, &bodies).await?);
        }
    }
    let mut actions = Vec::new();
    if options.has(Section::Actions) {
        actions.push(actions::run(&bench).await?);
    }
    drop(google);
    if options.large {
        let (first_sync, more) = at_large(options, program, &display).await?;
        large = first_sync;
        actions.extend(more);
    }
    display.finish();
    let report = Report {
        devices,
        cores: std::thread::available_parallelism()?.get(),
        operator_arguments: options.operator_argument.clone(),
        interrupted,
        rounds,
        large,
        actions,
        lines: lines::count(Path::new("."))?,
    };
    show(&report, &display);
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// How many steps the display counts.
fn steps(options: &Options) -> u64 {
    let mut steps = 0;
    if options.has(Section::Sync) {
        steps += 1 + u64::from(options.repeat) * (CONCURRENCIES.len() as u64 + 4) + u64::from(options.large);
    }
    if options.has(Section::Actions) {
        steps += actions::STEPS * (1 + u64::from(options.large));
    }
    steps
}

/// What is measured with the large fleet: a first sync, and actions during another one.
async fn at_large(
    options: &Options,
    program: &Path,
    display: &Display,
) -> Result<(Option<FirstSync>, Option<Actions>)> {
    display.say(&format!("{LARGE} devices"));
    let google = Google::start(LARGE).await?;
    let bench = Bench {
        google: &google,
        program,
        further: &options.operator_argument,
        display,
    };
    let (mut large, mut actions) = (None, None);
    if options.has(Section::Sync) {
        let cluster = Cluster::start().await?;
        let (operator, first_sync) = bench.first_sync(&cluster).await?;
        operator.stop().await?;
        cluster.stop().await;
        large = Some(first_sync);
    }
    if options.has(Section::Actions) {
        actions = Some(actions::run(&bench).await?);
    }
    Ok((large, actions))
}

fn show(report: &Report, display: &Display) {
    display.print(&format!(
        "\n{} devices, {} rounds, {} cores. Seconds are medians; a goal is judged by the median of the ratios.\n",
        report.devices,
        report.rounds.len(),
        report.cores
    ));
    display.print(&table::claims(&report.claims()));
    if !report.lines.is_empty() {
        display.print(&format!("\n{}", table::lines(&report.lines)));
    }
}
