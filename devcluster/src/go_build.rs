//! Builds a program from its Go module, once per version and user.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use crate::error::Error;
use crate::keeper::{Belongings, Keeper};
use crate::leash::Leashed;
use crate::log_tail::tail;
use crate::program::{Module, Program};
use crate::progress::{Progress, say};

/// The folder in `cache` where the programs of a module are kept.
///
/// It names the version for people, and a digest of everything that decides what is built, so
/// that checkouts with other module files do not get each other's programs.
pub(crate) fn folder(cache: &Path, module: &Module) -> PathBuf {
    let recipe = [module.go_mod, module.go_sum, &module.linker_flags()].join("\0");
    let digest = hexadecimal(&digest(&SHA256, recipe.as_bytes()).as_ref()[..4]);
    cache.join(format!("{}-{}-{digest}", module.name, module.version()))
}

/// Lower-case hexadecimal digits of the bytes.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Builds `program` into [`folder`] unless it is there already, and returns its path.
///
/// Processes that want the same module wait for each other. The program appears under its name
/// only when it is complete.
pub(crate) fn build(program: Program, cache: &Path) -> Result<PathBuf, Error> {
    let module = program.module();
    let folder = folder(cache, module);
    let path = folder.join(program.file_name());
    if path.is_file() {
        return Ok(path);
    }
    fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    let _lock = lock(&folder.join(".lock"), program)?;
    if path.is_file() {
        return Ok(path);
    }
    check_go(program, cache)?;
    let (work, _keeper) = work_folder(&folder)?;
    let built = run_go(program, module, &work)?;
    fs::rename(&built, &path).map_err(Error::file("create", &path))?;
    Ok(path)
}

/// Held until the file is closed, which the system does also for a process that was killed.
fn lock(path: &Path, program: Program) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::file("create", path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            say(&format!("waiting for another process that builds {program} ..."));
        }
        Err(TryLockError::Error(source)) => return Err(Error::file("lock", path)(source)),
    }
    file.lock().map_err(Error::file("lock", path))?;
    Ok(file)
}

/// A folder for one build; it goes with the keeper, or with this process.
fn work_folder(parent: &Path) -> Result<(PathBuf, Keeper), Error> {
    let work = tempfile::Builder::new().prefix(".build-").tempdir_in(parent);
    let work = work.map_err(Error::file("create a folder in", parent))?.keep();
    let keeper = Keeper::start(Belongings {
        paths: vec![work.clone()],
        ..Belongings::default()
    })?;
    Ok((work, keeper))
}

/// Fails early and clearly if Go is missing or too old.
fn check_go(program: Program, cache: &Path) -> Result<(), Error> {
    let needed = program.module().go_version();
    let missing = || Error::GoMissing {
        program,
        cache: cache.to_path_buf(),
        needed: needed.to_owned(),
    };
    let output = Command::new("go")
        .arg("version")
        .current_dir("/")
        .output()
        .map_err(|_| missing())?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // A Go that may fetch newer tool chains (the default since 1.21) does so during the build.
    let fetches = || {
        let output = Command::new("go")
            .args(["env", "GOTOOLCHAIN"])
            .current_dir("/")
            .output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("auto"))
    };
    if version_of(&found) >= version_of(needed) || fetches() {
        return Ok(());
    }
    Err(Error::GoTooOld {
        program,
        found,
        needed: needed.to_owned(),
    })
}

/// The first version number in a text, as (major, minor): `go version go1.26.8 linux/amd64`, `etcd Version: 3.7.3`.
pub(crate) fn version_of(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let number = word.trim_start_matches(|character: char| character.is_ascii_alphabetic());
        let mut parts = number.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
        Some((major, minor.parse().ok()?))
    })
}

/// Runs `go build` in `work` and returns the program's path there.
fn run_go(program: Program, module: &Module, work: &Path) -> Result<PathBuf, Error> {
    for (name, text) in [("go.mod", module.go_mod), ("go.sum", module.go_sum)] {
        let path = work.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
    }
    let built = work.join(program.file_name());
    let log_path = work.join("go.log");
    let log = File::create(&log_path).map_err(Error::file("create", &log_path))?;
    let arguments = [
        "build",
        // On the command line these win over a GOFLAGS of the user.
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        &module.linker_flags(),
        "-o",
        &built.to_string_lossy(),
        program.package(),
    ]
    .map(str::to_owned);
    let mut progress = Progress::start(format!(
        "building {program} {} with Go, once; the first of them can take 10 minutes ...",
        module.version()
    ));
    let go_failed = |source| Error::Start {
        program: "go build".to_owned(),
        source,
    };
    let mut go = Leashed::start(
        Path::new("go"),
        &arguments,
        |command| for_this_machine(command, work),
        &log,
    )
    .map_err(go_failed)?;
    let status = loop {
        if let Some(status) = go.ended().map_err(go_failed)? {
            break status;
        }
        thread::sleep(Duration::from_millis(200));
        progress.tick();
    };
    if status.success() {
        progress.finish(&format!("{program} is built"));
        return Ok(built);
    }
    progress.finish(&format!("building {program} failed"));
    Err(Error::Build {
        program,
        status,
        tail: tail(&log_path),
    })
}

/// The program runs here, whatever the caller's shell is set up to build for.
fn for_this_machine(command: &mut Command, work: &Path) {
    command
        .current_dir(work)
        .env("CGO_ENABLED", "0")
        // A build that is killed leaves its temporary files; here the keeper finds them.
        .env("GOTMPDIR", work)
        .env("GOWORK", "off");
    for name in ["GOOS", "GOARCH", "GOEXPERIMENT"] {
        command.env_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        assert_eq!(version_of("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert_eq!(version_of("Kubernetes v1.37.2"), Some((1, 37)));
        assert_eq!(
            version_of("etcd Version: 3.7.3\nGit SHA: Not provided"),
            Some((3, 7))
        );
        assert_eq!(version_of("go version go1.27rc1 linux/amd64"), Some((1, 27)));
        assert_eq!(version_of("1.26.0"), Some((1, 26)));
        assert_eq!(version_of("no number"), None);
    }

    #[test]
    fn each_module_has_its_own_folder() {
        let cache = Path::new("/cache");
        let etcd = folder(cache, Program::Etcd.module());
        let kubernetes = folder(cache, Program::KubeApiserver.module());
        assert_ne!(etcd, kubernetes);
        assert_eq!(kubernetes, folder(cache, Program::KubeControllerManager.module()));
        let name = kubernetes.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("kubernetes-v1."), "{name}");
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let first = lock(&path, Program::Etcd).unwrap();
        let waiting = thread::spawn({
            let path = path.clone();
            move || lock(&path, Program::Etcd).map(drop)
        });
        thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().unwrap().unwrap();
    }
}
