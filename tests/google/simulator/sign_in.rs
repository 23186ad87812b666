//! The ways of signing in besides a key: a consent, and keyless.

use chrome_enterprise_operator::google::{
    Access, Credential, CredentialKind, DirectoryClient, Endpoints, GoogleContext, GoogleError, Keyless,
    NoObserver, QuotaSettings, Reason, Revoked, parse_authorized_user, revoke_consent,
};
use google_admin_simulator::auth::registry::ClientState;
use google_admin_simulator::auth::{AuthSwitches, TokenErrorKind, TokenFaultRule};
use google_admin_simulator::control::UserPatch;
use google_admin_simulator::request_log::LogFilter;
use std::sync::Arc;
use url::Url;

use super::side::{Side, walk};
use crate::fake::quick;

const DEVICES: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos";
const KINDS: [CredentialKind; 3] = [
    CredentialKind::ServiceAccountKey,
    CredentialKind::AuthorizedUser,
    CredentialKind::Keyless,
];

fn consent_scopes(access: Access) -> Vec<&'static str> {
    CredentialKind::AuthorizedUser.scopes(access)
}

impl Side {
    /// The credential of an admin who granted these scopes.
    fn consent(&self, scopes: &[&str]) -> Credential {
        let file = self
            .simulator
            .authorized_user_json(&self.simulator.admin_email(), scopes)
            .unwrap();
        parse_authorized_user(file.as_bytes()).unwrap().into()
    }

    fn keyless(&self, customers: &[&str]) -> Credential {
        let customers = customers.iter().map(|id| (*id).to_owned()).collect();
        Keyless::new(self.key.email(), customers).into()
    }

    fn with(&self, credential: Credential, access: Access) -> DirectoryClient {
        DirectoryClient::new(&self.context, credential, &self.simulator.admin_email(), access).unwrap()
    }

    fn any(&self, kind: CredentialKind, access: Access) -> DirectoryClient {
        let credential = match kind {
            CredentialKind::ServiceAccountKey => self.key.clone().into(),
            CredentialKind::AuthorizedUser => self.consent(&consent_scopes(access)),
            CredentialKind::Keyless => self.keyless(&[]),
        };
        self.with(credential, access)
    }

    /// How often a path that begins so was asked for.
    fn asked(&self, path: &str) -> usize {
        let filter = LogFilter {
            path: Some(path.to_owned()),
            ..LogFilter::default()
        };
        self.simulator.state().requests(&filter).len()
    }

    fn auth_switches(&self, change: impl FnOnce(&mut AuthSwitches)) {
        let mut switches = self.simulator.state().auth.switches();
        change(&mut switches);
        self.simulator.state().auth.set_switches(switches);
    }
}

async fn refused(client: &DirectoryClient) -> Reason {
    client.verify().await.unwrap_err().reason
}

#[tokio::test]
async fn every_way_works_with_either_access_and_asks_for_no_more() {
    let side = Side::start(5).await;
    for kind in KINDS {
        for access in [Access::ReadWrite, Access::ReadOnly] {
            let client = side.any(kind, access);
            let verified = client.verify().await.unwrap();
            assert_eq!(verified.customer_id, side.simulator.customer_id(), "{kind:?}");
            side.simulator.state().clear_requests();
            assert_eq!(walk(&client, &side.everything()).await.unwrap().devices.len(), 5);
            assert_eq!(
                client.missing_scopes().await.unwrap(),
                Vec::<&str>::new(),
                "{kind:?}"
            );
            let calls = side.simulator.state().requests(&LogFilter::default());
            let scopes = calls.iter().find(|call| !call.call.scopes.is_empty()).unwrap();
            let writes = scopes.call.scopes.iter().any(|scope| scope == DEVICES);
            assert_eq!(
                writes,
                access == Access::ReadWrite,
                "{kind:?} {:?}",
                scopes.call.scopes
            );
        }
    }
}

#[tokio::test]
async fn a_consent_to_write_serves_a_connection_that_only_reads() {
    let side = Side::start(5).await;
    let credential = side.consent(&consent_scopes(Access::ReadWrite));
    let client = side.with(credential, Access::ReadOnly);
    client.verify().await.unwrap();
    assert_eq!(walk(&client, &side.everything()).await.unwrap().devices.len(), 5);
}

