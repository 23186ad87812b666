//! What can go wrong, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::program::Program;

/// Why a program could not be made ready, or a cluster could not be started or reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb: `create`, `write`, `lock`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// Neither `XDG_CACHE_HOME` nor `HOME` names a folder to keep the built programs in.
    #[error(
        "there is no folder for the built programs: set HOME, or set XDG_CACHE_HOME to a folder that may be written"
    )]
    NoCacheFolder,

    /// The program was found nowhere, and there is no Go to build it with.
    #[error(
        "{program} was not found in KUBEBUILDER_ASSETS, on PATH or in {}, and building it needs Go {needed} or newer: \
         install Go from https://go.dev/dl/ so that `go version` works, or set KUBEBUILDER_ASSETS to a folder that has {program}",
        cache.display()
    )]
    GoMissing {
        /// The program that was asked for.
        program: Program,
        /// The cache folder that was searched.
        cache: PathBuf,
        /// The oldest version of Go that can build it.
        needed: String,
    },

    /// There is a Go, but it is too old for the module and does not fetch a newer one by itself.
    #[error(
        "{program} needs Go {needed} or newer to build, but `go version` says {found:?}: install a newer Go from https://go.dev/dl/"
    )]
    GoTooOld {
        /// The program that was asked for.
        program: Program,
        /// What `go version` printed.
        found: String,
        /// The oldest version of Go that can build it.
        needed: String,
    },

    /// `go build` failed.
    #[error(
        "building {program} with Go failed ({status}); try again, it goes on where it stopped. The last lines were:\n{tail}"
    )]
    Build {
        /// The program that was built.
        program: Program,
        /// How Go ended.
        status: ExitStatus,
        /// The last lines that Go printed.
        tail: String,
    },

    /// A program could not be started at all.
    #[error("cannot start {program}: {source}")]
    Start {
        /// Its name or path.
        program: String,
        /// The operating system's answer.
        source: io::Error,
    },

    /// A program of the cluster ended while it was needed.
    #[error("{program} ended by itself ({status}). The last lines of its log were:\n{tail}")]
    Ended {
        /// Which one.
        program: Program,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        tail: String,
    },

    /// The API server did not become ready in time.
    #[error(
        "the API server was not ready after {} s ({last}): the machine may be too busy, see DevClusterBuilder::ready_timeout. \
         The last lines of its log were:\n{tail}",
        waited.as_secs()
    )]
    NotReady {
        /// How long it was waited for.
        waited: Duration,
        /// The last answer to the readiness check.
        last: String,
        /// The last lines of its log.
        tail: String,
    },

    /// The program is stopped, so it cannot be paused, resumed or measured.
    #[error("{program} is not running: start it first")]
    NotRunning {
        /// Which one.
        program: Program,
    },

    /// A signal could not be sent.
    #[error("cannot {action} {program}: {source}")]
    Signal {
        /// Which program.
        program: Program,
        /// What was tried, as a verb.
        action: &'static str,
        /// The operating system's answer.
        source: nix::Error,
    },

    /// No free TCP port was found on the loopback interface.
    #[error("no free TCP port on 127.0.0.1 after {tries} tries: end programs that hold many ports")]
    NoFreePort {
        /// How many ports were tried.
        tries: u32,
    },

    /// Another cluster uses the folder.
    #[error("{} is used by another devcluster: stop that one, or choose another folder", dir.display())]
    FolderInUse {
        /// The folder that both want.
        dir: PathBuf,
    },

    /// The async runtime ended while a cluster was starting.
    #[error(
        "the async runtime ended while the programs were made ready: keep it until the cluster has started"
    )]
    RuntimeEnded,

    /// A certificate or key could not be made.
    #[error("cannot make the certificates of the cluster: {0}")]
    Certificates(#[from] rcgen::Error),

    /// The HTTPS client of the readiness check could not be made.
    #[error("cannot make the HTTPS client of the readiness check: {0}")]
    Client(#[from] reqwest::Error),
}

impl Error {
    /// For `map_err`: says which file an [`io::Error`] is about.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { action, path, source }
    }
}
