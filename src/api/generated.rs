//! The committed files that are made from the resource types. `make generate` writes them; a test fails when
//! they differ from what the types say.

use std::path::{Path, PathBuf};

use super::{crds, reference};

/// Every generated file: its path relative to the root of the repository, and its content.
#[must_use]
pub fn files() -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> = crds::all()
        .iter()
        .map(|definition| {
            (
                Path::new("crds").join(crds::file_name(definition)),
                crd_file(definition),
            )
        })
        .collect();
    files.push((PathBuf::from("docs/reference.md"), reference::markdown()));
    files
}

fn crd_file(definition: &crds::Definition) -> String {
    format!(
        "# Made by `make generate` from src/api; change the types there.\n{}\n",
        crds::to_yaml(definition).trim_end()
    )
}
