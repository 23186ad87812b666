//! Redeeming the code, and finding out who signed in and what was granted.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrome_enterprise_operator::google::{GoogleContext, GoogleError, redeem_code};
use oauth2::{AuthorizationCode, CsrfToken, RequestTokenError, TokenResponse as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::ClientFile;
use super::attempt::{Redemption, Tokens};
use crate::failure::Failure;
use crate::output::clean;

const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// What an admin granted.
#[derive(Debug)]
pub(in super::super) struct Grant {
    account: String,
    /// The file that goes into the Secret.
    authorized_user: SecretString,
    token: SecretString,
}

impl Grant {
    /// The account that signed in.
    pub(in super::super) fn account(&self) -> &str {
        &self.account
    }

    pub(in super::super) const fn authorized_user(&self) -> &SecretString {
        &self.authorized_user
    }

    /// The token that the consent ends with.
    pub(super) const fn token(&self) -> &SecretString {
        &self.token
    }
}

/// Why there is no grant.
pub(super) enum NoGrant {
    /// Google gave no token.
    NoToken(Failure),
    /// It gave one that is of no use. It has to be taken back.
    OfNoUse {
        token: SecretString,
        /// Whose it is, if that is known.
        account: Option<String>,
        failure: Failure,
    },
}

/// The claims of an ID token that matter here.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
}

/// Redeems the code: once, whatever comes of it.
pub(super) async fn redeem(
    context: &GoogleContext,
    file: &ClientFile,
    redemption: Redemption,
    code: AuthorizationCode,
    scopes: &[&str],
) -> Result<Grant, NoGrant> {
    let Redemption {
        client,
        verifier,
        nonce,
    } = redemption;
    // The library makes the form and reads the answer; the way to Google is that of everything else, with its proxy,
    // certificate authorities and limits.
    let send = async |request: oauth2::HttpRequest| {
        let body = redeem_code(context, request.into_body()).await?;
        Ok::<_, GoogleError>(oauth2::HttpResponse::new(body.to_vec()))
    };
    let tokens = client
        .exchange_code(code)
        .set_pkce_verifier(verifier)
        .request_async(&|request| send(request))
        .await
        .map_err(|error| NoGrant::NoToken(no_token(error)))?;
    let access = SecretString::from(tokens.access_token().secret().clone());
    let Some(refresh) = tokens.refresh_token().map(|token| token.secret().clone()) else {
        let failure = Failure::new("Google gave no refresh token, so the operator could not sign in later.")
            .advise("Make an OAuth client of type \"Desktop app\" and try again.");
        return Err(NoGrant::OfNoUse {
            token: access,
            account: who(&tokens, &file.id, &nonce).ok(),
            failure,
        });
    };
    let token = SecretString::from(refresh.clone());
    let who = who(&tokens, &file.id, &nonce);
    let account = granted(&tokens, scopes)
        .and_then(|()| who.clone())
        .map_err(|failure| NoGrant::OfNoUse {
            token: token.clone(),
            account: who.ok(),
            failure,
        })?;
    let user = json!({
        "type": "authorized_user",
        "client_id": file.id,
        "client_secret": file.secret.expose_secret(),
        "refresh_token": refresh,
    });
    Ok(Grant {
        account,
        authorized_user: user.to_string().into(),
        token,
    })
}

fn no_token<T: oauth2::ErrorResponse + 'static>(error: RequestTokenError<GoogleError, T>) -> Failure {
    let failure = match error {
        RequestTokenError::Request(error) => Failure::new(format!(
            "Google gave no token for the sign-in: {} ({}).",
            clean(&error.google_message),
            error.reason.name()
        )),
        // What was sent may stand in these, so nothing of them is shown.
        RequestTokenError::ServerResponse(_)
        | RequestTokenError::Parse(_, _)
        | RequestTokenError::Other(_) => {
            Failure::new("Google gave no token for the sign-in: its answer cannot be read.")
        }
    };
    failure.advise("Check the network and the OAuth client, then try again. Nothing was written.")
}

/// An admin may untick single scopes.
fn granted(tokens: &Tokens, scopes: &[&str]) -> Result<(), Failure> {
    // RFC 6749, section 5.1: no list means that everything was granted.
    let Some(list) = tokens.scopes() else {
        return Ok(());
    };
    let list: BTreeSet<&str> = list.iter().flat_map(|scope| scope.split(' ')).collect();
    let missing: Vec<&str> = scopes
        .iter()
        .copied()
        .filter(|scope| !list.contains(scope))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Not everything was allowed. These are missing: {}.",
        missing.join(", ")
    ))
    .advise("Try again and leave all boxes of Google's page ticked."))
}

/// Who signed in. The token came from Google itself over TLS, so its signature needs no check (section
/// 3.1.3.7, item 6, of its core specification).
fn who(tokens: &Tokens, client_id: &str, nonce: &CsrfToken) -> Result<String, Failure> {
    let unknown = |why: &str| {
        Failure::new(format!("Google does not say who signed in: {why}."))
            .advise("Try again and leave all boxes of Google's page ticked.")
    };
    let id_token = tokens
        .extra_fields()
        .id_token
        .as_deref()
        .ok_or_else(|| unknown("there is no ID token"))?;
    let payload = id_token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| unknown("the ID token is damaged"))?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| unknown("the ID token is damaged"))?;
    if !ISSUERS.contains(&claims.iss.as_str()) || claims.aud != client_id {
        return Err(unknown("the ID token is somebody else's"));
    }
    if claims.nonce.is_none_or(|given| CsrfToken::new(given) != *nonce) {
        return Err(unknown("the ID token is of another sign-in"));
    }
    match (claims.email, claims.email_verified) {
        (Some(email), Some(true)) => Ok(email),
        _ => Err(unknown("it gives no e-mail address that it verified")),
    }
}
