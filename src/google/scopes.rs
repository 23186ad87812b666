//! What is asked of Google: the smallest scopes that each way of working needs.
//!
//! Source: Directory API, "Choose Directory API scopes".

/// What a connection may do at Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Devices are read and acted on.
    ReadWrite,
    /// Devices are only read.
    ReadOnly,
}

impl Access {
    /// One word, to tell the two apart.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
        }
    }
}

const DEVICES: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos";
const DEVICES_READ_ONLY: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly";
const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const ORG_UNITS: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";

/// What a consent asks for besides, to know who gave it (`OpenID` Connect).
pub(super) const IDENTITY_SCOPES: [&str; 2] = ["openid", "email"];

/// The scopes that the work needs. The admin enters them on the Domain-wide delegation page, where Google grants all
/// of them or none; a consent asks for them and for `openid email`.
#[must_use]
pub const fn required_scopes(access: Access) -> [&'static str; 3] {
    match access {
        Access::ReadWrite => [DEVICES, USERS, ORG_UNITS],
        Access::ReadOnly => [DEVICES_READ_ONLY, USERS, ORG_UNITS],
    }
}

/// Those of the wanted scopes that a granted set does not cover. One that allows writing covers its read-only form,
/// and Google writes `email` out.
pub(super) fn not_granted(wanted: &[&'static str], granted: &str) -> Vec<&'static str> {
    let covers = |granted: &str, wanted: &str| {
        granted == wanted
            || wanted.strip_suffix(".readonly") == Some(granted)
            || (wanted == "email" && granted == "https://www.googleapis.com/auth/userinfo.email")
    };
    let is_missing = |scope: &&'static str| !granted.split(' ').any(|granted| covers(granted, scope));
    wanted.iter().copied().filter(is_missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_never_asks_to_write() {
        assert!(
            required_scopes(Access::ReadOnly)
                .iter()
                .all(|scope| scope.ends_with(".readonly"))
        );
        assert!(required_scopes(Access::ReadWrite).contains(&DEVICES));
    }

    #[test]
    fn what_is_not_granted_is_named() {
        let wanted = [DEVICES, USERS, ORG_UNITS, "openid", "email"];
        let all =
            format!("{DEVICES} {USERS} openid {ORG_UNITS} https://www.googleapis.com/auth/userinfo.email");
        assert!(not_granted(&wanted, &all).is_empty());
        assert_eq!(not_granted(&wanted, ""), wanted);
        assert_eq!(not_granted(&wanted, &all.replace("openid", "")), ["openid"]);
        assert_eq!(
            not_granted(&wanted, &all.replace(DEVICES, DEVICES_READ_ONLY)),
            [DEVICES]
        );
        // A consent to write serves for reading, and not the other way round.
        assert!(not_granted(&[DEVICES_READ_ONLY, USERS], &all).is_empty());
        assert_eq!(
            not_granted(&[DEVICES_READ_ONLY], &format!("{DEVICES}x")),
            [DEVICES_READ_ONLY]
        );
    }
}
