//! Where manifests go: to standard output, or into files.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context, Result};

/// Prints manifests.
///
/// # Errors
/// When they cannot be written. A reader that has seen enough is no error.
pub(super) fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // `crds | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("the manifests cannot be printed"),
    }
}

/// Writes a file, and makes its folder if it is missing.
///
/// # Errors
/// When the folder or the file cannot be written; the error names it.
pub(super) fn write_file(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("the file {} cannot be written", path.display()))
}
