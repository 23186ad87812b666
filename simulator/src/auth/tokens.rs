//! What has been issued: access tokens, refresh tokens and authorisation codes, each under its fingerprint only.
//!
//! Every store is bounded. A refresh token and the access tokens made from it are one family: revoking any of
//! them ends all.

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxHashMap;

use super::random::{self, Fingerprint, NoRandomness};

/// Live refresh tokens per account and client; one more silently ends the oldest ("Refresh token expiration").
const REFRESH_TOKENS_PER_ACCOUNT_AND_CLIENT: usize = 100;
/// A refresh token that nobody uses for six months ends.
const REFRESH_TOKEN_IDLE: SignedDuration = SignedDuration::from_hours(183 * 24);
/// Life of an authorisation code.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
const CODE_CAPACITY: usize = 1_000;

/// Whom a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    /// E-mail address of the user or the service account.
    pub(super) account: String,
    /// The number of the project of the client that asked.
    pub(super) project_number: String,
    /// The OAuth client or the service account's client id.
    pub(super) client_id: String,
    pub(super) scopes: BTreeSet<String>,
    /// The account is the service account itself, acting for nobody.
    pub(super) is_service_account_itself: bool,
}

#[derive(Debug, Clone)]
pub(super) struct AccessGrant {
    pub(super) holder: Holder,
    expires: Timestamp,
    /// The refresh token it was made from.
    family: Option<Fingerprint>,
}

#[derive(Debug, Clone)]
pub(super) struct RefreshGrant {
    pub(super) holder: Holder,
    expires: Option<Timestamp>,
    last_used: Timestamp,
}

/// What an authorisation code was given for.
#[derive(Debug, Clone)]
pub(super) struct CodeGrant {
    pub(super) holder: Holder,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<Challenge>,
    pub(super) offline: bool,
    pub(super) nonce: Option<String>,
}

/// A PKCE challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// SHA-256 of the verifier, base64url.
    Sha256(String),
    /// The verifier itself.
    Plain(String),
}

#[derive(Debug)]
struct StoredCode {
    grant: CodeGrant,
    expires: Timestamp,
    spent: bool,
}

/// What became of a code that somebody wants to redeem.
#[derive(Debug)]
pub(super) enum CodeLookup {
    Unknown,
    SpentOrExpired,
    Live(Box<CodeGrant>),
}

/// How many tokens are live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenCounts {
    pub(super) access_tokens: usize,
    pub(super) refresh_tokens: usize,
}

/// A refresh token, without itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// Who gave it.
    pub account: String,
    /// The OAuth client that it was given to.
    pub client_id: String,
    /// What for.
    pub scopes: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct TokenStore {
    capacity: usize,
    access: FxHashMap<Fingerprint, AccessGrant>,
    access_order: VecDeque<Fingerprint>,
    /// In the order of issue.
    refresh: Vec<(Fingerprint, RefreshGrant)>,
    codes: FxHashMap<Fingerprint, StoredCode>,
    code_order: VecDeque<Fingerprint>,
}

