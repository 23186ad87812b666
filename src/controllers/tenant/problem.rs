//! What can be wrong with a connection: one reason for programs, one sentence with the remedy for people.

use super::credentials::{self, CredentialFacts, Place};
use crate::api::connection::ChromeEnterpriseConnection;
use crate::google::{CredentialError, CredentialKind, ErrorClass, GoogleError, Reason};

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// CamelCase reason of the condition.
    pub(crate) reason: &'static str,
    /// Sentence with the remedy. Never holds what changes from try to try: that would be a new status each time.
    pub(crate) message: String,
    /// Whether a person has to act. Otherwise trying again may heal it.
    pub(crate) needs_a_person: bool,
}

impl Problem {
    /// Something that a person has to repair.
    pub(crate) fn stalled(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            needs_a_person: true,
        }
    }

    /// Something that may heal by itself.
    pub(crate) fn passing(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            needs_a_person: false,
        }
    }
}

/// The problem behind a refusal or silence of Google.
pub(crate) fn of_google(
    error: &GoogleError,
    connection: &ChromeEnterpriseConnection,
    credentials: &CredentialFacts,
) -> Problem {
    let spec = &connection.spec;
    let explanation = error
        .reason
        .explanation_for(credentials::kind_of(&spec.credentials));
    let message = match &error.reason {
        Reason::DelegationMissing { missing_scopes } => delegation_message(
            missing_scopes,
            &whom(connection, credentials),
            &credentials::scopes(spec),
        ),
        Reason::ConsentIncomplete { missing_scopes } => {
            format!("{explanation} (not granted: {})", missing_scopes.join(", "))
        }
        Reason::AccountMismatch { signed_in_as } => match signed_in_as.as_deref().filter(fit_to_show) {
            Some(account) => {
                format!(
                    "{explanation} (spec.adminEmail: {}; the consent: {account})",
                    spec.admin_email
                )
            }
            None => format!("{explanation} (spec.adminEmail: {})", spec.admin_email),
        },
        Reason::SigningForbidden => {
            let keyless = spec.credentials.keyless.as_ref();
            let account = keyless.map_or("", |keyless| keyless.service_account_email.as_str());
            format!("{explanation} (service account: {account})")
        }
        Reason::AccountNotFound
        | Reason::AccountSuspended
        | Reason::AccountNotAdmin
        | Reason::PrivilegeMissing => {
            format!("{} (account: {})", explanation, connection.spec.admin_email)
        }
        Reason::CustomerNotFound => format!("{} (customer ID: {})", explanation, connection.spec.customer_id),
        Reason::OrgUnitNotFound => format!(
            "{} (spec.sync.orgUnitPath: {})",
            explanation, connection.spec.sync.org_unit_path
        ),
        Reason::InvalidQuery => format!(
            "{} (spec.sync.query: {})",
            explanation,
            connection.spec.sync.query.as_deref().unwrap_or_default()
        ),
        Reason::CredentialRevoked
        | Reason::IdentityUnavailable
        | Reason::KeylessNotAllowed
        | Reason::KeyInvalid
        | Reason::AccessBlocked
        | Reason::ScopeMissing
        | Reason::ApiDisabled
        | Reason::DomainApiAccessDisabled
        | Reason::NotFound
        | Reason::PageSizeRange { .. }
        | Reason::PageTokenRejected
        | Reason::PageTokenExpired
        | Reason::RequestInvalid
        | Reason::ConditionNotMet
        | Reason::Conflict
        | Reason::QuotaExhausted
        | Reason::ClockSkew
        | Reason::GoogleUnavailable
        | Reason::NetworkUnreachable
        | Reason::ConnectionLost
        | Reason::UnexpectedAnswer => explanation.to_owned(),
    };
    let needs_a_person = match error.class() {
        ErrorClass::Terminal { .. } => true,
        ErrorClass::Transient | ErrorClass::Throttled { .. } | ErrorClass::Conflict => false,
    };
    Problem {
        reason: error.reason.name(),
        message,
        needs_a_person,
    }
}

/// Whether a text of Google can stand in a message.
fn fit_to_show(text: &&str) -> bool {
    text.len() <= 254 && text.chars().all(|letter| letter.is_ascii_graphic())
}

/// Whom a super admin enters on the delegation page.
fn whom(connection: &ChromeEnterpriseConnection, credentials: &CredentialFacts) -> String {
    if let Some(keyless) = &connection.spec.credentials.keyless {
        let account = &keyless.service_account_email;
        return format!(
            "that `gcloud iam service-accounts describe {account} --format='value(uniqueId)'` prints"
        );
    }
    match credentials {
        CredentialFacts::Usable {
            client_id: Some(client_id),
            ..
        } => client_id.clone(),
        CredentialFacts::Usable { client_id: None, .. } | CredentialFacts::Unusable(_) => {
            "of the service account".to_owned()
        }
    }
}

