//! What an administrator does by hand: resource types, namespace, Secret and connection.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use chrome_enterprise_operator::api::{ChromeEnterpriseConnection, crds};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

/// The namespace of the demo.
pub(crate) const NAMESPACE: &str = "school";
/// The connection in it.
pub(crate) const CONNECTION: &str = "school";

const SECRET: &str = "google-service-account";
/// Under this name the demo applies what a person would.
pub(crate) const FIELD_MANAGER: &str = "demo";
/// A new resource type is established at once and served a moment later.
const SERVED: Duration = Duration::from_secs(30);

/// Installs the resource types, as `kubectl apply --server-side -f crds/` does, and waits until they are served.
/// Returns their plural names.
///
/// # Errors
/// When the API server refuses one, or does not serve it in time.
pub(crate) async fn install_resource_types(client: &Client) -> Result<Vec<String>> {
    let api: Api<crds::Definition> = Api::all(client.clone());
    let mut names = Vec::new();
    for definition in crds::all() {
        let name = definition.name_any();
        api.patch(
            &name,
            &PatchParams::apply(FIELD_MANAGER).force(),
            &Patch::Apply(&definition),
        )
        .await
        .with_context(|| format!("the API server refused the CustomResourceDefinition {name}"))?;
        tokio::time::timeout(
            SERVED,
            await_condition(api.clone(), &name, conditions::is_crd_established()),
        )
        .await
        .map_err(|_| {
            anyhow!(
                "the API server did not establish {name} within {} s",
                SERVED.as_secs()
            )
        })??;
        names.push(definition.spec.names.plural);
    }
    Ok(names)
}

/// Applies namespace, Secret and connection.
///
/// # Errors
/// When the API server refuses one.
pub(crate) async fn apply_connection(client: &Client, admin_email: &str, key_file: &str) -> Result<()> {
    let params = PatchParams::apply(FIELD_MANAGER);
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } });
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces
        .patch(NAMESPACE, &params, &Patch::Apply(namespace))
        .await
        .context("cannot create the namespace")?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    secrets
        .patch(SECRET, &params, &Patch::Apply(secret(key_file)))
        .await
        .context("cannot create the Secret")?;
    let connections: Api<ChromeEnterpriseConnection> = Api::namespaced(client.clone(), NAMESPACE);
    let manifest = Patch::Apply(connection(admin_email));
    let apply = async {
        loop {
            match connections.patch(CONNECTION, &params, &manifest).await {
                Err(kube::Error::Api(status)) if status.is_not_found() => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                outcome => return outcome,
            }
        }
    };
    tokio::time::timeout(SERVED, apply)
        .await
        .map_err(|_| {
            anyhow!(
                "the API server did not serve the new resource types within {} s",
                SERVED.as_secs()
            )
        })?
        .context("cannot create the ChromeEnterpriseConnection")?;
    Ok(())
}

fn secret(key_file: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": SECRET, "namespace": NAMESPACE },
        "stringData": { "service-account.json": key_file },
    })
}

fn connection(admin_email: &str) -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": "ChromeEnterpriseConnection",
        "metadata": { "name": CONNECTION, "namespace": NAMESPACE },
        "spec": {
            "adminEmail": admin_email,
            // Actions change devices.
            "access": "ReadWrite",
            "credentials": { "serviceAccountKey": { "secretRef": { "name": SECRET } } },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrome_enterprise_operator::api::connection::Access;

    #[test]
    fn the_connection_is_one() {
        let parsed: ChromeEnterpriseConnection =
            serde_json::from_value(connection("it-admin@school.example")).unwrap();
        let credentials = parsed.spec.credentials.service_account_key.unwrap();
        assert_eq!(credentials.secret_ref.name, SECRET);
        assert_eq!(parsed.spec.customer_id, "my_customer");
        assert_eq!(parsed.spec.access, Access::ReadWrite);
    }
}
