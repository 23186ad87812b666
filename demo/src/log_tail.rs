//! The end of a log file, for people.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

const MOST_BYTES: u64 = 64 * 1024;

/// The last lines of a file, oldest first; none if it cannot be read.
pub(crate) fn last_lines(path: &Path, most: usize) -> Vec<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(MOST_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(most)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}")).collect();
        std::fs::write(&path, lines.join("\n\n")).unwrap();
        assert_eq!(last_lines(&path, 2), ["line 19998", "line 19999"]);
    }

    #[test]
    fn no_file_has_no_lines() {
        assert!(last_lines(Path::new("/nowhere/log"), 2).is_empty());
    }
}
