//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures what the operator claims, on this machine: a real API server, a simulated Google, the real operator.
///
/// Each comparison is with a bare client that does the same in the same run, so that the numbers hold on slow and on
/// busy machines too. A missed goal is marked in the table; the exit code is 1 only when something went wrong.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What this program is when it starts itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// The simulated Google, until standard input is closed.
    #[command(hide = true)]
    Google {
        /// Devices of its customer.
        #[arg(long)]
        devices: u32,
    },
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Section {
    /// How the inventory is kept in step.
    Sync,
    /// How soon actions reach Google, and what they write.
    Actions,
}

impl Options {
    /// Whether this section is measured.
    pub(crate) fn has(&self, section: Section) -> bool {
        self.only.is_none_or(|only| only == section)
    }
}

/// What is measured, and with what.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Devices of the fleet.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub(crate) devices: u32,

    /// Rounds; each has a cluster of its own.
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) repeat: u32,

    /// Measures this section only.
    #[arg(long, value_enum, value_name = "SECTION")]
    pub(crate) only: Option<Section>,

    /// Also measures a first sync of 50,000 devices, and actions during one.
    #[arg(long)]
    pub(crate) large: bool,

    /// The operator; by default the one next to this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) operator_program: Option<PathBuf>,

    /// One more argument for the operator, for example --operator-argument=--write-concurrency=32; can be repeated.
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub(crate) operator_argument: Vec<String>,

    /// Writes everything that was measured to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}
