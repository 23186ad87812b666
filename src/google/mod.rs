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
//! | `credentials` | what is read from a service account key, and what is ignored |
//! | `token`, `token_transport` | how an access token is obtained and kept |
//! | `redemption` | an admin's consent: the code for a token, and taking it back |
//! | `scopes` | what is asked of Google |
//! | `quota` | how fast Google may be asked, and who goes first |
//! | `retry` | which failures are tried again, how often, and after how long |
//! | `refusal`, `token_refusal` | what an error answer means |
//! | `errors`, `class` | what callers are told |
//! | `mask`, `models`, `lenient`, `page` | which fields are asked for and how answers are read |
//! | `calls`, `directory`, `commands` | the calls that read |
//! | `changes`, `gated_body` | the calls that change something: once, and what is known about their effect |

mod calls;
mod changes;
mod class;
mod commands;
mod context;
mod credentials;
mod directory;
mod endpoints;
mod errors;
mod gated_body;
mod http;
mod lenient;
mod mask;
mod models;
mod observer;
mod page;
mod quota;
mod redemption;
mod refusal;
mod retry;
mod scopes;
#[cfg(test)]
mod testing;
mod token;
mod token_refusal;
mod token_transport;

pub use changes::{DeprovisionReason, RemoteCommand, Sent, StateChange};
pub use class::ErrorClass;
pub use commands::{CommandResult, CommandStatus};
pub use context::{GoogleContext, SetupError};
pub use credentials::{CredentialError, ServiceAccountKey, parse_service_account_key};
pub use directory::{DirectoryClient, ListRequest, Verified};
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
pub use redemption::{redeem_code, revoke_token};
pub use retry::RetrySettings;
pub use scopes::{Access, required_scopes};
