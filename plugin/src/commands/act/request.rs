//! The object that asks for something: its name, and how this program knows it again.
//!
//! Name and mark are made before the first request. Whatever becomes of an answer, the same object is asked for again,
//! and the API server lets only one creation of a name win.

use std::collections::BTreeMap;

use chrome_enterprise_operator::api::DeviceAction;
use chrome_enterprise_operator::api::action::DeviceActionSpec;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ObjectMeta;
use uuid::Uuid;

use super::order::Order;

/// Annotation on an action: a random value by which the program that created it knows it again.
pub(super) const REQUEST_ANNOTATION: &str = "chromeenterprise.dev/request-id";

/// Digits and the consonants that are not mistaken for another character when a name is read out.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Random characters at the end of a name.
const RANDOM: usize = 8;
/// Longest label of DNS (RFC 1035).
const LONGEST: usize = 63;

/// What the person decided about the action itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    /// A name that the person chose.
    pub(super) name: Option<String>,
    /// The last moment at which it may be sent.
    pub(super) not_after: Timestamp,
    /// When the object is removed after its end.
    pub(super) ttl_seconds: Option<i32>,
}

/// The object that asks for this, for exactly the device that was shown.
pub(super) fn action(
    namespace: &str,
    order: &Order,
    device_id: &str,
    serial_number: Option<&str>,
    terms: Terms,
) -> DeviceAction {
    let mark = Uuid::new_v4();
    let name = terms
        .name
        .unwrap_or_else(|| name(order.slug(), serial_number, Uuid::new_v4()));
    DeviceAction {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(namespace.to_owned()),
            annotations: Some(BTreeMap::from([(
                REQUEST_ANNOTATION.to_owned(),
                mark.simple().to_string(),
            )])),
            ..ObjectMeta::default()
        },
        spec: DeviceActionSpec {
            device_id: Some(device_id.to_owned()),
            serial_number: None,
            type_: order.type_(),
            restart: order.restart(),
            wipe: order.wipe(),
            deprovision: order.deprovision(),
            not_after: Time(whole(terms.not_after)),
            ttl_seconds_after_finished: terms.ttl_seconds,
        },
        status: None,
    }
}

/// Whether the object in the cluster is the one that was asked for: the same mark and the same content.
pub(super) fn is_same(found: &DeviceAction, wanted: &DeviceAction) -> bool {
    let mark = |action: &DeviceAction| {
        let annotations = action.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(REQUEST_ANNOTATION)).cloned()
    };
    mark(found).is_some() && mark(found) == mark(wanted) && found.spec == wanted.spec
}

/// Kubernetes keeps whole seconds; a later one would be another content.
fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// `restart-5cd1234xyz-k3f9x0ab`: a valid DNS label with a random end.
fn name(slug: &str, serial_number: Option<&str>, random: Uuid) -> String {
    let mut random = random.as_u128();
    let end: String = std::iter::repeat_with(|| {
        let index = usize::try_from(random & 31).unwrap_or_default();
        random >>= 5;
        char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
    })
    .take(RANDOM)
    .collect();
    let room = LONGEST.saturating_sub(slug.len() + RANDOM + 2);
    let serial: String = serial_number
        .unwrap_or_default()
        .chars()
        .map(|character| match character.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9') => plain,
            _ => '-',
        })
        .take(room)
        .collect();
    match serial.trim_matches('-') {
        "" => format!("{slug}-{end}"),
        serial => format!("{slug}-{serial}-{end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_label(name: &str) -> bool {
        name.len() <= LONGEST
            && !name.starts_with('-')
            && !name.ends_with('-')
            && name
                .chars()
                .all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-'))
    }

    #[test]
    fn every_serial_number_gives_a_name_that_kubernetes_takes() {
        let long = "X".repeat(64);
        for (serial, begins) in [
            (Some("5CD1234XYZ"), "lost-mode-off-5cd1234xyz-"),
            (Some(" PF 2/ä_9 "), "lost-mode-off-pf-2---9-"),
            (Some("---"), "lost-mode-off-"),
            (Some(""), "lost-mode-off-"),
            (None, "lost-mode-off-"),
            (Some(long.as_str()), "lost-mode-off-xxxxxxxx"),
        ] {
            for random in [Uuid::nil(), Uuid::max(), Uuid::new_v4()] {
                let name = name("lost-mode-off", serial, random);
                assert!(is_label(&name), "{name}");
                assert!(name.starts_with(begins), "{name}");
            }
        }
    }

    #[test]
    fn two_names_differ() {
        let one = || name("restart", Some("5CD"), Uuid::new_v4());
        assert_ne!(one(), one());
    }

    fn example(not_after: &str) -> DeviceAction {
        let terms = Terms {
            name: Some("x".into()),
            not_after: not_after.parse().unwrap(),
            ttl_seconds: None,
        };
        action("school", &Order::EnableLostMode, "id", None, terms)
    }

    #[test]
    fn only_the_same_request_is_recognised() {
        let wanted = example("2026-12-01T16:00:00.7Z");
        let stored: DeviceAction = serde_json::from_value(serde_json::to_value(&wanted).unwrap()).unwrap();
        assert!(
            is_same(&stored, &wanted),
            "a fraction of a second is no difference"
        );

        let twin = example("2026-12-01T16:00:00Z");
        assert_eq!(twin.spec, wanted.spec);
        assert!(!is_same(&twin, &wanted), "the same wish of somebody else");

        let mut changed = stored.clone();
        changed.spec.ttl_seconds_after_finished = Some(5);
        assert!(!is_same(&changed, &wanted), "changed on its way");

        let mut bare = wanted.clone();
        bare.metadata.annotations = None;
        assert!(!is_same(&bare, &bare.clone()), "nobody's mark is not ours");
    }
}
