//! How much code there is.

use std::fs;
use std::path::Path;

use serde::Serialize;

const FOLDERS: [&str; 10] = [
    "src/api",
    "src/google",
    "src/controllers",
    "src/runtime",
    "src/cli",
    "simulator",
    "devcluster",
    "demo",
    "tests",
    "bench",
];

/// One folder.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Folder {
    pub(crate) path: &'static str,
    /// Rust files.
    pub(crate) files: usize,
    /// Their lines, blank ones left out.
    pub(crate) lines: usize,
}

/// Counts the Rust files below the repository at `root`. A folder that is not there is left out.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn count(root: &Path) -> std::io::Result<Vec<Folder>> {
    let mut folders = Vec::new();
    for folder in FOLDERS {
        let path = root.join(folder);
        if path.is_dir() {
            let (files, lines) = count_folder(&path)?;
            folders.push(Folder {
                path: folder,
                files,
                lines,
            });
        }
    }
    Ok(folders)
}

fn count_folder(folder: &Path) -> std::io::Result<(usize, usize)> {
    let (mut files, mut lines) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            let below = count_folder(&path)?;
            files += below.0;
            lines += below.1;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files += 1;
            let text = fs::read_to_string(&path)?;
            lines += text.lines().filter(|line| !line.trim().is_empty()).count();
        }
    }
    Ok((files, lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_this_crate() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folders = count(&root).unwrap();
        let bench = folders.iter().find(|folder| folder.path == "bench").unwrap();
        assert!(bench.files > 5 && bench.lines > 100);
    }
}
