//! Where the page goes: a file that is complete or not there, or standard output.

use std::io::{self, BufWriter, Write as _, stdout};
use std::path::{Path, PathBuf};

use askama::Template;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::output::{clean, unwritten};

/// A place that can be written.
#[derive(Debug)]
pub(super) enum Target {
    /// Standard output.
    Stdout,
    /// A file beside the one that is wanted; it takes its name when it is complete.
    File {
        written: NamedTempFile,
        path: PathBuf,
        overwrite: bool,
    },
}

impl Target {
    pub(super) fn open(path: &Path, overwrite: bool) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        if path.is_dir() {
            return Err(Failure::usage(format!(
                "{} is a folder; name a file in it.",
                shown(path)
            )));
        }
        if path.exists() && !overwrite {
            return Err(exists(path));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".report-");
        readable_as_usual(&mut builder);
        let written = builder
            .tempfile_in(folder)
            .map_err(|error| failed(path, &error))?;
        Ok(Self::File {
            written,
            path: path.to_owned(),
            overwrite,
        })
    }

    pub(super) fn write(self, page: &impl Template) -> Result<(), Failure> {
        match self {
            Self::Stdout => fill(stdout().lock(), page).map_err(|error| unwritten(&error)),
            Self::File {
                written,
                path,
                overwrite,
            } => {
                fill(written.as_file(), page).map_err(|error| failed(&path, &error))?;
                if overwrite {
                    written
                        .persist(&path)
                        .map_err(|error| failed(&path, &error.error))?;
                } else {
                    // Somebody may have made the file meanwhile.
                    written.persist_noclobber(&path).map_err(|error| {
                        if error.error.kind() == io::ErrorKind::AlreadyExists {
                            exists(&path)
                        } else {
                            failed(&path, &error.error)
                        }
                    })?;
                }
                Ok(())
            }
        }
    }
}

fn fill(target: impl io::Write, page: &impl Template) -> io::Result<()> {
    let mut target = BufWriter::new(target);
    Template::write_into(page, &mut target)?;
    target.flush()
}

/// Temporary files are for their owner only; this one becomes a file as any other, as umask allows.
#[cfg(unix)]
fn readable_as_usual(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
const fn readable_as_usual(_builder: &mut tempfile::Builder<'_, '_>) {}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("{} exists already.", shown(path)))
        .advise("Add --overwrite to replace it, or name another file.")
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}.", shown(path)))
        .advise("Name a file in a folder that exists and that you may write to.")
}

fn shown(path: &Path) -> String {
    clean(&path.display().to_string()).into_owned()
}
