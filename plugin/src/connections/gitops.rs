//! Whether a tool will change a connection back to what Git says.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use kube::ResourceExt as _;

/// A sentence about the tool that manages this connection, if its marks are there.
#[must_use]
pub fn hint(connection: &ChromeEnterpriseConnection) -> Option<String> {
    let (labels, annotations) = (connection.labels(), connection.annotations());
    let has = |name: &str| labels.contains_key(name) || annotations.contains_key(name);
    let manager = labels.get("app.kubernetes.io/managed-by").map(String::as_str);
    let tool = if has("argocd.argoproj.io/tracking-id") {
        "Argo CD applies"
    } else if has("kustomize.toolkit.fluxcd.io/name") || has("helm.toolkit.fluxcd.io/name") {
        "Flux applies"
    } else if manager == Some("Helm") {
        "Helm installed"
    } else if has("app.kubernetes.io/instance") {
        "Argo CD seems to apply"
    } else {
        return None;
    };
    Some(format!(
        "{tool} this connection, and will change it back to what is written there. Change it there as well."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_tool_is_known_by_its_marks() {
        for (labels, annotations, tool) in [
            (json!({}), json!({}), None),
            (json!({"team": "it"}), json!({}), None),
            (
                json!({}),
                json!({"argocd.argoproj.io/tracking-id": "fleet:…"}),
                Some("Argo CD applies"),
            ),
            (
                json!({"app.kubernetes.io/instance": "fleet"}),
                json!({}),
                Some("Argo CD seems to apply"),
            ),
            (
                json!({"kustomize.toolkit.fluxcd.io/name": "fleet"}),
                json!({}),
                Some("Flux applies"),
            ),
            (
                json!({"app.kubernetes.io/instance": "fleet", "app.kubernetes.io/managed-by": "Helm"}),
                json!({}),
                Some("Helm installed"),
            ),
        ] {
            let connection: ChromeEnterpriseConnection = serde_json::from_value(json!({
                "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
                "metadata": { "name": "school", "labels": labels, "annotations": annotations },
                "spec": { "adminEmail": "admin@school.example", "credentials": {} },
            }))
            .unwrap();
            let hint = hint(&connection);
            assert_eq!(hint.is_some(), tool.is_some(), "{hint:?}");
            assert!(hint.unwrap_or_default().starts_with(tool.unwrap_or_default()));
        }
    }
}
