//! `ChromeEnterpriseConnection`: one Google customer, connected to one namespace.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Google takes for the customer of whoever asks ("Directory API: Manage ChromeOS devices").
pub const MY_CUSTOMER: &str = "my_customer";

/// What to connect, and how often to look.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "chromeenterprise.dev",
    version = "v1alpha1",
    kind = "ChromeEnterpriseConnection",
    plural = "chromeenterpriseconnections",
    shortname = "cec",
    category = "chromeos",
    namespaced,
    status = "ChromeEnterpriseConnectionStatus",
    derive = "PartialEq",
    doc = "Connects one Google customer to this namespace: the operator signs in as the named admin account and keeps one ChromeOSDevice object per enrolled ChromeOS device. One connection per namespace; the oldest wins.",
    selectable = ".status.state",
    printcolumn(
        name = "STATE",
        type_ = "string",
        json_path = ".status.state",
        description = "Connecting, Syncing, Active, Degraded, Suspended, Conflict or Deleting"
    ),
    printcolumn(
        name = "DEVICES",
        type_ = "integer",
        json_path = ".status.devices.synced",
        description = "Devices mirrored in this namespace"
    ),
    printcolumn(
        name = "LAST CHECK-IN",
        type_ = "date",
        json_path = ".status.lastCheckInTime",
        description = "Since when the last complete exchange with Google is"
    ),
    printcolumn(
        name = "ACCOUNT",
        type_ = "string",
        json_path = ".status.connectedAccount",
        description = "The Google admin account in use"
    ),
    printcolumn(
        name = "REASON",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why the connection is in this state"
    ),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "MESSAGE",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1,
        description = "What to do next"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ChromeEnterpriseConnectionSpec {
    /// Google's customer ID (`C0xxxxxxx`), or `my_customer` for the customer that the admin account belongs to.
    #[serde(default = "default_customer_id")]
    #[schemars(length(min = 2, max = 64), pattern(r"^(my_customer|C[0-9A-Za-z]+)$"))]
    pub customer_id: String,

    /// E-mail address of the Google admin account that the operator acts as. It needs the admin console
    /// privileges to manage ChromeOS devices and to read org units and users.
    #[schemars(
        length(min = 3, max = 254),
        pattern(r"^[^@\s]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
    )]
    pub admin_email: String,

    /// How the operator signs in to Google: exactly one of serviceAccountKey, authorizedUser and keyless.
    pub credentials: Credentials,

    /// ReadWrite allows device actions; ReadOnly asks Google only for reading scopes and refuses actions.
    #[serde(default)]
    pub access: Access,

    /// What is mirrored, and how often.
    #[serde(default)]
    pub sync: SyncSettings,
}

fn default_customer_id() -> String {
    MY_CUSTOMER.to_owned()
}

/// How the operator signs in to Google: exactly one of the fields.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.serviceAccountKey), has(self.authorizedUser), has(self.keyless)].filter(given, given).size() == 1")
    .message("give exactly one of serviceAccountKey, authorizedUser and keyless"))]
pub struct Credentials {
    /// A Google service account with domain-wide delegation; its key file is kept in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_key: Option<ServiceAccountKeyCredentials>,

    /// The consent of an admin: a refresh token from Google's consent page, kept in a Secret. The admin has to be
    /// spec.adminEmail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_user: Option<AuthorizedUserCredentials>,

    /// A Google service account with domain-wide delegation, signed for by the operator's own cloud identity. Whoever
    /// runs the operator has to allow it for this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyless: Option<KeylessCredentials>,
}

/// A service account key in a Secret.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountKeyCredentials {
    /// The Secret in this namespace that holds the key file; `key` defaults to `service-account.json`.
    pub secret_ref: SecretReference,
}

/// A consent in a Secret.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizedUserCredentials {
    /// The Secret in this namespace that holds the authorized-user file; `key` defaults to `authorized-user.json`. With
    /// the label `chromeenterprise.dev/created-by: kubectl-chromeos` on it, the consent is revoked at Google when the
    /// connection is deleted and no other one uses it.
    pub secret_ref: SecretReference,
}