/// Everything that a super admin has to paste, in one sentence.
fn delegation_message(missing: &[&'static str], client: &str, scopes: &[&str]) -> String {
    let found = if missing.is_empty() || missing.len() == scopes.len() {
        "Google does not let the service account act for this customer.".to_owned()
    } else {
        format!(
            "Google does not grant these scopes to the service account: {}.",
            missing.join(",")
        )
    };
    format!(
        "{found} In the Admin console open Security > Access and data control > API controls > Domain-wide delegation, and give the client ID {client} \
         exactly these scopes: {}. Google can take up to 24 hours to apply it; the operator keeps trying.",
        scopes.join(",")
    )
}

/// What is expected in a Secret, and how it gets there.
const fn expected(place: Place<'_>) -> (&'static str, &'static str) {
    match place.kind {
        CredentialKind::AuthorizedUser => (
            "an authorized-user file",
            "Connect with `kubectl chromeos connect`, which signs in and writes the Secret.",
        ),
        CredentialKind::ServiceAccountKey | CredentialKind::Keyless => (
            "a service account key",
            "Put the JSON file into it as Google Cloud made it.",
        ),
    }
}

/// The problem of a Secret that is not there.
pub(crate) fn no_secret(place: Place<'_>) -> Problem {
    let (what, how) = expected(place);
    let Place { secret, key, .. } = place;
    Problem::stalled(
        "SecretNotFound",
        format!("There is no Secret {secret} in this namespace. It should hold {what} under {key}. {how}"),
    )
}

/// The problem of a Secret that does not hold the key.
pub(crate) fn no_key(place: Place<'_>) -> Problem {
    let (what, _) = expected(place);
    let Place { secret, key, .. } = place;
    Problem::stalled(
        "SecretInvalid",
        format!(
            "Secret {secret} has no key {key}. Put {what} under it, or name the right key in secretRef.key."
        ),
    )
}

/// The problem behind a file that cannot be used.
pub(crate) fn of_file(place: Place<'_>, error: &CredentialError) -> Problem {
    let (what, how) = expected(place);
    let Place { secret, key, .. } = place;
    Problem::stalled(
        "SecretInvalid",
        format!("Key {key} of Secret {secret} is not {what}: {error}. {how}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::google::parse_authorized_user;

    const FLEET: &str = "fleet@project.iam.gserviceaccount.com";

    fn connection(credentials: &serde_json::Value) -> ChromeEnterpriseConnection {
        let spec = json!({ "adminEmail": "admin@school.example", "credentials": credentials });
        ChromeEnterpriseConnection::new("school", serde_json::from_value(spec).unwrap())
    }

    fn error(reason: Reason) -> GoogleError {
        GoogleError {
            reason,
            ..GoogleError::without_credentials()
        }
    }

    fn said(reason: Reason, credentials: &serde_json::Value) -> Problem {
        let facts = CredentialFacts::Usable {
            fingerprint: "1".into(),
            client_id: None,
        };
        of_google(&error(reason), &connection(credentials), &facts)
    }

    #[test]
    fn what_is_wrong_with_a_consent_names_what_to_repair() {
        let consent = json!({ "authorizedUser": { "secretRef": { "name": "consent" } } });
        let revoked = said(Reason::CredentialRevoked, &consent);
        assert!(revoked.needs_a_person && revoked.message.contains("kubectl chromeos connect"));
        let missing_scopes = vec!["openid", "email"];
        let partial = said(Reason::ConsentIncomplete { missing_scopes }, &consent);
        assert!(
            partial.message.ends_with("(not granted: openid, email)"),
            "{}",
            partial.message
        );
        let by = |account: &str| {
            let signed_in_as = Some(account.to_owned());
            said(Reason::AccountMismatch { signed_in_as }, &consent).message
        };
        assert!(
            by("other@school.example")
                .contains("(spec.adminEmail: admin@school.example; the consent: other@school.example)")
        );
        for hostile in [
            "a b@x.example",
            "a\u{1b}[31m@x.example",
            "ä@x.example",
            &"a".repeat(300),
        ] {
            assert!(
                by(hostile).ends_with("(spec.adminEmail: admin@school.example)"),
                "{hostile}"
            );
        }
    }

    #[test]
    fn what_is_wrong_without_a_key_names_the_service_account() {
        let keyless = json!({ "keyless": { "serviceAccountEmail": FLEET } });
        let forbidden = said(Reason::SigningForbidden, &keyless);
        assert!(forbidden.needs_a_person && forbidden.message.contains(FLEET));
        let missing_scopes = Vec::new();
        let delegation = said(Reason::DelegationMissing { missing_scopes }, &keyless).message;
        assert!(
            delegation.contains(&format!("describe {FLEET} --format='value(uniqueId)'")),
            "{delegation}"
        );
        assert!(!said(Reason::IdentityUnavailable, &keyless).needs_a_person);
    }

    #[test]
    fn a_file_that_cannot_be_used_has_the_remedy_of_its_kind() {
        let place = |kind| Place {
            kind,
            secret: "google",
            key: "file.json",
        };
        let wrong = parse_authorized_user(b"{}").unwrap_err();
        let consent = of_file(place(CredentialKind::AuthorizedUser), &wrong).message;
        assert!(consent.contains("authorized-user file") && consent.contains("kubectl chromeos connect"));
        let key = of_file(place(CredentialKind::ServiceAccountKey), &wrong).message;
        assert!(key.contains("service account key") && !key.contains("connect"));
        for problem in [
            no_secret(place(CredentialKind::AuthorizedUser)),
            no_key(place(CredentialKind::ServiceAccountKey)),
        ] {
            assert!(problem.message.contains("google") && problem.message.contains("file.json"));
        }
    }
}
