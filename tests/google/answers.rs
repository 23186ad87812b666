//! What answers mean, seen through the calls.

use chrome_enterprise_operator::google::{Access, ListRequest, Reason, required_scopes};
use serde_json::{Value, json};

use super::fake::{ADMIN, Fake, Reply, Seen, client_with, context, quick};

fn user(changes: &Value) -> Reply {
    let mut user = json!({"id": "1", "primaryEmail": ADMIN, "customerId": "C01abcdef", "isAdmin": false,
        "isDelegatedAdmin": true, "suspended": false, "archived": false});
    for (key, value) in changes.as_object().unwrap() {
        user[key] = value.clone();
    }
    Reply::json(200, &user)
}

#[tokio::test]
async fn a_fit_account_is_verified() {
    for (changes, super_admin) in [
        (json!({}), false),
        (json!({"isAdmin": true, "isDelegatedAdmin": null}), true),
    ] {
        let google = Fake::start(move |seen, _| (seen.path != "/token").then(|| user(&changes))).await;
        let verified = google.client().verify().await.unwrap();
        assert_eq!(
            (verified.customer_id.as_str(), verified.primary_email.as_str()),
            ("C01abcdef", ADMIN)
        );
        assert_eq!(verified.is_super_admin, super_admin);
        let calls = google.calls();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].path, "/admin/directory/v1/users/admin@school.example");
        assert!(calls.iter().all(|call| !call.path.contains("/customers/")));
    }
}

#[tokio::test]
async fn an_unfit_account_is_named() {
    for (reply, reason) in [
        (user(&json!({"suspended": true})), Reason::AccountSuspended),
        (user(&json!({"archived": true})), Reason::AccountSuspended),
        (user(&json!({"isDelegatedAdmin": false})), Reason::AccountNotAdmin),
        (user(&json!({"isDelegatedAdmin": null})), Reason::AccountNotAdmin),
        (user(&json!({"customerId": null})), Reason::UnexpectedAnswer),
        (user(&json!({"customerId": "../x"})), Reason::UnexpectedAnswer),
        (
            Reply::error(404, "notFound", "Resource Not Found: userKey"),
            Reason::AccountNotFound,
        ),
        (
            Reply::error(403, "forbidden", "Not Authorized to access this resource/api"),
            Reason::PrivilegeMissing,
        ),
        (Reply::html(404), Reason::UnexpectedAnswer),
        (Reply::json(200, &json!([])), Reason::UnexpectedAnswer),
        (Reply::html(200), Reason::UnexpectedAnswer),
    ] {
        let google = Fake::start(move |seen, _| (seen.path != "/token").then(|| reply.clone())).await;
        assert_eq!(google.client().verify().await.unwrap_err().reason, reason);
    }
}

/// Grants a request only if all of its scopes are delegated, as Google does.
fn delegates(granted: Vec<&'static str>) -> impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync {
    move |seen, _| {
        if seen.path != "/token" {
            return Some(user(&json!({})));
        }
        let refused = seen
            .scopes()
            .iter()
            .any(|scope| !granted.contains(&scope.as_str()));
        let body = json!({"error": "unauthorized_client",
            "error_description": "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."});
        refused.then(|| Reply::json(401, &body))
    }
}

#[tokio::test]
async fn the_scopes_that_are_not_delegated_are_named() {
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let scopes = required_scopes(access);
        for missing in [vec![scopes[0]], vec![scopes[1], scopes[2]], scopes.to_vec()] {
            let granted = scopes
                .iter()
                .copied()
                .filter(|scope| !missing.contains(scope))
                .collect();
            let google = Fake::start(delegates(granted)).await;
            let client = client_with(&context(&google.url, quick()), "https://trap.invalid/", access);
            let error = client.verify().await.unwrap_err();
            assert_eq!(
                error.reason,
                Reason::DelegationMissing {
                    missing_scopes: missing
                }
            );
            assert_eq!((error.method, error.http_status), ("oauth2.token", Some(401)));
            assert_eq!(google.calls().len(), 0);
            assert_eq!(google.token_requests().len(), 4, "all together, then each alone");
        }
    }
}

#[tokio::test]
async fn a_delegation_that_arrives_is_noticed_without_a_new_client() {
    let google = Fake::start(|seen, before| {
        if seen.path == "/token" {
            let body = json!({"error": "unauthorized_client", "error_description": "not yet"});
            return (before < 4).then(|| Reply::json(401, &body));
        }
        Some(user(&json!({})))
    })
    .await;
    let client = google.client();
    assert!(client.verify().await.is_err());
    client.verify().await.unwrap();
}

#[tokio::test]
async fn a_page_is_asked_for_in_full_and_bounded() {
    let google = Fake::start(|seen, _| {
        (seen.path != "/token").then(|| Reply::json(200, &json!({"nextPageToken": "two"})))
    })
    .await;
    let request = ListRequest {
        org_unit_path: Some("/North/School #1".to_owned()),
        query: Some("status:provisioned".to_owned()),
        page_size: 150,
        ..ListRequest::new("C01abcdef")
    };
    let page = google.client().list_devices(&request, Some("")).await.unwrap();
    assert_eq!(
        (page.devices.len(), page.next_page_token.as_deref()),
        (0, Some("two"))
    );
    let call = &google.calls()[0];
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("GET", "/admin/directory/v1/customer/C01abcdef/devices/chromeos")
    );
    for (name, value) in [
        ("orgUnitPath", Some("/North/School #1")),
        ("includeChildOrgunits", Some("true")),
        ("query", Some("status:provisioned")),
        ("maxResults", Some("150")),
        ("projection", Some("FULL")),
        ("prettyPrint", Some("false")),
        ("pageToken", None),
        ("orderBy", None),
    ] {
        assert_eq!(call.parameter(name), value, "{name}");
    }
    let fields = call.parameter("fields").unwrap();
    assert!(fields.starts_with("nextPageToken,chromeosdevices(deviceId,") && !fields.contains("recentUsers"));
    let everywhere = ListRequest {
        include_recent_users: true,
        ..ListRequest::default()
    };
    google.client().list_devices(&everywhere, None).await.unwrap();
    let call = &google.calls()[1];
    assert_eq!(call.parameter("orgUnitPath"), None);
    assert_eq!(call.parameter("includeChildOrgunits"), None);
    assert!(call.parameter("fields").unwrap().contains("recentUsers(email)"));
}