/// Domain-wide delegation without a key file.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KeylessCredentials {
    /// E-mail address of the Google service account that has the domain-wide delegation.
    #[schemars(
        length(min = 3, max = 254),
        pattern(r"^[^@\s]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
    )]
    pub service_account_email: String,
}

/// One key of a Secret in the namespace of the connection.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), pattern(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: String,

    /// Key inside the Secret. The default depends on the kind of credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), pattern(r"^[-._a-zA-Z0-9]+$"))]
    pub key: Option<String>,
}

/// What the operator may do at Google.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Devices are read, and actions may be sent to them.
    #[default]
    ReadWrite,
    /// Devices are only read; every action is refused.
    ReadOnly,
}

/// What is mirrored, and how often.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.fullIntervalSeconds >= self.intervalSeconds")
    .message("fullIntervalSeconds must be at least intervalSeconds"))]
pub struct SyncSettings {
    /// Org unit whose devices are mirrored, with everything below it. The default is the whole customer.
    #[serde(default = "default_org_unit_path")]
    #[schemars(length(min = 1, max = 1024), pattern(r"^(/|(/[^/\s]([^/\t\r\n]*[^/\s])?)+)$"))]
    pub org_unit_path: String,

    /// Google's device search that narrows what is mirrored, such as `status:provisioned`. Every word must
    /// have the form `field:value`, with a phrase in double quotes: `user:"help desk"`. Anything else, and a
    /// question mark, is refused here, because Google does not refuse it but matches many devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 3, max = 1024),
        pattern(r#"^[a-z_]+:("[^"?]+"|[^\s"?]+)( [a-z_]+:("[^"?]+"|[^\s"?]+))*$"#)
    )]
    pub query: Option<String>,

    /// Seconds between two looks at what changed.
    #[serde(default = "default_interval_seconds")]
    #[schemars(range(min = 60, max = 604_800))]
    pub interval_seconds: i32,

    /// Seconds between two complete passes. Only a complete pass notices devices that are gone, edits that an
    /// admin made to a device that is switched off, and changes made to the objects in this cluster.
    #[serde(default = "default_full_interval_seconds")]
    #[schemars(range(min = 60, max = 2_592_000))]
    pub full_interval_seconds: i32,

    /// True stops all syncing; devices are kept as they are.
    #[serde(default)]
    pub suspend: bool,

    /// True also mirrors the e-mail address of the most recent user of each device. This is personal data.
    #[serde(default)]
    pub include_recent_users: bool,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            org_unit_path: default_org_unit_path(),
            query: None,
            interval_seconds: default_interval_seconds(),
            full_interval_seconds: default_full_interval_seconds(),
            suspend: false,
            include_recent_users: false,
        }
    }
}

fn default_org_unit_path() -> String {
    "/".to_owned()
}

const fn default_interval_seconds() -> i32 {
    900
}

const fn default_full_interval_seconds() -> i32 {
    21_600
}

/// What is known of the connection now.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ChromeEnterpriseConnectionStatus {
    /// One word for the whole connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ConnectionState>,

    /// The metadata.generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// E-mail address of the Google admin account that is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254))]
    pub connected_account: Option<String>,

    /// Google's ID of the connected customer, resolved from the admin account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub customer_id: Option<String>,

    /// What is asked of Google. With a service account: what a super admin enters under Security > Access and data
    /// control > API controls > Domain-wide delegation. Shown before anything works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<OAuthStatus>,

    /// The last time that devices or actions were exchanged with Google and recorded completely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_check_in_time: Option<Time>,

    /// How many devices are mirrored, by what Google says of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<DeviceCounts>,

    /// How the synchronisation goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncStatus>,

    /// What is true of this connection now. Ready is always there; Reconciling, Stalled and PruneHeld only
    /// while they are true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// One word for the whole connection.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// Not signed in yet: credentials are being checked or a person has to act.
    Connecting,
    /// Signed in; the first complete sync, or the first one of a changed scope, is under way.
    Syncing,
    /// The inventory is complete and kept in step.
    Active,
    /// Was active; the last sync failed or the credentials stopped working. Devices are kept as they are.
    Degraded,
    /// Stopped by `spec.sync.suspend`. Devices are kept as they are.
    Suspended,
    /// An older connection exists in this namespace; this one does nothing until the older one is gone.
    Conflict,
    /// Being deleted: its device objects are removed first.
    Deleting,
}

