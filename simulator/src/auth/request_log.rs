//! What was asked of the token endpoint, for assertions. Tokens, codes and assertions are never kept.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

const CAPACITY: usize = 10_000;

/// One request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenRequest {
    /// Counts up from 1.
    pub(super) number: u64,
    /// When, by this computer's clock.
    pub(super) time: Timestamp,
    pub(super) grant_type: String,
    /// Issuer and subject of an assertion, or the OAuth client.
    pub(super) accounts: Vec<String>,
    /// The scopes asked for, separated by blanks.
    pub(super) scopes: String,
    /// The HTTP status of the answer.
    pub(super) status: u16,
}

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    count: u64,
    entries: VecDeque<TokenRequest>,
}

impl RequestLog {
    pub(super) fn record(&mut self, mut entry: TokenRequest) {
        self.count += 1;
        entry.number = self.count;
        if self.entries.len() >= CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The requests with a number above `after`.
    pub(super) fn after(&self, after: u64) -> Vec<TokenRequest> {
        self.entries
            .iter()
            .filter(|entry| entry.number > after)
            .cloned()
            .collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
