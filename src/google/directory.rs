//! The calls that the operator makes, and nothing more.
//!
//! `customers.get` is not among them: it needs a scope that the operator does not ask for. The customer's ID
//! comes with the admin account.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use url::Url;

use super::calls::{Read, Reader, plain};
use super::context::GoogleContext;
use super::credential::Credential;
use super::errors::{GoogleError, Reason};
use super::lenient::{self, is_identifier};
use super::mask;
use super::models::{ChromeOsDevice, OrgUnit, User};
use super::page::{DevicePage, read_json, read_page, unexpected};
use super::quota::{AccountQuota, Lane};
use super::refusal::Subject;
use super::scopes::Access;
use super::token::TokenSource;

const LIST_DEVICES: &str = "directory.chromeosdevices.list";
const GET_DEVICE: &str = "directory.chromeosdevices.get";
const COUNT_DEVICES: &str = "admin.customer.devices.chromeos.countChromeOsDevices";
const LIST_ORG_UNITS: &str = "directory.orgunits.list";
pub(super) const GET_USER: &str = "directory.users.get";

/// Longest e-mail address (RFC 5321, section 4.5.3.1.3).
const LONGEST_EMAIL: usize = 254;

/// Which devices are listed. Repeat it unchanged for every page of a walk: Google binds its page tokens to
/// the parameters of the first page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Google's customer ID, or `my_customer`.
    pub customer_id: String,
    /// Only the devices of this org unit. None means all of the customer.
    pub org_unit_path: Option<String>,
    /// With an org unit: also the devices of those below it.
    pub include_child_org_units: bool,
    /// Google's device search.
    pub query: Option<String>,
    /// Rows wanted in a page; Google may send fewer, and refuses too many with
    /// [`Reason::PageSizeRange`].
    pub page_size: u32,
    /// Whether to ask who used the device last. This is personal data.
    pub include_recent_users: bool,
    /// When the first page of this walk was asked for: it tells an expired page token from an outage.
    pub walk_started: Option<Instant>,
}

impl Default for ListRequest {
    /// All devices of the customer that the admin account belongs to.
    fn default() -> Self {
        Self::new("my_customer")
    }
}

impl ListRequest {
    /// All devices of a customer, 200 in a page.
    #[must_use]
    pub fn new(customer_id: &str) -> Self {
        Self {
            customer_id: customer_id.to_owned(),
            org_unit_path: None,
            include_child_org_units: true,
            query: None,
            page_size: 200,
            include_recent_users: false,
            walk_started: None,
        }
    }
}

/// The client of one connection. Clones share token and quota.
#[derive(Clone)]
pub struct DirectoryClient {
    pub(super) context: GoogleContext,
    pub(super) tokens: TokenSource,
    pub(super) quota: Arc<AccountQuota>,
    lane: Lane,
}

impl fmt::Debug for DirectoryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryClient")
            .field("credential", self.tokens.credential())
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}

impl DirectoryClient {
    /// A client that acts as `admin_email`. Nothing is sent yet. It works in [`Lane::Sync`].
    ///
    /// # Errors
    /// `RequestInvalid` if `admin_email` is no e-mail address.
    pub fn new(
        context: &GoogleContext,
        credential: impl Into<Credential>,
        admin_email: &str,
        access: Access,
    ) -> Result<Self, GoogleError> {
        let unfit = |character: char| character.is_control() || character.is_whitespace();
        let is_email = admin_email.len() <= LONGEST_EMAIL
            && admin_email
                .split_once('@')
                .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
            && !admin_email.contains(unfit);
        if !is_email {
            let message = "the admin account is no e-mail address";
            return Err(GoogleError::local(GET_USER, Reason::RequestInvalid, message));
        }
        let credential = credential.into();
        let quota = context.quota(credential.project(), admin_email);
        let tokens = TokenSource::new(context, credential, admin_email, access);
        Ok(Self {
            context: context.clone(),
            tokens,
            quota,
            lane: Lane::Sync,
        })
    }

