//! The one HTTP client of the process: proxy, certificate authorities, timeouts and size limits that hold
//! for every exchange with Google, token requests included.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use url::Url;

use super::context::SetupError;
use super::errors::{GoogleError, Reason, one_line};
use super::gated_body::{GatedBody, HandedOut, MaySend};
use super::retry::{RetrySettings, retry_after};

/// Longest address that is sent with GET. Google's own clients switch to a POST with
/// `X-HTTP-Method-Override: GET` above this, and Google serves that as the same read.
const LONGEST_GET: usize = 2_048;

/// How Google is spoken to.
#[derive(Clone)]
pub struct HttpSettings {
    /// Certificate authorities to trust besides those of the system, as PEM, for a proxy that inspects TLS.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// The proxy for all Google traffic. It may carry a user name and a password.
    pub proxy: Option<Url>,
    /// Without [`proxy`](Self::proxy): whether `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are obeyed.
    pub environment_proxy: bool,
    /// Longest time until a connection stands.
    pub connect_timeout: Duration,
    /// Longest silence while an answer is read.
    pub read_timeout: Duration,
    /// Longest time of one exchange from first to last byte.
    pub request_timeout: Duration,
    /// Largest answer that is read, after unpacking.
    pub max_answer_bytes: usize,
    /// How failed reads are tried again.
    pub retry: RetrySettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            extra_ca_pem: None,
            proxy: None,
            environment_proxy: true,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_mins(1),
            max_answer_bytes: 64 * 1024 * 1024,
            retry: RetrySettings::default(),
        }
    }
}

/// Longest time that a request which changes something may take. Until it is over, nobody knows how it ends.
const LONGEST_CHANGE: Duration = Duration::from_secs(30);

impl HttpSettings {
    /// Longest time of one request that changes something, from first to last byte.
    #[must_use]
    pub fn change_timeout(&self) -> Duration {
        self.request_timeout.min(LONGEST_CHANGE)
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address of a proxy may hold a password.
        f.debug_struct("HttpSettings")
            .field("extra_ca_pem", &self.extra_ca_pem.as_ref().map(Vec::len))
            .field("proxy", &self.proxy.as_ref().and_then(Url::host_str))
            .field("environment_proxy", &self.environment_proxy)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("max_answer_bytes", &self.max_answer_bytes)
            .field("retry", &self.retry)
            .finish()
    }
}

/// An answer, read to its end.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// When the other side sent it, by its own clock.
    pub(super) date: Option<Timestamp>,
    pub(super) retry_after: Option<Duration>,
    pub(super) content_type: Option<String>,
    pub(super) authenticate: Option<String>,
    pub(super) body: Bytes,
}

impl Answer {
    /// The first part of the body as text, for messages: a page of some proxy can be long.
    pub(super) fn beginning(&self) -> String {
        let start = self.body.get(..2_000).unwrap_or(&self.body);
        String::from_utf8_lossy(start).into_owned()
    }
}

/// The HTTP client with its limits.
#[derive(Clone)]
pub(super) struct HttpClient {
    client: reqwest::Client,
    /// For requests that change something: each has a connection of its own, because one that was kept may be dead,
    /// and then nobody knows whether the request arrived.
    changing: reqwest::Client,
    /// For the metadata server: it is next door, and its token is not for the eyes of a proxy.
    local: reqwest::Client,
    max_answer_bytes: usize,
}

/// Longest time that the metadata server may take. It is next door, or not there at all.
const LONGEST_LOCAL: Duration = Duration::from_secs(5);

impl HttpClient {
    pub(super) fn new(settings: &HttpSettings) -> Result<Self, SetupError> {
        let build = |builder: reqwest::ClientBuilder| {
            let built = builder.build();
            built.map_err(|error| SetupError::Client(describe(error)))
        };
        let changing = Self::builder(settings)?.pool_max_idle_per_host(0).http1_only();
        let local = Self::builder(settings)?.no_proxy().http1_only();
        Ok(Self {
            local: build(local.timeout(settings.request_timeout.min(LONGEST_LOCAL)))?,
            client: build(Self::builder(settings)?)?,
            changing: build(changing.timeout(settings.change_timeout()))?,
            max_answer_bytes: settings.max_answer_bytes,
        })
    }

