//! What becomes of a consent that is of no use.
//!
//! Google ends all tokens of an account for an OAuth client together. So a consent is not taken back where a connection
//! lives from an older one of the same account.

use chrome_enterprise_operator::google::{GoogleContext, GoogleError, revoke_token};
use secrecy::SecretString;

/// What became of it.
#[derive(Debug)]
pub(in super::super) enum Ending {
    /// Google has ended it.
    TakenBack,
    /// It was left, because the connection that is there needs its like.
    InUse,
    /// Google could not be asked, or refused.
    Failed(GoogleError),
}

impl Ending {
    /// It, in a sentence.
    pub(in super::super) fn sentence(&self) -> String {
        match self {
            Self::TakenBack => "The consent was taken back at Google.".to_owned(),
            Self::InUse => "The consent was not taken back at Google, because the connection that is there uses one of the \
                            same account."
                .to_owned(),
            Self::Failed(error) => format!(
                "The consent could not be taken back at Google ({}): remove it under myaccount.google.com/connections.",
                error.reason.name()
            ),
        }
    }
}

/// Takes a consent of `account` back, if that is known, unless `in_use` is the same account.
pub(super) async fn end(
    context: &GoogleContext,
    token: &SecretString,
    account: Option<&str>,
    in_use: Option<&str>,
) -> Ending {
    if in_use.is_some_and(|used| account.is_none_or(|account| account.eq_ignore_ascii_case(used))) {
        return Ending::InUse;
    }
    match revoke_token(context, token).await {
        Ok(_) => Ending::TakenBack,
        Err(error) => Ending::Failed(error),
    }
}