    /// The same client with its calls in another lane.
    #[must_use]
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// One page of devices, with everything that [`ChromeOsDevice`] holds. Pass no token for the first page.
    ///
    /// Pages are not a snapshot: a device that changes meanwhile can come twice or not at all.
    ///
    /// # Errors
    /// A [`GoogleError`]; never an empty page instead of one. `PageTokenRejected` and `PageTokenExpired` mean
    /// that the walk has to start again.
    pub async fn list_devices(
        &self,
        request: &ListRequest,
        page_token: Option<&str>,
    ) -> Result<DevicePage, GoogleError> {
        let page_token = page_token.filter(|token| !token.is_empty());
        let mut url = self.devices_url(LIST_DEVICES, &request.customer_id, "chromeos")?;
        scope(
            &mut url,
            request.org_unit_path.as_deref(),
            request.include_child_org_units,
        );
        parameter(&mut url, "query", request.query.as_deref());
        parameter(
            &mut url,
            "maxResults",
            Some(&request.page_size.max(1).to_string()),
        );
        parameter(&mut url, "projection", Some("FULL"));
        parameter(
            &mut url,
            "fields",
            Some(&mask::device_page(request.include_recent_users)),
        );
        parameter(&mut url, "prettyPrint", Some("false"));
        parameter(&mut url, "pageToken", page_token);
        let read = Read {
            method: LIST_DEVICES,
            subject: Subject::Devices,
            url,
            page_token,
            query: request.query.as_deref(),
            walk_started: request.walk_started,
        };
        let accept = |answer: &_| {
            let page = read_page(LIST_DEVICES, answer)?;
            if page_token.is_some() && page.next_page_token.as_deref() == page_token {
                let message = "the next page has the token of this one";
                return Err(GoogleError::local(
                    LIST_DEVICES,
                    Reason::UnexpectedAnswer,
                    message,
                ));
            }
            Ok(page)
        };
        self.reader().read(&read, accept).await
    }

