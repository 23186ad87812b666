//! Kubeconfig files with everything inline, so that the text alone is enough to connect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificates::Identity;

/// How the holder of a kubeconfig proves who it is.
pub(crate) enum Credentials<'a> {
    Certificate(&'a Identity),
    Token(&'a str),
}

/// The text of a kubeconfig (YAML) for one cluster and one user.
///
/// Every value is base64, an address, or goes through JSON quoting, which is valid YAML.
pub(crate) fn kubeconfig(api_url: &str, ca_pem: &str, user: &str, credentials: &Credentials<'_>) -> String {
    let ca = STANDARD.encode(ca_pem);
    let user = quoted(user);
    let secret = match credentials {
        Credentials::Certificate(identity) => format!(
            "client-certificate-data: {}\n    client-key-data: {}",
            STANDARD.encode(&identity.certificate),
            STANDARD.encode(&identity.key)
        ),
        Credentials::Token(token) => format!("token: {}", quoted(token)),
    };
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: devcluster
  cluster:
    server: {api_url}
    certificate-authority-data: {ca}
users:
- name: {user}
  user:
    {secret}
contexts:
- name: devcluster
  context:
    cluster: devcluster
    user: {user}
current-context: devcluster
"
    )
}

/// A YAML string, quoted as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