#[tokio::test]
async fn a_page_that_leads_to_itself_is_refused() {
    let google = Fake::start(|seen, _| {
        (seen.path != "/token").then(|| Reply::json(200, &json!({"nextPageToken": "two"})))
    })
    .await;
    let error = google
        .client()
        .list_devices(&ListRequest::default(), Some("two"))
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::UnexpectedAnswer);
}

#[tokio::test]
async fn only_google_can_say_that_a_device_is_gone() {
    let not_found = |message: &str| Reply::error(404, "notFound", message);
    let newer =
        json!({"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}});
    for gone in [
        not_found("Resource Not Found: device-1"),
        Reply::json(404, &newer),
    ] {
        let google = Fake::start(move |seen, _| (seen.path != "/token").then(|| gone.clone())).await;
        assert!(
            google
                .client()
                .get_device("my_customer", "device-1", false)
                .await
                .unwrap()
                .is_none()
        );
    }
    for (reply, reason) in [
        (Reply::html(404), Reason::UnexpectedAnswer),
        (
            Reply::text(404, "text/plain", "Not Found"),
            Reason::UnexpectedAnswer,
        ),
        (
            Reply::json(404, &json!({"error": "not found"})),
            Reason::UnexpectedAnswer,
        ),
        (
            Reply::json(404, &json!({"error": {"code": 404, "message": "no route"}})),
            Reason::UnexpectedAnswer,
        ),
        (not_found("Not Found"), Reason::CustomerNotFound),
        (
            Reply::error(403, "forbidden", "Not Authorized"),
            Reason::PrivilegeMissing,
        ),
        (Reply::json(200, &json!({})), Reason::UnexpectedAnswer),
        (
            Reply::json(200, &json!({"deviceId": "device-2"})),
            Reason::UnexpectedAnswer,
        ),
        (Reply::json(204, &json!({})), Reason::UnexpectedAnswer),
        (Reply::html(410), Reason::UnexpectedAnswer),
    ] {
        let google = Fake::start(move |seen, _| (seen.path != "/token").then(|| reply.clone())).await;
        let error = google
            .client()
            .get_device("my_customer", "device-1", false)
            .await
            .unwrap_err();
        assert_eq!(error.reason, reason, "{error}");
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_never_sent() {
    let google = Fake::start(|_, _| None).await;
    let client = google.client();
    for id in ["", ".", "..", "a/b", "a?b", "device-1:issueCommand", "a b"] {
        let error = client.get_device("my_customer", id, false).await.unwrap_err();
        assert_eq!(error.reason, Reason::RequestInvalid, "{id}");
        let error = client
            .list_devices(&ListRequest::new(id), None)
            .await
            .unwrap_err();
        assert_eq!(error.reason, Reason::RequestInvalid, "{id}");
        let error = client.list_org_units(id).await.unwrap_err();
        assert_eq!(error.reason, Reason::RequestInvalid, "{id}");
    }
    assert_eq!(google.requests().len(), 0);
}

#[tokio::test]
async fn counts_and_org_units_are_read() {
    let google = Fake::start(|seen, _| match seen.path.rsplit('/').next().unwrap() {
        "chromeos:countChromeOsDevices" => Some(Reply::json(200, &json!({"count": "12345"}))),
        "orgunits" => Some(Reply::json(
            200,
            &json!({"organizationUnits": [
                {"orgUnitPath": "/", "orgUnitId": "id:03ph8a2z0"},
                {"orgUnitPath": "/North", "orgUnitId": "id:03ph8a2z1", "parentOrgUnitId": "id:03ph8a2z0"},
            ]}),
        )),
        _ => None,
    })
    .await;
    let client = google.client();
    let north = ListRequest {
        org_unit_path: Some("/North".to_owned()),
        ..ListRequest::default()
    };
    assert_eq!(client.count_devices(&north).await.unwrap(), 12_345);
    let units = client.list_org_units("my_customer").await.unwrap();
    assert_eq!(units[1].org_unit_id.as_deref(), Some("03ph8a2z1"));
    assert_eq!(units[1].parent_org_unit_id, units[0].org_unit_id);
    assert_eq!(google.calls()[1].parameter("type"), Some("allIncludingParent"));
}

#[tokio::test]
async fn a_missing_count_is_not_zero() {
    for body in [
        json!({}),
        json!({"count": null}),
        json!({"count": "many"}),
        json!({"count": -1}),
    ] {
        let google =
            Fake::start(move |seen, _| (seen.path != "/token").then(|| Reply::json(200, &body))).await;
        let error = google
            .client()
            .count_devices(&ListRequest::default())
            .await
            .unwrap_err();
        assert_eq!(error.reason, Reason::UnexpectedAnswer);
    }
}
