//! Which OAuth client sends a code or a refresh token: id and secret in the form or as HTTP Basic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

use super::form::Form;
use super::registry::{ClientState, OAuthClient};
use super::token_error::{TokenError, TokenErrorKind};
use crate::state::SimulatorState;

/// The client whose id and secret the request carries.
///
/// # Errors
/// `invalid_request` without id or secret, `invalid_client` for wrong ones, `disabled_client`, `deleted_client`.
pub(super) fn authenticate(
    state: &SimulatorState,
    headers: &HeaderMap,
    form: &Form,
) -> Result<OAuthClient, TokenError> {
    let (id, secret) = match basic(headers) {
        Some((id, secret)) => (id, Some(secret)),
        None => (
            form.get("client_id").ok_or(TokenErrorKind::NoClient)?.to_owned(),
            form.get("client_secret").map(str::to_owned),
        ),
    };
    let client = state
        .auth
        .registry()
        .client(&id)
        .cloned()
        .ok_or(TokenErrorKind::ClientNotFound)?;
    usable(&client)?;
    match secret {
        None => Err(TokenErrorKind::MissingClientSecret.into()),
        Some(secret) if secret == client.secret => Ok(client),
        Some(_) => Err(TokenErrorKind::WrongClientSecret.into()),
    }
}

/// Refuses a client that was disabled or deleted.
///
/// # Errors
/// `disabled_client`, `deleted_client`.
pub(super) fn usable(client: &OAuthClient) -> Result<(), TokenError> {
    match client.state {
        ClientState::Active => Ok(()),
        ClientState::Disabled => Err(TokenErrorKind::DisabledClient.into()),
        ClientState::Deleted => Err(TokenErrorKind::DeletedClient.into()),
    }
}

/// Id and secret of an HTTP Basic header; both are form-encoded in it (RFC 6749, 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .ok()
    };
    Some((plain(id)?, plain(secret)?))
}
