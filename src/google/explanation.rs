//! What is said of every failure: what happened, and what to do about it.

use super::credential::CredentialKind;
use super::errors::Reason;

impl Reason {
    /// The same as [`explanation`](Self::explanation), with the remedy that fits this way of signing in.
    #[must_use]
    pub const fn explanation_for(&self, kind: CredentialKind) -> &'static str {
        match (self, kind) {
            (Self::CredentialRevoked, CredentialKind::ServiceAccountKey) => {
                "Google no longer accepts the credential. Check that the admin account is active and that the service account and its key exist; else create a new key and put it into the Secret."
            }
            (Self::CredentialRevoked, CredentialKind::AuthorizedUser) => {
                "Google no longer accepts the consent: it was revoked or has expired, the password or a policy changed, or the account or the OAuth client is gone. Connect again with `kubectl chromeos connect`, which renews the Secret."
            }
            (Self::CredentialRevoked, CredentialKind::Keyless) => {
                "Google no longer accepts the service account. Check that it exists and is not disabled, and that the admin account is active."
            }
            (Self::ScopeMissing, CredentialKind::AuthorizedUser) => {
                "The access token lacks a scope. Connect again with `kubectl chromeos connect`, and tick every box on Google's page."
            }
            (Self::ScopeMissing, CredentialKind::ServiceAccountKey | CredentialKind::Keyless) => {
                "The access token lacks a scope. Compare the scopes on the Domain-wide delegation page with those in the status."
            }
            (Self::ApiDisabled, CredentialKind::AuthorizedUser) => {
                "The Admin SDK API is switched off. Enable it in the Google Cloud project of the OAuth client."
            }
            (Self::ApiDisabled, CredentialKind::ServiceAccountKey | CredentialKind::Keyless) => {
                "The Admin SDK API is switched off. Enable it in the Google Cloud project of the service account."
            }
            (
                _,
                CredentialKind::ServiceAccountKey | CredentialKind::AuthorizedUser | CredentialKind::Keyless,
            ) => self.explanation(),
        }
    }

    /// What happened and what to do about it, as one fixed sentence or two.
    #[must_use]
    pub const fn explanation(&self) -> &'static str {
        match self {
            Self::DelegationMissing { .. } => {
                "The service account lacks domain-wide delegation for the scopes. Add its client ID with the scopes on the Domain-wide delegation page of the Admin console; Google can take up to 24 hours to apply it."
            }
            Self::CredentialRevoked => {
                "Google no longer accepts the credential. Check that the admin account is active; else sign in anew."
            }
            Self::ConsentIncomplete { .. } => {
                "The admin did not grant everything that is needed. Connect again with `kubectl chromeos connect`, and tick every box on Google's page."
            }
            Self::AccountMismatch { .. } => {
                "The consent was given by another account than the admin account that is named. Connect again with `kubectl chromeos connect` as that account, or name the account that gave it."
            }
            Self::IdentityUnavailable => {
                "The operator has no identity of its own to sign with: the metadata server gave no token. Run it on Google Cloud with a service account (on GKE with Workload Identity), or set --google-metadata-endpoint; it is tried again."
            }
            Self::SigningForbidden => {
                "The operator's identity may not sign for the service account. Grant it roles/iam.serviceAccountTokenCreator on that service account, and enable the IAM Service Account Credentials API (iamcredentials.googleapis.com)."
            }
            Self::KeylessNotAllowed => {
                "The operator may not sign in for the customer of this admin account here. Whoever runs the operator decides that, with --allow-keyless."
            }
            Self::KeyInvalid => {
                "The private key in the Secret cannot be used. Put the key file into it as Google Cloud made it."
            }
            Self::AccountNotFound => {
                "Google knows no such admin account, or it is suspended. Give the primary e-mail address of an active administrator."
            }
            Self::AccountSuspended => {
                "The admin account is suspended or archived. Restore it, or name another administrator."
            }
            Self::AccountNotAdmin => {
                "The account is no administrator. Assign it an admin role that may manage ChromeOS devices and read org units and users."
            }
            Self::AccessBlocked => {
                "A policy of the customer blocks this program. Mark it as trusted under API controls in the Admin console."
            }
            Self::PrivilegeMissing => {
                "The admin account is not allowed to do this. Check that it belongs to this customer and that its admin role may manage ChromeOS devices and read org units and users."
            }
            Self::ScopeMissing => {
                "The access token lacks a scope. Compare the scopes that are granted with those in the status."
            }
            Self::ApiDisabled => {
                "The Admin SDK API is switched off. Enable it in the Google Cloud project that the credential belongs to."
            }
            Self::DomainApiAccessDisabled => {
                "API access is switched off for the domain. Switch it on under API controls in the Admin console."
            }
            Self::CustomerNotFound => {
                "Google knows no such customer. Check the customer ID, or use my_customer."
            }
            Self::OrgUnitNotFound => "Google knows no such org unit. Check its path in the Admin console.",
            Self::NotFound => "Google knows no such object.",
            Self::InvalidQuery => "Google does not accept the device query. Correct it.",
            Self::PageSizeRange { .. } => {
                "Google does not accept the page size. Use one in the range it names."
            }
            Self::PageTokenRejected => "Google refused its own page token. The listing starts again.",
            Self::PageTokenExpired => {
                "The listing lasted longer than Google allows. It starts again; list in smaller parts."
            }
            Self::RequestInvalid => "Google does not accept the request.",
            Self::ConditionNotMet => "The object is not in a state that allows this.",
            Self::Conflict => "Somebody else changed the object at the same time. It is read again.",
            Self::QuotaExhausted => {
                "Google's quota is used up. It is tried again later; ask for more quota in the Google Cloud console if this stays."
            }
            Self::ClockSkew => {
                "Google refuses the signed request because of its times. Correct the clock of the machine."
            }
            Self::GoogleUnavailable => "Google is not available now. It is tried again.",
            Self::NetworkUnreachable => {
                "Google could not be reached. Check network, proxy and certificate authorities; it is tried again."
            }
            Self::ConnectionLost => "The connection to Google broke or timed out. It is tried again.",
            Self::UnexpectedAnswer => {
                "Something else than Google answered, or the answer is damaged. Check proxy and endpoint; it is tried again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_fits_the_way_of_signing_in() {
        let says = |reason: &Reason, kind, word: &str| reason.explanation_for(kind).contains(word);
        let (key, consent, keyless) = (
            CredentialKind::ServiceAccountKey,
            CredentialKind::AuthorizedUser,
            CredentialKind::Keyless,
        );
        for reason in [
            Reason::CredentialRevoked,
            Reason::ScopeMissing,
            Reason::ApiDisabled,
        ] {
            assert!(!says(&reason, consent, "service account"), "{reason:?}");
            for kind in [key, keyless] {
                assert!(!says(&reason, kind, "connect"), "{reason:?}");
            }
            for kind in [key, consent, keyless] {
                assert!(reason.explanation_for(kind).ends_with('.'), "{reason:?}");
            }
        }
        assert!(says(&Reason::CredentialRevoked, key, "new key"));
        assert!(says(
            &Reason::CredentialRevoked,
            consent,
            "kubectl chromeos connect"
        ));
        assert!(!says(&Reason::CredentialRevoked, keyless, "key "));
        assert_eq!(
            Reason::NotFound.explanation_for(consent),
            Reason::NotFound.explanation()
        );
    }
}
