//! `directory.chromeosdevices.list` and `countChromeOsDevices`.

use std::time::Duration;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::api::call::{Call, Reply};
use crate::api::listing::{Cursor, OrderBy, Page, Selection, Sorting};
use crate::api::mask::{DeviceMask, Mask};
use crate::api::page_token::PageToken;
use crate::api::parameters::Parameters;
use crate::api::query::Query;
use crate::api_error::ApiError;
use crate::device::fields::{BasicProjection, Projection};
use crate::device::render::{DeviceView, Surroundings};
use crate::fleet::Fleet;
use crate::fleet::org_units::{OrgUnits, UnitKey};
use crate::random::Draw;
use crate::request_log::CallNote;
use crate::state::SimulatorState;
use crate::switches::{MalformedQuery, Switches};
use crate::tenant::Tenant;

const DEFAULT_PAGE_SIZE: u32 = 100;

const LIST_PARAMETERS: [&str; 8] = [
    "maxResults",
    "pageToken",
    "orderBy",
    "sortOrder",
    "projection",
    "query",
    "orgUnitPath",
    "includeChildOrgunits",
];

/// The checked parameters of a list.
#[derive(Debug)]
struct ListRequest {
    page_size: u32,
    projection: Projection,
    sorting: Option<Sorting>,
    query: Query,
    scope: Scope,
    mask: Mask,
    digest: u64,
}

/// Which organisational units are visited.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scope {
    root: UnitKey,
    with_children: bool,
}

impl Scope {
    fn read(parameters: &Parameters, units: &OrgUnits) -> Result<Self, ApiError> {
        let with_children = parameters.boolean("includeChildOrgunits")?;
        match (parameters.text("orgUnitPath"), with_children) {
            (None, Some(true)) => Err(ApiError::required_parameter("orgUnitPath")),
            (None, Some(false) | None) => Ok(Self {
                root: UnitKey::ROOT,
                with_children: true,
            }),
            (Some(reference), with_children) => {
                let unit = units
                    .find(reference)
                    .ok_or_else(|| ApiError::invalid_input("INVALID_OU_ID"))?;
                Ok(Self {
                    root: unit.key,
                    with_children: with_children.unwrap_or(false),
                })
            }
        }
    }
}

/// `projection` in upper or lower case.
pub(crate) fn projection(parameters: &Parameters) -> Result<Projection, ApiError> {
    let choices = [
        ("BASIC", Projection::Basic),
        ("FULL", Projection::Full),
        ("basic", Projection::Basic),
        ("full", Projection::Full),
    ];
    Ok(parameters
        .choice("projection", &choices)?
        .unwrap_or(Projection::Unset))
}

fn page_size(parameters: &Parameters, limit: u32) -> Result<u32, ApiError> {
    match parameters.text("maxResults") {
        None => Ok(DEFAULT_PAGE_SIZE.min(limit)),
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=limit).contains(size))
            .ok_or_else(|| ApiError::out_of_range("maxResults", text, 1, limit)),
    }
}

fn sorting(parameters: &Parameters) -> Result<Option<Sorting>, ApiError> {
    let orders = [
        ("annotatedLocation", OrderBy::AnnotatedLocation),
        ("annotatedUser", OrderBy::AnnotatedUser),
        ("lastSync", OrderBy::LastSync),
        ("notes", OrderBy::Notes),
        ("serialNumber", OrderBy::SerialNumber),
        ("status", OrderBy::Status),
    ];
    let by = parameters.choice("orderBy", &orders)?;
    let descending = parameters.choice("sortOrder", &[("ASCENDING", false), ("DESCENDING", true)])?;
    Ok(by.map(|by| Sorting {
        by,
        descending: descending.unwrap_or(false),
    }))
}

