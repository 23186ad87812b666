//! Ends the consent of a connection that is being deleted, if it is ours to end.
//!
//! It is, if `kubectl chromeos connect` made the Secret (a label says so) and no other connection lives by it. Whatever
//! happens here, the deletion goes on: a line in the log says what became of the consent.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use kube::core::DeserializeGuard;

use super::Context;
use crate::api::connection::ChromeEnterpriseConnection;
use crate::api::{CREATED_BY_CONNECT, CREATED_BY_LABEL};
use crate::controllers::settings::WatchNamespaces;
use crate::controllers::tenant::credentials::{Place, StoredConsent, read_consent};
use crate::google::{AuthorizedUser, Revoked, revoke_consent};

/// How long a deletion waits for it.
const LIMIT: Duration = Duration::from_secs(10);

/// Secrets that are read at a time.
const CONCURRENCY: usize = 16;

/// What to do when the operator could not do it.
const BY_HAND: &str = "Whoever gave the consent ends it at https://myaccount.google.com/connections.";

/// What became of the consent.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Google has ended it, or it was ended before.
    Revoked(Revoked),
    /// It is not the operator's to end.
    Kept(&'static str),
    /// It should have been ended.
    Failed(String),
}

/// Ends the consent of the connection, and tells what became of it.
pub(super) async fn revoke(context: &Context, connection: &ChromeEnterpriseConnection) {
    let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
    let Some(place) = Place::of_consent(&connection.spec.credentials) else {
        return;
    };
    let end = tokio::time::timeout(LIMIT, attempt(context, connection, &namespace, place))
        .await
        .unwrap_or_else(|_| End::Failed(format!("there was no answer within {LIMIT:?}")));
    match end {
        End::Revoked(revoked) => {
            tracing::info!(%namespace, connection = %name, ?revoked, "the consent of the deleted connection is revoked at Google");
        }
        End::Kept(why) => {
            tracing::info!(%namespace, connection = %name, "the consent of the deleted connection is kept: {why}");
        }
        End::Failed(why) => {
            tracing::warn!(%namespace, connection = %name, "the consent of the deleted connection could not be revoked: {why}. {BY_HAND}");
        }
    }
}

async fn attempt(
    context: &Context,
    connection: &ChromeEnterpriseConnection,
    namespace: &str,
    place: Place<'_>,
) -> End {
    let consent = match read_consent(&context.client, namespace, place).await {
        Ok(Ok(consent)) => consent,
        Ok(Err(problem)) => return End::Failed(problem.message),
        Err(error) => return End::Failed(format!("its Secret could not be read: {error}")),
    };
    if !is_ours(&consent) {
        return End::Kept("its Secret was not made by kubectl chromeos connect");
    }
    match is_shared(context, connection, &consent.user).await {
        Ok(true) => return End::Kept("another connection uses it"),
        Ok(false) => {}
        Err(why) => {
            return End::Failed(format!(
                "nobody can say whether another connection uses it: {why}"
            ));
        }
    }
    match revoke_consent(context.tenants.google(), &consent.user).await {
        Ok(revoked) => End::Revoked(revoked),
        Err(error) => End::Failed(error.to_string()),
    }
}

fn is_ours(consent: &StoredConsent) -> bool {
    consent.labels.get(CREATED_BY_LABEL).map(String::as_str) == Some(CREATED_BY_CONNECT)
}

/// Whether another connection, in any namespace that the operator looks after, would stop working.
async fn is_shared(
    context: &Context,
    connection: &ChromeEnterpriseConnection,
    user: &AuthorizedUser,
) -> Result<bool, String> {
    let mut others = Vec::new();
    for api in everywhere(context) {
        let list = api.list(&ListParams::default()).await;
        for DeserializeGuard(other) in list.map_err(|error| error.to_string())?.items {
            let other = other.map_err(|_| "a connection has a spec that this version cannot read")?;
            // One that is being deleted as well has no use for it any more.
            if other.metadata.uid != connection.metadata.uid && other.metadata.deletion_timestamp.is_none() {
                others.push(other);
            }
        }
    }
    let questions: Vec<_> = others
        .iter()
        .map(|other| uses(context, connection, user, other))
        .collect();
    let answers = futures::stream::iter(questions).buffer_unordered(CONCURRENCY);
    answers.try_any(std::future::ready).await
}

fn everywhere(context: &Context) -> Vec<Api<DeserializeGuard<ChromeEnterpriseConnection>>> {
    match &context.settings.watch_namespaces {
        WatchNamespaces::All => vec![Api::all(context.client.clone())],
        WatchNamespaces::Only(names) => names
            .iter()
            .map(|name| Api::namespaced(context.client.clone(), name))
            .collect(),
    }
}

async fn uses(
    context: &Context,
    connection: &ChromeEnterpriseConnection,
    user: &AuthorizedUser,
    other: &ChromeEnterpriseConnection,
) -> Result<bool, String> {
    let Some(place) = Place::of_consent(&other.spec.credentials) else {
        return Ok(false);
    };
    let namespace = other.namespace().unwrap_or_default();
    if other.namespace() == connection.namespace()
        && Place::of_consent(&connection.spec.credentials) == Some(place)
    {
        return Ok(true);
    }
    match read_consent(&context.client, &namespace, place).await {
        Ok(Ok(its)) => Ok(is_the_same(user, connection, &its.user, other)),
        // What the operator cannot use, it does not use.
        Ok(Err(_)) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// Google ends every token of an account for an OAuth client together, so another token of both is the same consent.
fn is_the_same(
    user: &AuthorizedUser,
    connection: &ChromeEnterpriseConnection,
    its: &AuthorizedUser,
    other: &ChromeEnterpriseConnection,
) -> bool {
    let same_account = connection
        .spec
        .admin_email
        .eq_ignore_ascii_case(&other.spec.admin_email);
    user.has_token_of(its) || (same_account && user.client_id() == its.client_id())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::testing::fresh;
    use super::*;
    use crate::google::parse_authorized_user;

    fn user(client_id: &str, token: &str) -> AuthorizedUser {
        let file = json!({
            "type": "authorized_user", "client_id": client_id, "client_secret": "s", "refresh_token": token,
        });
        parse_authorized_user(file.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn only_a_secret_of_connect_is_ours() {
        let consent = |labels: &[(&str, &str)]| StoredConsent {
            user: user("1-a", "token"),
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        };
        assert!(is_ours(&consent(&[(
            "chromeenterprise.dev/created-by",
            "kubectl-chromeos"
        )])));
        assert!(!is_ours(&consent(&[("chromeenterprise.dev/created-by", "me")])));
        assert!(!is_ours(&consent(&[("created-by", "kubectl-chromeos")])));
        assert!(!is_ours(&consent(&[])));
    }

    #[test]
    fn a_consent_is_of_a_token_or_of_an_account_and_a_client() {
        let connection = |admin: &str| {
            fresh()
                .with(|facts| facts.connection.spec.admin_email = admin.into())
                .connection
        };
        let same = |(client, token, admin): (&str, &str, &str)| {
            is_the_same(
                &user("1-a", "token"),
                &connection("admin@school.example"),
                &user(client, token),
                &connection(admin),
            )
        };
        assert!(same(("1-a", "token", "admin@school.example")));
        assert!(same(("2-b", "token", "other@school.example")));
        assert!(same(("1-a", "another", "Admin@School.example")));
        assert!(!same(("1-a", "another", "other@school.example")));
        assert!(!same(("2-b", "another", "admin@school.example")));
    }
}
