//! Every manifest in `examples/` is accepted as it is written, with no unknown field.

use std::fs;

use kube::api::DynamicObject;
use kube::core::GroupVersion;
use kube::{Client, Resource as _, discovery};
use serde_json::Value;

use crate::drift::root;
use crate::server::{apply_yaml, namespace, run};

#[test]
fn the_server_accepts_every_example() {
    run(|client| async move {
        let mut kinds = Vec::new();
        let mut files: Vec<_> = fs::read_dir(root().join("examples"))
            .unwrap()
            .map(|one| one.unwrap().path())
            .collect();
        files.sort();
        for file in files
            .iter()
            .filter(|file| file.extension().is_some_and(|end| end == "yaml"))
        {
            for document in fs::read_to_string(file).unwrap().split("\n---\n") {
                let value: Value = serde_saphyr::from_str(document).unwrap();
                let path = path(&client, &value).await;
                let wanted = value["metadata"]["namespace"].as_str().unwrap();
                if client
                    .request::<Value>(get(&format!("/api/v1/namespaces/{wanted}")))
                    .await
                    .is_err()
                {
                    namespace(&client, wanted).await;
                }
                let answer = apply_yaml(&client, &path, document, true).await;
                answer.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                kinds.push(format!(
                    "{} {}",
                    value["kind"].as_str().unwrap(),
                    value["spec"]["type"].as_str().unwrap_or("")
                ));
            }
        }
        for expected in [
            "ChromeEnterpriseConnection ",
            "Secret ",
            "DeviceAction Restart",
            "DeviceAction Wipe",
            "DeviceAction Deprovision",
            "DeviceAction EnableLostMode",
            "DeviceAction DisableLostMode",
        ] {
            assert!(
                kinds.iter().any(|kind| kind == expected),
                "no example of {expected}"
            );
        }
    });
}

fn get(path: &str) -> http::Request<Vec<u8>> {
    http::Request::get(path).body(Vec::new()).unwrap()
}

/// Where the API server keeps this object, as discovery says.
async fn path(client: &Client, object: &Value) -> String {
    let group_version: GroupVersion = object["apiVersion"].as_str().unwrap().parse().unwrap();
    let kind = group_version.with_kind(object["kind"].as_str().unwrap());
    let (resource, _) = discovery::pinned_kind(client, &kind).await.unwrap();
    let url = DynamicObject::url_path(&resource, object["metadata"]["namespace"].as_str());
    format!("{url}/{}", object["metadata"]["name"].as_str().unwrap())
}
