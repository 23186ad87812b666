//! One attempt to sign in: the secrets that tie Google's answer to this program and to one browser.
//!
//! Four of them, each against another mix-up:
//! - The ticket is in the address that is opened here. It takes the browser on to Google, once. So neither the terminal nor
//!   the arguments of a browser's process ever show the state.
//! - The cookie is given with it. An answer that comes from another browser is not ours, even if its state is.
//! - The state goes to Google and comes back (RFC 6749, section 10.12). It is compared in constant time.
//! - The verifier (PKCE, RFC 7636) and the nonce (section 3.1.2.1 of the core specification of `OpenID`) tie code and identity to this attempt: a code
//!   of somebody else's sign-in cannot be redeemed with them.

use chrome_enterprise_operator::google::Endpoints;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ClientFile;
use crate::failure::Failure;

/// What Google adds to a token.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct IdToken {
    /// Who signed in, as a signed text. It is a secret like the token.
    pub(super) id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

pub(super) type Tokens = StandardTokenResponse<IdToken, BasicTokenType>;

pub(super) type GoogleClient = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What the listener has to know.
pub(super) struct Attempt {
    pub(super) ticket: CsrfToken,
    pub(super) cookie: CsrfToken,
    pub(super) state: CsrfToken,
    /// Google's page, with all that it has to know.
    pub(super) page: Url,
}

/// What the exchange has to know.
pub(super) struct Redemption {
    pub(super) client: GoogleClient,
    pub(super) verifier: PkceCodeVerifier,
    pub(super) nonce: CsrfToken,
}

/// Begins an attempt whose answer comes to `redirect`.
///
/// # Errors
/// Never for addresses that are addresses.
pub(super) fn begin(
    endpoints: &Endpoints,
    file: &ClientFile,
    redirect: &str,
    scopes: &[&str],
    login_hint: Option<&str>,
) -> Result<(Attempt, Redemption), Failure> {
    let odd = |error| Failure::new(format!("The address {redirect} cannot be used: {error}."));
    let client: GoogleClient = Client::new(ClientId::new(file.id.clone()))
        .set_client_secret(ClientSecret::new(file.secret.expose_secret().to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_auth_uri(AuthUrl::from_url(endpoints.authorize().clone()))
        .set_token_uri(TokenUrl::from_url(endpoints.token().clone()))
        .set_redirect_uri(RedirectUrl::new(redirect.to_owned()).map_err(odd)?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let nonce = CsrfToken::new_random();
    let mut request = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
        .set_pkce_challenge(challenge)
        .add_extra_param("nonce", nonce.secret())
        .add_extra_param("access_type", "offline")
        .add_extra_param("prompt", "consent");
    if let Some(hint) = login_hint {
        request = request.add_extra_param("login_hint", hint.to_owned());
    }
    let (page, state) = request.url();
    let attempt = Attempt {
        ticket: CsrfToken::new_random(),
        cookie: CsrfToken::new_random(),
        state,
        page,
    };
    let redemption = Redemption {
        client,
        verifier,
        nonce,
    };
    Ok((attempt, redemption))
}
