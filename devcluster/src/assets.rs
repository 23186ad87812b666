//! Where the programs are: found on this machine, or built.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};

use crate::error::Error;
use crate::go_build::{self, hexadecimal, version_of};
use crate::program::Program;
use crate::progress::say;

/// The programs that a cluster needs, ready to run.
///
/// Each is looked for, in this order, in
/// 1. the folder that `KUBEBUILDER_ASSETS` names, as other Kubernetes test tools do,
/// 2. `PATH`, if it is not too old,
/// 3. `$XDG_CACHE_HOME/chrome-enterprise-operator/devcluster` (`~/.cache/…` by default),
///
/// and else built into the latter with Go.
#[derive(Clone, Debug)]
pub struct Assets {
    programs: BTreeMap<Program, PathBuf>,
    cache: PathBuf,
}

impl Assets {
    /// Finds or builds these programs. It blocks, for minutes if something must be built, and says
    /// on standard error what it is doing then. What is there already is not made again.
    ///
    /// # Errors
    /// [`Error::GoMissing`], [`Error::GoTooOld`] or [`Error::Build`] if a program is not there and
    /// cannot be built; [`Error::NoCacheFolder`] or [`Error::File`] if it cannot be kept.
    pub fn ensure(programs: &[Program]) -> Result<Self, Error> {
        Search::of_this_process()?.ensure(programs)
    }

    /// The path of a program, if it was asked for.
    #[must_use]
    pub fn path(&self, program: Program) -> Option<&Path> {
        self.programs.get(&program).map(PathBuf::as_path)
    }

    /// One folder that has all of these programs, fit for `KUBEBUILDER_ASSETS`: the one where they
    /// are, or else a folder in the cache with symbolic links to them.
    ///
    /// # Errors
    /// [`Error::File`] if the folder cannot be made.
    pub fn folder(&self) -> Result<PathBuf, Error> {
        let mut folders: Vec<&Path> = self.programs.values().filter_map(|path| path.parent()).collect();
        folders.dedup();
        if let [only] = folders[..] {
            return Ok(only.to_path_buf());
        }
        // The name follows from the links, so a folder with that name needs no checking.
        let listed: Vec<_> = self
            .programs
            .values()
            .map(|path| path.to_string_lossy())
            .collect();
        let name = hexadecimal(&digest(&SHA256, listed.join("\n").as_bytes()).as_ref()[..4]);
        let gathered = self.cache.join(format!("assets-{name}"));
        if gathered.is_dir() {
            return Ok(gathered);
        }
        fs::create_dir_all(&self.cache).map_err(Error::file("create", &self.cache))?;
        let work =
            tempfile::tempdir_in(&self.cache).map_err(Error::file("create a folder in", &self.cache))?;
        for (program, path) in &self.programs {
            let link = work.path().join(program.file_name());
            symlink(path, &link).map_err(Error::file("create", &link))?;
        }
        let readable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(work.path(), readable).map_err(Error::file("open up", work.path()))?;
        match fs::rename(work.path(), &gathered) {
            // Another process may have been faster, with the same links.
            Err(source) if !gathered.is_dir() => Err(Error::file("create", &gathered)(source)),
            Ok(()) | Err(_) => Ok(gathered),
        }
    }
}

/// The places to search.
#[derive(Debug)]
struct Search {
    kubebuilder_assets: Option<PathBuf>,
    path: OsString,
    cache: PathBuf,
}

