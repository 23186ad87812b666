//! Removes the files of a cluster, also when the process that owns it was killed.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::error::Error;

/// Waits for the pipe to close (see `leash.rs`), then removes what it was given.
///
/// Without the word `stopped` the owner was killed, and the watchers are killing the programs at
/// this moment: they get a little time, and removing is tried again while files still appear.
const SCRIPT: &str = r#"
read -r word
[ "$word" = stopped ] || sleep 0.3
tries=0
until rm -rf -- "$@" || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
[ -z "$DEVCLUSTER_EMPTY_FOLDER" ] || rmdir -- "$DEVCLUSTER_EMPTY_FOLDER"
"#;

/// What goes when the cluster goes.
#[derive(Debug, Default)]
pub(crate) struct Belongings {
    /// Files and whole folders.
    pub(crate) paths: Vec<PathBuf>,
    /// A folder that is removed only if nothing else is left in it.
    pub(crate) folder_if_empty: Option<PathBuf>,
    /// A lock that is held until everything is removed.
    pub(crate) lock: Option<File>,
}

/// The process that removes the belongings. Dropping it removes them now.
#[derive(Debug)]
pub(crate) struct Keeper {
    child: Child,
}

impl Keeper {
    /// Starts it; from here on the belongings cannot be left behind.
    pub(crate) fn start(belongings: Belongings) -> Result<Self, Error> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "devcluster-keeper"])
            .args(&belongings.paths);
        command.env(
            "DEVCLUSTER_EMPTY_FOLDER",
            belongings.folder_if_empty.unwrap_or_default(),
        );
        // The lock rides along as standard output, which the script never writes to.
        command.stdout(belongings.lock.map_or_else(Stdio::null, Stdio::from));
        command
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .current_dir("/");
        let child = command.spawn().map_err(|source| {
            for path in &belongings.paths {
                let _ = fs::remove_dir_all(path);
            }
            Error::Start {
                program: "/bin/sh".to_owned(),
                source,
            }
        })?;
        Ok(Self { child })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            // A failure means that the keeper is gone; `wait` then returns at once.
            let _ = pipe.write_all(b"stopped\n");
        }
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_what_it_was_given_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let [mine, theirs, file] = ["mine", "theirs", "a file"].map(|name| folder.path().join(name));
        fs::create_dir_all(mine.join("deep")).unwrap();
        fs::create_dir(&theirs).unwrap();
        fs::write(&file, "").unwrap();
        let paths = vec![mine.clone(), file.clone()];
        let keeper = Keeper::start(Belongings {
            paths,
            folder_if_empty: Some(folder.path().into()),
            lock: None,
        })
        .unwrap();
        assert!(mine.exists() && file.exists());
        drop(keeper);
        assert!(!mine.exists() && !file.exists());
        assert!(theirs.exists());
    }

    #[test]
    fn removes_a_folder_that_became_empty() {
        let folder = tempfile::tempdir().unwrap();
        let outer = folder.path().join("outer");
        let file = outer.join("file");
        fs::create_dir(&outer).unwrap();
        fs::write(&file, "").unwrap();
        let belongings = Belongings {
            paths: vec![file],
            folder_if_empty: Some(outer.clone()),
            lock: None,
        };
        drop(Keeper::start(belongings).unwrap());
        assert!(!outer.exists());
        assert!(folder.path().exists());
    }

    #[test]
    fn the_lock_is_held_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let lock = File::open(folder.path()).unwrap();
        lock.lock().unwrap();
        let keeper = Keeper::start(Belongings {
            lock: Some(lock),
            ..Belongings::default()
        })
        .unwrap();
        let other = File::open(folder.path()).unwrap();
        assert!(other.try_lock().is_err());
        drop(keeper);
        other.try_lock().unwrap();
    }
}
