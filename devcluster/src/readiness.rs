//! Asks the API server whether it is ready.

use std::time::Duration;

use reqwest::{Certificate, Client, Identity as TlsIdentity};

use crate::certificates::Identity;
use crate::error::Error;

/// `/readyz` does not wait for the namespace `default`, but the first thing that most users do is
/// to create something in it.
const PATHS: [&str; 2] = ["/readyz", "/api/v1/namespaces/default"];

/// Asks as the administrator, over verified TLS.
#[derive(Debug)]
pub(crate) struct Readiness {
    client: Client,
}

impl Readiness {
    pub(crate) fn new(ca_pem: &str, admin: &Identity) -> Result<Self, Error> {
        let identity = [admin.certificate.as_str(), admin.key.as_str()].join("\n");
        let client = Client::builder()
            .tls_certs_only([Certificate::from_pem(ca_pem.as_bytes())?])
            .identity(TlsIdentity::from_pem(identity.as_bytes())?)
            // The API server is on this machine; a proxy of the environment cannot reach it.
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()?;
        Ok(Self { client })
    }

    /// `Ok` if it is ready, else why not.
    pub(crate) async fn check(&self, api_url: &str) -> Result<(), String> {
        for path in PATHS {
            let answer = self.client.get(format!("{api_url}{path}")).send().await;
            let answer = answer.map_err(|error| whole_chain(&error))?;
            if !answer.status().is_success() {
                return Err(format!("{path} answered {}", answer.status()));
            }
        }
        Ok(())
    }
}

/// reqwest's own text stops before the cause ("connection refused").
fn whole_chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
