//! How kube-apiserver is started.

use crate::certificates::{Authority, SigningKey, write_private};
use crate::error::Error;
use crate::home::Home;

/// The names under which clients may reach the API server. The last is its address in the service
/// network, which some clients compare with the certificate.
const HOSTS: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "kubernetes",
    "kubernetes.default.svc",
    "10.0.0.1",
];

/// Writes the keys and certificates that the API server reads at its start.
pub(crate) fn write_keys(home: &Home, authority: &Authority) -> Result<(), Error> {
    let serving = authority.server("kube-apiserver", &HOSTS)?;
    // An aggregated API server trusts the user names in the headers of whoever holds this one.
    // Its authority is another one, else every client certificate would be as good.
    let proxy_authority = Authority::new("devcluster-front-proxy")?;
    let proxy = proxy_authority.client("front-proxy-client", None)?;
    let service_accounts = SigningKey::new()?;
    for (name, text) in [
        ("ca.crt", authority.pem()),
        ("serving.crt", &serving.certificate),
        ("serving.key", &serving.key),
        ("front-proxy-ca.crt", proxy_authority.pem()),
        ("front-proxy.crt", &proxy.certificate),
        ("front-proxy.key", &proxy.key),
        ("service-accounts.key", &service_accounts.private),
        ("service-accounts.pub", &service_accounts.public),
    ] {
        write_private(&home.path(name), text)?;
    }
    Ok(())
}

/// The arguments of kube-apiserver. Of an argument that is given twice the later one counts, so
/// `more` overrides.
pub(crate) fn arguments(home: &Home, port: u16, more: &[String]) -> Vec<String> {
    let file = |name: &str| home.path(name).display().to_string();
    let mut arguments = vec![
        format!("--etcd-servers={}", home.etcd_url()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // Without it the server looks for a network interface with a default route.
        "--advertise-address=127.0.0.1".to_owned(),
        // A loopback address is not allowed in an Endpoints object, so none is written.
        "--endpoint-reconciler-type=none".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        format!("--tls-cert-file={}", file("serving.crt")),
        format!("--tls-private-key-file={}", file("serving.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--service-account-key-file={}", file("service-accounts.pub")),
        format!(
            "--service-account-signing-key-file={}",
            file("service-accounts.key")
        ),
        format!("--requestheader-client-ca-file={}", file("front-proxy-ca.crt")),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        format!("--proxy-client-cert-file={}", file("front-proxy.crt")),
        format!("--proxy-client-key-file={}", file("front-proxy.key")),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
    ];
    arguments.extend_from_slice(more);
    arguments
}
