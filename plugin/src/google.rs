//! Where Google is, for commands that speak to it themselves.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrome_enterprise_operator::google::{
    Endpoints, GoogleContext, HttpSettings, NoObserver, QuotaSettings, RetrySettings,
};
use clap::Args;
use url::{Host, Url};

use crate::failure::Failure;

/// A person waits for the answer, so none is waited for as long as the operator would.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Flags about Google. They are hidden, because people have no other Google than Google; a proxy is taken from
/// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
#[derive(Debug, Clone, Default, Args)]
pub struct GoogleArguments {
    /// Send every call to Google to this address, for a simulator or a gateway
    #[arg(long, value_name = "URL", hide = true, value_parser = endpoint)]
    pub google_endpoint: Option<Url>,

    /// File with certificate authorities (PEM) to trust besides those of the system
    #[arg(long, value_name = "FILE", hide = true)]
    pub google_ca_file: Option<PathBuf>,
}

impl GoogleArguments {
    /// Where Google is.
    ///
    /// # Errors
    /// When the address would send secrets readable over the network.
    pub fn endpoints(&self) -> Result<Endpoints, Failure> {
        match &self.google_endpoint {
            None => Ok(Endpoints::google()),
            Some(url) if url.scheme() == "https" || is_loopback(url) => Ok(Endpoints::all_at(url)),
            Some(url) => Err(Failure::usage(format!(
                "--google-endpoint {url} would send secrets unencrypted over the network."
            ))
            .advise("Use an https:// address, or an http:// address of this machine.")),
        }
    }

    /// The way to Google; nothing is sent yet.
    ///
    /// # Errors
    /// When an address or a file cannot be used.
    pub fn context(&self) -> Result<GoogleContext, Failure> {
        let http = HttpSettings {
            extra_ca_pem: self.certificate_authorities()?,
            request_timeout: REQUEST_TIMEOUT,
            read_timeout: REQUEST_TIMEOUT,
            retry: RetrySettings {
                base_delay: Duration::from_millis(250),
                max_retries: 3,
                ..RetrySettings::default()
            },
            ..HttpSettings::default()
        };
        let quota = QuotaSettings::default();
        GoogleContext::new(self.endpoints()?, &http, quota, Arc::new(NoObserver))
            .map_err(|error| Failure::usage(format!("Google cannot be spoken to: {error}.")))
    }

    fn certificate_authorities(&self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(file) = &self.google_ca_file else {
            return Ok(None);
        };
        std::fs::read(file).map(Some).map_err(|error| {
            Failure::usage(format!(
                "--google-ca-file {} cannot be read: {error}.",
                file.display()
            ))
        })
    }
}

/// Whether the host is this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn endpoint(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text).map_err(|error| format!("{error}; it looks like https://host.school.example"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the address must begin with https:// or http://".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the address must not have a part after ? or #".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address must not hold a user name or password".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(address: &str) -> GoogleArguments {
        GoogleArguments {
            google_endpoint: Some(endpoint(address).unwrap()),
            google_ca_file: None,
        }
    }

    #[test]
    fn secrets_go_readable_to_this_machine_only() {
        for address in [
            "http://127.0.0.1:18080",
            "http://localhost:1",
            "http://[::1]:1",
            "https://gateway.school.example",
        ] {
            let endpoints = arguments(address).endpoints().unwrap();
            assert!(endpoints.token().as_str().starts_with(address));
        }
        let refused = arguments("http://gateway.school.example").context().unwrap_err();
        assert!(refused.to_string().contains("unencrypted"), "{refused}");
        let google = GoogleArguments::default().endpoints().unwrap();
        assert_eq!(google, Endpoints::google());
    }

    #[test]
    fn an_address_is_an_address_only() {
        for address in [
            "ftp://host",
            "https://host/?a",
            "https://host/#a",
            "https://user:word@host",
            "host",
        ] {
            assert!(endpoint(address).is_err(), "{address}");
        }
    }
}
