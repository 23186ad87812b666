//! `policies` prints the admission policies and cluster roles.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output::{print, write_file};
use crate::policies;

/// What `policies` can be told.
#[derive(Debug, Args)]
pub struct PoliciesArguments {
    /// Write the files into this folder, in place of printing them
    #[arg(long, value_name = "DIR", env = "CHROME_ENTERPRISE_OPERATOR_OUTPUT")]
    pub output: Option<PathBuf>,
}

/// Prints all manifests as one stream of YAML documents, or writes the files.
pub(super) fn print_or_write(arguments: &PoliciesArguments) -> Result<()> {
    let Some(folder) = &arguments.output else {
        return print(&policies::stream());
    };
    policies::ALL
        .iter()
        .try_for_each(|manifest| write_file(&folder.join(manifest.file_name), manifest.text))
}