/// What is asked of Google, and by whom.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OAuthStatus {
    /// Client ID of the service account, or of the OAuth client that the consent was given to. Without a key the
    /// operator does not know it: it is the unique ID of the service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub client_id: Option<String>,

    /// The OAuth scopes that are needed, all of them; with a consent also `openid` and `email`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(max = 256)))]
    pub scopes: Vec<String>,
}

/// How many devices are mirrored, by what Google says of them.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCounts {
    /// All devices that have an object in this namespace.
    #[schemars(range(min = 0))]
    pub synced: i64,
    /// Enrolled and managed (Google: ACTIVE).
    #[schemars(range(min = 0))]
    pub active: i64,
    /// Disabled by an admin, shown as lost (Google: DISABLED).
    #[schemars(range(min = 0))]
    pub disabled: i64,
    /// Released from management; the record stays listed (Google: DEPROVISIONED).
    #[schemars(range(min = 0))]
    pub deprovisioned: i64,
    /// In any other state.
    #[schemars(range(min = 0))]
    pub other: i64,
}

/// How the synchronisation goes.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    /// What the operator is doing now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<SyncPhase>,

    /// When the pass that runs now, or ran last, began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_time: Option<Time>,

    /// Devices read from Google in this pass so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub devices_read: Option<i64>,

    /// How many devices Google said there are when the pass began. A living fleet never agrees exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub devices_expected: Option<i64>,

    /// When the last complete pass ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_complete_time: Option<Time>,

    /// How long the last complete pass took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub last_duration_seconds: Option<i64>,

    /// When the next look at Google is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_time: Option<Time>,

    /// The last handled value of the annotation `chromeenterprise.dev/sync-requested-at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub handled_request: Option<String>,

    /// Names customer, org unit and query of the last complete pass; another scope starts with `Syncing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub completed_scope: Option<String>,

    /// Devices of Google that have no object here because Google's record of them cannot be read or named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub devices_skipped: Option<i64>,

    /// Devices that vanished at Google and are kept, because they are too many to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune_hold: Option<PruneHold>,

    /// The highest device counts of the last 24 hours, against which a vanishing fleet is measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub recent_peaks: Vec<DevicePeak>,
}

/// What the operator is doing now.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SyncPhase {
    /// Waiting for the next pass.
    #[default]
    Idle,
    /// Signing in and checking the admin account.
    Verifying,
    /// Reading this cluster's device objects.
    Indexing,
    /// Reading the devices from Google and writing what changed.
    Reading,
    /// Asking Google for each absent device by itself.
    Confirming,
    /// Removing device objects.
    Removing,
}

/// Devices that vanished at Google and are kept until a person agrees.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PruneHold {
    /// Put this value into the annotation `chromeenterprise.dev/allow-prune` of the connection to remove
    /// exactly these devices, once.
    #[schemars(length(max = 64))]
    pub id: String,

    /// How many devices would be removed.
    #[schemars(range(min = 0))]
    pub devices: i64,

    /// Since when they are held.
    pub since: Time,
}

/// A device count that was seen within the last 24 hours.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DevicePeak {
    /// When it was seen.
    pub time: Time,

    /// How many devices there were.
    #[schemars(range(min = 0))]
    pub devices: i64,
}