fn query(parameters: &Parameters, name: &str, malformed: MalformedQuery) -> Result<Query, ApiError> {
    let query = Query::parse(parameters.text(name).unwrap_or(""));
    match (&query, malformed) {
        (Query::Malformed, MalformedQuery::Refuse) => {
            Err(ApiError::invalid_input(parameters.text(name).unwrap_or("")))
        }
        (Query::Malformed | Query::Terms(_), _) => Ok(query),
    }
}

impl ListRequest {
    fn read(call: &Call, fleet: &Fleet, tenant: &Tenant, switches: &Switches) -> Result<Self, ApiError> {
        let parameters = &call.parameters;
        parameters.check_names(&LIST_PARAMETERS)?;
        Ok(Self {
            page_size: page_size(parameters, switches.page_size_limit)?,
            projection: projection(parameters)?,
            sorting: sorting(parameters)?,
            query: query(parameters, "query", switches.malformed_query)?,
            scope: Scope::read(parameters, &fleet.units)?,
            mask: call.mask()?,
            digest: parameters.walk_digest(tenant.customer_id()),
        })
    }

    /// The token of a later page; `None` for the first.
    fn token(&self, call: &Call, state: &SimulatorState, now: i64) -> Result<Option<PageToken>, ApiError> {
        let Some(text) = call.parameters.get("pageToken") else {
            return Ok(None);
        };
        if text.is_empty() {
            // Seen of the real service: an empty parameter is an internal failure, not a first page.
            return Err(ApiError::unavailable());
        }
        let token = PageToken::decode(text, state.config.seed)
            .ok()
            .filter(|token| token.parameters == self.digest)
            .ok_or_else(|| ApiError::invalid_input(text))?;
        if token.is_too_old(now) {
            return Err(ApiError::unavailable());
        }
        if state.refuses_page_token(text) {
            return Err(ApiError::invalid_input(text));
        }
        Ok(Some(token))
    }
}

/// Answers `list`.
pub(crate) async fn list(
    state: &SimulatorState,
    tenant: &Tenant,
    call: &Call,
    note: &mut CallNote,
) -> Result<Reply, ApiError> {
    let switches = state.switches();
    pause(call, &switches).await;
    let (reply, page) = tenant.with_fleet(|fleet, now| {
        let now = now.as_second();
        let request = ListRequest::read(call, fleet, tenant, &switches)?;
        let token = request.token(call, state, now)?;
        let number = token.as_ref().map_or(1, |token| token.page);
        note.page = Some(number);
        let scope = fleet.units.scope(request.scope.root, request.scope.with_children);
        let selection = Selection {
            fleet,
            scope: &scope,
            query: &request.query,
            sorting: request.sorting,
            surroundings: fleet.surroundings(now),
        };
        let (cursor, started) = match token {
            None => (None, now),
            Some(token) => (
                Some(Cursor {
                    position: token.position,
                    sort_key: token.sort_key,
                }),
                token.started,
            ),
        };
        let page = select(&selection, &request, cursor.as_ref(), &switches, number);
        note.rows = Some(page.slots.len());
        let next = page.next.as_ref().map(|next| PageToken {
            parameters: request.digest,
            started,
            page: number.saturating_add(1),
            position: next.position,
            sort_key: next.sort_key.clone(),
        });
        let next = next.map(|token| token.encode(state.config.seed));
        let reply = render(&selection, &request, &page, next, switches.basic_projection, call)?;
        Ok((reply, number))
    })?;
    state.between_pages(tenant, page);
    Ok(reply)
}

fn select(
    selection: &Selection<'_>,
    request: &ListRequest,
    cursor: Option<&Cursor>,
    switches: &Switches,
    number: u32,
) -> Page {
    let chaos = switches.page_chaos;
    let repeated = if cursor.is_some() {
        chaos.duplicates_per_page
    } else {
        0
    };
    let size = request.page_size.saturating_sub(repeated).max(1);
    let mut page = selection.page(cursor, usize::try_from(size).unwrap_or(1));
    selection.disturb(&mut page, chaos, number, cursor);
    page
}

