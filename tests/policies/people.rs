//! Users and the rights they get for a test.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::requests::accepted;
use crate::server::{Server, eventually};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A name that nothing else in this run has.
pub(crate) fn unique(what: &str) -> String {
    format!("{what}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Server {
    /// A new namespace with a name of its own.
    pub(crate) async fn namespace(&self) -> String {
        let name = unique("school");
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let created = self.admin.create("/api/v1/namespaces", &namespace).await;
        accepted("a namespace", created);
        name
    }

    /// Gives a user a cluster role in one namespace, and returns when the API server has taken it in.
    pub(crate) async fn bind(&self, namespace: &str, user: &str, role: &str) {
        let probe = eventually(&format!("a rule of {role} for the group"), || async {
            let stored = accepted(role, self.admin.get(&format!("{RBAC}/clusterroles/{role}")).await);
            let rules = stored["rules"].as_array().cloned().unwrap_or_default();
            rules.into_iter().find(|rule| {
                let group = &rule["apiGroups"][0];
                group == "chromeenterprise.dev" || group == "*"
            })
        })
        .await;
        self.binding(namespace, user, "ClusterRole", role).await;
        self.until_may(namespace, user, &probe).await;
    }

    /// Gives a user these RBAC rules in one namespace, and returns when the API server has taken them in.
    pub(crate) async fn allow(&self, namespace: &str, user: &str, rules: &[Value]) {
        let name = unique("role");
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules
        });
        let created = self
            .admin
            .create(&format!("{RBAC}/namespaces/{namespace}/roles"), &role)
            .await;
        accepted("a role", created);
        self.binding(namespace, user, "Role", &name).await;
        self.until_may(namespace, user, &rules[0]).await;
    }

    async fn binding(&self, namespace: &str, user: &str, kind: &str, role: &str) {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": unique("binding")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]
        });
        let path = format!("{RBAC}/namespaces/{namespace}/rolebindings");
        accepted("a binding", self.admin.create(&path, &binding).await);
    }

    /// RBAC reads roles and bindings from a cache, so a new one counts a moment later.
    async fn until_may(&self, namespace: &str, user: &str, rule: &Value) {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": user, "resourceAttributes": {
                "namespace": namespace, "group": rule["apiGroups"][0], "verb": rule["verbs"][0],
                "resource": rule["resources"][0].as_str().unwrap().split('/').next(),
                "subresource": rule["resources"][0].as_str().unwrap().split('/').nth(1)
            }}
        });
        eventually(&format!("{user} may {rule} in {namespace}"), || async {
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            let answer = accepted("a review", self.admin.create(path, &review).await);
            (answer["status"]["allowed"] == true).then_some(())
        })
        .await;
    }
}

/// RBAC verbs on resources of the group of actions.
pub(crate) fn rule(resource: &str, verbs: &[&str]) -> Value {
    json!({"apiGroups": ["chromeenterprise.dev"], "resources": [resource], "verbs": verbs})
}

/// Everything that a role for objects of any kind usually has.
pub(crate) const ALL_COMMON_VERBS: [&str; 8] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
];
