//! How kube-controller-manager is started.

use crate::home::Home;

/// Only the controllers whose absence shows in how the API behaves: deleted namespaces and objects
/// whose owner is gone would stay for ever, and the roles `view`, `edit` and `admin` would be empty.
const CONTROLLERS: &str =
    "namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller";

/// The arguments of kube-controller-manager.
pub(crate) fn arguments(home: &Home) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", home.path("kubeconfig").display()),
        format!("--controllers={CONTROLLERS}"),
        "--leader-elect=false".to_owned(),
        // Nobody asks it anything, so it needs no port.
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
    ]
}
