//! Every exchange, token requests included, obeys the same settings.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::google::{Access, HttpSettings, ListRequest, Reason};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use url::Url;

use super::fake::{ADMIN, Fake, Reply, client, client_with, context, quick, token_reply};

fn one_device() -> Reply {
    Reply::json(200, &json!({"chromeosdevices": [{"deviceId": "device-1"}]}))
}

fn serves_devices(seen: &super::fake::Seen, _before: usize) -> Option<Reply> {
    seen.path.ends_with("/devices/chromeos").then(one_device)
}

#[tokio::test]
async fn tokens_and_calls_go_through_the_configured_proxy_and_nowhere_else() {
    let proxy = Fake::start(serves_devices).await;
    let trap = Fake::start(|_, _| None).await;
    let mut through_proxy = proxy.url.clone();
    through_proxy.set_username("operator").unwrap();
    through_proxy.set_password(Some("word")).unwrap();
    // Nobody can resolve this name, so only the proxy can have answered.
    let nowhere = Url::parse("http://google.invalid/").unwrap();
    let settings = HttpSettings {
        proxy: Some(through_proxy),
        ..quick()
    };
    let client = client_with(&context(&nowhere, settings), trap.url.as_str(), Access::ReadWrite);

    let page = client
        .list_devices(&ListRequest::new("my_customer"), None)
        .await
        .unwrap();

    assert_eq!(page.devices.len(), 1);
    let seen = proxy.requests();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].method.as_str(), seen[0].target.as_str()),
        ("POST", "http://google.invalid/token")
    );
    assert!(
        seen[1]
            .target
            .starts_with("http://google.invalid/admin/directory/v1/customer/my_customer/")
    );
    for request in &seen {
        assert!(
            request
                .header("proxy-authorization")
                .is_some_and(|value| value.starts_with("Basic "))
        );
        assert!(
            request
                .header("user-agent")
                .unwrap()
                .starts_with("chrome-enterprise-operator/")
        );
    }
    assert_eq!(
        trap.requests().len(),
        0,
        "the addresses in the key file are never contacted"
    );
}

#[tokio::test]
async fn the_signed_request_names_the_operators_endpoint_and_the_admin() {
    let google = Fake::start(serves_devices).await;
    let client = google.client();
    client
        .list_devices(&ListRequest::new("my_customer"), None)
        .await
        .unwrap();
    let request = &google.token_requests()[0];
    let claims = request.claims();
    assert_eq!(claims["aud"], format!("{}token", google.url));
    assert_eq!(claims["iss"], "operator@fleet-project.iam.gserviceaccount.com");
    assert_eq!(claims["sub"], ADMIN);
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 3_600);
    assert_eq!(request.scopes().len(), 3);
    let form = request.form();
    let grant = form.iter().find(|(name, _)| name == "grant_type").unwrap();
    assert_eq!(grant.1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(
        google.calls()[0].header("authorization"),
        Some("Bearer ya29.token-1")
    );
}

fn tls() -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}

#[tokio::test]
async fn tokens_and_calls_trust_the_extra_certificate_authority() {
    let (acceptor, pem) = tls();
    let google = Fake::start_with(serves_devices, Some(acceptor)).await;

    let distrusting = client(&context(&google.url, quick()));
    let error = distrusting
        .list_devices(&ListRequest::new("my_customer"), None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.method, error.reason),
        ("oauth2.token", Reason::NetworkUnreachable)
    );
    assert_eq!(google.requests().len(), 0);

    let settings = HttpSettings {
        extra_ca_pem: Some(pem.into_bytes()),
        ..quick()
    };
    let trusting = client(&context(&google.url, settings));
    trusting
        .list_devices(&ListRequest::new("my_customer"), None)
        .await
        .unwrap();
    assert_eq!((google.token_requests().len(), google.calls().len()), (1, 1));
}

#[tokio::test]
async fn tokens_and_calls_obey_the_time_limits() {
    for slow_path in ["/token", "/admin/directory/v1/users/admin@school.example"] {
        let google = Fake::start(move |seen, _| {
            (seen.path == slow_path).then(|| token_reply(1).after(Duration::from_secs(60)))
        })
        .await;
        let mut settings = quick();
        settings.request_timeout = Duration::from_millis(150);
        settings.retry.max_retries = 1;
        let started = Instant::now();
        let error = client(&context(&google.url, settings))
            .get_user(ADMIN)
            .await
            .unwrap_err();
        assert_eq!(error.reason, Reason::ConnectionLost, "{slow_path}: {error}");
        assert!(started.elapsed() < Duration::from_secs(5));
        let slow = google
            .requests()
            .into_iter()
            .filter(|seen| seen.path == slow_path)
            .count();
        assert_eq!(slow, 2, "one try and one repetition");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for path in ["/token", "/admin/directory/v1/users/admin@school.example"] {
        let elsewhere = Fake::start(|_, _| Some(token_reply(1))).await;
        let target = elsewhere.url.to_string();
        let google = Fake::start(move |seen, _| {
            (seen.path == path).then(|| Reply::html(307).with_header("location", target.clone()))
        })
        .await;
        let error = google.client().get_user(ADMIN).await.unwrap_err();
        assert_eq!(
            (error.reason, error.http_status),
            (Reason::UnexpectedAnswer, Some(307))
        );
        assert_eq!(elsewhere.requests().len(), 0);
    }
}

#[tokio::test]
async fn an_unreachable_google_is_told_from_a_broken_connection() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let nobody = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let error = client(&context(&nobody, quick()))
        .get_user(ADMIN)
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason.clone(), error.http_status),
        (Reason::NetworkUnreachable, None)
    );
    assert!(error.google_message.contains("onnection refused"), "{error}");
    assert!(!error.to_string().contains(ADMIN), "{error}");
}

#[tokio::test]
async fn a_packed_bomb_is_dropped() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let megabyte = vec![b' '; 1024 * 1024];
    for _ in 0..64 {
        packer.write_all(&megabyte).unwrap();
    }
    let bomb = packer.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let google = Fake::start(move |seen, _| {
        let packed =
            || Reply::text(200, "application/json", bomb.clone()).with_header("content-encoding", "gzip");
        (seen.path != "/token").then(packed)
    })
    .await;
    let settings = HttpSettings {
        max_answer_bytes: 1024 * 1024,
        ..quick()
    };
    let error = client(&context(&google.url, settings))
        .get_user(ADMIN)
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::UnexpectedAnswer);
    assert!(
        error.google_message.contains("larger than 1048576 bytes"),
        "{error}"
    );
    assert_eq!(google.calls().len(), 1, "a bomb is not asked for again");
    assert_eq!(google.calls()[0].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_long_address_becomes_a_form_that_is_read_the_same() {
    let google = Fake::start(serves_devices).await;
    let request = ListRequest {
        org_unit_path: Some(format!("/{}", "North & South/".repeat(100))),
        query: Some("status:provisioned".to_owned()),
        ..ListRequest::new("my_customer")
    };
    google
        .client()
        .list_devices(&request, Some("next"))
        .await
        .unwrap();
    let call = &google.calls()[0];
    assert_eq!(call.method, "POST");
    assert_eq!(call.header("x-http-method-override"), Some("GET"));
    assert!(call.query.is_empty());
    let form = call.form();
    let value = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(value("orgUnitPath"), request.org_unit_path);
    assert_eq!(value("pageToken").as_deref(), Some("next"));
}
