//! Reading the address with which Google sends the browser back.

use std::collections::BTreeMap;

use oauth2::{AuthorizationCode, CsrfToken};
use url::form_urlencoded;

use crate::output::clean;

/// Who answers (RFC 9207; Google sends it since 2024). It is the same name behind a gateway.
const ISSUER: &str = "https://accounts.google.com";

/// Longest query that is read. Google's codes have at most 256 bytes.
const LIMIT: usize = 8 * 1024;

/// What came back with the state of this attempt.
pub(super) enum Answer {
    /// Google gave a code.
    Code(AuthorizationCode),
    /// Google, or the person there, gave none. The name of the error is Google's.
    Error(String),
}

/// Why an answer does not count.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotOurs {
    /// It has not the state of this attempt.
    State,
    /// It says that it comes from somebody else than Google.
    Issuer,
    /// It has our state, and cannot be read.
    Unreadable,
}

/// Reads it.
///
/// # Errors
/// When it is not the answer to this attempt.
pub(super) fn read(query: &str, state: &CsrfToken) -> Result<Answer, NotOurs> {
    if query.len() > LIMIT {
        return Err(NotOurs::State);
    }
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        // RFC 6749, section 3.1: no parameter comes twice.
        if fields.insert(name, value).is_some() {
            return Err(NotOurs::State);
        }
    }
    let given = fields.remove("state").ok_or(NotOurs::State)?;
    // In constant time: the library compares digests.
    if CsrfToken::new(given) != *state {
        return Err(NotOurs::State);
    }
    if fields.get("iss").is_some_and(|issuer| issuer != ISSUER) {
        return Err(NotOurs::Issuer);
    }
    match (fields.remove("error"), fields.remove("code")) {
        (Some(error), _) => Ok(Answer::Error(clean(&error).chars().take(100).collect())),
        (None, Some(code)) if !code.is_empty() => Ok(Answer::Code(AuthorizationCode::new(code))),
        (None, _) => Err(NotOurs::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_this_attempt_counts() {
        let state = CsrfToken::new("right".to_owned());
        for (query, expected) in [
            ("state=right&code=c", Ok("code c")),
            (
                "state=right&code=c&iss=https%3A%2F%2Faccounts.google.com&scope=a",
                Ok("code c"),
            ),
            ("state=right&error=access_denied", Ok("error access_denied")),
            ("state=right&error=%1b%5B2J", Ok("error \\u{1b}[2J")),
            ("", Err(NotOurs::State)),
            ("code=c", Err(NotOurs::State)),
            ("state=wrong&code=c", Err(NotOurs::State)),
            ("state=&code=c", Err(NotOurs::State)),
            ("state=right&state=right&code=c", Err(NotOurs::State)),
            ("state=right&code=c&code=d", Err(NotOurs::State)),
            (
                "state=right&code=c&iss=https%3A%2F%2Fevil.example",
                Err(NotOurs::Issuer),
            ),
            ("state=right&code=c&iss=", Err(NotOurs::Issuer)),
            ("state=right", Err(NotOurs::Unreadable)),
            ("state=right&code=", Err(NotOurs::Unreadable)),
        ] {
            let read = read(query, &state).map(|answer| match answer {
                Answer::Code(code) => format!("code {}", code.secret()),
                Answer::Error(error) => format!("error {error}"),
            });
            assert_eq!(read, expected.map(str::to_owned), "{query}");
        }
    }
}
