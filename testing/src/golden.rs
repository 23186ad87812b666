//! Golden texts: what a program printed, compared with a file that was committed.

use std::fmt;
use std::io;
use std::path::Path;

use similar::TextDiff;

use crate::Error;

/// How a text differs from its golden file.
#[derive(Debug)]
pub struct Difference {
    /// A unified diff, from the file to the text. Control characters are escaped, blanks at the ends of lines dots.
    pub diff: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.diff)
    }
}

/// Panics with a diff if `actual` is not what the file says. With `UPDATE_GOLDEN=1` it writes the file instead.
///
/// A relative path starts at the package's folder, where cargo runs tests. Parts that vary, such as ages, times and
/// random names, are for the caller to replace beforehand.
///
/// # Panics
///
/// The text differs, the file is missing, or it cannot be read or written.
#[track_caller]
pub fn assert_golden(path: impl AsRef<Path>, actual: &str) {
    let path = path.as_ref();
    let update = std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1");
    match compare_golden(path, actual, update) {
        Ok(None) => {}
        Ok(Some(difference)) => panic!(
            "{} is not what was printed (-); UPDATE_GOLDEN=1 writes what was (+):\n{difference}",
            path.display()
        ),
        Err(error) => panic!("{error}"),
    }
}

/// The difference between the file and `actual`, if there is one. With `update` the file is written, and there is none.
///
/// A file that does not exist counts as empty.
///
/// # Errors
///
/// The file cannot be read or written.
pub fn compare_golden(path: &Path, actual: &str, update: bool) -> Result<Option<Difference>, Error> {
    let file = |action, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    };
    let committed = match std::fs::read_to_string(path) {
        Ok(committed) => Some(committed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(file("read", path)(error)),
    };
    if committed.as_deref() == Some(actual) {
        return Ok(None);
    }
    if update {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file("create", folder))?;
        }
        std::fs::write(path, actual).map_err(file("write", path))?;
        return Ok(None);
    }
    let (old, new) = (visible(&committed.unwrap_or_default()), visible(actual));
    let diff = TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(3)
        .header("golden", "printed")
        .to_string();
    Ok(Some(Difference { diff }))
}

/// A text with nothing in it that a terminal would act upon or not show.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (content, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |content| (content, "\n"));
        let trimmed = content.trim_end_matches(' ');
        for character in trimmed.chars() {
            if character.is_control() {
                shown.extend(character.escape_default());
            } else {
                shown.push(character);
            }
        }
        shown.extend(std::iter::repeat_n('·', content.len() - trimmed.len()));
        shown.push_str(end);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_no_difference_and_another_has_a_diff() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.txt");
        std::fs::write(&path, "NAME   AGE\nlab-1  5d\nlab-2  6d\n").unwrap();

        assert!(
            compare_golden(&path, "NAME   AGE\nlab-1  5d\nlab-2  6d\n", false)
                .unwrap()
                .is_none()
        );

        let difference = compare_golden(&path, "NAME   AGE\nlab-1  \u{1b}[1m5d  \nlab-2  6d\n", false)
            .unwrap()
            .unwrap()
            .to_string();
        assert!(difference.contains("-lab-1  5d\n"), "{difference}");
        assert!(difference.contains("+lab-1  \\u{1b}[1m5d··\n"), "{difference}");
        assert!(!difference.contains('\u{1b}'), "{difference}");
    }

    #[test]
    fn a_missing_line_end_is_a_difference() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "one\n").unwrap();
        assert!(compare_golden(&path, "one", false).unwrap().is_some());
    }

    #[test]
    fn a_missing_file_differs_until_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/text");
        assert!(compare_golden(&path, "one\n", false).unwrap().is_some());
        assert!(!path.exists(), "nothing is written unless asked for");
        assert!(
            compare_golden(&path, "", false).unwrap().is_some(),
            "not even an empty text is in a missing file"
        );
        assert!(compare_golden(&path, "one\n", true).unwrap().is_none());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\n");
        assert!(compare_golden(&path, "one\n", false).unwrap().is_none());
    }

    #[test]
    #[should_panic(expected = "+printed")]
    fn asserting_panics_with_the_diff() {
        assert_golden("no/such/golden.txt", "printed\n");
    }
}
