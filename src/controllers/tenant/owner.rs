//! Which connection a namespace belongs to.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The connection that owns the namespace: the oldest, by creation and then by UID. Any other is in conflict.
pub(crate) fn oldest(connections: impl IntoIterator<Item = ObjectMeta>) -> Option<ObjectMeta> {
    connections.into_iter().min_by(|one, other| {
        (&one.creation_timestamp, &one.uid).cmp(&(&other.creation_timestamp, &other.uid))
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn connection(created: &str, uid: &str) -> ObjectMeta {
        ObjectMeta {
            creation_timestamp: Some(Time(created.parse().unwrap())),
            uid: Some(uid.into()),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn the_oldest_owns_the_namespace_and_the_uid_decides_a_tie() {
        let (old, new) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        let owner = |all: &[(&str, &str)]| {
            let all = all.iter().map(|(created, uid)| connection(created, uid));
            oldest(all).and_then(|meta| meta.uid)
        };
        assert_eq!(owner(&[(new, "a"), (old, "b")]).as_deref(), Some("b"));
        assert_eq!(owner(&[(old, "b"), (old, "a")]).as_deref(), Some("a"));
        assert_eq!(owner(&[]), None);
    }
}
