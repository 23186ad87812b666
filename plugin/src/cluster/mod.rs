//! Which cluster and namespace are meant, and how objects are listed.

mod device;
mod list;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kube::api::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::NamespaceResourceScope;
use kube::{Client, Config, Resource};

pub use device::{find_device, find_device_in};
pub use list::{Pages, equals, pages};

use crate::failure::Failure;

/// A dead API server is noticed within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The flags with which kubectl itself chooses cluster, user and namespace.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArguments {
    /// Kubeconfig file; without it KUBECONFIG, then ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig to use in place of its current one
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,

    /// Cluster of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,

    /// User of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,

    /// Namespace, which is one tenant; without it the one of the context
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,

    /// User to act as
    #[arg(long = "as", global = true, value_name = "USER")]
    pub impersonate: Option<String>,

    /// Group to act as; can be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub impersonate_groups: Vec<String>,
}

/// A cluster that can be asked. Nothing is sent before the first question.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    address: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("address", &self.address)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// Which namespaces a list covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One namespace.
    Namespace(String),
    /// All of the cluster.
    All,
}

impl Scope {
    /// The words that follow a thing: `in namespace school`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Namespace(name) => format!("in namespace {name}"),
            Self::All => "in all namespaces".to_owned(),
        }
    }
}

impl Cluster {
    /// Reads the kubeconfig as kubectl does.
    ///
    /// # Errors
    /// When it is missing or broken, or does not have what the flags name.
    pub async fn choose(arguments: &ClusterArguments) -> Result<Self, Failure> {
        let mut config = configuration(arguments).await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        impersonate(&mut config, arguments)?;
        let namespace = arguments
            .namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone());
        let address = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| {
            Failure::new(format!("The kubeconfig cannot be used: {error}."))
                .advise("Check the certificates and credentials of this context: `kubectl cluster-info`.")
        })?;
        Ok(Self {
            client,
            namespace,
            address,
        })
    }

    /// The client behind it.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The namespace that is meant when a command works in one.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The address of the API server.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// That namespace, or all of them.
    #[must_use]
    pub fn scope(&self, all_namespaces: bool) -> Scope {
        if all_namespaces {
            Scope::All
        } else {
            Scope::Namespace(self.namespace.clone())
        }
    }

    /// The objects of a kind in the namespace that is meant.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The objects of a kind in some namespaces.
    #[must_use]
    pub fn api_in<K>(&self, scope: &Scope) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        match scope {
            Scope::Namespace(name) => Api::namespaced(self.client.clone(), name),
            Scope::All => Api::all(self.client.clone()),
        }
    }
}

async fn configuration(arguments: &ClusterArguments) -> Result<Config, Failure> {
    let options = KubeConfigOptions {
        context: arguments.context.clone(),
        cluster: arguments.cluster.clone(),
        user: arguments.user.clone(),
    };
    let broken = |error: kube::config::KubeconfigError| {
        let file = arguments
            .kubeconfig
            .as_ref()
            .map_or_else(String::new, |file| format!(" {}", file.display()));
        // The lines that follow quote the file, which may hold credentials.
        let error = error.to_string();
        let problem = error.lines().next().unwrap_or_default().trim_end_matches('.');
        Failure::new(format!("The kubeconfig{file} cannot be used: {problem}.")).advise(
            "Name a file with --kubeconfig or KUBECONFIG and a context with --context: `kubectl config get-contexts` \
             lists them.",
        )
    };
    match &arguments.kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file).map_err(broken)?;
            Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(broken)
        }
        None => Config::from_kubeconfig(&options).await.map_err(broken),
    }
}

/// Acts as somebody else, as kubectl does with --as and --as-group.
fn impersonate(config: &mut Config, arguments: &ClusterArguments) -> Result<(), Failure> {
    if arguments.impersonate.is_none() && !arguments.impersonate_groups.is_empty() {
        return Err(Failure::usage("--as-group needs --as: a group alone cannot act."));
    }
    if let Some(user) = &arguments.impersonate {
        config.auth_info.impersonate = Some(user.clone());
        config.auth_info.impersonate_groups = Some(arguments.impersonate_groups.clone());
    }
    Ok(())
}
