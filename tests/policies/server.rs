//! API servers with the resource types, the roles and the policies installed.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::ActionType;
use chrome_enterprise_operator::api::crds;
use chrome_enterprise_operator::policies;
use devcluster::{DevCluster, DevClusterBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::objects::{REQUESTED_BY, action, action_at, actions, receipt, receipts, requester};
use crate::people::{ALL_COMMON_VERBS, rule};
use crate::requests::{User, accepted};

/// How long anything that should happen may take; the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(50);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SHARED: OnceCell<Server> = OnceCell::const_new();
static WAS_STARTED: AtomicBool = AtomicBool::new(false);

/// A running API server.
pub(crate) struct Server {
    pub(crate) cluster: DevCluster,
    /// Its administrator, who is in the group `system:masters` and so has every verb.
    pub(crate) admin: User,
    /// Kinds of manifests that it does not know.
    pub(crate) unknown_kinds: Vec<String>,
}

/// Runs a test on the runtime that the connections of the shared server live on.
pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(&'static Server) -> F) {
    RUNTIME.block_on(async {
        let start = || {
            // A policy that is never active is waited for once, and not by each test.
            let again = WAS_STARTED.swap(true, Ordering::Relaxed);
            assert!(
                !again,
                "the shared API server did not start; the first test that failed says why"
            );
            Server::start(DevCluster::builder().controller_manager(true))
        };
        test(SHARED.get_or_init(start).await).await;
    });
}

/// Runs a test with a server of its own.
pub(crate) fn run_with(builder: DevClusterBuilder, test: impl AsyncFnOnce(&Server)) {
    RUNTIME.block_on(async {
        let server = Server::start(builder).await;
        test(&server).await;
        server.cluster.stop().await;
    });
}

/// Looks again and again, until there is a result.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "not so in {PATIENCE:?}: {what}");
        tokio::time::sleep(POLL).await;
    }
}

async fn connect(kubeconfig: &str, impersonate: Option<&str>) -> Client {
    let mut kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    if let Some(user) = &mut kubeconfig.auth_infos[0].auth_info {
        user.impersonate = impersonate.map(ToOwned::to_owned);
    }
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

impl Server {
    async fn start(builder: DevClusterBuilder) -> Self {
        let cluster = builder.start().await.unwrap();
        let admin = User {
            name: "admin".to_owned(),
            client: connect(cluster.kubeconfig(), None).await,
        };
        let mut server = Self {
            cluster,
            admin,
            unknown_kinds: Vec::new(),
        };
        server.install_types().await;
        server.install_policies().await;
        server.until_active().await;
        server
    }

    /// Somebody with this user name, in no group but that of everybody who has signed in.
    pub(crate) async fn user(&self, name: &str) -> User {
        User {
            name: name.to_owned(),
            client: connect(self.cluster.kubeconfig(), Some(name)).await,
        }
    }

    async fn install_types(&self) {
        for definition in crds::all() {
            let name = definition.metadata.name.clone().unwrap();
            let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
            let definition = serde_json::to_value(definition).unwrap();
            accepted(&name, self.admin.apply(&path, &definition).await);
            eventually(&format!("{name} is established"), || async {
                let stored = accepted(&name, self.admin.get(&path).await);
                let conditions = stored["status"]["conditions"].as_array().cloned();
                let holds =
                    |condition: &Value| condition["type"] == "Established" && condition["status"] == "True";
                conditions.unwrap_or_default().iter().any(holds).then_some(())
            })
            .await;
        }
    }

    async fn install_policies(&mut self) {
        for manifest in policies::ALL {
            for object in documents(manifest.text) {
                let kind = object["kind"].as_str().unwrap().to_owned();
                match self.admin.apply(&path_of(&object), &object).await {
                    Ok(_) => {}
                    // Not about the object, which apply would create, but about its kind.
                    Err(refusal) if refusal.code == 404 => self.unknown_kinds.push(kind),
                    Err(refusal) => panic!("{}: {kind}: {refusal:?}", manifest.file_name),
                }
            }
        }
    }

    /// Policies are loaded some time after they are stored; until then everything is accepted. So each is tried with
    /// a request that it must refuse, or change.
    async fn until_active(&self) {
        let namespace = self.namespace().await;
        let nobody = self.user("nobody@school.example").await;
        let resources = ["deviceactions", "deviceactions/status", "deviceactionreceipts"];
        let rules = resources.map(|resource| rule(resource, &ALL_COMMON_VERBS));
        self.allow(&namespace, &nobody.name, &rules).await;
        let restart = action("probe", ActionType::Restart);
        let (collection, stored) = (actions(&namespace), action_at(&namespace, "probe"));
        if self.unknown_kinds.is_empty() {
            eventually("action-requester-stamp writes", || async {
                let created = self.admin.try_create(&collection, &restart).await;
                (requester(&accepted("a restart", created)) == Some("admin")).then_some(())
            })
            .await;
        }
        accepted("a restart", self.admin.create(&collection, &restart).await);
        eventually("action-creation refuses", || async {
            nobody.try_create(&collection, &restart).await.err()
        })
        .await;
        eventually("action-requester refuses", || async {
            let forged = json!({"metadata": {"annotations": {REQUESTED_BY: "forged"}}});
            self.admin
                .merge(&format!("{stored}?dryRun=All"), &forged)
                .await
                .err()
        })
        .await;
        eventually("action-status refuses", || async {
            let sent = json!({"status": {"state": "Sent"}});
            nobody
                .merge(&format!("{stored}/status?dryRun=All"), &sent)
                .await
                .err()
        })
        .await;
        eventually("receipt-writers refuses", || async {
            nobody
                .try_create(&receipts(&namespace), &receipt("probe"))
                .await
                .err()
        })
        .await;
    }
}

/// The objects of a file of manifests.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n")
        .map(|document| {
            serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{error}:\n{document}"))
        })
        .collect()
}

/// Where the API server keeps an object of a manifest.
pub(crate) fn path_of(object: &Value) -> String {
    let plural = match object["kind"].as_str().unwrap() {
        "ClusterRole" => "clusterroles",
        "ValidatingAdmissionPolicy" => "validatingadmissionpolicies",
        "ValidatingAdmissionPolicyBinding" => "validatingadmissionpolicybindings",
        "MutatingAdmissionPolicy" => "mutatingadmissionpolicies",
        "MutatingAdmissionPolicyBinding" => "mutatingadmissionpolicybindings",
        other => panic!("no manifest should be of kind {other}"),
    };
    let (version, name) = (&object["apiVersion"], &object["metadata"]["name"]);
    format!(
        "/apis/{}/{plural}/{}",
        version.as_str().unwrap(),
        name.as_str().unwrap()
    )
}
