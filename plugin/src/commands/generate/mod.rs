//! `generate` and `man`: what is made from the same source as `--help`.

mod markdown;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};

use crate::cli::Cli;
use crate::failure::{Exit, Failure};

/// Flags of `generate`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Root of the repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub root: PathBuf,
}

/// Flags of `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Folder for the pages; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}

/// Every committed file that is made from the command line: its path in the repository, and its content.
#[must_use]
pub fn files() -> Vec<(PathBuf, String)> {
    vec![(
        PathBuf::from("docs/kubectl-chromeos.md"),
        markdown::page(Cli::command()),
    )]
}

/// Writes the committed files.
///
/// # Errors
/// When a file cannot be written.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    for (path, content) in files() {
        let path = arguments.root.join(path);
        fs::write(&path, content).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(Exit::Done)
}

/// Writes one manual page for each command, for whoever packages the program.
///
/// # Errors
/// When a file cannot be written.
pub fn man(arguments: &ManArguments) -> Result<Exit, Failure> {
    let problem = |error: std::io::Error| unwritable(&arguments.output, &error);
    fs::create_dir_all(&arguments.output).map_err(problem)?;
    clap_mangen::generate_to(Cli::command(), &arguments.output).map_err(problem)?;
    Ok(Exit::Done)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}.", path.display()))
}