#[tokio::test]
async fn what_an_admin_did_not_grant_is_named() {
    let side = Side::start(5).await;
    let all = consent_scopes(Access::ReadWrite);
    for missing in &all {
        let granted: Vec<&str> = all.iter().copied().filter(|scope| scope != missing).collect();
        let client = side.with(side.consent(&granted), Access::ReadWrite);
        let missing_scopes = vec![*missing];
        assert_eq!(client.missing_scopes().await.unwrap(), missing_scopes);
        assert_eq!(
            refused(&client).await,
            Reason::ConsentIncomplete { missing_scopes }
        );
    }
    let read_only = side.with(side.consent(&consent_scopes(Access::ReadOnly)), Access::ReadWrite);
    assert_eq!(read_only.missing_scopes().await.unwrap(), [DEVICES]);
    assert_eq!(side.asked("/admin/"), 0, "nothing is read with half a consent");
}

#[tokio::test]
async fn only_the_consent_of_the_named_account_is_used() {
    let side = Side::start(5).await;
    let admin = side.simulator.admin_email();
    let credential = side.consent(&consent_scopes(Access::ReadWrite));
    let other = admin.replace('@', "2@");
    let client = DirectoryClient::new(&side.context, credential.clone(), &other, Access::ReadWrite).unwrap();
    let mismatch = Reason::AccountMismatch {
        signed_in_as: Some(admin.clone()),
    };
    assert_eq!(refused(&client).await, mismatch);
    let error = client.list_devices(&side.everything(), None).await.unwrap_err();
    assert_eq!(error.reason, mismatch);
    assert_eq!(side.asked("/admin/"), 0, "nothing is read as another account");
    let shouted = admin.to_uppercase();
    let client = DirectoryClient::new(&side.context, credential, &shouted, Access::ReadWrite).unwrap();
    client.verify().await.unwrap();
}

#[tokio::test]
async fn a_dead_consent_is_told_and_a_revoked_one_is_dead() {
    let side = Side::start(5).await;
    let auth = &side.simulator.state().auth;
    let file = side.consent(&consent_scopes(Access::ReadWrite));
    let Credential::AuthorizedUser(user) = file.clone() else {
        panic!("{file:?}");
    };
    let client = side.with(file.clone(), Access::ReadWrite);
    client.verify().await.unwrap();
    assert_eq!(revoke_consent(&side.context, &user).await.unwrap(), Revoked::Now);
    assert_eq!(
        revoke_consent(&side.context, &user).await.unwrap(),
        Revoked::Before
    );
    // The token that was made before is dead too.
    assert_eq!(refused(&client).await, Reason::CredentialRevoked);

    for kind in [
        TokenErrorKind::UnauthorizedClient,
        TokenErrorKind::TokenExpiredOrRevoked,
        TokenErrorKind::ReauthenticationRequired,
        TokenErrorKind::WrongClientSecret,
        TokenErrorKind::AccountDeleted,
    ] {
        auth.add_token_fault(TokenFaultRule {
            kind: Some(kind),
            ..TokenFaultRule::default()
        })
        .unwrap();
        let client = side.any(CredentialKind::AuthorizedUser, Access::ReadWrite);
        assert_eq!(refused(&client).await, Reason::CredentialRevoked, "{kind:?}");
        auth.clear_token_faults();
    }
    auth.set_client_state(user.client_id(), ClientState::Disabled)
        .unwrap();
    let client = side.any(CredentialKind::AuthorizedUser, Access::ReadWrite);
    assert_eq!(refused(&client).await, Reason::CredentialRevoked);
}

#[tokio::test]
async fn a_revocation_is_tried_a_few_times_and_then_given_up() {
    let side = Side::start(1).await;
    let Credential::AuthorizedUser(user) = side.consent(&["openid"]) else {
        panic!("a consent");
    };
    side.simulator.go_offline().await;
    let error = revoke_consent(&side.context, &user).await.unwrap_err();
    assert_eq!(error.reason, Reason::NetworkUnreachable);
    side.simulator.go_online().await.unwrap();
    assert_eq!(revoke_consent(&side.context, &user).await.unwrap(), Revoked::Now);
}

