//! Tells people, in `kubectl describe`, the two moments of an action that matter: Google has it, and it ended.
//!
//! Events are best effort: one that is lost changes nothing. Their names are made from object and reason, so that a
//! second operator process, or a repetition, makes no second event.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use kube::{Resource, ResourceExt};

use super::Context;
use super::claim::{bounded, code};
use crate::api::action::{ActionState, DeviceAction, DeviceActionStatus};
use crate::api::conditions;
use crate::controllers::digest;

/// Longest note that the API server accepts, in bytes.
const LONGEST_NOTE: usize = 1000;

/// Makes the event of a status that was written just now, if it has one.
pub(super) async fn tell(
    context: &Context,
    action: &DeviceAction,
    status: &DeviceActionStatus,
    now: Timestamp,
) {
    let Some(event) = build(context, action, status, now) else {
        return;
    };
    let namespace = action.namespace().unwrap_or_default();
    let api: Api<Event> = Api::namespaced(context.client.clone(), &namespace);
    match bounded(api.create(&PostParams::default(), &event)).await {
        Ok(_) => {}
        Err(error) if code(&error) == Some(409) => {}
        Err(error) => {
            tracing::debug!(%namespace, action = %action.name_any(), %error, "an event could not be written");
        }
    }
}

fn build(
    context: &Context,
    action: &DeviceAction,
    status: &DeviceActionStatus,
    now: Timestamp,
) -> Option<Event> {
    let state = status.state?;
    let type_ = match state {
        ActionState::Pending | ActionState::Dispatching | ActionState::Acknowledged => return None,
        ActionState::Sent | ActionState::Succeeded => "Normal",
        ActionState::Failed | ActionState::Expired | ActionState::Rejected | ActionState::OutcomeUnknown => {
            "Warning"
        }
    };
    let told = conditions::find(&status.conditions, "Succeeded")?;
    let uid = action.uid().unwrap_or_default();
    let name = format!(
        "{}.{}",
        short(&action.name_any()),
        digest::short([uid.as_str(), state.as_str()])
    );
    Some(Event {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: action.namespace(),
            ..ObjectMeta::default()
        },
        action: Some(action.spec.type_.as_str().to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(cut(&told.message)),
        reason: Some(told.reason.clone()),
        regarding: Some(ObjectReference {
            api_version: Some(DeviceAction::api_version(&()).into_owned()),
            kind: Some(DeviceAction::kind(&()).into_owned()),
            name: Some(action.name_any()),
            namespace: action.namespace(),
            uid: Some(uid),
            ..ObjectReference::default()
        }),
        reporting_controller: Some("chromeenterprise.dev/chrome-enterprise-operator".to_owned()),
        reporting_instance: Some(context.process.clone()),
        type_: Some(type_.to_owned()),
        ..Event::default()
    })
}

/// The beginning of a name, so that it and a digest fit into another name.
fn short(name: &str) -> &str {
    let end = name.char_indices().nth(200).map_or(name.len(), |(end, _)| end);
    name.get(..end).unwrap_or_default().trim_end_matches(['.', '-'])
}

fn cut(text: &str) -> String {
    let mut note = String::new();
    for character in text.chars() {
        if note.len() + character.len_utf8() > LONGEST_NOTE {
            break;
        }
        note.push(character);
    }
    note
}
