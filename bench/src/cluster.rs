//! The API server, and what an administrator does at it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chrome_enterprise_operator::api::action::DeviceAction;
use chrome_enterprise_operator::api::connection::ConnectionState;
use chrome_enterprise_operator::api::{
    ChromeEnterpriseConnection, ChromeOSDevice, SYNC_REQUESTED_ANNOTATION, crds,
};
use devcluster::DevCluster;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::await_condition;
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::google::Account;

const CONNECTION: &str = "school";
const FIELD_MANAGER: &str = "bench";
const SERVED: Duration = Duration::from_mins(1);
/// How long a first sync may take.
const ACTIVE: Duration = Duration::from_mins(20);
const LOOK: Duration = Duration::from_millis(50);
/// Objects of metadata a page, as the operator asks for them.
const METADATA_PAGE: u32 = 2000;
const OBJECTS_PAGE: u32 = 500;

/// An API server of its own with the resource types installed.
pub(crate) struct Cluster {
    server: DevCluster,
    pub(crate) client: Client,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts it and waits until the resource types are served.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start() -> Result<Self> {
        let server = DevCluster::builder().start().await?;
        let kubeconfig = Kubeconfig::from_yaml(server.kubeconfig())?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let cluster = Self {
            server,
            client: Client::try_from(config)?,
        };
        cluster.install_resource_types().await?;
        Ok(cluster)
    }

    /// The file that leads to it.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.server.kubeconfig_path()
    }

    /// A folder that goes with the cluster.
    pub(crate) fn logs(&self) -> &Path {
        self.server.logs()
    }

    /// Ends it and removes its files.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    async fn install_resource_types(&self) -> Result<()> {
        let api: Api<crds::Definition> = Api::all(self.client.clone());
        for definition in crds::all() {
            let params = PatchParams::apply(FIELD_MANAGER).force();
            api.patch(&definition.name_any(), &params, &Patch::Apply(&definition))
                .await?;
        }
        let begun = Instant::now();
        let one = ListParams::default().limit(1);
        let connections: Api<ChromeEnterpriseConnection> = Api::all(self.client.clone());
        let devices: Api<ChromeOSDevice> = Api::all(self.client.clone());
        let actions: Api<DeviceAction> = Api::all(self.client.clone());
        while connections.list(&one).await.is_err()
            || devices.list(&one).await.is_err()
            || actions.list(&one).await.is_err()
        {
            ensure!(
                begun.elapsed() < SERVED,
                "the API server does not serve the resource types"
            );
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Creates a namespace.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn namespace(&self, name: &str) -> Result<()> {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        let api: Api<Namespace> = Api::all(self.client.clone());
        api.patch(name, &PatchParams::apply(FIELD_MANAGER), &Patch::Apply(namespace))
            .await?;
        Ok(())
    }

    /// Creates the Secret of the connection.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn secret(&self, namespace: &str, account: &Account) -> Result<()> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "google" },
            "stringData": { "service-account.json": account.key },
        });
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        api.patch(
            "google",
            &PatchParams::apply(FIELD_MANAGER),
            &Patch::Apply(secret),
        )
        .await?;
        Ok(())
    }

    /// Applies the connection. Between the passes that are asked for, it has none of its own.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn connect(&self, namespace: &str, account: &Account) -> Result<()> {
        let connection = json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": CONNECTION },
            "spec": {
                "adminEmail": account.admin,
                "credentials": { "serviceAccountKey": { "secretRef": { "name": "google" } } },
                "sync": { "intervalSeconds": 3600, "fullIntervalSeconds": 86400 },
            },
        });
        let params = PatchParams::apply(FIELD_MANAGER);
        self.connections(namespace)
            .patch(CONNECTION, &params, &Patch::Apply(connection))
            .await?;
        Ok(())
    }

    /// Waits until the connection is `Active`.
    ///
    /// # Errors
    /// When it is not in time, with what it says of itself.
    pub(crate) async fn until_active(&self, namespace: &str) -> Result<()> {
        self.until_state(namespace, ConnectionState::Active).await
    }

    /// Waits until the connection has this state. It is watched, because asking again and again would cost the API server
    /// time that is not the operator's.
    ///
    /// # Errors
    /// When it is not in time, with what it says of itself.
    pub(crate) async fn until_state(&self, namespace: &str, wanted: ConnectionState) -> Result<()> {
        let state = |connection: &ChromeEnterpriseConnection| connection.status.as_ref()?.state;
        let reached =
            |connection: Option<&ChromeEnterpriseConnection>| connection.and_then(state) == Some(wanted);
        let waiting = await_condition(self.connections(namespace), CONNECTION, reached);
        if let Ok(ended) = tokio::time::timeout(ACTIVE, waiting).await {
            return ended.map(drop).context("the connection cannot be watched");
        }
        let connection = self.connections(namespace).get(CONNECTION).await?;
        bail!(
            "the connection is not {wanted:?}: {}",
            serde_json::to_string(&connection.status)?
        );
    }

    /// Asks for a full pass; `request` must be a new text.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn request_sync(&self, namespace: &str, request: &str) -> Result<()> {
        let patch = json!({ "metadata": { "annotations": { SYNC_REQUESTED_ANNOTATION: request } } });
        self.connections(namespace)
            .patch(CONNECTION, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    /// Lists the metadata of all device objects, page by page; returns how many there are.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn count(&self, namespace: &str) -> Result<u64> {
        let api: Api<ChromeOSDevice> = Api::namespaced(self.client.clone(), namespace);
        let mut page = ListParams::default().limit(METADATA_PAGE);
        let mut count = 0;
        loop {
            let list = api.list_metadata(&page).await?;
            count += u64::try_from(list.items.len())?;
            let Some(token) = list.metadata.continue_.filter(|token| !token.is_empty()) else {
                return Ok(count);
            };
            page = page.continue_token(&token);
        }
    }

    /// All device objects.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn devices(&self, namespace: &str) -> Result<Vec<Value>> {
        let api: Api<ChromeOSDevice> = Api::namespaced(self.client.clone(), namespace);
        let mut page = ListParams::default().limit(OBJECTS_PAGE);
        let mut devices = Vec::new();
        loop {
            let list = api.list(&page).await?;
            for device in &list.items {
                devices.push(serde_json::to_value(device).context("a device cannot be written as JSON")?);
            }
            let Some(token) = list.metadata.continue_.filter(|token| !token.is_empty()) else {
                return Ok(devices);
            };
            page = page.continue_token(&token);
        }
    }

    /// Names of device objects that show this state: of all, or of the first so many.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn devices_in_state(
        &self,
        namespace: &str,
        state: &str,
        limit: Option<u32>,
    ) -> Result<BTreeSet<String>> {
        let api: Api<ChromeOSDevice> = Api::namespaced(self.client.clone(), namespace);
        let selected = ListParams {
            limit,
            ..ListParams::default().fields(&format!("status.state={state}"))
        };
        let list = api.list_metadata(&selected).await?;
        Ok(list.items.iter().map(kube::ResourceExt::name_any).collect())
    }

    /// The actions in a namespace.
    pub(crate) fn actions(&self, namespace: &str) -> Api<DeviceAction> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn connections(&self, namespace: &str) -> Api<ChromeEnterpriseConnection> {
        Api::namespaced(self.client.clone(), namespace)
    }
}
