//! Redeeming the code of a consent.

use std::time::Instant;

use bytes::Bytes;

use crate::google::context::GoogleContext;
use crate::google::errors::GoogleError;
use crate::google::token::TOKEN_METHOD;
use crate::google::token_refusal;

/// Sends the form with which a code is redeemed, and gives Google's answer to it. It is sent once: a code is good for one
/// request, and the answer to a second one would hide what became of the first.
///
/// # Errors
/// When Google cannot be asked or gives no token. The message says what Google said.
pub async fn redeem_code(context: &GoogleContext, form: Vec<u8>) -> Result<Bytes, GoogleError> {
    let started = Instant::now();
    let url = context.endpoints().token();
    let answer = context.http().post_form(TOKEN_METHOD, url, form.into()).await;
    let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
    let redeemed = answer.and_then(|answer| {
        if answer.status.is_success() {
            Ok(answer.body)
        } else {
            Err(token_refusal::judge(TOKEN_METHOD, &answer))
        }
    });
    context.report(TOKEN_METHOD, started, &redeemed, bytes);
    redeemed
}
