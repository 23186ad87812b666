//! How Google is reached: flags and what they may say.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};
use url::{Host, Url};

use crate::google::{Endpoints, HttpSettings, QuotaSettings, RetrySettings};
use crate::run::GoogleSettings;

/// Flags about Google.
#[derive(Debug, Args)]
#[command(next_help_heading = "Google")]
pub struct GoogleArguments {
    /// Send every call to Google to this address, token requests included (they go to URL/token)
    ///
    /// For a simulator or a gateway; without it Google's own addresses are used.
    #[arg(long, value_name = "URL", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_ENDPOINT", value_parser = endpoint)]
    pub google_endpoint: Option<Url>,

    /// Accept an http:// address that is not on this machine for --google-endpoint
    ///
    /// Access tokens and signed requests then cross the network readable. For trying things out only, with the
    /// simulator in another Pod for example; never with real credentials.
    #[arg(long, env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_ENDPOINT_ALLOW_HTTP")]
    pub google_endpoint_allow_http: bool,

    /// File with certificate authorities (PEM) to trust besides those of the system
    ///
    /// For a proxy that inspects TLS, or an endpoint with a private certificate.
    #[arg(long, value_name = "FILE", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_CA_FILE")]
    pub google_ca_file: Option<PathBuf>,

    /// HTTP proxy for all traffic to Google
    ///
    /// Without it HTTPS_PROXY, HTTP_PROXY and NO_PROXY are obeyed. An address with a user name and password is better
    /// given in the environment variable than as a flag, which other users of the machine can see.
    #[arg(
        long, value_name = "URL", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_PROXY", hide_env_values = true,
        value_parser = proxy
    )]
    pub google_proxy: Option<ProxyAddress>,

    /// Longest time of one request to Google, from the first to the last byte
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_REQUEST_TIMEOUT_SECONDS",
        default_value_t = 60, value_parser = value_parser!(u64).range(1..=600)
    )]
    pub google_request_timeout_seconds: u64,

    /// Longest time until a connection to Google stands
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_CONNECT_TIMEOUT_SECONDS",
        default_value_t = 10, value_parser = value_parser!(u64).range(1..=120)
    )]
    pub google_connect_timeout_seconds: u64,

    /// Requests a minute that one admin account of one Google Cloud project may make
    ///
    /// Google's default quota is 2400; see "Queries per minute per user" of the Admin SDK API in the Cloud console.
    #[arg(
        long, value_name = "NUMBER", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_QUERIES_PER_MINUTE",
        default_value_t = 2_400, value_parser = value_parser!(u32).range(2..=1_000_000)
    )]
    pub google_queries_per_minute: u32,

    /// Changes of devices a minute that one admin account of one Google Cloud project may make
    ///
    /// Google's default quota is 60; see "Write requests for Chrome Devices per minute per user" of the Admin SDK API in the
    /// Cloud console. A tenth of it is kept for lost mode.
    #[arg(
        long, value_name = "NUMBER", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_DEVICE_CHANGES_PER_MINUTE",
        default_value_t = 60, value_parser = value_parser!(u32).range(2..=1_000_000)
    )]
    pub google_device_changes_per_minute: u32,

    /// Wait before a failed read is repeated; each further wait is twice as long
    #[arg(
        long, value_name = "MILLISECONDS", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_RETRY_BASE_MILLISECONDS",
        default_value_t = 1_000, value_parser = value_parser!(u64).range(1..=60_000)
    )]
    pub google_retry_base_milliseconds: u64,
}

/// The address of a proxy. It may hold a password, so it is not shown.
#[derive(Clone)]
pub struct ProxyAddress(Url);

impl std::fmt::Debug for ProxyAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("ProxyAddress")
            .field(&self.0.host_str())
            .finish()
    }
}

impl GoogleArguments {
    /// The settings that these flags amount to.
    ///
    /// # Errors
    /// A sentence for the administrator, when values do not fit together or a file cannot be read.
    pub fn settings(&self) -> Result<GoogleSettings, String> {
        let endpoints = match &self.google_endpoint {
            None => Endpoints::google(),
            Some(url) if url.scheme() == "https" || is_loopback(url) || self.google_endpoint_allow_http => {
                Endpoints::all_at(url)
            }
            Some(url) => {
                return Err(format!(
                    "--google-endpoint {url} would send access tokens unencrypted over the network. Use https://, or \
                     add --google-endpoint-allow-http to try things out without real credentials."
                ));
            }
        };
        let request_timeout = Duration::from_secs(self.google_request_timeout_seconds);
        let http = HttpSettings {
            extra_ca_pem: self.certificate_authorities()?,
            proxy: self.google_proxy.as_ref().map(|proxy| proxy.0.clone()),
            environment_proxy: true,
            connect_timeout: Duration::from_secs(self.google_connect_timeout_seconds),
            // A connection that is silent for half of the time is dead; the rest is for the retry's sake.
            read_timeout: request_timeout / 2,
            request_timeout,
            retry: RetrySettings {
                base_delay: Duration::from_millis(self.google_retry_base_milliseconds),
                ..RetrySettings::default()
            },
            ..HttpSettings::default()
        };
        let quota = QuotaSettings {
            reads_per_minute: self.google_queries_per_minute,
            writes_per_minute: self.google_device_changes_per_minute,
            ..QuotaSettings::default()
        };
        Ok(GoogleSettings {
            endpoints,
            http,
            quota,
        })
    }

    fn certificate_authorities(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(file) = &self.google_ca_file else {
            return Ok(None);
        };
        match std::fs::read(file) {
            Ok(pem) => Ok(Some(pem)),
            Err(error) => Err(format!(
                "--google-ca-file {} cannot be read: {error}",
                file.display()
            )),
        }
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

fn web_address(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text).map_err(|error| format!("{error}; it looks like https://host.school.example"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the address must begin with https:// or http://".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the address must not have a part after ? or #".to_owned());
    }
    Ok(url)
}

pub(super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = web_address(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address must not hold a user name or password".to_owned());
    }
    Ok(url)
}

fn proxy(text: &str) -> Result<ProxyAddress, String> {
    web_address(text).map(ProxyAddress)
}
