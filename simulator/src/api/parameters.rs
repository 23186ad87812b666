//! Query parameters of the Directory API, checked as strictly as Google checks them.

use crate::api_error::ApiError;
use crate::random::Draw;

/// Parameters that every method takes ("system parameters").
const COMMON: [&str; 11] = [
    "alt",
    "fields",
    "key",
    "prettyPrint",
    "quotaUser",
    "access_token",
    "oauth_token",
    "callback",
    "uploadType",
    "upload_protocol",
    "$.xgafv",
];

/// The decoded parameters of one request, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// Reads a query string; `+` and `%20` are blanks.
    pub(crate) fn parse(query: &str) -> Self {
        Self {
            pairs: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        }
    }

    /// The first value of a parameter, empty ones too.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter if it is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether answers are written with line breaks; they are unless `prettyPrint=false` is asked for.
    pub(crate) fn pretty(&self) -> bool {
        !matches!(self.get("prettyPrint"), Some("false" | "0"))
    }

    /// Refuses parameters that neither the method nor the system has, and answers that are not JSON.
    pub(crate) fn check_names(&self, allowed: &[&str]) -> Result<(), ApiError> {
        let known = |name: &str| allowed.contains(&name) || COMMON.contains(&name);
        if let Some((name, _)) = self.pairs.iter().find(|(name, _)| !known(name)) {
            return Err(ApiError::invalid_argument(format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' \
                 could not be found in request message."
            )));
        }
        match self.text("alt") {
            None | Some("json") => Ok(()),
            Some(other) => Err(ApiError::not_one_of("alt", other, &["json"])),
        }
    }

    /// A parameter that is `true` or `false`.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::not_one_of(name, other, &["true", "false"])),
        }
    }

    /// A parameter that is one of a list of words.
    pub(crate) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == value) {
            return Ok(Some(*choice));
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        Err(ApiError::not_one_of(name, value, &words))
    }

    /// A digest of everything that the pages of a walk have to repeat.
    pub(crate) fn walk_digest(&self, customer_id: &str) -> u64 {
        let mut pairs: Vec<&(String, String)> = self
            .pairs
            .iter()
            .filter(|(name, value)| {
                let repeated = name == "fields" || !COMMON.contains(&name.as_str());
                repeated && name != "pageToken" && !value.is_empty()
            })
            .collect();
        pairs.sort();
        let start = Draw::new(0).of(customer_id);
        pairs
            .iter()
            .fold(start, |draw, (name, value)| draw.of(name).at(1).of(value).at(2))
            .bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_is_recognised_by_what_has_to_be_repeated() {
        let digest = |query: &str| Parameters::parse(query).walk_digest("C0a");
        let first = digest("maxResults=200&query=note%3Aa+b&alt=json");
        assert_eq!(
            first,
            digest("query=note:a%20b&maxResults=200&pageToken=x&prettyPrint=false")
        );
        assert_ne!(first, digest("maxResults=100&query=note%3Aa+b"));
        assert_ne!(
            first,
            Parameters::parse("maxResults=200&query=note%3Aa+b").walk_digest("C0b")
        );
        assert_ne!(digest("a=bc"), digest("ab=c"));
    }

    #[test]
    fn unknown_parameters_are_named() {
        let error = Parameters::parse("maxresults=3")
            .check_names(&["maxResults"])
            .unwrap_err();
        assert!(error.message().contains("\"maxresults\""), "{}", error.message());
        assert!(Parameters::parse("alt=media").check_names(&[]).is_err());
        assert!(
            Parameters::parse("alt=json&key=k&$.xgafv=2")
                .check_names(&[])
                .is_ok()
        );
    }
}
