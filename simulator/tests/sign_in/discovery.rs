//! The discovery document.

use crate::support::{Answer, World};

#[tokio::test]
async fn the_document_names_the_address_that_the_client_used() {
    let world = World::new().await;
    let address = world.url("/$discovery/rest?version=directory_v1");
    let document = Answer::of(world.http.get(&address).send().await.unwrap())
        .await
        .json();
    assert_eq!(document["rootUrl"], world.url("/"));
    assert_eq!(document["baseUrl"], world.url("/"));
    assert_eq!(document["batchPath"], "batch");
    let behind_proxy = world
        .http
        .get(&address)
        .header("host", "google.school.example")
        .header("x-forwarded-proto", "https")
        .send()
        .await
        .unwrap();
    let document = Answer::of(behind_proxy).await.json();
    assert_eq!(document["rootUrl"], "https://google.school.example/");
    let other = world
        .http
        .get(world.url("/$discovery/rest?version=reports_v1"))
        .send()
        .await
        .unwrap();
    assert_eq!(other.status().as_u16(), 404);
}
