//! The part of Google's Admin API that the operator needs, as a typed client.
//!
//! Nothing here knows Kubernetes. One [`GoogleContext`] belongs to the process: the endpoints, one HTTP
//! client, the quota of every admin account. One [`DirectoryClient`] belongs to a connection: it holds the
//! credential and its token.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `endpoints` | where Google is |
//! | `http` | proxy, certificate authorities, timeouts, size limits of every exchange |
//! | `credential` | the ways of signing in, as one type |
//! | `service_account_key`, `authorized_user`, `credential_file` | what is read from a credential's file, and what is ignored |
//! | `sign_in/`, `token_transport` | how an access token is obtained, in each of the ways |
//! | `token`, `access_token` | when one is obtained, and how it is kept |
//! | `scopes` | what is asked of Google |
//! | `quota` | how fast Google may be asked, and who goes first |
//! | `retry` | which failures are tried again, how often, and after how long |
//! | `refusal`, `token_refusal` | what an error answer means |
//! | `errors`, `explanation`, `class` | what callers are told |
//! | `mask`, `models`, `lenient`, `page` | which fields are asked for and how answers are read |
//! | `calls`, `directory`, `commands` | the calls that read |
//! | `verify` | whether one may sign in, and as whom |
//! | `changes`, `gated_body` | the calls that change something: once, and what is known about their effect |

mod access_token;
mod authorized_user;
mod calls;
mod changes;
mod class;
mod commands;
mod context;
mod credential;
mod credential_file;
mod directory;
mod endpoints;
mod errors;
mod explanation;
mod gated_body;
mod http;
mod lenient;
mod mask;
mod models;
mod observer;
mod page;
mod quota;
mod refusal;
mod retry;
mod scopes;
mod service_account_key;
mod sign_in;
#[cfg(test)]
mod testing;
mod token;
mod token_refusal;
mod token_transport;
mod verify;

pub use authorized_user::{AuthorizedUser, parse_authorized_user};
pub use changes::{DeprovisionReason, RemoteCommand, Sent, StateChange};
pub use class::ErrorClass;
pub use commands::{CommandResult, CommandStatus};
pub use context::{GoogleContext, SetupError};
pub use credential::{Credential, CredentialKind, Keyless};
pub use credential_file::CredentialError;
pub use directory::{DirectoryClient, ListRequest};
pub use endpoints::Endpoints;
pub use errors::{GoogleError, Reason};
pub use gated_body::MaySend;
pub use http::HttpSettings;
pub use models::{
    ActiveDay, ChromeOsDevice, CpuInfo, DiskSpaceUsage, KnownNetwork, OrgUnit, OsUpdateStatus, RecentUser,
    TpmVersionInfo, User,
};
pub use observer::{NoObserver, Observer};
pub use page::DevicePage;
pub use quota::{Lane, QuotaSettings, Turn};
pub use retry::RetrySettings;
pub use scopes::{Access, required_scopes};
pub use service_account_key::{ServiceAccountKey, parse_service_account_key};
pub use sign_in::{Revoked, redeem_code, revoke_consent, revoke_token};
pub use verify::Verified;