    /// One device as Google knows it now, or `None` when Google itself says that there is none.
    ///
    /// # Errors
    /// Everything else, also a 404 that some machine in between wrote or that is about the customer.
    pub async fn get_device(
        &self,
        customer_id: &str,
        device_id: &str,
        include_recent_users: bool,
    ) -> Result<Option<ChromeOsDevice>, GoogleError> {
        let mut url = self.device_url(GET_DEVICE, customer_id, device_id, &[])?;
        parameter(&mut url, "projection", Some("FULL"));
        parameter(&mut url, "fields", Some(&mask::device(include_recent_users)));
        parameter(&mut url, "prettyPrint", Some("false"));
        let read = plain(GET_DEVICE, Subject::Device, url);
        let accept = |answer: &_| {
            let device: ChromeOsDevice = read_json(GET_DEVICE, answer)?;
            if !device.device_id.eq_ignore_ascii_case(device_id) {
                return Err(unexpected(
                    GET_DEVICE,
                    answer.status,
                    "the answer is about another device",
                ));
            }
            Ok(device)
        };
        match self.reader().read(&read, accept).await {
            Ok(device) => Ok(Some(device)),
            Err(GoogleError {
                reason: Reason::NotFound,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many devices Google counts. A fleet in use never agrees with a listing exactly. Of the request,
    /// customer, org unit and query matter.
    ///
    /// # Errors
    /// A [`GoogleError`].
    pub async fn count_devices(&self, request: &ListRequest) -> Result<u64, GoogleError> {
        #[derive(Deserialize)]
        struct Count {
            #[serde(default, deserialize_with = "lenient::integer")]
            count: Option<i64>,
        }
        let mut url = self.devices_url(
            COUNT_DEVICES,
            &request.customer_id,
            "chromeos:countChromeOsDevices",
        )?;
        scope(
            &mut url,
            request.org_unit_path.as_deref(),
            request.include_child_org_units,
        );
        parameter(&mut url, "filter", request.query.as_deref());
        let mut read = plain(COUNT_DEVICES, Subject::Devices, url);
        read.query = request.query.as_deref();
        let accept = |answer: &_| {
            let answered: Count = read_json(COUNT_DEVICES, answer)?;
            let count = answered.count.and_then(|count| u64::try_from(count).ok());
            count.ok_or_else(|| unexpected(COUNT_DEVICES, answer.status, "the answer holds no count"))
        };
        self.reader().read(&read, accept).await
    }

    /// All org units of a customer, the topmost included. Google sends them in one answer.
    ///
    /// # Errors
    /// A [`GoogleError`].
    pub async fn list_org_units(&self, customer_id: &str) -> Result<Vec<OrgUnit>, GoogleError> {
        #[derive(Deserialize)]
        struct OrgUnits {
            #[serde(default, rename = "organizationUnits")]
            organization_units: Option<Vec<OrgUnit>>,
        }
        let segments = ["customer", identifier(LIST_ORG_UNITS, customer_id)?, "orgunits"];
        let mut url = self.context.endpoints().directory(LIST_ORG_UNITS, &segments)?;
        parameter(&mut url, "type", Some("allIncludingParent"));
        parameter(&mut url, "fields", Some(mask::ORG_UNITS));
        parameter(&mut url, "prettyPrint", Some("false"));
        let read = plain(LIST_ORG_UNITS, Subject::OrgUnits, url);
        let accept = |answer: &_| {
            let answered: OrgUnits = read_json(LIST_ORG_UNITS, answer)?;
            Ok(answered.organization_units.unwrap_or_default())
        };
        self.reader().read(&read, accept).await
    }

    /// One account, by its e-mail address or ID.
    ///
    /// # Errors
    /// `AccountNotFound` if there is none; any other [`GoogleError`].
    pub async fn get_user(&self, user_key: &str) -> Result<User, GoogleError> {
        let mut url = self
            .context
            .endpoints()
            .directory(GET_USER, &["users", user_key])?;
        parameter(&mut url, "fields", Some(mask::USER));
        parameter(&mut url, "prettyPrint", Some("false"));
        let read = plain(GET_USER, Subject::User, url);
        self.reader()
            .read(&read, |answer| read_json(GET_USER, answer))
            .await
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader {
            context: &self.context,
            tokens: &self.tokens,
            quota: &self.quota,
            lane: self.lane,
        }
    }

    /// The address of a customer's devices: of all (`chromeos`), or of a method on them (`chromeos:…`).
    pub(super) fn devices_url(
        &self,
        method: &'static str,
        customer_id: &str,
        collection: &str,
    ) -> Result<Url, GoogleError> {
        let segments = [
            "customer",
            identifier(method, customer_id)?,
            "devices",
            collection,
        ];
        self.context.endpoints().directory(method, &segments)
    }

    /// The address of one device, or of something below it.
    pub(super) fn device_url(
        &self,
        method: &'static str,
        customer_id: &str,
        device_id: &str,
        below: &[&str],
    ) -> Result<Url, GoogleError> {
        let customer_id = identifier(method, customer_id)?;
        let mut segments = vec!["customer", customer_id, "devices", "chromeos"];
        segments.push(identifier(method, device_id)?);
        for segment in below {
            segments.push(identifier(method, segment)?);
        }
        self.context.endpoints().directory(method, &segments)
    }

    /// The address of a method on one device, which Google writes behind a colon.
    pub(super) fn device_method_url(
        &self,
        method: &'static str,
        customer_id: &str,
        device_id: &str,
        verb: &str,
    ) -> Result<Url, GoogleError> {
        let resource = format!("{}:{verb}", identifier(method, device_id)?);
        let customer_id = identifier(method, customer_id)?;
        let segments = ["customer", customer_id, "devices", "chromeos", &resource];
        self.context.endpoints().directory(method, &segments)
    }
}

/// The ID, if it can be one.
///
/// # Errors
/// `RequestInvalid`.
pub(super) fn identifier<'a>(method: &'static str, id: &'a str) -> Result<&'a str, GoogleError> {
    if is_identifier(id) {
        return Ok(id);
    }
    let message = "an ID in the request holds other characters than letters, digits, - and _, or is too long";
    Err(GoogleError::local(method, Reason::RequestInvalid, message))
}

/// Adds the org unit. Google takes children into account only with an org unit.
fn scope(url: &mut Url, org_unit_path: Option<&str>, include_children: bool) {
    if let Some(path) = org_unit_path.filter(|path| !path.is_empty()) {
        parameter(url, "orgUnitPath", Some(path));
        parameter(
            url,
            "includeChildOrgunits",
            Some(if include_children { "true" } else { "false" }),
        );
    }
}

/// Adds a query parameter unless it is empty: an empty `pageToken`, for one, is answered by a 503.
fn parameter(url: &mut Url, name: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        url.query_pairs_mut().append_pair(name, value);
    }
}
