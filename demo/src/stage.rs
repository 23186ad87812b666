//! Everything that runs for the demo.

use std::path::Path;

use anyhow::{Context as _, Result};
use devcluster::DevCluster;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::display::Display;
use crate::google::Google;
use crate::operator::Operator;
use crate::options::Options;
use crate::setup;

/// The running parts. Dropping it ends them all at once, the operator first.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) operator: Operator,
    pub(crate) google: Google,
    pub(crate) cluster: DevCluster,
}

impl Stage {
    /// Starts everything and applies what an administrator would apply.
    ///
    /// # Errors
    /// When a part does not start.
    pub(crate) async fn set(options: &Options, program: &Path, display: &Display) -> Result<(Self, Client)> {
        display.say("Starting a Kubernetes API server for this demo alone (etcd and kube-apiserver)");
        let cluster = DevCluster::builder().start().await?;
        display.say(&format!("The API server is ready at {}", cluster.api_url()));
        let google = Google::start(options).await?;
        display.say(&format!("A simulated Google is ready at {}", google.url()));
        let client = client(cluster.kubeconfig()).await?;
        let types = setup::install_resource_types(&client).await?;
        display.say(&format!("Installed the resource types {}", types.join(", ")));
        let operator = Operator::start(program, google.url(), &cluster.kubeconfig_path(), cluster.logs())?;
        display.say(&format!(
            "Started the operator{}",
            operator
                .id()
                .map_or_else(String::new, |id| format!(" (process {id})"))
        ));
        setup::apply_connection(&client, &google.admin_email(), &google.key_file()?).await?;
        display.say(&format!(
            "Applied a ChromeEnterpriseConnection for {} in namespace {}",
            google.admin_email(),
            setup::NAMESPACE
        ));
        Ok((
            Self {
                operator,
                google,
                cluster,
            },
            client,
        ))
    }

    /// Waits until a part ends that should not, and says which and why.
    pub(crate) async fn failure(&mut self) -> anyhow::Error {
        tokio::select! {
            sentence = self.operator.failure() => anyhow::anyhow!(sentence),
            error = self.cluster.failure() => error.into(),
        }
    }

    /// Ends everything, in the order in which the parts need each other, and returns when it is gone.
    pub(crate) async fn clear(self) {
        let Self {
            operator,
            google,
            cluster,
        } = self;
        if !operator.stop().await {
            eprintln!("The operator did not end when it was asked to, and was killed.");
        }
        google.stop().await;
        cluster.stop().await;
    }
}

async fn client(kubeconfig: &str) -> Result<Client> {
    let kubeconfig =
        Kubeconfig::from_yaml(kubeconfig).context("the kubeconfig of the demo's cluster cannot be read")?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
