//! `patch` and `update`: both merge, as the guide says.

use serde_json::{Map, Value};

use super::WriteRequest;
use crate::api::call::Reply;
use crate::api::devices_list::projection;
use crate::api::mask::DeviceMask;
use crate::api_error::ApiError;
use crate::device::Text;
use crate::device::fields::Field;
use crate::device::render::DeviceView;
use crate::fleet::org_units::{OrgUnits, UnitKey};
use crate::fleet::{Edit, WriteKind};
use crate::switches::PathAlone;

/// The texts that can be edited, with their greatest length in characters.
const TEXTS: [(Text, &str, Option<usize>); 4] = [
    (Text::AnnotatedUser, "annotatedUser", Some(100)),
    (Text::AnnotatedLocation, "annotatedLocation", Some(200)),
    (Text::AnnotatedAssetId, "annotatedAssetId", None),
    (Text::Notes, "notes", Some(500)),
];

/// Answers `patch` and `update` with the changed device.
pub(crate) fn patch(request: &WriteRequest<'_>) -> Result<Reply, ApiError> {
    let call = request.call;
    call.parameters.check_names(&["projection"])?;
    let switches = request.state.switches();
    let fields = projection(&call.parameters)?.fields(switches.basic_projection);
    let mask = DeviceMask::new(&call.mask()?, fields)?;
    request.tenant.change_fleet(|fleet, now| {
        let slot = request.device(fleet)?;
        let edit = read(&call.json()?, &fleet.units, switches.org_unit_path_alone)?;
        let mut changed = fleet.device(slot).ok_or_else(ApiError::internal)?.clone();
        edit.apply(&mut changed);
        changed.revision = changed.revision.wrapping_add(1);
        let reply = Reply::json(
            &DeviceView {
                device: &changed,
                surroundings: fleet.surroundings(now.as_second()),
                mask: &mask,
            },
            call,
        )?;
        request.submit(fleet, now, call.orders.when, WriteKind::Edit(slot, edit));
        Ok(reply)
    })
}

/// Reads what is to change. Fields which the device has but nobody can edit are passed over.
fn read(fields: &Map<String, Value>, units: &OrgUnits, path_alone: PathAlone) -> Result<Edit, ApiError> {
    if let Some(name) = fields.keys().find(|name| Field::find(name).is_none()) {
        return Err(ApiError::invalid_argument(format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."
        )));
    }
    let mut edit = Edit {
        unit: unit(fields, units, path_alone)?,
        ..Edit::default()
    };
    for (text, name, longest) in TEXTS {
        let Some(value) = text_of(fields, name)? else {
            continue;
        };
        if longest.is_some_and(|longest| value.chars().count() > longest) {
            return Err(ApiError::invalid_input(name));
        }
        edit.texts.push((text, value.to_owned()));
    }
    Ok(edit)
}

/// A text that was sent; `null` clears like an empty one.
fn text_of<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, ApiError> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some("")),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(
            ApiError::invalid_argument(format!("Invalid value at '{name}' (TYPE_STRING)")),
        ),
    }
}

/// The organisational unit that `orgUnitId` and `orgUnitPath` name together.
fn unit(
    fields: &Map<String, Value>,
    units: &OrgUnits,
    path_alone: PathAlone,
) -> Result<Option<UnitKey>, ApiError> {
    let sent = |name| Ok(text_of(fields, name)?.filter(|text| !text.is_empty()));
    let find = |reference: &str| {
        let unit = units.find(reference);
        unit.map(|unit| unit.key)
            .ok_or_else(|| ApiError::invalid_input("INVALID_OU_ID"))
    };
    let by_id = |id: &str| find(&format!("id:{}", id.strip_prefix("id:").unwrap_or(id)));
    let inconsistent = || ApiError::invalid_input("Inconsistent Orgunit id and path in request");
    match (sent("orgUnitId")?, sent("orgUnitPath")?) {
        (None, None) => Ok(None),
        (Some(id), None) => by_id(id).map(Some),
        (None, Some(path)) => match path_alone {
            PathAlone::Accept => find(path).map(Some),
            PathAlone::Refuse => Err(inconsistent()),
        },
        (Some(id), Some(path)) => {
            let unit = by_id(id)?;
            if find(path)? == unit {
                Ok(Some(unit))
            } else {
                Err(inconsistent())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::random::Draw;

    fn units() -> OrgUnits {
        OrgUnits::generate(Draw::new(7), 1200)
    }

    fn edit(body: &Value, path_alone: PathAlone) -> Result<Edit, String> {
        read(body.as_object().unwrap(), &units(), path_alone).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn only_the_editable_fields_are_taken() {
        let body = json!({
            "annotatedUser": "u", "annotatedLocation": "", "annotatedAssetId": null, "serialNumber": "x",
            "status": "DISABLED", "recentUsers": [],
        });
        let edit = edit(&body, PathAlone::Accept).unwrap();
        assert_eq!(
            edit.texts,
            [
                (Text::AnnotatedUser, "u".to_owned()),
                (Text::AnnotatedLocation, String::new()),
                (Text::AnnotatedAssetId, String::new()),
            ]
        );
        assert_eq!(edit.unit, None);
    }

    #[test]
    fn units_are_named_by_id_or_path_or_both() {
        let units = units();
        let (first, second) = (&units.get(UnitKey(1)).unwrap(), &units.get(UnitKey(2)).unwrap());
        let prefixed = format!("id:{}", first.bare_id);
        let inconsistent = "Invalid Input: Inconsistent Orgunit id and path in request";
        let unknown = "Invalid Input: INVALID_OU_ID";
        for (body, accepting, refusing) in [
            (json!({ "orgUnitId": first.bare_id }), Ok(1), Ok(1)),
            (json!({ "orgUnitId": prefixed }), Ok(1), Ok(1)),
            (json!({ "orgUnitPath": first.path }), Ok(1), Err(inconsistent)),
            (
                json!({ "orgUnitId": prefixed, "orgUnitPath": first.path }),
                Ok(1),
                Ok(1),
            ),
            (
                json!({ "orgUnitId": prefixed, "orgUnitPath": second.path }),
                Err(inconsistent),
                Err(inconsistent),
            ),
            (json!({ "orgUnitId": "nothing" }), Err(unknown), Err(unknown)),
            (
                json!({ "orgUnitPath": "/nowhere" }),
                Err(unknown),
                Err(inconsistent),
            ),
        ] {
            for (switch, expected) in [(PathAlone::Accept, accepting), (PathAlone::Refuse, refusing)] {
                let found = edit(&body, switch).map(|edit| edit.unit.unwrap().0);
                assert_eq!(found, expected.map_err(str::to_owned), "{body} {switch:?}");
            }
        }
    }
}
