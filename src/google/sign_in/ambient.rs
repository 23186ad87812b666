//! The token of the identity that this process runs as, from the metadata server of Google's cloud.
//!
//! Source: Google Cloud, "About VM metadata: Authenticate applications". One token serves the whole process.

use std::time::Instant;

use super::exchange;
use crate::google::access_token::AccessToken;
use crate::google::context::GoogleContext;
use crate::google::errors::{GoogleError, Reason};

/// The name under which requests for it are reported.
const METADATA_METHOD: &str = "metadata.token";

/// All that signing needs.
const SCOPE: &str = "https://www.googleapis.com/auth/iam";

/// The token of the process, other than one that was just refused.
pub(super) async fn token(
    context: &GoogleContext,
    refused: Option<&AccessToken>,
) -> Result<AccessToken, GoogleError> {
    context.ambient().token(refused, fetch(context)).await
}

async fn fetch(context: &GoogleContext) -> Result<AccessToken, GoogleError> {
    let started = Instant::now();
    let mut url = context.endpoints().ambient_token();
    url.query_pairs_mut().append_pair("scopes", SCOPE);
    let unavailable = |status, message: &str| GoogleError {
        http_status: status,
        ..GoogleError::local(METADATA_METHOD, Reason::IdentityUnavailable, message)
    };
    let answer = context.http().read_metadata(METADATA_METHOD, &url).await;
    let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
    let token = match answer {
        Ok(answer) if answer.status.is_success() => exchange::read(METADATA_METHOD, &answer)
            .map(|granted| granted.token)
            .map_err(|error| unavailable(error.http_status, &error.google_message)),
        Ok(answer) => Err(unavailable(Some(answer.status.as_u16()), &answer.beginning())),
        Err(error) => Err(unavailable(None, &error.google_message)),
    };
    context.report(METADATA_METHOD, started, &token, bytes);
    token
}
