//! Who may call what: scopes, privileges, customers, paths.

use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::control::UserPatch;
use google_admin_simulator::people::Privileges;
use google_admin_simulator::switches::Switches;
use reqwest::{Method, header};
use serde_json::json;

use crate::support::{
    Answer, CUSTOMER, DEVICES, DEVICES_READ_ONLY, LIST, ORG_UNITS, USERS, World, frozen, token,
};

const UNITS: &str = "/admin/directory/v1/customer/my_customer/orgunits";

#[tokio::test]
async fn without_a_token_a_login_is_required() {
    let world = World::with_devices(3).await;
    let answer = Answer::of(world.http.get(world.url(LIST)).send().await.unwrap()).await;
    assert_eq!(
        answer.error(),
        (401, "required".to_owned(), "Login Required.".to_owned())
    );
    let answer = world.get_as("wrong", LIST).await;
    assert_eq!((answer.status, answer.error().1.as_str()), (401, "authError"));
    let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
}

#[tokio::test]
async fn every_method_wants_its_own_scope() {
    let world = World::with_devices(3).await;
    let admin = world.simulator.admin_email();
    let user = format!("/admin/directory/v1/users/{admin}");
    let rows = [
        (LIST, vec![DEVICES, DEVICES_READ_ONLY]),
        (UNITS, vec![ORG_UNITS]),
        (user.as_str(), vec![USERS]),
        ("/admin/directory/v1/customers/my_customer", vec![CUSTOMER]),
    ];
    for (path, accepted) in rows {
        for scope in [DEVICES, DEVICES_READ_ONLY, ORG_UNITS, USERS, CUSTOMER] {
            let answer = world
                .get_as(&token(&world.simulator, &admin, &[scope]), path)
                .await;
            if accepted.contains(&scope) {
                assert_eq!(answer.status, 200, "{path} with {scope}: {}", answer.text);
                continue;
            }
            assert_eq!(
                (answer.status, answer.error().1.as_str()),
                (403, "insufficientPermissions"),
                "{path}"
            );
            let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert!(
                challenge.contains("insufficient_scope") && challenge.contains(accepted[0]),
                "{challenge}"
            );
        }
    }
}

#[tokio::test]
async fn a_read_only_scope_changes_nothing() {
    let world = World::with_devices(3).await;
    let id = world.any_device().await;
    let token = token(
        &world.simulator,
        &world.simulator.admin_email(),
        &[DEVICES_READ_ONLY],
    );
    let calls = [
        (Method::PATCH, format!("{LIST}/{id}")),
        (Method::PUT, format!("{LIST}/{id}")),
        (Method::POST, format!("{LIST}/moveDevicesToOu?orgUnitPath=/")),
        (Method::POST, format!("{LIST}/{id}/action")),
        (Method::POST, format!("{LIST}/{id}:issueCommand")),
        (Method::POST, format!("{LIST}:batchChangeStatus")),
    ];
    for (method, path) in calls {
        let request = world
            .http
            .request(method, world.url(&path))
            .bearer_auth(&token)
            .json(&json!({}));
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(
            (answer.status, answer.error().1.as_str()),
            (403, "insufficientPermissions"),
            "{path}"
        );
        let details = &answer.json()["error"]["details"][0];
        assert_eq!(details["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    }
}

#[tokio::test]
async fn privileges_are_needed_besides_scopes() {
    let world = World::with_devices(3).await;
    for (account, devices, units) in [
        ("admin@school.example", 200, 200),
        ("device-admin@school.example", 200, 200),
        ("helpdesk@school.example", 403, 403),
        ("teacher@school.example", 403, 403),
    ] {
        let token = token(&world.simulator, account, &[DEVICES, ORG_UNITS]);
        for (path, expected) in [(LIST, devices), (UNITS, units)] {
            let answer = world.get_as(&token, path).await;
            assert_eq!(answer.status, expected, "{account} {path}");
            if expected == 403 {
                let words = "Not Authorized to access this resource/api";
                assert_eq!(answer.error(), (403, "forbidden".to_owned(), words.to_owned()));
            }
        }
    }
    let patch = UserPatch {
        privileges: Some(Privileges {
            chrome_devices: true,
            ..Privileges::default()
        }),
        ..UserPatch::default()
    };
    world
        .simulator
        .state()
        .patch_user(&world.customer(), "teacher@school.example", &patch)
        .unwrap();
    let token = token(&world.simulator, "teacher@school.example", &[DEVICES]);
    assert_eq!(world.get_as(&token, LIST).await.status, 200);
}

#[tokio::test]
async fn a_domain_can_be_closed_to_apis() {
    let world = World::start(frozen(3).tenants(2)).await;
    let closed = Switches {
        domain_without_apis: [world.customer()].into(),
        ..Switches::default()
    };
    world.simulator.state().set_switches(closed);
    assert_eq!(world.get(LIST).await.error().1, "domainCannotUseApis");
    let other = token(&world.simulator, "admin@second.example", &[DEVICES]);
    assert_eq!(world.get_as(&other, LIST).await.status, 200);
}

#[tokio::test]
async fn customers_are_separate() {
    let world = World::start(frozen(5).tenants(2)).await;
    let [first, second] = [0, 1].map(|index| world.simulator.tenants()[index].customer_id().to_owned());
    let list = |customer: &str| format!("/admin/directory/v1/customer/{customer}/devices/chromeos");
    assert_eq!(world.get(&list(&first)).await.rows().len(), 5);
    assert_eq!(world.get(&list(&first.to_lowercase())).await.status, 200);
    assert_eq!(world.get(&list(&second)).await.error().1, "forbidden");
    assert_eq!(
        world.get(&list("C0zzzzzzz")).await.error(),
        (404, "notFound".to_owned(), "Not Found".to_owned())
    );
    assert_eq!(
        world.get(&list("somebody")).await.error().2,
        "Invalid Input: CustomerId is not present"
    );
    let other = token(&world.simulator, "admin@second.example", &[DEVICES]);
    let theirs = world.get_as(&other, LIST).await.ids();
    let ours = world.get(LIST).await.ids();
    assert_eq!((ours.len(), theirs.len()), (5, 5));
    assert!(ours.iter().all(|id| !theirs.contains(id)));
    assert_eq!(world.get(&format!("{LIST}/{}", theirs[0])).await.status, 404);
}

#[tokio::test]
async fn what_is_no_method_gets_a_page() {
    let world = World::with_devices(3).await;
    for (method, path, status) in [
        (Method::GET, "/admin/directory/v1/nothing", 404),
        (Method::GET, "/nothing", 404),
        (Method::DELETE, LIST, 405),
    ] {
        let answer = Answer::of(world.http.request(method, world.url(path)).send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(
            answer.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
    }
}

#[test]
fn methods_have_distinct_names() {
    let names: std::collections::BTreeSet<&str> = ApiMethod::ALL.iter().map(|method| method.id()).collect();
    assert_eq!(names.len(), ApiMethod::ALL.len());
}
