//! What goes, what stays, and what ends when a connection is removed.

use chrome_enterprise_operator::api::action::ActionState;
use chrome_enterprise_operator::api::connection::ConnectionState;
use chrome_enterprise_operator::api::{
    CONNECTION_LABEL, ChromeEnterpriseConnection, ChromeOSDevice, DeviceAction, DeviceActionReceipt,
};
use kube::api::{Api, ListParams};
use kube::core::PartialObjectMeta;

use crate::cluster::{Cluster, pages};
use crate::connections::{self, name_of, namespace_of};
use crate::failure::Failure;

/// One line for each consequence.
pub(super) async fn of(cluster: &Cluster, connection: &ChromeEnterpriseConnection) -> Vec<String> {
    let (name, namespace) = (name_of(connection), namespace_of(connection));
    let mut lines = vec![format!(
        "Connection {name} in namespace {namespace} will be removed:"
    )];
    if connections::state(connection) == Some(ConnectionState::Conflict) {
        lines.push(format!(
            "- It is in conflict with an older connection, so it has no devices. Nothing else in namespace {namespace} changes."
        ));
        return lines;
    }
    lines.push(match devices(cluster, connection).await {
        Ok(count) => format!(
            "- {} of this cluster will be removed. Nothing changes at Google: the devices stay enrolled.",
            counted(count, "device object", "device objects")
        ),
        Err(problem) => format!("- Its device objects will be removed; how many is not known ({problem}). Nothing changes at Google."),
    });
    lines.push(match open_actions(cluster).await {
        Ok((0, 0)) => "- No action is open.".to_owned(),
        Ok((unsent, sent)) => format!(
            "- {} not sent yet will end as Rejected; {} sent already, which nobody here will follow any more.",
            counted(unsent, "action that is", "actions that are"),
            if sent == 1 { "1 is".to_owned() } else { format!("{sent} are") }
        ),
        Err(problem) => format!("- Actions that are not sent yet will end as Rejected; how many is not known ({problem})."),
    });
    lines.push(match receipts(cluster).await {
        Ok(count) => format!(
            "- {} of actions will stay.",
            counted(count, "receipt", "receipts")
        ),
        // Who may delete a connection need not be an auditor.
        Err(_) => "- The receipts of actions will stay.".to_owned(),
    });
    lines
}

fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {many}")
    }
}

/// The operator has counted them; without it they are listed, without their content.
async fn devices(cluster: &Cluster, connection: &ChromeEnterpriseConnection) -> Result<usize, String> {
    let counted = connection.status.as_ref().and_then(|status| status.devices);
    if let Some(counted) = counted.and_then(|devices| usize::try_from(devices.synced).ok()) {
        return Ok(counted);
    }
    let label = format!("{CONNECTION_LABEL}={}", name_of(connection));
    count::<ChromeOSDevice>(&cluster.api(), ListParams::default().labels(&label)).await
}

async fn receipts(cluster: &Cluster) -> Result<usize, String> {
    count::<DeviceActionReceipt>(&cluster.api(), ListParams::default()).await
}

async fn count<K>(api: &Api<K>, parameters: ListParams) -> Result<usize, String>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let mut parameters = parameters.limit(500);
    let mut count = 0;
    loop {
        let page: kube::core::ObjectList<PartialObjectMeta<K>> = api
            .list_metadata(&parameters)
            .await
            .map_err(|error| reason(&error))?;
        count += page.items.len();
        parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        if parameters.continue_token.is_none() {
            return Ok(count);
        }
    }
}

/// How many actions of the namespace are not sent, and how many are sent and not at their end.
async fn open_actions(cluster: &Cluster) -> Result<(usize, usize), String> {
    let mut pages = pages::<DeviceAction>(cluster.api(), ListParams::default(), "list actions");
    let (mut unsent, mut sent) = (0, 0);
    loop {
        let page = pages
            .next()
            .await
            .map_err(|failure: Failure| first_line(&failure.to_string()))?;
        let Some(page) = page else {
            return Ok((unsent, sent));
        };
        for action in page {
            match action.status.and_then(|status| status.state) {
                None | Some(ActionState::Pending) => unsent += 1,
                Some(ActionState::Dispatching | ActionState::Sent | ActionState::Acknowledged) => sent += 1,
                Some(
                    ActionState::Succeeded
                    | ActionState::Failed
                    | ActionState::Expired
                    | ActionState::Rejected
                    | ActionState::OutcomeUnknown,
                ) => {}
            }
        }
    }
}

fn reason(error: &kube::Error) -> String {
    first_line(&Failure::kubernetes("list them", error).to_string())
}

fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned()
}
