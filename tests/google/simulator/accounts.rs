//! Who may sign in, and what is said of those who may not.

use chrome_enterprise_operator::google::{Access, ErrorClass, Reason, required_scopes};
use google_admin_simulator::auth::{TokenErrorKind, TokenFaultRule};
use google_admin_simulator::control::UserPatch;
use google_admin_simulator::people::Privileges;

use super::side::{Side, walk};

#[tokio::test]
async fn a_fit_admin_is_verified_with_either_access() {
    let side = Side::start(5).await;
    for access in [Access::ReadWrite, Access::ReadOnly] {
        side.delegate(&required_scopes(access));
        let client = side.client_as(&side.simulator.admin_email(), access);
        let verified = client.verify().await.unwrap();
        assert_eq!(verified.customer_id, side.simulator.customer_id());
        assert_eq!(verified.primary_email, side.simulator.admin_email());
        assert_eq!(walk(&client, &side.everything()).await.unwrap().devices.len(), 5);
    }
}

#[tokio::test]
async fn missing_delegation_is_told_scope_by_scope_and_heals() {
    let side = Side::start(5).await;
    let scopes = required_scopes(Access::ReadWrite);
    for missing in [vec![scopes[2]], vec![scopes[0], scopes[1]], scopes.to_vec()] {
        let granted: Vec<&str> = scopes
            .iter()
            .copied()
            .filter(|scope| !missing.contains(scope))
            .collect();
        side.delegate(&granted);
        let error = side.client.verify().await.unwrap_err();
        assert_eq!(
            error.reason,
            Reason::DelegationMissing {
                missing_scopes: missing
            }
        );
        assert_eq!(
            error.class(),
            ErrorClass::Terminal {
                reason: "DelegationMissing"
            }
        );
    }
    side.delegate(&scopes);
    side.client.verify().await.unwrap();
}

#[tokio::test]
async fn every_unfit_account_is_named() {
    let side = Side::start(5).await;
    let nobody = side.client_as("nobody@school.example", Access::ReadWrite);
    assert_eq!(nobody.verify().await.unwrap_err().reason, Reason::AccountNotFound);

    let change = |patch: UserPatch| side.patch_admin(&patch);
    let refused = async || side.client.verify().await.unwrap_err().reason;
    side.client.verify().await.unwrap();

    // Google does not say whether an account that it does not act for is unknown or suspended. A token from
    // before does not help either.
    change(UserPatch {
        suspended: Some(true),
        ..UserPatch::default()
    });
    assert_eq!(refused().await, Reason::AccountNotFound);
    let mut switches = side.simulator.state().auth.switches();
    switches.suspended_subject = None;
    side.simulator.state().auth.set_switches(switches);
    assert_eq!(refused().await, Reason::CredentialRevoked);
    change(UserPatch {
        suspended: Some(false),
        ..UserPatch::default()
    });
    side.client.verify().await.unwrap();

    change(UserPatch {
        archived: Some(true),
        ..UserPatch::default()
    });
    assert_eq!(refused().await, Reason::AccountSuspended);
    change(UserPatch {
        archived: Some(false),
        ..UserPatch::default()
    });

    change(UserPatch {
        is_admin: Some(false),
        is_delegated_admin: Some(false),
        privileges: Some(Privileges::ALL),
        ..UserPatch::default()
    });
    assert_eq!(refused().await, Reason::AccountNotAdmin);
}

#[tokio::test]
async fn an_admin_without_the_privilege_never_sees_an_empty_fleet() {
    let side = Side::start(5).await;
    let privileges = Privileges {
        chrome_devices: false,
        ..Privileges::ALL
    };
    side.patch_admin(&UserPatch {
        is_admin: Some(false),
        is_delegated_admin: Some(true),
        privileges: Some(privileges),
        ..UserPatch::default()
    });
    side.client.verify().await.unwrap();
    let error = side
        .client
        .list_devices(&side.everything(), None)
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::PrivilegeMissing);
}

#[tokio::test]
async fn what_the_token_endpoint_refuses_is_understood() {
    let side = Side::start(5).await;
    for (kind, reason) in [
        (TokenErrorKind::UnauthorizedClient, "DelegationMissing"),
        (TokenErrorKind::UnauthorizedClientOlderText, "DelegationMissing"),
        (TokenErrorKind::UnknownSubject, "AccountNotFound"),
        (TokenErrorKind::SubjectNotAnEmail, "AccountNotFound"),
        (TokenErrorKind::InvalidSubject, "AccountNotFound"),
        (TokenErrorKind::InvalidSignature, "CredentialRevoked"),
        (TokenErrorKind::InvalidTimeframe, "ClockSkew"),
        (TokenErrorKind::AccountNotFound, "CredentialRevoked"),
        (TokenErrorKind::AccountDeleted, "CredentialRevoked"),
        (TokenErrorKind::TokenExpiredOrRevoked, "CredentialRevoked"),
        (TokenErrorKind::ReauthenticationRequired, "CredentialRevoked"),
        (TokenErrorKind::BadRequest, "CredentialRevoked"),
        (TokenErrorKind::InvalidScope, "ScopeMissing"),
        (TokenErrorKind::ClientNotFound, "CredentialRevoked"),
        (TokenErrorKind::DeletedClient, "CredentialRevoked"),
        (TokenErrorKind::DisabledClient, "CredentialRevoked"),
        (TokenErrorKind::AccessDenied, "AccessBlocked"),
        (TokenErrorKind::AdminPolicyEnforced, "AccessBlocked"),
        (TokenErrorKind::OrganisationInternal, "AccessBlocked"),
        (TokenErrorKind::InternalFailure, "GoogleUnavailable"),
        (TokenErrorKind::ServerError, "GoogleUnavailable"),
    ] {
        let auth = &side.simulator.state().auth;
        auth.clear_token_faults();
        auth.add_token_fault(TokenFaultRule {
            kind: Some(kind),
            ..TokenFaultRule::default()
        })
        .unwrap();
        let client = side.client_as(&side.simulator.admin_email(), Access::ReadWrite);
        let error = client.verify().await.unwrap_err();
        assert_eq!(error.reason.name(), reason, "{kind:?}: {error}");
    }
}

#[tokio::test]
async fn a_wrong_clock_is_told_from_a_dead_key() {
    let side = Side::start(5).await;
    let mut switches = side.simulator.state().auth.switches();
    switches.clock_skew_seconds = 7_200;
    side.simulator.state().auth.set_switches(switches.clone());
    assert_eq!(side.client.verify().await.unwrap_err().reason, Reason::ClockSkew);
    switches.clock_skew_seconds = 0;
    side.simulator.state().auth.set_switches(switches);
    side.client.verify().await.unwrap();
    side.simulator
        .state()
        .auth
        .set_account_deleted(side.key.email(), true)
        .unwrap();
    let client = side.client_as(&side.simulator.admin_email(), Access::ReadWrite);
    assert_eq!(
        client.verify().await.unwrap_err().reason,
        Reason::CredentialRevoked
    );
}
