//! The grant of service accounts: a signed assertion, with or without a user to act for.
//!
//! Source: "Using OAuth 2.0 for Server to Server Applications".

use std::collections::BTreeSet;

use serde_json::Value;

use super::form::Form;
use super::keys::{self, Claims};
use super::registry::ServiceAccount;
use super::token_endpoint::{self, PATHS};
use super::token_error::{TokenError, TokenErrorKind};
use super::tokens::Holder;
use super::{scopes, timeframe};
use crate::state::SimulatorState;

pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// What most client libraries write as audience, whatever address they talk to.
const GOOGLE_AUDIENCE: &str = "https://oauth2.googleapis.com/token";

pub(super) fn grant(state: &SimulatorState, form: &Form, host: &str) -> Result<Value, TokenError> {
    let assertion = form.require("assertion")?;
    let unverified = keys::read_unverified(assertion).ok_or(TokenErrorKind::BadRequest)?;
    let account = {
        let registry = state.auth.registry();
        let issuer = text(&unverified.claims, "iss").unwrap_or_default();
        registry
            .service_account(issuer)
            .filter(|account| !account.deleted)
            .cloned()
    }
    .ok_or(TokenErrorKind::AccountNotFound)?;
    if !account.has_signed(assertion, unverified.key_id.as_deref()) {
        return Err(TokenErrorKind::InvalidSignature.into());
    }
    let claims = unverified.claims;
    if !is_own_audience(text(&claims, "aud").unwrap_or_default(), host) {
        return Err(TokenErrorKind::WrongAudience.into());
    }
    if !timeframe::is_acceptable(&claims, state.auth.google_time(&state.clock)) {
        return Err(TokenErrorKind::InvalidTimeframe.into());
    }
    let requested = scopes::parse(text(&claims, "scope").unwrap_or_default());
    let holder = holder(state, &account, &claims, requested)?;
    token_endpoint::issue(state, holder, None)
}

fn holder(
    state: &SimulatorState,
    account: &ServiceAccount,
    claims: &Claims,
    requested: BTreeSet<String>,
) -> Result<Holder, TokenError> {
    let subject = subject(claims)?.filter(|subject| !subject.eq_ignore_ascii_case(&account.email));
    let Some(subject) = subject else {
        check_scopes_exist(&requested, &BTreeSet::new())?;
        return Ok(new_holder(account, account.email.clone(), requested, true));
    };
    if !subject.contains('@') {
        return Err(TokenErrorKind::SubjectNotAnEmail.into());
    }
    let user = state.find_user(&subject).ok_or(TokenErrorKind::UnknownSubject)?;
    let delegated = state
        .auth
        .registry()
        .delegated(&account.client_id, &user.customer_id);
    check_scopes_exist(&requested, &delegated)?;
    if !requested.is_subset(&delegated) {
        let older = state.auth.switches().older_unauthorized_text;
        return Err(if older {
            TokenErrorKind::UnauthorizedClientOlderText.into()
        } else {
            TokenErrorKind::UnauthorizedClient.into()
        });
    }
    if user.suspended
        && let Some(kind) = state.auth.switches().suspended_subject
    {
        return Err(kind.into());
    }
    Ok(new_holder(account, user.primary_email, requested, false))
}

fn new_holder(
    account: &ServiceAccount,
    acting_for: String,
    scopes: BTreeSet<String>,
    is_service_account_itself: bool,
) -> Holder {
    Holder {
        account: acting_for,
        project_number: account.project_number.clone(),
        client_id: account.client_id.clone(),
        scopes,
        is_service_account_itself,
    }
}

/// The user to act for, if there is one.
fn subject(claims: &Claims) -> Result<Option<String>, TokenError> {
    match claims.get("sub") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(subject)) if !subject.trim().is_empty() => Ok(Some(subject.trim().to_owned())),
        Some(_) => Err(TokenErrorKind::InvalidSubject.into()),
    }
}

/// A scope that somebody delegated exists, whatever its name.
fn check_scopes_exist(requested: &BTreeSet<String>, delegated: &BTreeSet<String>) -> Result<(), TokenError> {
    let exist = requested
        .iter()
        .all(|scope| scopes::is_known(scope) || delegated.contains(scope));
    if exist && !requested.is_empty() {
        Ok(())
    } else {
        Err(TokenErrorKind::InvalidScope.into())
    }
}

/// Google's address, or this simulator's as the client sees it: the `Host` header decides, because a proxy may
/// stand between.
fn is_own_audience(audience: &str, host: &str) -> bool {
    let without_scheme = audience
        .strip_prefix("https://")
        .or_else(|| audience.strip_prefix("http://"));
    audience == GOOGLE_AUDIENCE
        || without_scheme
            .and_then(|rest| rest.strip_prefix(host))
            .is_some_and(|path| !host.is_empty() && PATHS.contains(&path))
}

/// Issuer and subject of an assertion, before anything is verified.
pub(super) fn names_in(assertion: &str) -> Vec<String> {
    keys::read_unverified(assertion).map_or_else(Vec::new, |token| {
        ["iss", "sub"]
            .iter()
            .filter_map(|name| text(&token.claims, name))
            .map(str::to_owned)
            .collect()
    })
}

/// The scopes that an assertion asks for, before anything is verified.
pub(super) fn scopes_in(assertion: &str) -> Option<String> {
    let token = keys::read_unverified(assertion)?;
    text(&token.claims, "scope").map(str::to_owned)
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_is_google_or_the_address_that_the_client_used() {
        let host = "127.0.0.1:18080";
        for good in [
            "https://oauth2.googleapis.com/token",
            "http://127.0.0.1:18080/token",
            "https://127.0.0.1:18080/token",
            "http://127.0.0.1:18080/oauth2/v4/token",
        ] {
            assert!(is_own_audience(good, host), "{good}");
        }
        for bad in [
            "",
            "https://oauth2.googleapis.com/",
            "http://127.0.0.1:1808/token",
            "http://127.0.0.1:18080/x",
        ] {
            assert!(!is_own_audience(bad, host), "{bad}");
        }
        assert!(!is_own_audience("http:///token", ""));
    }
}
