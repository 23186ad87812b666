//! The resource types that the operator serves, and nothing else: no client, no clock, no I/O.
//!
//! Doc comments on fields become the text of `kubectl explain`; they are written for administrators.

#![expect(
    unreachable_pub,
    reason = "KubeSchema copies each `pub struct` into a function, where `pub` has no meaning"
)]
#![expect(
    clippy::duplicated_attributes,
    reason = "every printer column has a type and a priority of its own"
)]
#![expect(
    clippy::doc_markdown,
    reason = "field docs are read in `kubectl explain`, where kinds are plain words"
)]

pub mod action;
pub mod conditions;
pub mod connection;
pub mod crds;
pub mod device;
pub mod generated;
pub mod receipt;
pub mod reference;
mod schema;
mod structural;

pub use action::DeviceAction;
pub use connection::ChromeEnterpriseConnection;
pub use device::ChromeOSDevice;
pub use receipt::DeviceActionReceipt;

/// Finalizer on a connection: it holds a deleted connection until its devices are gone.
pub const CLEANUP_FINALIZER: &str = "chromeenterprise.dev/cleanup";

/// Label on every device object: the name of the connection that mirrors it.
pub const CONNECTION_LABEL: &str = "chromeenterprise.dev/connection";

/// Annotation on a connection: any new value starts a full sync now. The handled value is mirrored in
/// `status.sync.handledRequest`.
pub const SYNC_REQUESTED_ANNOTATION: &str = "chromeenterprise.dev/sync-requested-at";

/// Annotation on a connection: the `id` of the `status.sync.pruneHold` whose devices may be removed, once.
pub const ALLOW_PRUNE_ANNOTATION: &str = "chromeenterprise.dev/allow-prune";

/// Annotation on an action: the user who created it. Admission policies stamp it and refuse a forged one.
pub const REQUESTED_BY_ANNOTATION: &str = "chromeenterprise.dev/requested-by";

/// Label on a Secret: which program made it.
pub const CREATED_BY_LABEL: &str = "chromeenterprise.dev/created-by";

/// Value of [`CREATED_BY_LABEL`] on a Secret that the kubectl plugin made when it asked an admin for consent. Only such
/// a consent is revoked at Google when its connection is deleted.
pub const CREATED_BY_CONNECT: &str = "kubectl-chromeos";

/// Field manager under which the operator writes.
pub const FIELD_MANAGER: &str = "chrome-enterprise-operator";