impl Search {
    fn of_this_process() -> Result<Self, Error> {
        let folder = |name| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
        Ok(Self {
            kubebuilder_assets: env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from),
            path: env::var_os("PATH").unwrap_or_default(),
            cache: cache
                .ok_or(Error::NoCacheFolder)?
                .join("chrome-enterprise-operator")
                .join("devcluster"),
        })
    }

    fn ensure(&self, programs: &[Program]) -> Result<Assets, Error> {
        let mut ready = BTreeMap::new();
        for &program in programs {
            let path = match self.find(program) {
                Some(path) => path,
                None => go_build::build(program, &self.cache)?,
            };
            ready.insert(program, path);
        }
        Ok(Assets {
            programs: ready,
            cache: self.cache.clone(),
        })
    }

    /// The program if it is there without building it.
    fn find(&self, program: Program) -> Option<PathBuf> {
        let chosen = self
            .kubebuilder_assets
            .iter()
            .map(|folder| folder.join(program.file_name()));
        let on_path = env::split_paths(&self.path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(program.file_name()))
            .filter(|path| is_executable(path) && is_recent(program, path));
        let built = go_build::folder(&self.cache, program.module()).join(program.file_name());
        // Absolute, because the programs are started with another working directory.
        chosen
            .chain(on_path)
            .chain([built])
            .find(|path| is_executable(path))
            .and_then(|path| std::path::absolute(path).ok())
    }
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn is_recent(program: Program, path: &Path) -> bool {
    let Some(oldest) = program.oldest_on_path() else {
        return true;
    };
    let output = Command::new(path).arg("--version").output();
    let version = output
        .ok()
        .and_then(|output| version_of(&String::from_utf8_lossy(&output.stdout)));
    let recent = version.is_some_and(|version| version >= oldest);
    if !recent {
        say(&format!(
            "not using {}: devcluster needs {program} {}.{} or newer (set KUBEBUILDER_ASSETS to insist on it)",
            path.display(),
            oldest.0,
            oldest.1
        ));
    }
    recent
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that prints a version, as the real ones do; enough to be found.
    ///
    /// A shell writes the file. If this process did, a program that another test starts at that
    /// moment would inherit the open file, and running it would fail with "text file busy".
    fn program(folder: &Path, program: Program, version: &str) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        let path = folder.join(program.file_name());
        let script = "printf '#!/bin/sh\\necho %s\\n' \"$2\" > \"$1\" && chmod 755 \"$1\"";
        let text = format!("{program} v{version}");
        let status = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(&path)
            .arg(text)
            .status();
        assert!(status.unwrap().success());
        path
    }

    fn search(root: &Path) -> Search {
        Search {
            kubebuilder_assets: Some(root.join("chosen")),
            path: root.join("path").into_os_string(),
            cache: root.join("cache"),
        }
    }

    #[test]
    fn places_are_searched_in_order() {
        let root = tempfile::tempdir().unwrap();
        let search = search(root.path());
        assert_eq!(search.find(Program::Etcd), None);
        let built = go_build::folder(&search.cache, Program::Etcd.module());
        let built = program(&built, Program::Etcd, "3.7.3");
        assert_eq!(search.find(Program::Etcd), Some(built));
        let on_path = program(&root.path().join("path"), Program::Etcd, "3.7.0");
        assert_eq!(search.find(Program::Etcd), Some(on_path));
        let chosen = program(&root.path().join("chosen"), Program::Etcd, "3.1.0");
        assert_eq!(search.find(Program::Etcd), Some(chosen));
    }

    #[test]
    fn old_programs_on_path_and_plain_files_are_not_taken() {
        let root = tempfile::tempdir().unwrap();
        let search = search(root.path());
        program(&root.path().join("path"), Program::KubeApiserver, "1.28.3");
        assert_eq!(search.find(Program::KubeApiserver), None);
        let kubectl = program(&root.path().join("path"), Program::Kubectl, "1.28.3");
        assert_eq!(search.find(Program::Kubectl), Some(kubectl.clone()));
        fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(search.find(Program::Kubectl), None);
    }

    #[test]
    fn programs_in_one_folder_stay_there() {
        let root = tempfile::tempdir().unwrap();
        let search = search(root.path());
        for wanted in [Program::Etcd, Program::KubeApiserver] {
            program(&root.path().join("chosen"), wanted, "1.0");
        }
        let assets = search.ensure(&[Program::Etcd, Program::KubeApiserver]).unwrap();
        assert_eq!(assets.folder().unwrap(), root.path().join("chosen"));
        assert_eq!(assets.path(Program::Kubectl), None);
    }

    #[test]
    fn programs_in_several_folders_are_gathered() {
        let root = tempfile::tempdir().unwrap();
        let search = search(root.path());
        let etcd = program(&root.path().join("path"), Program::Etcd, "3.7.0");
        program(&root.path().join("chosen"), Program::KubeApiserver, "1.37.2");
        let assets = search.ensure(&[Program::Etcd, Program::KubeApiserver]).unwrap();
        let folder = assets.folder().unwrap();
        assert_eq!(fs::read_link(folder.join("etcd")).unwrap(), etcd);
        assert!(is_executable(&folder.join("kube-apiserver")));
        assert_eq!(
            assets.folder().unwrap(),
            folder,
            "the second time nothing is made"
        );
        assert_eq!(fs::read_dir(&search.cache).unwrap().count(), 1);
    }
}
