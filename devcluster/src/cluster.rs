//! A running cluster.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::assets::Assets;
use crate::builder::DevClusterBuilder;
use crate::certificates::{Authority, write_private};
use crate::error::Error;
use crate::home::Home;
use crate::keeper::Keeper;
use crate::kubeconfig::{Credentials, kubeconfig};
use crate::log_tail::tail;
use crate::ports::free_port;
use crate::program::Program;
use crate::readiness::Readiness;
use crate::running::Running;
use crate::{apiserver, controller_manager, etcd};

/// How often a new port is tried if another program takes it first.
const PORT_TRIES: u32 = 5;
const POLL: Duration = Duration::from_millis(50);

/// A real etcd and kube-apiserver on 127.0.0.1, for this process alone.
///
/// Everything ends when the value is dropped or the process ends in any way, SIGKILL included: the
/// programs are killed and the files removed. Several clusters can run at once.
///
/// ```no_run
/// # async fn example() -> Result<(), devcluster::Error> {
/// let cluster = devcluster::DevCluster::builder().start().await?;
/// println!("{}", cluster.kubeconfig());
/// cluster.stop().await;
/// # Ok(()) }
/// ```
pub struct DevCluster {
    // Fields are dropped in this order: the programs first, the keeper of their files last.
    running: Running,
    home: Home,
    assets: Assets,
    builder: DevClusterBuilder,
    authority: Authority,
    readiness: Readiness,
    port: u16,
    api_url: String,
    kubeconfig: String,
    _keeper: Keeper,
}

impl DevCluster {
    /// What can be chosen about a new cluster.
    pub fn builder() -> DevClusterBuilder {
        DevClusterBuilder::new()
    }

    pub(crate) async fn start(builder: DevClusterBuilder) -> Result<Self, Error> {
        let mut programs = vec![Program::Etcd, Program::KubeApiserver];
        if builder.controller_manager {
            programs.push(Program::KubeControllerManager);
        }
        let assets = blocking(move || Assets::ensure(&programs)).await??;
        let (home, keeper) = Home::create(builder.dir.as_deref(), builder.keep_logs)?;
        let authority = Authority::new("devcluster")?;
        let admin = authority.client("admin", Some("system:masters"))?;
        apiserver::write_keys(&home, &authority)?;
        let readiness = Readiness::new(authority.pem(), &admin)?;
        let mut cluster = Self {
            running: Running::default(),
            home,
            assets,
            builder,
            authority,
            readiness,
            port: 0,
            api_url: String::new(),
            kubeconfig: String::new(),
            _keeper: keeper,
        };
        let arguments = etcd::arguments(&cluster.home, &cluster.builder.etcd_args);
        cluster.run(Program::Etcd, &arguments)?;
        cluster.start_apiserver_on_a_free_port().await?;
        cluster.kubeconfig = kubeconfig(
            &cluster.api_url,
            cluster.ca_pem(),
            "admin",
            &Credentials::Certificate(&admin),
        );
        write_private(&cluster.home.path("kubeconfig"), &cluster.kubeconfig)?;
        if cluster.builder.controller_manager {
            cluster.run(
                Program::KubeControllerManager,
                &controller_manager::arguments(&cluster.home),
            )?;
        }
        cluster.home.publish_kubeconfig(&cluster.kubeconfig)?;
        Ok(cluster)
    }

