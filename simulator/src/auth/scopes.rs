//! OAuth scopes: which exist, and how a text of them is read and written.

use std::collections::BTreeSet;

/// What every scope of a Google API begins with.
pub const GOOGLE_PREFIX: &str = "https://www.googleapis.com/auth/";
/// See and manage ChromeOS devices.
pub const CHROMEOS_DEVICES: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos";
/// See ChromeOS devices.
pub const CHROMEOS_DEVICES_READ_ONLY: &str =
    "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly";
/// See and manage organisational units.
pub const ORG_UNITS: &str = "https://www.googleapis.com/auth/admin.directory.orgunit";
/// See organisational units.
pub const ORG_UNITS_READ_ONLY: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";
/// See and manage user accounts.
pub const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user";
/// See user accounts.
pub const USERS_READ_ONLY: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
/// See and manage the customer's own data.
pub const CUSTOMER: &str = "https://www.googleapis.com/auth/admin.directory.customer";
/// See the customer's own data.
pub const CUSTOMER_READ_ONLY: &str = "https://www.googleapis.com/auth/admin.directory.customer.readonly";
/// Everything in the cloud project that the account may do.
pub const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Identity and access management, `signJwt` among it.
pub const IAM: &str = "https://www.googleapis.com/auth/iam";
/// The e-mail address of who signed in.
pub const USERINFO_EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
/// The name of who signed in.
pub const USERINFO_PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";
/// `OpenID` Connect: asks for an ID token.
pub const OPENID: &str = "openid";

/// What an administrator delegates to the operator, and what a new simulator has delegated already: the wide
/// scopes and their read-only forms, so that both kinds of connection work.
pub const DELEGATED_AT_START: &[&str] = &[
    CHROMEOS_DEVICES,
    CHROMEOS_DEVICES_READ_ONLY,
    ORG_UNITS_READ_ONLY,
    USERS_READ_ONLY,
];

/// The scopes of the Directory API without their prefix ("OAuth 2.0 Scopes for Google APIs").
const DIRECTORY_SCOPES: &[&str] = &[
    "admin.chrome.printers",
    "admin.chrome.printers.readonly",
    "admin.directory.customer",
    "admin.directory.customer.readonly",
    "admin.directory.device.chromebrowsers",
    "admin.directory.device.chromebrowsers.readonly",
    "admin.directory.device.chromeos",
    "admin.directory.device.chromeos.readonly",
    "admin.directory.device.mobile",
    "admin.directory.device.mobile.action",
    "admin.directory.device.mobile.readonly",
    "admin.directory.domain",
    "admin.directory.domain.readonly",
    "admin.directory.group",
    "admin.directory.group.member",
    "admin.directory.group.member.readonly",
    "admin.directory.group.readonly",
    "admin.directory.orgunit",
    "admin.directory.orgunit.readonly",
    "admin.directory.resource.calendar",
    "admin.directory.resource.calendar.readonly",
    "admin.directory.rolemanagement",
    "admin.directory.rolemanagement.readonly",
    "admin.directory.user",
    "admin.directory.user.alias",
    "admin.directory.user.alias.readonly",
    "admin.directory.user.readonly",
    "admin.directory.user.security",
    "admin.directory.userschema",
    "admin.directory.userschema.readonly",
];

/// Scopes outside the Directory API that its clients ask for, without their prefix.
const OTHER_SCOPES: &[&str] = &[
    "admin.reports.audit.readonly",
    "admin.reports.usage.readonly",
    "apps.licensing",
    "chrome.management.policy",
    "chrome.management.policy.readonly",
    "chrome.management.reports.readonly",
    "chrome.management.telemetry.readonly",
    "cloud-identity.groups",
    "cloud-platform",
    "cloud-platform.read-only",
    "drive.file",
    "drive.readonly",
    "iam",
    "spreadsheets",
    "userinfo.email",
    "userinfo.profile",
];

/// Reads scopes separated by blanks. `email` and `profile` become the long names, as in Google's answers.
#[must_use]
pub fn parse(text: &str) -> BTreeSet<String> {
    text.split_ascii_whitespace().map(canonical).collect()
}

/// Writes scopes separated by blanks, in a stable order.
#[must_use]
pub fn join(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Whether Google knows such a scope: an unknown one is refused with `invalid_scope`.
#[must_use]
pub fn is_known(scope: &str) -> bool {
    if scope == OPENID {
        return true;
    }
    scope
        .strip_prefix(GOOGLE_PREFIX)
        .is_some_and(|name| DIRECTORY_SCOPES.contains(&name) || OTHER_SCOPES.contains(&name))
}

/// Whether these scopes make Google add an ID token to its answer.
#[must_use]
pub fn ask_for_identity(scopes: &BTreeSet<String>) -> bool {
    [OPENID, USERINFO_EMAIL, USERINFO_PROFILE]
        .iter()
        .any(|scope| scopes.contains(*scope))
}

/// All scopes of the Directory API: what a self-signed token for the whole service may use.
#[must_use]
pub fn directory() -> BTreeSet<String> {
    DIRECTORY_SCOPES
        .iter()
        .map(|name| format!("{GOOGLE_PREFIX}{name}"))
        .collect()
}

fn canonical(scope: &str) -> String {
    match scope {
        "email" => USERINFO_EMAIL.to_owned(),
        "profile" => USERINFO_PROFILE.to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_become_long_and_blanks_do_not_matter() {
        let scopes = parse(" openid  email\nprofile ");
        assert_eq!(
            join(&scopes),
            format!("{USERINFO_EMAIL} {USERINFO_PROFILE} openid")
        );
        assert!(ask_for_identity(&scopes));
        assert!(parse("").is_empty());
    }

    #[test]
    fn a_mistyped_scope_is_not_known() {
        assert!(is_known(CHROMEOS_DEVICES) && is_known(OPENID) && is_known(CLOUD_PLATFORM));
        assert!(!is_known(
            "https://www.googleapis.com/auth/admin.directory.device.chromeoss"
        ));
        assert!(!is_known("admin.directory.device.chromeos"));
        assert!(DELEGATED_AT_START.iter().all(|scope| is_known(scope)));
    }
}