    /// What holds for every request.
    fn builder(settings: &HttpSettings) -> Result<reqwest::ClientBuilder, SetupError> {
        let mut builder = reqwest::Client::builder()
            // Google packs answers only for clients whose name says that they unpack.
            .user_agent(concat!(
                "chrome-enterprise-operator/",
                env!("CARGO_PKG_VERSION"),
                " (gzip)"
            ))
            .gzip(true)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Retrying is decided in one place, and never by the client below it.
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.read_timeout)
            .timeout(settings.request_timeout)
            .tcp_keepalive(Duration::from_mins(1))
            .pool_idle_timeout(Duration::from_secs(90));
        if let Some(pem) = &settings.extra_ca_pem {
            let authorities =
                reqwest::Certificate::from_pem_bundle(pem).map_err(|_| SetupError::CertificateAuthorities)?;
            if authorities.is_empty() {
                return Err(SetupError::CertificateAuthorities);
            }
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(proxy) = &settings.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.clone()).map_err(|_| SetupError::Proxy)?);
        } else if !settings.environment_proxy {
            builder = builder.no_proxy();
        }
        Ok(builder)
    }

    /// Sends a request that changes something: once, and only if `may_send` says so when its body is about to go out.
    /// Tells whether the body went out, in whole or in part.
    pub(super) async fn change(
        &self,
        method: &'static str,
        url: &Url,
        authorization: http::HeaderValue,
        json: Bytes,
        may_send: MaySend,
    ) -> (Result<Answer, GoogleError>, HandedOut) {
        let (body, handed_out) = GatedBody::new(json, may_send);
        let request = self
            .changing
            .post(url.clone())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(reqwest::Body::wrap(body));
        (self.exchange(method, request).await, handed_out)
    }

    /// Reads an address with the token as its credential.
    pub(super) async fn read(
        &self,
        method: &'static str,
        url: &Url,
        authorization: http::HeaderValue,
    ) -> Result<Answer, GoogleError> {
        let request = if url.as_str().len() <= LONGEST_GET {
            self.client.get(url.clone())
        } else {
            let query = url.query().unwrap_or_default().to_owned();
            let mut address = url.clone();
            address.set_query(None);
            self.client
                .post(address)
                .header("x-http-method-override", "GET")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(query)
        };
        self.exchange(method, request.header(header::AUTHORIZATION, authorization))
            .await
    }

    /// Sends a form, as token endpoints want it.
    pub(super) async fn post_form(
        &self,
        method: &'static str,
        url: &Url,
        form: Bytes,
    ) -> Result<Answer, GoogleError> {
        let request = self
            .client
            .post(url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        self.exchange(method, request).await
    }

    /// Sends JSON that changes nothing, with the token as its credential.
    pub(super) async fn post_json(
        &self,
        method: &'static str,
        url: &Url,
        authorization: http::HeaderValue,
        json: Bytes,
    ) -> Result<Answer, GoogleError> {
        let request = self
            .client
            .post(url.clone())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(json);
        self.exchange(method, request).await
    }

    /// Reads from the metadata server. The header proves that the request was meant for it.
    pub(super) async fn read_metadata(&self, method: &'static str, url: &Url) -> Result<Answer, GoogleError> {
        let request = self.local.get(url.clone()).header("metadata-flavor", "Google");
        self.exchange(method, request).await
    }

    async fn exchange(
        &self,
        method: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, GoogleError> {
        let failed = |error: reqwest::Error, sent_surely: bool| {
            let reason = if error.is_connect() && !sent_surely {
                Reason::NetworkUnreachable
            } else {
                Reason::ConnectionLost
            };
            GoogleError::local(method, reason, &describe(error))
        };
        let mut response = request
            .header(header::ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| failed(error, false))?;
        let mut body = BytesMut::new();
        // Chunks arrive unpacked and small, so a packed bomb is dropped long before it has grown.
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(error, true))? {
            if body.len() + chunk.len() > self.max_answer_bytes {
                let message = format!("the answer is larger than {} bytes", self.max_answer_bytes);
                return Err(GoogleError::local(method, Reason::UnexpectedAnswer, &message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status(),
            date: date(response.headers()),
            retry_after: retry_after(response.headers()),
            content_type: text_header(response.headers(), header::CONTENT_TYPE),
            authenticate: text_header(response.headers(), header::WWW_AUTHENTICATE),
            body: body.freeze(),
        })
    }
}

/// Reads `Date` (RFC 9110, section 6.6.1).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    DateTimeParser::new().parse_timestamp(text).ok()
}

fn text_header(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// What a network error says, without the address: that may hold org units, queries or e-mail addresses.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    one_line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_proxy_password() {
        let settings = HttpSettings {
            proxy: Some(Url::parse("http://operator:hidden-word@proxy.school.example:3128").unwrap()),
            extra_ca_pem: Some(b"hidden-pem".to_vec()),
            ..HttpSettings::default()
        };
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("proxy.school.example") && !shown.contains("hidden"),
            "{shown}"
        );
    }

    #[test]
    fn a_broken_ca_bundle_is_refused_at_start() {
        for pem in [
            &b"nonsense"[..],
            b"",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let settings = HttpSettings {
                extra_ca_pem: Some(pem.to_vec()),
                ..HttpSettings::default()
            };
            assert!(HttpClient::new(&settings).is_err(), "{pem:?}");
        }
    }
}
