//! One real API server for all tests of this program, with the committed definitions installed.

use std::fs;
use std::sync::LazyLock;
use std::time::Duration;

use chrome_enterprise_operator::api::crds;
use devcluster::DevCluster;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::drift::root;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SERVER: OnceCell<(DevCluster, Client)> = OnceCell::const_new();

/// Runs a test on the runtime that the server's connections live on.
pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(Client) -> F) {
    RUNTIME.block_on(async {
        let (_, client) = SERVER.get_or_init(start).await;
        test(client.clone()).await;
    });
}

async fn start() -> (DevCluster, Client) {
    let cluster = DevCluster::builder().start().await.unwrap();
    let kubeconfig = Kubeconfig::from_yaml(cluster.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    let client = Client::try_from(config).unwrap();
    for definition in crds::all() {
        let file = root().join("crds").join(crds::file_name(&definition));
        let name = definition.metadata.name.as_deref().unwrap();
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        apply_yaml(&client, &path, &fs::read_to_string(file).unwrap(), false)
            .await
            .unwrap();
    }
    for definition in crds::all() {
        wait_until_served(&client, definition.metadata.name.as_deref().unwrap()).await;
    }
    (cluster, client)
}

/// Server-side apply of the bytes of a manifest: the API server's own YAML reader sees them.
pub(crate) async fn apply_yaml(
    client: &Client,
    path: &str,
    yaml: &str,
    dry_run: bool,
) -> kube::Result<Value> {
    let dry_run = if dry_run { "&dryRun=All" } else { "" };
    let request = http::Request::patch(format!(
        "{path}?fieldManager=tests&fieldValidation=Strict{dry_run}"
    ))
    .header("content-type", "application/apply-patch+yaml")
    .body(yaml.as_bytes().to_vec())
    .unwrap();
    client.request(request).await
}

async fn wait_until_served(client: &Client, name: &str) {
    let api: Api<crds::Definition> = Api::all(client.clone());
    for _ in 0..300 {
        let conditions = api
            .get_status(name)
            .await
            .unwrap()
            .status
            .and_then(|status| status.conditions);
        let holds = |type_: &str| {
            conditions
                .iter()
                .flatten()
                .any(|condition| condition.type_ == type_ && condition.status == "True")
        };
        if holds("Established") && holds("NamesAccepted") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} is not served after 30 s");
}

/// A new namespace of this name.
pub(crate) async fn namespace(client: &Client, name: &str) {
    let body: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    Api::all(client.clone())
        .create(&PostParams::default(), &body)
        .await
        .unwrap();
}

/// Objects of one kind in one namespace, as plain JSON: a test can also send what the types forbid.
pub(crate) fn objects(client: &Client, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let definition = crds::all()
        .into_iter()
        .find(|one| one.spec.names.kind == kind)
        .unwrap();
    let version = definition.spec.versions[0].name.clone();
    let resource = ApiResource {
        api_version: format!("{}/{version}", definition.spec.group),
        group: definition.spec.group,
        version,
        kind: definition.spec.names.kind,
        plural: definition.spec.names.plural,
    };
    Api::namespaced_with(client.clone(), namespace, &resource)
}

pub(crate) fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

/// Creates the object, with its status where the kind has one apart.
pub(crate) async fn create(api: &Api<DynamicObject>, value: &Value) -> DynamicObject {
    let created = api
        .create(&PostParams::default(), &object(value.clone()))
        .await
        .unwrap();
    let name = created.metadata.name.unwrap();
    if value.get("status").is_some() {
        let status = json!({"status": value["status"]});
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
            .await
            .unwrap();
    }
    api.get(&name).await.unwrap()
}

/// What the API server says to creating this object, without keeping it.
pub(crate) async fn try_create(api: &Api<DynamicObject>, value: &Value) -> Result<Value, String> {
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    told(api.create(&dry, &object(value.clone())).await)
}

/// What the API server says to replacing the stored object by this one, without keeping it.
pub(crate) async fn try_replace(api: &Api<DynamicObject>, value: &Value) -> Result<Value, String> {
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    told(
        api.replace(
            value["metadata"]["name"].as_str().unwrap(),
            &dry,
            &object(value.clone()),
        )
        .await,
    )
}

/// What the API server says to this status of a stored object, without keeping it.
pub(crate) async fn try_status(
    api: &Api<DynamicObject>,
    name: &str,
    status: &Value,
) -> Result<Value, String> {
    let dry = PatchParams {
        dry_run: true,
        ..PatchParams::default()
    };
    told(
        api.patch_status(name, &dry, &Patch::Merge(json!({"status": status})))
            .await,
    )
}

fn told(answer: kube::Result<DynamicObject>) -> Result<Value, String> {
    match answer {
        Ok(object) => Ok(serde_json::to_value(object).unwrap()),
        Err(kube::Error::Api(status)) => {
            assert!(
                status.code == 422 || status.code == 400,
                "not an answer about the object: {status:?}"
            );
            Err(status.message.clone())
        }
        Err(error) => panic!("the API server could not be asked: {error}"),
    }
}

/// Checks the answer: accepted (`None`), or refused with this text in the message.
pub(crate) fn check(case: &str, answer: Result<Value, String>, refused: Option<&str>) -> Option<Value> {
    match (answer, refused) {
        (Ok(stored), None) => Some(stored),
        (Err(message), Some(expected)) => {
            assert!(
                message.contains(expected),
                "{case}: refused with\n  {message}\nand not with\n  {expected}"
            );
            None
        }
        (Ok(_), Some(expected)) => panic!("{case}: accepted; expected a refusal: {expected}"),
        (Err(message), None) => panic!("{case}: refused: {message}"),
    }
}

/// A copy with the value at this JSON pointer set; the parent must exist. `null` takes the field away.
pub(crate) fn with(base: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = base.clone();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = changed
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{pointer}: no such place"));
    match (parent, value) {
        (Value::Object(fields), Value::Null) => {
            fields.remove(field);
        }
        (Value::Object(fields), value) => {
            fields.insert(field.to_owned(), value);
        }
        (Value::Array(items), value) => items[field.parse::<usize>().unwrap()] = value,
        (other, _) => panic!("{pointer}: inside {other}"),
    }
    changed
}
