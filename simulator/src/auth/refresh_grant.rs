//! The grant of refresh tokens.

use http::HeaderMap;
use serde_json::{Value, json};

use super::form::Form;
use super::token_error::{TokenError, TokenErrorKind};
use super::{client_auth, identity, scopes, token_endpoint};
use crate::state::SimulatorState;

pub(super) fn grant(state: &SimulatorState, headers: &HeaderMap, form: &Form) -> Result<Value, TokenError> {
    let client = client_auth::authenticate(state, headers, form)?;
    let token = form.require("refresh_token")?;
    let now = state.auth.expiry_time(&state.clock);
    let mut holder = state
        .auth
        .tokens()
        .use_refresh(token, now)
        .filter(|holder| holder.client_id == client.client_id)
        .ok_or(TokenErrorKind::TokenExpiredOrRevoked)?;
    let user = state
        .find_user(&holder.account)
        .ok_or(TokenErrorKind::AccountDeleted)?;
    if user.suspended {
        return Err(TokenErrorKind::TokenExpiredOrRevoked.into());
    }
    if let Some(wanted) = form.get("scope") {
        let wanted = scopes::parse(wanted);
        if !wanted.is_subset(&holder.scopes) {
            return Err(TokenErrorKind::InvalidScope.into());
        }
        holder.scopes = wanted;
    }
    let granted = holder.scopes.clone();
    let mut body = token_endpoint::issue(state, holder, Some(token))?;
    body["scope"] = json!(scopes::join(&granted));
    identity::add_id_token(state, &mut body, &client.client_id, &user, &granted, None)?;
    Ok(body)
}
