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

/// The scopes that the admin enters on the Domain-wide delegation page. Google grants all of them or none.
#[must_use]
pub const fn required_scopes(access: Access) -> [&'static str; 3] {
    match access {
        Access::ReadWrite => [DEVICES, USERS, ORG_UNITS],
        Access::ReadOnly => [DEVICES_READ_ONLY, USERS, ORG_UNITS],
    }
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
}
