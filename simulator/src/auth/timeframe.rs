//! The time rules for tokens that clients sign: short-lived, and at the present time.

use jiff::Timestamp;
use serde_json::Value;

use super::keys::Claims;

/// Google promises an hour and in practice forgives five minutes ("Preparing to make an authorized API call").
const LONGEST_LIFE_SECONDS: f64 = 65.0 * 60.0;
/// By how much the client's clock may differ.
const FORGIVEN_SECONDS: f64 = 5.0 * 60.0;

/// Whether `iat` and `exp` are there, in order, at most 65 minutes apart, and around `now`.
pub(super) fn is_acceptable(claims: &Claims, now: Timestamp) -> bool {
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    let (Some(issued), Some(expires)) = (seconds("iat"), seconds("exp")) else {
        return false;
    };
    let now = now.as_duration().as_secs_f64();
    issued < expires
        && expires - issued <= LONGEST_LIFE_SECONDS
        && issued <= now + FORGIVEN_SECONDS
        && expires > now - FORGIVEN_SECONDS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_edge() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let cases = [
            ("usual", json!({"iat": 0, "exp": 3600}), true),
            ("longest", json!({"iat": 0, "exp": 3900}), true),
            ("too long", json!({"iat": 0, "exp": 3901}), false),
            ("client a little fast", json!({"iat": 300, "exp": 3600}), true),
            ("client too fast", json!({"iat": 301, "exp": 3600}), false),
            ("just expired", json!({"iat": -3600, "exp": -299}), true),
            ("expired", json!({"iat": -3600, "exp": -300}), false),
            ("backwards", json!({"iat": 100, "exp": 50}), false),
            ("fractions", json!({"iat": 0.5, "exp": 3600.5}), true),
            ("no iat", json!({"exp": 3600}), false),
            ("no exp", json!({"iat": 0}), false),
            ("text", json!({"iat": "0", "exp": "3600"}), false),
        ];
        for (name, offsets, expected) in cases {
            let claims: Claims = offsets
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, value)| {
                    let shifted = value.as_f64().map(|seconds| json!(seconds + 1_800_000_000.0));
                    (key.clone(), shifted.unwrap_or_else(|| value.clone()))
                })
                .collect();
            assert_eq!(is_acceptable(&claims, now), expected, "{name}");
        }
    }
}
