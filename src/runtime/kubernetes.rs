//! The connection to the Kubernetes API server.

use std::error::Error as _;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

/// A dead API server is noticed within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An answer, or the next event of a watch, that does not come within this time never will: the connection is dead.
/// It is longer than the 290 s after which the API server ends a quiet watch by itself.
const READ_TIMEOUT: Duration = Duration::from_secs(310);
/// A request that cannot be sent within this time is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Which cluster to use. Without any setting: `KUBECONFIG`, then `~/.kube/config`, then the Pod's service account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// File with clusters and users.
    pub kubeconfig: Option<PathBuf>,
    /// Context in that file; its current context without.
    pub context: Option<String>,
}

/// Why there is no connection to a cluster.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// The kubeconfig cannot be used.
    #[error("{} cannot be used: {problem}. Name another file with --kubeconfig or another context with --context.", kubeconfig_name(.file.as_ref()))]
    Kubeconfig {
        /// The file that was named by flag.
        file: Option<PathBuf>,
        /// What is wrong with it.
        problem: Box<KubeconfigError>,
    },
    /// There is no kubeconfig, and this is not a Pod.
    #[error(
        "no Kubernetes cluster is configured: there is no kubeconfig file, and the program does not run in a Pod with a \
         service account ({problem}). Name a file with --kubeconfig, or set KUBECONFIG."
    )]
    NoCluster {
        /// What a Pod would have and this process has not.
        problem: InClusterError,
    },
    /// The settings of the kubeconfig do not give a working client.
    #[error("the Kubernetes client cannot be made from the configuration: {}", with_causes(.problem))]
    Client {
        /// What is wrong with them.
        problem: Box<kube::Error>,
    },
}

/// The text of an error with the texts of its causes, which kube's own leaves out ("client error (Connect)").
pub(super) fn with_causes(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            // Writing into a String cannot fail.
            let _ = write!(text, ": {message}");
        }
        cause = error.source();
    }
    text
}

fn kubeconfig_name(file: Option<&PathBuf>) -> String {
    file.map_or_else(
        || "the kubeconfig".to_owned(),
        |file| format!("the kubeconfig {}", file.display()),
    )
}

/// A client for the chosen cluster, and the address it will use. Nothing is sent yet.
///
/// The client repeats by itself what the API server answers with 429, 503 or 504, whatever the verb, up to 15 times
/// over some minutes. Whoever needs an answer sooner puts a timeout around the call, and whoever creates something
/// must know its own request again.
///
/// # Errors
/// When no cluster is configured or the configuration is wrong; the text says what to do.
pub async fn client(settings: &KubernetesSettings) -> Result<(Client, String), KubernetesError> {
    let mut config = config(settings).await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    config.write_timeout = Some(WRITE_TIMEOUT);
    config.reset_reader_on_write = true;
    let address = config.cluster_url.to_string();
    let client = Client::try_from(config).map_err(|problem| KubernetesError::Client {
        problem: Box::new(problem),
    })?;
    Ok((client, address))
}

async fn config(settings: &KubernetesSettings) -> Result<Config, KubernetesError> {
    let wrong = |problem: KubeconfigError| KubernetesError::Kubeconfig {
        file: settings.kubeconfig.clone(),
        problem: Box::new(problem),
    };
    let options = KubeConfigOptions {
        context: settings.context.clone(),
        ..KubeConfigOptions::default()
    };
    if let Some(file) = &settings.kubeconfig {
        let kubeconfig = Kubeconfig::read_from(file).map_err(wrong)?;
        return Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(wrong);
    }
    match Config::from_kubeconfig(&options).await {
        Ok(config) => Ok(config),
        // A file that is there but broken, or a context that is not in it, is a mistake to be told, not a reason to
        // talk to another cluster.
        Err(error) if settings.context.is_none() && is_absent(&error) => {
            Config::incluster().map_err(|problem| KubernetesError::NoCluster { problem })
        }
        Err(error) => Err(wrong(error)),
    }
}

/// Whether nobody named a kubeconfig and there is none in the usual place.
fn is_absent(error: &KubeconfigError) -> bool {
    let named = std::env::var_os("KUBECONFIG").is_some_and(|value| !value.is_empty());
    if let KubeconfigError::ReadConfig(source, _) = error {
        return !named && source.kind() == std::io::ErrorKind::NotFound;
    }
    !named && matches!(error, KubeconfigError::FindPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: school
clusters: [{name: school, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: operator, user: {token: secret}}]
contexts: [{name: school, context: {cluster: school, user: operator}}]
";

    async fn message(settings: &KubernetesSettings) -> String {
        match client(settings).await {
            Ok((_, address)) => panic!("a client for {address}"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn takes_the_named_file_and_context_or_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        let mut settings = KubernetesSettings {
            kubeconfig: Some(file.clone()),
            context: None,
        };
        let error = message(&settings).await;
        assert!(
            error.contains("kubeconfig") && error.contains("--kubeconfig"),
            "{error}"
        );

        std::fs::write(&file, KUBECONFIG).unwrap();
        assert_eq!(client(&settings).await.unwrap().1, "http://127.0.0.1:1/");

        settings.context = Some("another".to_owned());
        let error = message(&settings).await;
        assert!(
            error.contains("another") && error.contains("--context"),
            "{error}"
        );

        std::fs::write(&file, "clusters: 7").unwrap();
        let error = message(&settings).await;
        assert!(error.contains(&file.display().to_string()), "{error}");
    }
}
