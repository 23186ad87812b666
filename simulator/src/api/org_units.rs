//! `directory.orgunits.list` and `get`.

use serde_json::{Value, json};

use crate::api::call::{Call, Reply};
use crate::api_error::ApiError;
use crate::fleet::org_units::{OrgUnit, OrgUnits, UnitKey};
use crate::random::Draw;
use crate::tenant::Tenant;

/// `type` of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListType {
    All,
    Children,
    AllIncludingParent,
}

/// Answers `list`: the whole answer in one body, without pages.
pub(crate) fn list(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&["orgUnitPath", "type"])?;
    let choices = [
        ("all", ListType::All),
        ("ALL", ListType::All),
        ("children", ListType::Children),
        ("CHILDREN", ListType::Children),
        ("allIncludingParent", ListType::AllIncludingParent),
        ("ALL_INCLUDING_PARENT", ListType::AllIncludingParent),
    ];
    let kind = call
        .parameters
        .choice("type", &choices)?
        .unwrap_or(ListType::Children);
    let mask = call.mask()?;
    tenant.with_fleet(|fleet, _| {
        let units = &fleet.units;
        let parent = find(units, call.parameters.text("orgUnitPath").unwrap_or("/"))?;
        let inside = |unit: &&OrgUnit| match kind {
            ListType::Children => unit.parent == Some(parent.key),
            ListType::All => unit.key != parent.key && units.is_within(unit.key, parent.key),
            ListType::AllIncludingParent => units.is_within(unit.key, parent.key),
        };
        let found: Vec<Value> = units
            .iter()
            .filter(inside)
            .map(|unit| resource(units, unit))
            .collect();
        let mut answer = json!({ "kind": "admin#directory#orgUnits", "etag": etag(parent) });
        if !found.is_empty() {
            answer["organizationUnits"] = Value::Array(found);
        }
        Reply::json(&mask.prune(&answer), call)
    })
}

/// Answers `get`. The root has no path that could be asked for, only its id.
pub(crate) fn get(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&[])?;
    let mask = call.mask()?;
    tenant.with_fleet(|fleet, _| {
        let reference = call.route.resource.as_str();
        let unit = find(&fleet.units, reference)?;
        if unit.key == UnitKey::ROOT && !reference.starts_with("id:") {
            return Err(ApiError::org_unit_not_found());
        }
        Reply::json(&mask.prune(&resource(&fleet.units, unit)), call)
    })
}

fn find<'a>(units: &'a OrgUnits, reference: &str) -> Result<&'a OrgUnit, ApiError> {
    units.find(reference).ok_or_else(|| {
        if reference.starts_with("id:") {
            ApiError::invalid_input("INVALID_OU_ID")
        } else {
            ApiError::org_unit_not_found()
        }
    })
}

fn resource(units: &OrgUnits, unit: &OrgUnit) -> Value {
    let mut resource = json!({
        "kind": "admin#directory#orgUnit",
        "etag": etag(unit),
        "name": unit.name,
        "description": unit.description,
        "orgUnitPath": unit.path,
        "orgUnitId": format!("id:{}", unit.bare_id),
        "blockInheritance": false,
    });
    if let Some(parent) = unit.parent.and_then(|parent| units.get(parent)) {
        resource["parentOrgUnitPath"] = json!(parent.path);
        resource["parentOrgUnitId"] = json!(format!("id:{}", parent.bare_id));
    }
    resource
}

fn etag(unit: &OrgUnit) -> String {
    let draw = Draw::new(u64::from(unit.key.0)).of(&unit.bare_id).of(&unit.path);
    format!("\"{}/{}\"", draw.of("first").hex(16), draw.of("second").hex(11))
}
