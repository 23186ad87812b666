//! Writes device objects, one request each, with as few bytes as the API server allows.

use http::{Method, Request, header};
use kube::{Client, Resource};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

use crate::api::device::{ChromeOSDevice, ChromeOSDeviceStatus};
use crate::api::{CONNECTION_LABEL, FIELD_MANAGER};
use crate::runtime::metrics::Metrics;

/// The answer to a write is cut down to metadata: the operator knows the rest.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
/// The client repeats a request to a busy API server by itself, for hours if it were let. A write that is not done
/// by then is done in the next pass.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a device object could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The API server answered with an error, or could not be reached.
    #[error("device {device}: {source}")]
    Kubernetes {
        /// Name of the device object.
        device: Box<str>,
        /// What the API server or the connection to it said.
        source: Box<kube::Error>,
    },
    /// No answer in time; the write may or may not have happened.
    #[error("device {device}: no answer from the Kubernetes API server within {} seconds", WRITE_TIMEOUT.as_secs())]
    Timeout {
        /// Name of the device object.
        device: Box<str>,
    },
}

impl WriteError {
    fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Kubernetes { source, .. } => {
                if let kube::Error::Api(status) = source.as_ref() {
                    Some(status)
                } else {
                    None
                }
            }
            Self::Timeout { .. } => None,
        }
    }

    fn has_code(&self, code: u16) -> bool {
        self.status().is_some_and(|status| status.code == code)
    }

    /// Whether the API server takes writes, but not this one.
    pub(super) fn is_invalid(&self) -> bool {
        self.has_code(422)
    }

    /// Whether the API server is there and says no, so that the next device would be refused too.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status()
            .is_some_and(|status| matches!(status.code, 401 | 403))
    }
}

/// Which request a write is.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Create,
    ReplaceStatus,
    PatchStatus,
    Label,
    Delete,
}

impl Operation {
    const fn label(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::ReplaceStatus | Self::PatchStatus => "status",
            Self::Label => "label",
            Self::Delete => "delete",
        }
    }
}

/// What is left of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    metadata: WrittenMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WrittenMetadata {
    resource_version: String,
}

