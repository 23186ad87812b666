//! The place for pictures and other things that a test leaves for a person to look at.

use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// `target/test-artifacts/NAME`, and makes the folder. Pictures that are kept from a run of the tests belong there,
/// so that continuous integration has one folder to collect.
///
/// # Errors
///
/// The name is more than the name of a file, the calling program is not one that cargo built as a test, or the
/// folder cannot be made.
pub fn artifact_path(name: &str) -> Result<PathBuf, Error> {
    let file = |action, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    };
    let wrong = |reason| io::Error::new(io::ErrorKind::InvalidInput, reason);
    if Path::new(name).file_name().is_none_or(|only| only != name) {
        return Err(wrong("not the name of a file")).map_err(file("keep", Path::new(name)));
    }
    let program = std::env::current_exe().map_err(file("find", Path::new("the running program")))?;
    let folder = target_folder(&program)
        .ok_or_else(|| wrong("it is not in a target folder of cargo"))
        .map_err(file("find the folder for artifacts from", &program))?
        .join("test-artifacts");
    std::fs::create_dir_all(&folder).map_err(file("create", &folder))?;
    Ok(folder.join(name))
}

/// Test programs are in `target/PROFILE/deps`.
fn target_folder(program: &Path) -> Option<&Path> {
    let deps = program.ancestors().find(|folder| folder.ends_with("deps"))?;
    deps.parent()?.parent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_in_the_target_folder() {
        let path = artifact_path("picture.png").unwrap();
        assert!(path.ends_with("test-artifacts/picture.png"), "{}", path.display());
        assert!(path.parent().unwrap().is_dir());
        assert_eq!(
            target_folder(Path::new("/a/target/debug/deps/test-1")),
            Some(Path::new("/a/target"))
        );
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        for name in ["../picture.png", "a/b.png", "/b.png", "", ".."] {
            assert!(artifact_path(name).is_err(), "{name}");
        }
    }
}
