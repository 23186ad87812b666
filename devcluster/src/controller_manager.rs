//! How kube-controller-manager is started.

use crate::home::Home;

/// Only the controllers whose absence shows in how the API behaves: deleted namespaces and objects
/// whose owner is gone would stay for ever, the roles `view`, `edit` and `admin` would be empty, and
/// no `ValidatingAdmissionPolicy` would say in its status what is wrong with its expressions.
const CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,\
    clusterrole-aggregation-controller,validatingadmissionpolicy-status-controller";

/// The arguments of kube-controller-manager.
pub(crate) fn arguments(home: &Home) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", home.path("kubeconfig").display()),
        format!("--controllers={CONTROLLERS}"),
        // As in production: each controller acts under its own service account, so admission policies
        // and RBAC treat it as they would there, and not as an administrator.
        "--use-service-account-credentials=true".to_owned(),
        "--leader-elect=false".to_owned(),
        // Nobody asks it anything, so it needs no port.
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
    ]
}
