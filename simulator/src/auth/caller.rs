//! Who calls: reads the `Authorization` header of a request to an API.

use std::collections::BTreeSet;

use http::{HeaderMap, header};

use super::keys::{self, Claims};
use super::metadata::WORKLOAD_ACCOUNT;
use super::scopes;
use super::settings::WithoutSubject;
use super::timeframe;
use super::tokens::Holder;
use crate::api_error::ApiError;
use crate::people::Privileges;
use crate::state::SimulatorState;

/// Who calls an API, after the token was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// E-mail address of the user who is acted for, or of the service account itself.
    pub account: String,
    /// The customer of that user, or the one that gave the service account an admin role.
    pub customer_id: Option<String>,
    /// The number of the cloud project whose quota is used.
    pub project: String,
    /// The scopes of the token.
    pub scopes: BTreeSet<String>,
    /// A service account that acts for nobody.
    pub is_service_account_itself: bool,
}

impl Caller {
    /// Checks that the token has at least one of the scopes which the method accepts.
    ///
    /// # Errors
    /// 403 `insufficientPermissions`, which names the accepted scopes.
    pub fn require_any_scope(&self, accepted: &[&str]) -> Result<(), ApiError> {
        if accepted.iter().any(|&scope| self.scopes.contains(scope)) {
            Ok(())
        } else {
            Err(ApiError::insufficient_scopes(accepted))
        }
    }
}

impl SimulatorState {
    /// Who calls the Directory API. `host` is the `Host` header: a self-signed token may name it as its audience.
    ///
    /// # Errors
    /// 401 `required` without a token; 401 `authError` for one that is unknown, expired, revoked or of a
    /// suspended account; 403 `accessNotConfigured` if the API is off in the caller's project.
    pub fn authenticate(&self, headers: &HeaderMap, host: &str) -> Result<Caller, ApiError> {
        let caller = self.identify(headers, host)?;
        let enabled = self
            .auth
            .registry()
            .project(&caller.project)
            .is_none_or(|project| project.api_enabled);
        if enabled {
            Ok(caller)
        } else {
            Err(ApiError::access_not_configured(&caller.project))
        }
    }

    /// What the caller's admin roles allow.
    ///
    /// # Errors
    /// For a service account that acts for nobody and holds no role: 403 `forbidden`, or 503 `backendError` if
    /// the switch says so. For an account that is not there any more, or has never signed in and
    /// accepted the terms: 403 `forbidden`.
    pub fn privileges_of(&self, caller: &Caller) -> Result<Privileges, ApiError> {
        if caller.is_service_account_itself {
            let registry = self.auth.registry();
            let role = registry
                .service_account(&caller.account)
                .and_then(|found| found.admin_role.as_ref());
            return match (role, self.auth.switches().without_subject) {
                (Some(role), _) => Ok(role.privileges),
                (None, WithoutSubject::Forbidden) => Err(ApiError::forbidden()),
                (None, WithoutSubject::Unavailable) => Err(ApiError::unavailable()),
            };
        }
        self.find_user(&caller.account)
            .filter(|user| user.agreed_to_terms)
            .map(|user| user.effective_privileges())
            .ok_or_else(ApiError::forbidden)
    }

    /// Who calls any API, whether the Admin SDK is switched on or not.
    pub(super) fn identify(&self, headers: &HeaderMap, host: &str) -> Result<Caller, ApiError> {
        let token = bearer_token(headers)?;
        let holder = self
            .auth
            .holder_of(token, &self.clock)
            .or_else(|| self.holder_of_self_signed(token, host));
        holder
            .and_then(|holder| self.caller(holder))
            .ok_or_else(ApiError::invalid_credentials)
    }

    /// `None` if the account of the token was suspended or deleted since.
    fn caller(&self, holder: Holder) -> Option<Caller> {
        let customer_id = if holder.account == WORKLOAD_ACCOUNT {
            None
        } else if holder.is_service_account_itself {
            let registry = self.auth.registry();
            let account = registry
                .service_account(&holder.account)
                .filter(|account| !account.deleted)?;
            account.admin_role.as_ref().map(|role| role.customer_id.clone())
        } else {
            Some(
                self.find_user(&holder.account)
                    .filter(|user| !user.suspended)?
                    .customer_id,
            )
        };
        Some(Caller {
            account: holder.account,
            customer_id,
            project: holder.project_number,
            scopes: holder.scopes,
            is_service_account_itself: holder.is_service_account_itself,
        })
    }

    /// A token that a service account signed for an API instead of asking the token endpoint ("Service account
    /// authorization without OAuth"): `iss` and `sub` are the account, `aud` is the service, or `scope` lists
    /// scopes.
    fn holder_of_self_signed(&self, token: &str, host: &str) -> Option<Holder> {
        let unverified = keys::read_unverified(token)?;
        let text = |name: &str| unverified.claims.get(name).and_then(serde_json::Value::as_str);
        let issuer = text("iss")?;
        let registry = self.auth.registry();
        let account = registry
            .service_account(issuer)
            .filter(|account| !account.deleted)?;
        let now = self.auth.google_time(&self.clock);
        let valid = text("sub") == Some(issuer)
            && account.has_signed(token, unverified.key_id.as_deref())
            && timeframe::is_acceptable(&unverified.claims, now);
        if !valid {
            return None;
        }
        Some(Holder {
            account: account.email.clone(),
            project_number: account.project_number.clone(),
            client_id: account.client_id.clone(),
            scopes: self_signed_scopes(&unverified.claims, host)?,
            is_service_account_itself: true,
        })
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let value = headers
        .get(header::AUTHORIZATION)
        .ok_or_else(ApiError::login_required)?;
    let text = value.to_str().map_err(|_| ApiError::invalid_credentials())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(token.trim())
        }
        Some(_) | None => Err(ApiError::invalid_credentials()),
    }
}

/// A token with `scope` has these scopes; one with the service as its audience may do everything there.
fn self_signed_scopes(claims: &Claims, host: &str) -> Option<BTreeSet<String>> {
    if let Some(listed) = claims.get("scope").and_then(serde_json::Value::as_str) {
        return Some(scopes::parse(listed));
    }
    let audience = claims
        .get("aud")
        .and_then(serde_json::Value::as_str)?
        .trim_end_matches('/');
    let services = [
        "https://admin.googleapis.com".to_owned(),
        format!("http://{host}"),
        format!("https://{host}"),
    ];
    services
        .iter()
        .any(|service| service == audience)
        .then(scopes::directory)
}