    async fn start_apiserver_on_a_free_port(&mut self) -> Result<(), Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            self.port = free_port()?;
            self.api_url = format!("https://127.0.0.1:{}", self.port);
            match self.start_apiserver().await {
                Err(Error::Ended {
                    program: Program::KubeApiserver,
                    tail,
                    ..
                }) if tail.contains("address already in use") && tries < PORT_TRIES => {}
                result => return result,
            }
        }
    }

    /// The administrator's kubeconfig (YAML) with everything inline.
    #[must_use]
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// A file with [`Self::kubeconfig`], readable by this user only; it goes with the cluster.
    #[must_use]
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.home.kubeconfig()
    }

    /// A kubeconfig for another user, by client certificate. At first RBAC allows nothing to that
    /// user or group.
    ///
    /// # Errors
    /// [`Error::Certificates`] if a name cannot stand in a certificate.
    pub fn kubeconfig_for_user(&self, user: &str, group: Option<&str>) -> Result<String, Error> {
        let identity = self.authority.client(user, group)?;
        Ok(kubeconfig(
            &self.api_url,
            self.ca_pem(),
            user,
            &Credentials::Certificate(&identity),
        ))
    }

    /// A kubeconfig that signs in with a token, such as one of a `TokenRequest`.
    #[must_use]
    pub fn kubeconfig_for_token(&self, token: &str) -> String {
        kubeconfig(&self.api_url, self.ca_pem(), "token", &Credentials::Token(token))
    }

    /// `https://127.0.0.1:PORT`, the same for the whole life of the cluster.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The certificate of the authority that signed the API server's certificate, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// The folder with one log file per program.
    #[must_use]
    pub fn logs(&self) -> &Path {
        self.home.logs()
    }

    /// The programs that the cluster runs.
    #[must_use]
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// Kills the API server, as a crash would. Clients get "connection refused" until
    /// [`Self::start_apiserver`]. The data stay in etcd. Does nothing if it is stopped already.
    pub fn stop_apiserver(&self) {
        self.running.stop(Program::KubeApiserver);
    }

    /// Starts the API server again, on the same port and with the same data, and waits until it is
    /// ready. If it runs, this only waits until it is ready.
    ///
    /// # Errors
    /// [`Error::Start`], [`Error::Ended`] or [`Error::NotReady`], with the end of its log.
    pub async fn start_apiserver(&self) -> Result<(), Error> {
        let arguments = apiserver::arguments(&self.home, self.port, &self.builder.apiserver_args);
        self.run(Program::KubeApiserver, &arguments)?;
        self.wait_until_ready().await
    }

    /// [`Self::stop_apiserver`] and [`Self::start_apiserver`].
    ///
    /// # Errors
    /// Those of [`Self::start_apiserver`].
    pub async fn restart_apiserver(&self) -> Result<(), Error> {
        self.stop_apiserver();
        self.start_apiserver().await
    }

    /// Freezes the API server (SIGSTOP): connections stay open and new ones are accepted by the
    /// system, but nothing is answered until [`Self::resume_apiserver`].
    ///
    /// # Errors
    /// [`Error::NotRunning`] or [`Error::Signal`].
    pub fn pause_apiserver(&self) -> Result<(), Error> {
        self.running
            .signal(Program::KubeApiserver, "pause", Signal::SIGSTOP)
    }

    /// Lets a paused API server go on (SIGCONT).
    ///
    /// # Errors
    /// [`Error::NotRunning`] or [`Error::Signal`].
    pub fn resume_apiserver(&self) -> Result<(), Error> {
        self.running
            .signal(Program::KubeApiserver, "resume", Signal::SIGCONT)
    }

    /// How much physical memory a program of the cluster takes now, in bytes. Linux only.
    ///
    /// # Errors
    /// [`Error::NotRunning`]; [`Error::File`] where `/proc` has no such number.
    pub fn resident_bytes(&self, program: Program) -> Result<u64, Error> {
        self.running.resident_bytes(program)
    }

    /// [`Self::resident_bytes`] of the API server.
    ///
    /// # Errors
    /// Those of [`Self::resident_bytes`].
    pub fn api_server_resident_bytes(&self) -> Result<u64, Error> {
        self.resident_bytes(Program::KubeApiserver)
    }

    /// Waits until a program of the cluster ends by itself, and says which and why. A program that
    /// was stopped on request does not count.
    pub async fn failure(&self) -> Error {
        loop {
            if let Err(error) = self.running.check() {
                return error;
            }
            tokio::time::sleep(POLL * 4).await;
        }
    }

    /// Stops everything and removes the files, and returns when that is done. Dropping the value
    /// does the same, but keeps the thread for that time.
    pub async fn stop(self) {
        // An error means that the runtime is ending; it has dropped the value then.
        let _ = blocking(move || drop(self)).await;
    }

    /// Starts a program unless it runs.
    fn run(&self, program: Program, arguments: &[String]) -> Result<(), Error> {
        let path = self
            .assets
            .path(program)
            .unwrap_or(Path::new(program.file_name()));
        self.running
            .start(program, path, arguments, self.home.log(program))
    }

    async fn wait_until_ready(&self) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            let answer = self.readiness.check(&self.api_url).await;
            self.running.check()?;
            let waited = started.elapsed();
            match answer {
                Ok(()) => return Ok(()),
                Err(last) if waited > self.builder.ready_timeout => {
                    let tail = tail(&self.home.log(Program::KubeApiserver));
                    return Err(Error::NotReady { waited, last, tail });
                }
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }
}

impl fmt::Debug for DevCluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The kubeconfig holds a private key.
        formatter
            .debug_struct("DevCluster")
            .field("api_url", &self.api_url)
            .finish_non_exhaustive()
    }
}

/// Runs what blocks where it does not hold up the caller's other tasks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Error::RuntimeEnded,
        })
}
