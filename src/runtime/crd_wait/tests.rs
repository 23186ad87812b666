use super::*;
use crate::api::{ChromeEnterpriseConnection, ChromeOSDevice};
use crate::runtime::readiness::{CRDS_GATE, Readiness};
use kube::core::Status;

fn api_error(code: u16, message: &str) -> kube::Error {
    kube::Error::Api(Box::new(Status::failure(message, "").with_code(code)))
}

#[test]
fn names_the_definition_of_a_type() {
    let device = RequiredType::of::<ChromeOSDevice>();
    assert_eq!(
        device.definition(),
        "chromeosdevices.inventory.chromeenterprise.dev"
    );
    assert_eq!(device.api_version, "inventory.chromeenterprise.dev/v1alpha1");
}

#[test]
fn what_may_pass_is_asked_again_with_a_remedy() {
    let table = [
        (401, "Unauthorized", "credentials"),
        (403, "forbidden", "system:discovery"),
        (429, "too many", "trying again"),
        (500, "etcd is away", "etcd is away"),
        (503, "starting", "trying again"),
    ];
    for (code, message, part) in table {
        match judge(api_error(code, message)) {
            Unanswered::AskAgain(reason) => assert!(reason.contains(part), "{code}: {reason}"),
            Unanswered::Hopeless(error) => panic!("{code}: {error}"),
        }
    }
    let unreachable = kube::Error::Service("connection refused".into());
    assert!(
        matches!(judge(unreachable), Unanswered::AskAgain(reason) if reason.contains("connection refused"))
    );
}

#[test]
fn a_wrong_configuration_is_not_waited_out() {
    assert!(matches!(judge(kube::Error::TlsRequired), Unanswered::Hopeless(_)));
}

#[tokio::test]
async fn an_unreachable_api_server_closes_the_gate_with_the_reason_until_the_stop() {
    let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    let client = Client::try_from(config).unwrap();
    let readiness = Readiness::new();
    let gate = readiness.gate(CRDS_GATE);
    let stop = CancellationToken::new();
    let waiting = tokio::spawn({
        let (gate, stop) = (gate.clone(), stop.clone());
        async move {
            wait(
                &client,
                &[RequiredType::of::<ChromeEnterpriseConnection>()],
                &gate,
                &stop,
            )
            .await
        }
    });
    while !readiness.report().text.contains("cannot be reached") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        readiness.report().text.contains("refused"),
        "{}",
        readiness.report().text
    );
    stop.cancel();
    assert_eq!(waiting.await.unwrap().unwrap(), Waited::Stopped);
    assert!(!readiness.report().ready);
}
