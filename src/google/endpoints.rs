//! Where Google is. Only the operator's own flags decide this, never a tenant's Secret.

use url::Url;

use super::errors::{GoogleError, Reason};

/// The addresses of the Google services in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    directory: Url,
    authorize: Url,
    token: Url,
    revoke: Url,
    userinfo: Url,
    iam_credentials: Url,
    metadata: Url,
}

impl Endpoints {
    /// The real Google.
    ///
    /// # Panics
    /// Never: the addresses are constants, and a test reads them.
    #[must_use]
    pub fn google() -> Self {
        Self {
            directory: constant("https://admin.googleapis.com/"),
            authorize: constant("https://accounts.google.com/o/oauth2/v2/auth"),
            token: constant("https://oauth2.googleapis.com/token"),
            revoke: constant("https://oauth2.googleapis.com/revoke"),
            userinfo: constant("https://openidconnect.googleapis.com/v1/userinfo"),
            iam_credentials: constant("https://iamcredentials.googleapis.com/"),
            metadata: constant("http://metadata.google.internal/"),
        }
    }

    /// Everything below one address, for a simulator or a gateway: token calls go to `base/token`.
    #[must_use]
    pub fn all_at(base: &Url) -> Self {
        Self {
            directory: base.clone(),
            authorize: below(base, &["o", "oauth2", "v2", "auth"]),
            token: below(base, &["token"]),
            revoke: below(base, &["revoke"]),
            userinfo: below(base, &["v1", "userinfo"]),
            iam_credentials: base.clone(),
            metadata: base.clone(),
        }
    }

    /// Where an admin is asked for consent, in a browser.
    #[must_use]
    pub const fn authorize(&self) -> &Url {
        &self.authorize
    }

    /// Where tokens come from; also the audience that a signed request names.
    #[must_use]
    pub const fn token(&self) -> &Url {
        &self.token
    }

    /// Where a consent is revoked.
    #[must_use]
    pub const fn revoke(&self) -> &Url {
        &self.revoke
    }

    /// Where a token's account is asked for.
    #[must_use]
    pub const fn userinfo(&self) -> &Url {
        &self.userinfo
    }

    /// The same with another metadata server.
    #[must_use]
    pub fn with_metadata_at(self, base: &Url) -> Self {
        Self {
            metadata: base.clone(),
            ..self
        }
    }

    /// Where Google signs in the name of a service account (`signJwt`).
    ///
    /// # Errors
    /// `RequestInvalid` if the address of the service account cannot stand in a path.
    pub(super) fn sign_jwt(&self, method: &'static str, service_account: &str) -> Result<Url, GoogleError> {
        let resource = format!("{service_account}:signJwt");
        let segments = ["v1", "projects", "-", "serviceAccounts", resource.as_str()];
        fit(method, &[service_account])?;
        Ok(below(&self.iam_credentials, &segments))
    }

    /// Where the metadata server gives tokens of the identity that this process runs as.
    pub(super) fn ambient_token(&self) -> Url {
        let segments = "computeMetadata/v1/instance/service-accounts/default/token";
        let segments: Vec<&str> = segments.split('/').collect();
        below(&self.metadata, &segments)
    }

    /// The address of a Directory API resource. Each segment is encoded, so that none can leave its place.
    ///
    /// # Errors
    /// `RequestInvalid` if a segment is empty, names a parent folder or holds control characters.
    pub(super) fn directory(&self, method: &'static str, segments: &[&str]) -> Result<Url, GoogleError> {
        fit(method, segments)?;
        Ok(below(
            &below(&self.directory, &["admin", "directory", "v1"]),
            segments,
        ))
    }
}

/// Refuses segments that the URL library would drop instead of encoding them, which would address another resource.
fn fit(method: &'static str, segments: &[&str]) -> Result<(), GoogleError> {
    let unfit = |segment: &&str| {
        segment.is_empty() || *segment == "." || *segment == ".." || segment.chars().any(char::is_control)
    };
    if segments.iter().any(unfit) {
        let message = "an identifier in the request is empty or holds characters that no identifier has";
        return Err(GoogleError::local(method, Reason::RequestInvalid, message));
    }
    Ok(())
}