#[tokio::test]
async fn one_ambient_token_serves_all_who_sign_without_a_key() {
    let side = Side::start(1).await;
    for _ in 0..3 {
        side.any(CredentialKind::Keyless, Access::ReadOnly)
            .verify()
            .await
            .unwrap();
    }
    assert_eq!(side.asked("/computeMetadata/"), 1);
    assert_eq!(side.asked("/v1/projects/"), 3);
    // It is replaced when it died early.
    side.simulator.state().auth.revoke_tokens(None);
    side.any(CredentialKind::Keyless, Access::ReadOnly)
        .verify()
        .await
        .unwrap();
    assert_eq!(side.asked("/computeMetadata/"), 2);
}

#[tokio::test]
async fn what_keeps_the_operator_from_signing_is_told() {
    let side = Side::start(1).await;
    let auth = &side.simulator.state().auth;
    let client = || side.any(CredentialKind::Keyless, Access::ReadWrite);
    auth.set_token_creators(side.key.email(), [].into()).unwrap();
    assert_eq!(refused(&client()).await, Reason::SigningForbidden);
    let unknown = side.with(
        Keyless::new("nobody@project.example", vec![]).into(),
        Access::ReadWrite,
    );
    assert_eq!(refused(&unknown).await, Reason::SigningForbidden);

    let away = Endpoints::all_at(&Url::parse(&side.simulator.url()).unwrap())
        .with_metadata_at(&Url::parse("http://127.0.0.1:9").unwrap());
    let context = GoogleContext::new(away, &quick(), QuotaSettings::default(), Arc::new(NoObserver)).unwrap();
    let admin = side.simulator.admin_email();
    let lost = DirectoryClient::new(&context, side.keyless(&[]), &admin, Access::ReadWrite).unwrap();
    assert_eq!(refused(&lost).await, Reason::IdentityUnavailable);
}

#[tokio::test]
async fn keyless_finds_out_which_scopes_are_not_delegated() {
    let side = Side::start(1).await;
    let scopes = CredentialKind::Keyless.scopes(Access::ReadWrite);
    side.delegate(&scopes[..2]);
    let client = side.any(CredentialKind::Keyless, Access::ReadWrite);
    let missing_scopes = vec![scopes[2]];
    assert_eq!(client.missing_scopes().await.unwrap(), missing_scopes);
    assert_eq!(
        refused(&client).await,
        Reason::DelegationMissing { missing_scopes }
    );
}

#[tokio::test]
async fn keyless_reads_nothing_of_a_customer_that_is_not_allowed() {
    let side = Side::start(5).await;
    let customer = side.simulator.customer_id();
    let allowed = side.with(side.keyless(&["C0other", &customer]), Access::ReadWrite);
    assert_eq!(walk(&allowed, &side.everything()).await.unwrap().devices.len(), 5);
    side.simulator.state().clear_requests();
    let denied = side.with(side.keyless(&["C0other"]), Access::ReadWrite);
    let error = denied.list_devices(&side.everything(), None).await.unwrap_err();
    assert_eq!(error.reason, Reason::KeylessNotAllowed);
    assert_eq!(refused(&denied).await, Reason::KeylessNotAllowed);
    assert_eq!(side.listings(), 0);
    let admin = format!("/admin/directory/v1/users/{}", side.simulator.admin_email());
    assert_eq!(
        side.asked("/admin/"),
        side.asked(&admin),
        "only the admin itself is read"
    );
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_waited_for_it() {
    let side = Side::start(1).await;
    side.simulator
        .state()
        .auth
        .add_token_fault(TokenFaultRule {
            kind: Some(TokenErrorKind::TokenExpiredOrRevoked),
            ..TokenFaultRule::default()
        })
        .unwrap();
    let client = side.any(CredentialKind::AuthorizedUser, Access::ReadWrite);
    let calls = (0..8).map(|_| client.verify());
    let answers = futures::future::join_all(calls).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().unwrap_err().reason == Reason::CredentialRevoked)
    );
    assert_eq!(side.asked("/token"), 1);
}
