//! The ways of signing in, as one type.

use super::authorized_user::AuthorizedUser;
use super::scopes::{Access, IDENTITY_SCOPES, required_scopes};
use super::service_account_key::ServiceAccountKey;

/// What the operator signs in with.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A service account with domain-wide delegation, by its key.
    ServiceAccountKey(ServiceAccountKey),
    /// The consent of an admin.
    AuthorizedUser(AuthorizedUser),
    /// A service account with domain-wide delegation, signed for by the identity that the operator runs as.
    Keyless(Keyless),
}

/// Which way of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A service account by its key.
    ServiceAccountKey,
    /// The consent of an admin.
    AuthorizedUser,
    /// A service account without a key.
    Keyless,
}

/// A service account that the operator's own identity signs for.
///
/// Whoever makes one decides in whose name the operator signs, so it must not come from a tenant alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyless {
    service_account: String,
    customers: Vec<String>,
}

impl Keyless {
    /// This service account may be signed for. With `customers`, the admin account has to belong to one of them;
    /// that is found out before anything else is read.
    #[must_use]
    pub fn new(service_account: &str, customers: Vec<String>) -> Self {
        Self {
            service_account: service_account.to_owned(),
            customers,
        }
    }

    /// E-mail address of the service account.
    #[must_use]
    pub fn service_account(&self) -> &str {
        &self.service_account
    }

    pub(super) fn customers(&self) -> &[String] {
        &self.customers
    }
}

impl Credential {
    /// Which way of signing in this is.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ServiceAccountKey(_) => CredentialKind::ServiceAccountKey,
            Self::AuthorizedUser(_) => CredentialKind::AuthorizedUser,
            Self::Keyless(_) => CredentialKind::Keyless,
        }
    }

    /// The client ID by which the customer's admin console knows it. Only the key of a service account names its own.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::ServiceAccountKey(key) => Some(key.client_id()),
            Self::AuthorizedUser(user) => Some(user.client_id()),
            Self::Keyless(_) => None,
        }
    }

    /// Names the Google Cloud project whose quota is used.
    pub(super) fn project(&self) -> &str {
        match self {
            Self::ServiceAccountKey(key) => key.project_id(),
            Self::AuthorizedUser(user) => user.project_number(),
            Self::Keyless(keyless) => project_of(keyless.service_account()),
        }
    }
}

/// The project that the address of a service account names.
pub(super) fn project_of(service_account: &str) -> &str {
    let domain = service_account.split_once('@').map_or("", |(_, domain)| domain);
    domain.strip_suffix(".iam.gserviceaccount.com").unwrap_or(domain)
}

impl CredentialKind {
    /// Everything that Google is asked for: what the work needs, and with a consent also who gave it.
    #[must_use]
    pub fn scopes(self, access: Access) -> Vec<&'static str> {
        let mut scopes = required_scopes(access).to_vec();
        match self {
            Self::ServiceAccountKey | Self::Keyless => {}
            Self::AuthorizedUser => scopes.extend(IDENTITY_SCOPES),
        }
        scopes
    }
}

impl From<ServiceAccountKey> for Credential {
    fn from(key: ServiceAccountKey) -> Self {
        Self::ServiceAccountKey(key)
    }
}

impl From<AuthorizedUser> for Credential {
    fn from(user: AuthorizedUser) -> Self {
        Self::AuthorizedUser(user)
    }
}

impl From<Keyless> for Credential {
    fn from(keyless: Keyless) -> Self {
        Self::Keyless(keyless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_consent_asks_who_gave_it_and_read_only_never_asks_to_write() {
        for kind in [CredentialKind::ServiceAccountKey, CredentialKind::Keyless] {
            for access in [Access::ReadWrite, Access::ReadOnly] {
                assert_eq!(kind.scopes(access), required_scopes(access));
            }
        }
        let consent = CredentialKind::AuthorizedUser.scopes(Access::ReadOnly);
        assert!(consent.contains(&"openid") && consent.contains(&"email"));
        for kind in [
            CredentialKind::ServiceAccountKey,
            CredentialKind::AuthorizedUser,
            CredentialKind::Keyless,
        ] {
            let apis = kind.scopes(Access::ReadOnly);
            let mut apis = apis.iter().filter(|scope| scope.contains("admin.directory"));
            assert!(apis.all(|scope| scope.ends_with(".readonly")), "{kind:?}");
        }
    }

    #[test]
    fn the_address_of_a_service_account_names_its_project() {
        let project = |email| {
            Credential::from(Keyless::new(email, Vec::new()))
                .project()
                .to_owned()
        };
        assert_eq!(
            project("fleet@fleet-project.iam.gserviceaccount.com"),
            "fleet-project"
        );
        assert_eq!(
            project("123-compute@developer.gserviceaccount.com"),
            "developer.gserviceaccount.com"
        );
    }
}
