//! The two exchanges of an admin's consent that its browser does not make: the code for a token, and taking it back.

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::context::GoogleContext;
use super::errors::GoogleError;
use super::token_refusal;

/// Sends the form with which a code is redeemed, once, and gives Google's answer to it.
///
/// # Errors
/// When Google cannot be asked or gives no token. The message says what Google said.
pub async fn redeem_code(context: &GoogleContext, form: Vec<u8>) -> Result<Bytes, GoogleError> {
    let url = context.endpoints().token();
    let answer = context.http().post_form("oauth2.token", url, form.into()).await?;
    if answer.status.is_success() {
        Ok(answer.body)
    } else {
        Err(token_refusal::judge(&answer))
    }
}

/// Ends a token, and the consent that it came from.
///
/// # Errors
/// When Google cannot be asked or refuses. A token that Google does not know any more is ended.
pub async fn revoke_token(context: &GoogleContext, token: &SecretString) -> Result<(), GoogleError> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token.expose_secret())
        .finish();
    let url = context.endpoints().revoke();
    let answer = context
        .http()
        .post_form("oauth2.revoke", url, form.into())
        .await?;
    if answer.status.is_success() || answer.beginning().contains("invalid_token") {
        Ok(())
    } else {
        Err(token_refusal::judge(&answer))
    }
}
