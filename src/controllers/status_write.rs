//! Writes a status as a whole, and only to the very object that was observed.

use http::{Request, header};
use kube::core::PartialObjectMeta;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api::FIELD_MANAGER;

/// Replaces the status of the object with this UID. One that is gone meanwhile is no error.
///
/// The test on the UID keeps an object that was deleted and made again from getting another one's status. With a
/// `version`, an object that somebody changed meanwhile is left alone too, and the answer is a conflict.
///
/// # Errors
/// When the API server does not take it.
pub(crate) async fn replace_status<K>(
    client: &Client,
    namespace: &str,
    name: &str,
    uid: Option<&str>,
    version: Option<&str>,
    status: &impl Serialize,
) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()> + DeserializeOwned,
    PartialObjectMeta<K>: DeserializeOwned,
{
    let mut patch = vec![
        json!({ "op": "test", "path": "/metadata/uid", "value": uid }),
        json!({ "op": "add", "path": "/status", "value": status }),
    ];
    patch.extend(
        version.map(|version| json!({ "op": "add", "path": "/metadata/resourceVersion", "value": version })),
    );
    let patch = json!(patch);
    let uri = format!(
        "{}/{name}/status?fieldManager={FIELD_MANAGER}",
        K::url_path(&(), Some(namespace))
    );
    let request = Request::patch(uri)
        .header(header::CONTENT_TYPE, "application/json-patch+json")
        .body(patch.to_string().into_bytes())
        .map_err(kube::Error::HttpError)?;
    match client.request::<PartialObjectMeta<K>>(request).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
        Err(error) => Err(error),
    }
}
