//! The accounts of a customer: administrators and the people around them.

use serde::{Deserialize, Serialize};

/// A user account of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the fields of Google's resource"
)]
pub struct User {
    /// The immutable 21-digit id.
    pub id: String,
    /// The e-mail address that the account signs in with.
    pub primary_email: String,
    /// The customer (`C0…`) it belongs to.
    pub customer_id: String,
    /// First name.
    pub given_name: String,
    /// Last name.
    pub family_name: String,
    /// Super administrator: holds every privilege.
    pub is_admin: bool,
    /// Holds an administrator role that is not super administrator.
    pub is_delegated_admin: bool,
    /// A suspended account can neither sign in nor be acted for.
    pub suspended: bool,
    /// An archived account.
    pub archived: bool,
    /// Path of the organisational unit it is in.
    pub org_unit_path: String,
    /// Has signed in once and accepted the terms; delegation needs it.
    pub agreed_to_terms: bool,
    /// What a delegated administrator's role allows. A super administrator needs none of them.
    pub privileges: Privileges,
}

/// Privileges of an administrator role, as far as the simulated methods ask for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "privileges are independent of each other"
)]
pub struct Privileges {
    /// Chrome management: see and manage ChromeOS devices.
    pub chrome_devices: bool,
    /// Organisational units: read.
    pub org_units: bool,
    /// Users: read.
    pub users: bool,
    /// Customer (domain) settings: read.
    pub customer: bool,
}

impl Privileges {
    /// Everything: what a super administrator has.
    pub const ALL: Self = Self {
        chrome_devices: true,
        org_units: true,
        users: true,
        customer: true,
    };
}

impl User {
    /// `isAdmin` and `isDelegatedAdmin` of a super administrator.
    pub(crate) const SUPER: (bool, bool) = (true, false);
    /// The same of an administrator with another role.
    pub(crate) const DELEGATED: (bool, bool) = (false, true);
    /// The same of somebody without a role.
    pub(crate) const NEITHER: (bool, bool) = (false, false);

    /// Whether this is the account with this primary e-mail address (in any case) or id.
    pub(crate) fn is_called(&self, key: &str) -> bool {
        self.primary_email.eq_ignore_ascii_case(key) || self.id == key
    }

    /// The name as it is shown.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// What this account may do.
    #[must_use]
    pub fn effective_privileges(&self) -> Privileges {
        if self.suspended {
            Privileges::default()
        } else if self.is_admin {
            Privileges::ALL
        } else {
            self.privileges
        }
    }
}