/// Writes the device objects of one connection.
#[derive(Clone)]
pub(crate) struct Writer {
    client: Client,
    namespace: String,
    connection: String,
    metrics: Metrics,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Writer")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer of the devices in `namespace`, labelled with the name of their connection.
    pub(crate) fn new(client: Client, namespace: &str, connection: &str, metrics: Metrics) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            connection: connection.to_owned(),
            metrics,
        }
    }

    /// Creates the object and records its status. An object that is there already is brought into shape.
    /// Returns the resourceVersion of the last write.
    ///
    /// # Errors
    /// When a request fails; the object may then exist without its status, which the next pass completes.
    pub(super) async fn create(
        &self,
        device: &str,
        status: &ChromeOSDeviceStatus,
    ) -> Result<String, WriteError> {
        let mut object = self.object(device);
        match self
            .send(Operation::Create, device, "application/json", &object)
            .await
        {
            Ok(version) => {
                // Nobody can have changed the object yet, and a replacement costs the API server less than a patch.
                object["metadata"]["resourceVersion"] = version.into();
                object["status"] = json!(status);
                match self
                    .send(Operation::ReplaceStatus, device, "application/json", &object)
                    .await
                {
                    Err(error) if error.has_code(409) => self.patch_status(device, status).await,
                    written => written,
                }
            }
            // Somebody made it, or the client repeated a request whose answer was lost.
            Err(error) if error.has_code(409) => {
                self.patch_label(device).await?;
                self.patch_status(device, status).await
            }
            Err(error) => Err(error),
        }
    }

    /// Replaces the status as a whole, and the label where asked. An object that is gone is created.
    ///
    /// # Errors
    /// When a request fails; the next pass does it again.
    pub(super) async fn update(
        &self,
        device: &str,
        status: &ChromeOSDeviceStatus,
        relabel: bool,
    ) -> Result<String, WriteError> {
        let written = async {
            if relabel {
                self.patch_label(device).await?;
            }
            self.patch_status(device, status).await
        };
        match written.await {
            Err(error) if error.has_code(404) => self.create(device, status).await,
            written => written,
        }
    }

    /// Replaces the status of an object that exists; `None` if there is none, which is then left so.
    ///
    /// # Errors
    /// When the request fails; the next pass does it again.
    pub(super) async fn update_existing(
        &self,
        device: &str,
        status: &ChromeOSDeviceStatus,
    ) -> Result<Option<String>, WriteError> {
        match self.patch_status(device, status).await {
            Err(error) if error.has_code(404) => Ok(None),
            written => written.map(Some),
        }
    }

    /// Removes the object. An object that is gone already is fine.
    ///
    /// # Errors
    /// When the request fails; the object may or may not be gone.
    pub(crate) async fn delete(&self, device: &str) -> Result<(), WriteError> {
        match self
            .send(Operation::Delete, device, "application/json", &json!({}))
            .await
        {
            Err(error) if error.has_code(404) => Ok(()),
            result => result.map(drop),
        }
    }

    async fn patch_label(&self, device: &str) -> Result<String, WriteError> {
        let patch = json!({ "metadata": { "labels": { CONNECTION_LABEL: self.connection } } });
        self.send(Operation::Label, device, "application/merge-patch+json", &patch)
            .await
    }

    /// A merge would keep fields that Google no longer reports; this replaces.
    async fn patch_status(&self, device: &str, status: &ChromeOSDeviceStatus) -> Result<String, WriteError> {
        let patch = json!([{ "op": "add", "path": "/status", "value": status }]);
        self.send(
            Operation::PatchStatus,
            device,
            "application/json-patch+json",
            &patch,
        )
        .await
    }

    fn object(&self, device: &str) -> Value {
        json!({
            "apiVersion": ChromeOSDevice::api_version(&()),
            "kind": ChromeOSDevice::kind(&()),
            "metadata": { "name": device, "namespace": self.namespace, "labels": { CONNECTION_LABEL: self.connection } },
            "spec": {},
        })
    }

    async fn send(
        &self,
        operation: Operation,
        device: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<String, WriteError> {
        let collection = ChromeOSDevice::url_path(&(), Some(&self.namespace));
        let (method, uri) = match operation {
            Operation::Create => (Method::POST, format!("{collection}?fieldManager={FIELD_MANAGER}")),
            Operation::ReplaceStatus => (
                Method::PUT,
                format!("{collection}/{device}/status?fieldManager={FIELD_MANAGER}"),
            ),
            Operation::PatchStatus => (
                Method::PATCH,
                format!("{collection}/{device}/status?fieldManager={FIELD_MANAGER}"),
            ),
            Operation::Label => (
                Method::PATCH,
                format!("{collection}/{device}?fieldManager={FIELD_MANAGER}"),
            ),
            Operation::Delete => (Method::DELETE, format!("{collection}/{device}")),
        };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::ACCEPT, METADATA_ONLY)
            .header(header::CONTENT_TYPE, content_type)
            .body(body.to_string().into_bytes());
        let answer = async {
            self.client
                .request::<Written>(request.map_err(kube::Error::HttpError)?)
                .await
        };
        let result = match tokio::time::timeout(WRITE_TIMEOUT, answer).await {
            Err(_) => Err(WriteError::Timeout {
                device: device.into(),
            }),
            Ok(Err(source)) => Err(WriteError::Kubernetes {
                device: device.into(),
                source: Box::new(source),
            }),
            Ok(Ok(written)) => Ok(written.metadata.resource_version),
        };
        self.metrics
            .device_write(operation.label(), if result.is_ok() { "ok" } else { "error" });
        result
    }
}
