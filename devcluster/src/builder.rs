//! What can be chosen about a cluster.

use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::DevCluster;
use crate::error::Error;

/// Choices for a new cluster; made by [`DevCluster::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `start`"]
pub struct DevClusterBuilder {
    pub(crate) controller_manager: bool,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) keep_logs: bool,
    pub(crate) apiserver_args: Vec<String>,
    pub(crate) etcd_args: Vec<String>,
    pub(crate) ready_timeout: Duration,
}

impl DevClusterBuilder {
    pub(crate) fn new() -> Self {
        Self {
            controller_manager: false,
            dir: None,
            keep_logs: false,
            apiserver_args: Vec::new(),
            etcd_args: Vec::new(),
            ready_timeout: Duration::from_mins(2),
        }
    }

    /// Also runs kube-controller-manager, with only the controllers whose absence shows in how the
    /// API behaves. Without it a deleted namespace stays `Terminating`, objects outlive their
    /// owners, and the roles `view`, `edit` and `admin` are empty (they are gathered from others).
    /// Off by default: it takes memory, and two more minutes where it has to be built.
    pub fn controller_manager(mut self, run: bool) -> Self {
        self.controller_manager = run;
        self
    }

    /// A folder for the kubeconfig and the logs; made if missing. One cluster at a time can use it.
    /// By default they are in the cluster's own temporary folder.
    pub fn dir(mut self, dir: impl Into<Option<PathBuf>>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Leaves the log files in the folder chosen with [`Self::dir`]. By default they go with the
    /// cluster, and errors quote their last lines.
    pub fn keep_logs(mut self, keep: bool) -> Self {
        self.keep_logs = keep;
        self
    }

    /// More arguments for kube-apiserver, such as `--audit-log-path=…`. They come last, so they
    /// override what devcluster sets; all but the address and the port may be overridden.
    pub fn apiserver_args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.apiserver_args.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// More arguments for etcd. They come last, so they override what devcluster sets.
    pub fn etcd_args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.etcd_args.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// How long the API server may take until it is ready, at each start; 2 minutes by default. An
    /// idle machine needs about 3 s. Building the programs does not count.
    pub fn ready_timeout(mut self, timeout: Duration) -> Self {
        self.ready_timeout = timeout;
        self
    }

    /// Finds or builds the programs (see [`Assets`](crate::Assets)), starts them and waits until
    /// the API server is ready.
    ///
    /// Dropping the future stops what was started, except a build of the programs, which goes on
    /// as long as the process lives.
    ///
    /// # Errors
    /// Those of [`Assets::ensure`](crate::Assets::ensure); [`Error::FolderInUse`];
    /// [`Error::Ended`] or [`Error::NotReady`] with the end of the log if a program does not
    /// start as it should; [`Error::File`] and others where the machine refuses.
    pub async fn start(self) -> Result<DevCluster, Error> {
        DevCluster::start(self).await
    }
}
