//! Signing in as a service account without its key: Google signs the request, asked by the identity that the operator
//! runs as.
//!
//! Sources: IAM Service Account Credentials API, "Method: projects.serviceAccounts.signJwt"; Google, "Using OAuth 2.0
//! for Server to Server Applications".

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{ambient, exchange};
use crate::google::access_token::AccessToken;
use crate::google::context::GoogleContext;
use crate::google::credential::Keyless;
use crate::google::directory::GET_USER;
use crate::google::errors::{GoogleError, Reason};
use crate::google::http::Answer;
use crate::google::mask;
use crate::google::models::User;
use crate::google::page::{read_json, unexpected};
use crate::google::refusal::{self, Asked, Subject};

/// The name under which signing is reported.
const SIGN_METHOD: &str = "iamcredentials.projects.serviceAccounts.signJwt";

/// Longest life that Google accepts of a signed request.
const LIFE_SECONDS: i64 = 3600;

/// A service account that is signed for, and the admin that it acts as.
pub(in crate::google) struct KeylessSignIn {
    context: GoogleContext,
    keyless: Keyless,
    subject: String,
    /// An account does not change its customer, so it is asked for once.
    admitted: AtomicBool,
}

impl KeylessSignIn {
    pub(super) fn new(context: &GoogleContext, keyless: Keyless, subject: &str) -> Self {
        Self {
            context: context.clone(),
            keyless,
            subject: subject.to_owned(),
            admitted: AtomicBool::new(false),
        }
    }

    /// A token for these scopes.
    pub(super) async fn fetch(&self, scopes: &[&'static str]) -> Result<AccessToken, GoogleError> {
        let assertion = self.signed(scopes).await?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.as_str()),
        ];
        Ok(exchange::token(&self.context, &form).await?.token)
    }

    /// Has Google sign the request for a token.
    async fn signed(&self, scopes: &[&'static str]) -> Result<String, GoogleError> {
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "iss": self.keyless.service_account(),
            "sub": self.subject,
            "scope": scopes.join(" "),
            "aud": self.context.endpoints().token(),
            "iat": now,
            "exp": now + LIFE_SECONDS,
        });
        let payload = json!({ "payload": claims.to_string() }).to_string();
        let identity = ambient::token(&self.context, None).await?;
        match self.sign(&payload, &identity).await? {
            Signature::Made(jwt) => Ok(jwt),
            // The token of the process may have died early; another one helps, or nothing does.
            Signature::UnknownCaller => {
                let identity = ambient::token(&self.context, Some(&identity)).await?;
                match self.sign(&payload, &identity).await? {
                    Signature::Made(jwt) => Ok(jwt),
                    Signature::UnknownCaller => Err(GoogleError {
                        http_status: Some(StatusCode::UNAUTHORIZED.as_u16()),
                        ..GoogleError::local(
                            SIGN_METHOD,
                            Reason::IdentityUnavailable,
                            "the token of the metadata server was refused",
                        )
                    }),
                }
            }
        }
    }

    async fn sign(&self, payload: &str, identity: &AccessToken) -> Result<Signature, GoogleError> {
        let started = Instant::now();
        let account = self.keyless.service_account();
        let url = self.context.endpoints().sign_jwt(SIGN_METHOD, account)?;
        let body = payload.to_owned().into();
        let http = self.context.http();
        let answer = http
            .post_json(SIGN_METHOD, &url, identity.authorization(), body)
            .await;
        let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
        let signature = answer.and_then(|answer| judge(&answer));
        self.context.report(SIGN_METHOD, started, &signature, bytes);
        signature
    }

    /// Finds out whether the admin account belongs to a customer that the operator may sign in for.
    pub(super) async fn admit(&self, token: &AccessToken) -> Result<(), GoogleError> {
        let customers = self.keyless.customers();
        if customers.is_empty() || self.admitted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let user = self.admin(token).await?;
        if user
            .customer_id
            .is_some_and(|customer| customers.contains(&customer))
        {
            self.admitted.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let message = "the admin account belongs to another customer";
        Err(GoogleError::local(GET_USER, Reason::KeylessNotAllowed, message))
    }

    /// The admin account. It is read once, so it needs no turn under the quota.
    async fn admin(&self, token: &AccessToken) -> Result<User, GoogleError> {
        let started = Instant::now();
        let segments = ["users", self.subject.as_str()];
        let mut url = self.context.endpoints().directory(GET_USER, &segments)?;
        url.query_pairs_mut().append_pair("fields", mask::USER);
        let answer = self
            .context
            .http()
            .read(GET_USER, &url, token.authorization())
            .await;
        let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
        let user = answer.and_then(|answer| {
            if answer.status.is_success() {
                read_json(GET_USER, &answer)
            } else {
                Err(refusal::judge(&answer, asked(GET_USER)))
            }
        });
        self.context.report(GET_USER, started, &user, bytes);
        user
    }
}

/// What came of a wish to have something signed.
enum Signature {
    Made(String),
    /// The token of the process is no good.
    UnknownCaller,
}

const fn asked(method: &'static str) -> Asked<'static> {
    Asked {
        method,
        subject: Subject::User,
        page_token: None,
        query: None,
    }
}

fn judge(answer: &Answer) -> Result<Signature, GoogleError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Signed {
        signed_jwt: Option<String>,
    }
    if answer.status.is_success() {
        let signed: Signed = read_json(SIGN_METHOD, answer)?;
        let jwt = signed.signed_jwt.filter(|jwt| !jwt.is_empty());
        let jwt = jwt.ok_or_else(|| unexpected(SIGN_METHOD, answer.status, "the answer holds no signed JWT"));
        return jwt.map(Signature::Made);
    }
    if refusal::wants_new_token(answer) {
        return Ok(Signature::UnknownCaller);
    }
    let error = refusal::judge(answer, asked(SIGN_METHOD));
    let forbidden = matches!(
        error.reason,
        Reason::PrivilegeMissing | Reason::AccountNotFound | Reason::ApiDisabled | Reason::ScopeMissing
    );
    Err(GoogleError {
        reason: if forbidden {
            Reason::SigningForbidden
        } else {
            error.reason
        },
        ..error
    })
}
