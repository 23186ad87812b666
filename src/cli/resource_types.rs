//! `crds` prints the resource types; `generate` writes the files that are made from them.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output::{print, write_file};
use crate::api::{crds, generated};

/// What `crds` can be told.
#[derive(Debug, Args)]
pub struct CrdsArguments {
    /// Write one file per resource type into this folder, in place of printing them
    #[arg(long, value_name = "DIR", env = "CHROME_ENTERPRISE_OPERATOR_OUTPUT")]
    pub output: Option<PathBuf>,
}

/// What `generate` can be told.
#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// Root of the source tree
    #[arg(long, value_name = "DIR", env = "CHROME_ENTERPRISE_OPERATOR_ROOT")]
    pub root: PathBuf,
}

/// Prints all definitions as one stream of YAML documents, or writes one file each.
pub(super) fn print_or_write(arguments: &CrdsArguments) -> Result<()> {
    let definitions = crds::all();
    let Some(folder) = &arguments.output else {
        let stream = definitions.iter().fold(String::new(), |mut stream, definition| {
            // Writing into a String cannot fail.
            let _ = writeln!(stream, "---\n{}", crds::to_yaml(definition).trim_end());
            stream
        });
        return print(&stream);
    };
    for definition in &definitions {
        write_file(
            &folder.join(crds::file_name(definition)),
            &crds::to_yaml(definition),
        )?;
    }
    Ok(())
}

/// Writes every generated file below the root of the source tree.
pub(super) fn generate(arguments: &GenerateArguments) -> Result<()> {
    for (path, text) in generated::files() {
        write_file(&arguments.root.join(path), &text)?;
    }
    Ok(())
}
