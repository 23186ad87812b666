//! Lists of any length, a page at a time: memory does not grow with the fleet.

use std::fmt::Debug;

use kube::api::{Api, ListParams};
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Objects in a page; the number that kubectl uses.
const PAGE: u32 = 500;

/// The pages of a list, read one by one.
#[derive(Debug)]
pub struct Pages<K> {
    api: Api<K>,
    parameters: ListParams,
    doing: String,
    ended: bool,
}

/// Lists the objects that `parameters` select. `doing` says what is tried, for an error: `list devices in namespace school`.
#[must_use]
pub fn pages<K>(api: Api<K>, parameters: ListParams, doing: impl Into<String>) -> Pages<K> {
    Pages {
        api,
        parameters: parameters.limit(PAGE),
        doing: doing.into(),
        ended: false,
    }
}

impl<K: Clone + Debug + DeserializeOwned> Pages<K> {
    /// The next page; nothing after the last one.
    ///
    /// # Errors
    /// When the API server refuses or cannot be asked.
    pub async fn next(&mut self) -> Result<Option<Vec<K>>, Failure> {
        if self.ended {
            return Ok(None);
        }
        let listed = self.api.list(&self.parameters).await;
        let page = listed.map_err(|error| expired(&self.doing, &error))?;
        self.parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        self.ended = self.parameters.continue_token.is_none();
        Ok(Some(page.items))
    }

    /// Everything at once, for lists that are short.
    ///
    /// # Errors
    /// When the API server refuses or cannot be asked.
    pub async fn all(mut self) -> Result<Vec<K>, Failure> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page);
        }
        Ok(all)
    }
}

/// A field selector that wants exactly this value.
#[must_use]
pub fn equals(field: &str, value: &str) -> String {
    // Commas, equals signs and backslashes mean something there.
    let mut selector = format!("{field}=");
    for character in value.chars() {
        if matches!(character, '\\' | ',' | '=') {
            selector.push('\\');
        }
        selector.push(character);
    }
    selector
}

/// A walk that takes longer than etcd keeps its history (five minutes by default) cannot go on.
fn expired(doing: &str, error: &kube::Error) -> Failure {
    if let kube::Error::Api(status) = error
        && status.code == 410
    {
        return Failure::new(format!(
            "Cannot {doing}: the list changed too much while it was read."
        ))
        .advise("Try again. If it stays, narrow the list with filters or --namespace.");
    }
    Failure::kubernetes(doing, error)
}