impl TokenStore {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            access: FxHashMap::default(),
            access_order: VecDeque::new(),
            refresh: Vec::new(),
            codes: FxHashMap::default(),
            code_order: VecDeque::new(),
        }
    }

    /// Issues an access token.
    pub(super) fn issue_access(
        &mut self,
        holder: Holder,
        family: Option<&str>,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Result<String, NoRandomness> {
        let token = random::secret("ya29.sim-")?;
        let key = random::fingerprint(&token);
        let expires = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        self.forget_expired_access(now);
        while self.access.len() >= self.capacity {
            let Some(oldest) = self.access_order.pop_front() else {
                break;
            };
            self.access.remove(&oldest);
        }
        self.access.insert(
            key,
            AccessGrant {
                holder,
                expires,
                family: family.map(random::fingerprint),
            },
        );
        self.access_order.push_back(key);
        Ok(token)
    }

    fn forget_expired_access(&mut self, now: Timestamp) {
        while let Some(oldest) = self.access_order.front() {
            if self.access.get(oldest).is_some_and(|grant| grant.expires > now) {
                break;
            }
            if let Some(oldest) = self.access_order.pop_front() {
                self.access.remove(&oldest);
            }
        }
    }

    /// Whom a live access token stands for.
    pub(super) fn access(&self, token: &str, now: Timestamp) -> Option<&Holder> {
        self.access
            .get(&random::fingerprint(token))
            .filter(|grant| grant.expires > now)
            .map(|grant| &grant.holder)
    }

    /// Issues a refresh token; beyond the limit the oldest of the same account and client ends.
    pub(super) fn issue_refresh(
        &mut self,
        holder: Holder,
        now: Timestamp,
        lifetime: Option<SignedDuration>,
    ) -> Result<String, NoRandomness> {
        let token = random::secret("1//sim-")?;
        let same = |other: &Holder| other.account == holder.account && other.client_id == holder.client_id;
        let live = self
            .refresh
            .iter()
            .filter(|(_, grant)| same(&grant.holder))
            .count();
        if live >= REFRESH_TOKENS_PER_ACCOUNT_AND_CLIENT
            && let Some(oldest) = self
                .refresh
                .iter()
                .find(|(_, grant)| same(&grant.holder))
                .map(|(key, _)| *key)
        {
            self.end_family(oldest);
        }
        let expires = lifetime.map(|life| now.saturating_add(life).unwrap_or(Timestamp::MAX));
        self.refresh.push((
            random::fingerprint(&token),
            RefreshGrant {
                holder,
                expires,
                last_used: now,
            },
        ));
        Ok(token)
    }

    /// Whom a live refresh token stands for; marks it as used.
    pub(super) fn use_refresh(&mut self, token: &str, now: Timestamp) -> Option<Holder> {
        let key = random::fingerprint(token);
        let (_, grant) = self.refresh.iter_mut().find(|(other, _)| *other == key)?;
        let idle = now.duration_since(grant.last_used) > REFRESH_TOKEN_IDLE;
        if idle || grant.expires.is_some_and(|expires| expires <= now) {
            return None;
        }
        grant.last_used = now;
        Some(grant.holder.clone())
    }

    /// Issues an authorisation code.
    pub(super) fn issue_code(&mut self, grant: CodeGrant, now: Timestamp) -> Result<String, NoRandomness> {
        let code = random::secret("4/sim-")?;
        let key = random::fingerprint(&code);
        while self.codes.len() >= CODE_CAPACITY {
            let Some(oldest) = self.code_order.pop_front() else {
                break;
            };
            self.codes.remove(&oldest);
        }
        let expires = now.saturating_add(CODE_LIFETIME).unwrap_or(Timestamp::MAX);
        self.codes.insert(
            key,
            StoredCode {
                grant,
                expires,
                spent: false,
            },
        );
        self.code_order.push_back(key);
        Ok(code)
    }

    /// Looks at a code without spending it.
    pub(super) fn code(&self, code: &str, now: Timestamp) -> CodeLookup {
        match self.codes.get(&random::fingerprint(code)) {
            None => CodeLookup::Unknown,
            Some(stored) if stored.spent || stored.expires <= now => CodeLookup::SpentOrExpired,
            Some(stored) => CodeLookup::Live(Box::new(stored.grant.clone())),
        }
    }

    /// Spends a code; `false` if somebody else was faster.
    pub(super) fn spend_code(&mut self, code: &str) -> bool {
        self.codes
            .get_mut(&random::fingerprint(code))
            .is_some_and(|stored| !std::mem::replace(&mut stored.spent, true))
    }

    /// Ends an access or refresh token with its family; `false` if it is not live.
    pub(super) fn revoke(&mut self, token: &str, now: Timestamp) -> bool {
        let key = random::fingerprint(token);
        if self.refresh.iter().any(|(other, _)| *other == key) {
            self.end_family(key);
            return true;
        }
        match self.access.remove(&key) {
            Some(grant) if grant.expires > now => {
                if let Some(family) = grant.family {
                    self.end_family(family);
                }
                true
            }
            Some(_) | None => false,
        }
    }

    /// Ends every token of the accounts that the rule names; returns how many there were.
    pub(super) fn revoke_where(&mut self, matches: impl Fn(&Holder) -> bool) -> usize {
        let before = self.access.len() + self.refresh.len();
        self.access.retain(|_, grant| !matches(&grant.holder));
        self.refresh.retain(|(_, grant)| !matches(&grant.holder));
        before - self.access.len() - self.refresh.len()
    }

    pub(super) fn consents(&self) -> Vec<Consent> {
        let consent = |(_, grant): &(Fingerprint, RefreshGrant)| Consent {
            account: grant.holder.account.clone(),
            client_id: grant.holder.client_id.clone(),
            scopes: grant.holder.scopes.clone(),
        };
        self.refresh.iter().map(consent).collect()
    }

    pub(super) fn counts(&self, now: Timestamp) -> TokenCounts {
        TokenCounts {
            access_tokens: self.access.values().filter(|grant| grant.expires > now).count(),
            refresh_tokens: self.refresh.len(),
        }
    }

    fn end_family(&mut self, family: Fingerprint) {
        self.refresh.retain(|(key, _)| *key != family);
        self.access.retain(|_, grant| grant.family != Some(family));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(account: &str) -> Holder {
        Holder {
            account: account.to_owned(),
            project_number: "1".to_owned(),
            client_id: "c".to_owned(),
            scopes: BTreeSet::new(),
            is_service_account_itself: false,
        }
    }

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    #[test]
    fn an_access_token_ends_on_time_and_the_oldest_goes_first() {
        let mut store = TokenStore::new(2);
        let first = store.issue_access(holder("a"), None, now(), HOUR).unwrap();
        assert_eq!(store.access(&first, now()).unwrap().account, "a");
        assert!(store.access(&first, now() + HOUR).is_none());
        store.issue_access(holder("b"), None, now(), HOUR).unwrap();
        store.issue_access(holder("c"), None, now(), HOUR).unwrap();
        assert!(store.access(&first, now()).is_none());
        assert_eq!(store.counts(now()).access_tokens, 2);
    }

    #[test]
    fn revoking_one_token_ends_its_family_and_no_other() {
        let mut store = TokenStore::new(10);
        let refresh = store.issue_refresh(holder("a"), now(), None).unwrap();
        let one = store
            .issue_access(holder("a"), Some(&refresh), now(), HOUR)
            .unwrap();
        let two = store
            .issue_access(holder("a"), Some(&refresh), now(), HOUR)
            .unwrap();
        let other = store.issue_access(holder("a"), None, now(), HOUR).unwrap();
        assert!(store.revoke(&one, now()));
        assert!(store.use_refresh(&refresh, now()).is_none());
        assert!(store.access(&two, now()).is_none());
        assert!(store.access(&other, now()).is_some());
        assert!(!store.revoke(&one, now()));
    }

    #[test]
    fn the_hundred_and_first_refresh_token_ends_the_first() {
        let mut store = TokenStore::new(10);
        let first = store.issue_refresh(holder("a"), now(), None).unwrap();
        let elsewhere = store.issue_refresh(holder("b"), now(), None).unwrap();
        for _ in 0..REFRESH_TOKENS_PER_ACCOUNT_AND_CLIENT {
            store.issue_refresh(holder("a"), now(), None).unwrap();
        }
        assert!(store.use_refresh(&first, now()).is_none());
        assert!(store.use_refresh(&elsewhere, now()).is_some());
        assert_eq!(
            store.counts(now()).refresh_tokens,
            REFRESH_TOKENS_PER_ACCOUNT_AND_CLIENT + 1
        );
    }

    #[test]
    fn a_refresh_token_ends_unused_after_six_months_or_at_its_end() {
        let mut store = TokenStore::new(10);
        let idle = store.issue_refresh(holder("a"), now(), None).unwrap();
        assert!(
            store
                .use_refresh(&idle, now() + SignedDuration::from_hours(182 * 24))
                .is_some()
        );
        assert!(
            store
                .use_refresh(&idle, now() + SignedDuration::from_hours(364 * 24))
                .is_some()
        );
        assert!(
            store
                .use_refresh(&idle, now() + SignedDuration::from_hours(600 * 24))
                .is_none()
        );
        let week = store
            .issue_refresh(holder("a"), now(), Some(SignedDuration::from_hours(168)))
            .unwrap();
        assert!(
            store
                .use_refresh(&week, now() + SignedDuration::from_hours(169))
                .is_none()
        );
    }

    #[test]
    fn a_code_is_spent_once() {
        let mut store = TokenStore::new(10);
        let grant = CodeGrant {
            holder: holder("a"),
            redirect_uri: "http://localhost".to_owned(),
            challenge: None,
            offline: true,
            nonce: None,
        };
        let code = store.issue_code(grant, now()).unwrap();
        assert!(code.len() <= 256);
        assert!(matches!(store.code(&code, now()), CodeLookup::Live(_)));
        assert!(matches!(
            store.code(&code, now() + CODE_LIFETIME),
            CodeLookup::SpentOrExpired
        ));
        assert!(store.spend_code(&code));
        assert!(!store.spend_code(&code));
        assert!(matches!(store.code(&code, now()), CodeLookup::SpentOrExpired));
        assert!(matches!(store.code("4/other", now()), CodeLookup::Unknown));
    }
}
