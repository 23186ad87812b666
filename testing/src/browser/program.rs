//! Where Chromium is.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Error;

/// The names and their order are the same in scripts/browser.sh.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The program that `CHROMIUM` names, else the first that is on `PATH`.
pub(super) fn find() -> Result<PathBuf, Error> {
    let wanted = std::env::var_os("CHROMIUM").filter(|name| !name.is_empty());
    let names = wanted.map_or_else(|| NAMES.map(OsString::from).to_vec(), |name| vec![name]);
    let folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    for name in &names {
        // A path with a folder in it stands for itself.
        for folder in &folders {
            let candidate = folder.join(name);
            if candidate.is_file() {
                return Ok(candidate);
            }
        }
    }
    let looked_for: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
    Err(Error::NoBrowser {
        looked_for: looked_for.join(", "),
    })
}