async fn pause(call: &Call, switches: &Switches) {
    let full = projection(&call.parameters) == Ok(Projection::Full);
    let extra = if full {
        switches.latency_per_full_page_milliseconds
    } else {
        0
    };
    let pause = switches.latency_per_page_milliseconds.saturating_add(extra);
    if pause > 0 {
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

fn render(
    selection: &Selection<'_>,
    request: &ListRequest,
    page: &Page,
    next: Option<String>,
    basic: BasicProjection,
    call: &Call,
) -> Result<Reply, ApiError> {
    request
        .mask
        .check(|name| ["kind", "etag", "chromeosdevices", "nextPageToken"].contains(&name))?;
    let devices = match request.mask.member("chromeosdevices") {
        None => None,
        Some(mask) => Some(DeviceMask::new(mask, request.projection.fields(basic))?),
    };
    let view = PageView {
        fleet: selection.fleet,
        surroundings: selection.surroundings,
        page,
        next: next.filter(|_| request.mask.member("nextPageToken").is_some()),
        kind: request.mask.member("kind").is_some(),
        etag: request.mask.member("etag").is_some(),
        devices: devices.as_ref(),
    };
    Reply::json(&view, call)
}

/// One page as it is answered.
struct PageView<'a> {
    fleet: &'a Fleet,
    surroundings: Surroundings<'a>,
    page: &'a Page,
    next: Option<String>,
    kind: bool,
    etag: bool,
    devices: Option<&'a DeviceMask>,
}

impl Serialize for PageView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.kind {
            map.serialize_entry("kind", "admin#directory#chromeosdevices")?;
        }
        if self.etag {
            map.serialize_entry("etag", &self.etag_text())?;
        }
        if let Some(mask) = self.devices.filter(|_| !self.page.slots.is_empty()) {
            map.serialize_entry("chromeosdevices", &RowsView { view: self, mask })?;
        }
        if let Some(next) = &self.next {
            map.serialize_entry("nextPageToken", next)?;
        }
        map.end()
    }
}

impl PageView<'_> {
    fn etag_text(&self) -> String {
        let rows = self
            .page
            .slots
            .iter()
            .filter_map(|slot| self.fleet.as_listed(*slot));
        let digest = rows.fold(Draw::new(1), |draw, device| {
            let contact = device
                .last_contact(self.surroundings.now)
                .map_or(0, |contact| contact.number);
            draw.at(device.enrolment)
                .at(u64::from(device.revision))
                .at(contact.cast_unsigned())
        });
        format!(
            "\"{}/{}\"",
            digest.of("first").hex(16),
            digest.of("second").hex(11)
        )
    }
}

struct RowsView<'a> {
    view: &'a PageView<'a>,
    mask: &'a DeviceMask,
}

impl Serialize for RowsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.view.page.slots.len()))?;
        for device in self
            .view
            .page
            .slots
            .iter()
            .filter_map(|slot| self.view.fleet.as_listed(*slot))
        {
            rows.serialize_element(&DeviceView {
                device,
                surroundings: self.view.surroundings,
                mask: self.mask,
            })?;
        }
        rows.end()
    }
}

/// Answers `countChromeOsDevices`; the number is a string, as 64-bit numbers are.
pub(crate) fn count(state: &SimulatorState, tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters
        .check_names(&["filter", "orgUnitPath", "includeChildOrgunits"])?;
    let query = query(&call.parameters, "filter", state.switches().malformed_query)?;
    let count = tenant.with_fleet(|fleet, now| {
        let scope = Scope::read(&call.parameters, &fleet.units)?;
        let scope = fleet.units.scope(scope.root, scope.with_children);
        let surroundings = fleet.surroundings(now.as_second());
        Ok(Selection {
            fleet,
            scope: &scope,
            query: &query,
            sorting: None,
            surroundings,
        }
        .count())
    })?;
    Reply::json(&call.mask()?.prune(&json!({ "count": count.to_string() })), call)
}
