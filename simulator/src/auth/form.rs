//! Forms (`application/x-www-form-urlencoded`) as Google's OAuth endpoints read them: a parameter counts once.

use http::{HeaderMap, header};

use super::token_error::TokenError;

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body. One of another content type has no parameters: that is how Google treats JSON.
    ///
    /// # Errors
    /// `invalid_request` if a parameter is there twice.
    pub(super) fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, TokenError> {
        let is_form = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .to_ascii_lowercase()
                    .starts_with("application/x-www-form-urlencoded")
            });
        if is_form {
            Self::parse(body)
        } else {
            Ok(Self::default())
        }
    }

    /// Reads the part of an address behind `?`.
    ///
    /// # Errors
    /// `invalid_request` if a parameter is there twice.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self, TokenError> {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    fn parse(text: &[u8]) -> Result<Self, TokenError> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text).into_owned().collect();
        for (position, (name, _)) in pairs.iter().enumerate() {
            if name != REPEATABLE && pairs.iter().skip(position + 1).any(|(other, _)| other == name) {
                return Err(TokenError::invalid_request(format!(
                    "OAuth 2 parameters can only have a single value: {name}"
                )));
            }
        }
        Ok(Self(pairs))
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A parameter that is there, empty or not.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of the one parameter that may be repeated.
    pub(super) fn granted_scopes(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|(name, _)| name == REPEATABLE)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter which the request must have.
    ///
    /// # Errors
    /// `invalid_request` that names it.
    pub(super) fn require(&self, name: &str) -> Result<&str, TokenError> {
        self.get(name)
            .ok_or_else(|| TokenError::invalid_request(format!("Missing required parameter: {name}")))
    }
}

/// The ticks on the consent page.
pub(super) const REPEATABLE: &str = "granted_scope";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(content_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers
    }

    #[test]
    fn json_has_no_parameters_and_twice_is_an_error() {
        let form = Form::of_body(&headers("application/json"), b"{}").unwrap();
        assert!(form.require("grant_type").is_err());
        let form_type = headers("application/x-www-form-urlencoded; charset=utf-8");
        let form = Form::of_body(&form_type, b"a=1%202&b=").unwrap();
        assert_eq!(
            (form.get("a"), form.get("b"), form.raw("b")),
            (Some("1 2"), None, Some(""))
        );
        assert!(Form::of_body(&form_type, b"a=1&a=2").is_err());
    }
}