/// `base` with more path segments, each of them encoded. A trailing slash of `base` does not matter.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses such as `data:` have no path; the setup refuses them before.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[allow(clippy::expect_used)] // constants, read by a test
fn constant(address: &str) -> Url {
    Url::parse(address).expect("a constant address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_is_where_google_is() {
        let google = Endpoints::google();
        assert_eq!(
            google.authorize().as_str(),
            "https://accounts.google.com/o/oauth2/v2/auth"
        );
        assert_eq!(google.token().as_str(), "https://oauth2.googleapis.com/token");
        assert_eq!(google.revoke().as_str(), "https://oauth2.googleapis.com/revoke");
        assert_eq!(
            google.userinfo().as_str(),
            "https://openidconnect.googleapis.com/v1/userinfo"
        );
        assert_eq!(
            google
                .sign_jwt("m", "fleet@project.iam.gserviceaccount.com")
                .unwrap()
                .as_str(),
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/fleet@project.iam.gserviceaccount.com:signJwt"
        );
        assert_eq!(
            google.ambient_token().as_str(),
            "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
        );
        let list = google
            .directory("m", &["customer", "my_customer", "devices", "chromeos"])
            .unwrap();
        assert_eq!(
            list.as_str(),
            "https://admin.googleapis.com/admin/directory/v1/customer/my_customer/devices/chromeos"
        );
    }

    #[test]
    fn one_address_serves_all_with_or_without_a_path() {
        for (base, token) in [
            ("http://127.0.0.1:18080", "http://127.0.0.1:18080/token"),
            ("http://127.0.0.1:18080/", "http://127.0.0.1:18080/token"),
            (
                "https://gateway.school.example/google/?x=1#y",
                "https://gateway.school.example/google/token",
            ),
        ] {
            let endpoints = Endpoints::all_at(&Url::parse(base).unwrap());
            assert_eq!(endpoints.token().as_str(), token);
            let authorize = token.replace("/token", "/o/oauth2/v2/auth");
            assert_eq!(endpoints.authorize().as_str(), authorize);
        }
    }

    #[test]
    fn no_identifier_leaves_its_place_in_the_path() {
        let google = Endpoints::google();
        let url = google
            .directory("m", &["users", "a/b?c#d%2F@school.example"])
            .unwrap();
        assert_eq!(
            url.path(),
            "/admin/directory/v1/users/a%2Fb%3Fc%23d%252F@school.example"
        );
        for segment in ["", ".", "..", "a\tb", "a\nb", "\u{0}"] {
            let error = google.directory("m", &["users", segment]).unwrap_err();
            assert_eq!(error.reason, Reason::RequestInvalid, "{segment:?}");
        }
    }

    #[test]
    fn the_name_of_a_service_account_leads_nowhere_else() {
        let google = Endpoints::google();
        let url = google.sign_jwt("m", "a/../b?c#d:e@x").unwrap();
        assert_eq!(
            url.path(),
            "/v1/projects/-/serviceAccounts/a%2F..%2Fb%3Fc%23d:e@x:signJwt"
        );
        for name in ["", "a\nb"] {
            let error = google.sign_jwt("m", name).unwrap_err();
            assert_eq!(error.reason, Reason::RequestInvalid);
        }
    }

    #[test]
    fn the_metadata_server_can_be_elsewhere() {
        let (google, own) = (
            Url::parse("http://127.0.0.1:1/google").unwrap(),
            Url::parse("http://127.0.0.1:2").unwrap(),
        );
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        let endpoints = Endpoints::all_at(&google);
        assert_eq!(
            endpoints.ambient_token().as_str(),
            format!("http://127.0.0.1:1/google{path}")
        );
        let endpoints = endpoints.with_metadata_at(&own);
        assert_eq!(
            endpoints.ambient_token().as_str(),
            format!("http://127.0.0.1:2{path}")
        );
        assert_eq!(endpoints.token().as_str(), "http://127.0.0.1:1/google/token");
    }
}
