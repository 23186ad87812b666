//! The program `bench`: what the operator claims, measured on this machine; see `make bench` and docs/benchmarks.md.

mod cluster;
mod cpu;
mod display;
mod google;
mod interrupted;
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

use crate::cluster::Cluster;
use crate::display::Display;
use crate::google::Google;
use crate::options::{Arguments, Options, Part};
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
    let steps = 1 + u64::from(options.repeat) * (CONCURRENCIES.len() as u64 + 4) + u64::from(options.large);
    let mut display = Display::new(steps);
    let google = Google::start(options.devices).await?;
    let bench = Bench {
        google: &google,
        program,
        further: &options.operator_argument,
        display: &display,
    };
    let (interrupted, bodies) = interrupted::run(&bench).await?;
    let mut rounds = Vec::new();
    for number in 1..=options.repeat {
        display.say(&format!("Round {number} of {}", options.repeat));
        rounds.push(bench.round(number, &bodies).await?);
    }
    let devices = google.listed().await?;
    drop(google);
    let large = if options.large {
        Some(large(options, program, &display).await?)
    } else {
        None
    };
    display.finish();
    let report = Report {
        devices,
        cores: std::thread::available_parallelism()?.get(),
        operator_arguments: options.operator_argument.clone(),
        interrupted,
        rounds,
        large,
        lines: lines::count(Path::new("."))?,
    };
    show(&report, &display);
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

async fn large(options: &Options, program: &Path, display: &Display) -> Result<FirstSync> {
    display.say(&format!("{LARGE} devices"));
    let (google, cluster) = (Google::start(LARGE).await?, Cluster::start().await?);
    let bench = Bench {
        google: &google,
        program,
        further: &options.operator_argument,
        display,
    };
    let (operator, first_sync) = bench.first_sync(&cluster).await?;
    operator.stop().await?;
    cluster.stop().await;
    Ok(first_sync)
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
