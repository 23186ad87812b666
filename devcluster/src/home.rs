//! The files of one cluster.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::certificates::write_private;
use crate::error::Error;
use crate::keeper::{Belongings, Keeper};

/// The folder that holds everything of a cluster, and the folder that the user chose for what is
/// for people: the kubeconfig and the logs.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    chosen: Option<PathBuf>,
    logs: PathBuf,
}

impl Home {
    /// Makes the folders. They exist until the keeper is dropped or this process ends.
    pub(crate) fn create(chosen: Option<&Path>, keep_logs: bool) -> Result<(Self, Keeper), Error> {
        let mut belongings = Belongings::default();
        let chosen = chosen.map(|path| choose(path, &mut belongings)).transpose()?;
        // Keys and etcd's socket are in it: for this user only.
        let private = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new()
            .prefix("devcluster-")
            .permissions(private)
            .tempdir();
        let folder = folder
            .map_err(Error::file("create a folder in", &std::env::temp_dir()))?
            .keep();
        belongings.paths.push(folder.clone());
        let logs = chosen.as_deref().unwrap_or(&folder).join("logs");
        if let Some(chosen) = &chosen {
            belongings.paths.push(chosen.join("kubeconfig"));
            if !keep_logs {
                belongings.paths.push(logs.clone());
            }
        }
        let keeper = Keeper::start(belongings)?;
        fs::create_dir_all(&logs).map_err(Error::file("create", &logs))?;
        Ok((Self { folder, chosen, logs }, keeper))
    }

    /// A path in the cluster's own folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where etcd listens.
    pub(crate) fn etcd_url(&self) -> String {
        format!("unix://{}", self.path("etcd.sock").display())
    }

    /// The log file of a program.
    pub(crate) fn log(&self, program: impl std::fmt::Display) -> PathBuf {
        self.logs.join(format!("{program}.log"))
    }

    /// The folder of the log files.
    pub(crate) fn logs(&self) -> &Path {
        &self.logs
    }

    /// The kubeconfig for people: in the folder they chose, or else the cluster's own.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.chosen.as_deref().unwrap_or(&self.folder).join("kubeconfig")
    }

    /// Writes the kubeconfig for people in one step: whoever waits for the file finds it complete.
    pub(crate) fn publish_kubeconfig(&self, text: &str) -> Result<(), Error> {
        let path = self.kubeconfig();
        let folder = self.chosen.as_deref().unwrap_or(&self.folder);
        // Created with mode 0600.
        let file =
            tempfile::NamedTempFile::new_in(folder).map_err(Error::file("create a file in", folder))?;
        write_private(file.path(), text)?;
        file.persist(&path)
            .map_err(|failure| Error::file("create", &path)(failure.error))?;
        Ok(())
    }
}

/// Makes and locks the chosen folder, and notes what has to go with the cluster.
fn choose(path: &Path, belongings: &mut Belongings) -> Result<PathBuf, Error> {
    let new = !path.exists();
    fs::create_dir_all(path).map_err(Error::file("create", path))?;
    // The programs and the keeper run with another working directory.
    let path = fs::canonicalize(path).map_err(Error::file("find", path))?;
    let lock = File::open(&path).map_err(Error::file("open", &path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::FolderInUse { dir: path }),
        Err(TryLockError::Error(source)) => return Err(Error::file("lock", &path)(source)),
    }
    belongings.lock = Some(lock);
    belongings.folder_if_empty = new.then(|| path.clone());
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_folder_serves_one_cluster_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let chosen = root.path().join("new");
        let (home, keeper) = Home::create(Some(&chosen), false).unwrap();
        let second = Home::create(Some(&chosen), false);
        assert!(matches!(second, Err(Error::FolderInUse { .. })), "{second:?}");
        drop(keeper);
        assert!(!home.path("").exists());
        assert!(!chosen.exists());
        Home::create(Some(&chosen), false).unwrap();
    }

    #[test]
    fn what_was_there_before_stays() {
        let root = tempfile::tempdir().unwrap();
        let notes = root.path().join("notes.txt");
        fs::write(&notes, "mine").unwrap();
        let (home, keeper) = Home::create(Some(root.path()), false).unwrap();
        home.publish_kubeconfig("text").unwrap();
        assert_eq!(fs::read_to_string(home.kubeconfig()).unwrap(), "text");
        drop(keeper);
        let left: Vec<_> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(left, [notes]);
    }

    #[test]
    fn logs_stay_on_request() {
        let root = tempfile::tempdir().unwrap();
        let (home, keeper) = Home::create(Some(root.path()), true).unwrap();
        fs::write(home.log("etcd"), "line").unwrap();
        drop(keeper);
        assert_eq!(
            fs::read_to_string(root.path().join("logs/etcd.log")).unwrap(),
            "line"
        );
    }
}
