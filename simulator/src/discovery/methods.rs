//! What the discovery document says of each method: address, parameters, bodies, scopes.

use serde_json::{Map, Value, json};

use crate::api::methods::ApiMethod;

const DEVICES: &str = "admin/directory/v1/customer/{customerId}/devices/chromeos";
const DEVICE: &str = "admin/directory/v1/customer/{customerId}/devices/chromeos/{deviceId}";
const ORG_UNITS: &str = "admin/directory/v1/customer/{customerId}/orgunits";
const ORG_UNIT: &str = "admin/directory/v1/customer/{customerId}/orgunits/{+orgUnitPath}";

/// A row of the table.
struct Row {
    verb: &'static str,
    path: String,
    query: &'static [Parameter],
    request: Option<&'static str>,
    response: Option<&'static str>,
}

/// A query parameter.
struct Parameter {
    name: &'static str,
    kind: Kind,
    required: bool,
    default: Option<&'static str>,
}

/// The type of a query parameter.
enum Kind {
    Text,
    Boolean,
    PageSize,
    OneOf(&'static [&'static str]),
}

const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        required: false,
        default: None,
    }
}

const fn with_default(name: &'static str, kind: Kind, default: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        required: false,
        default: Some(default),
    }
}

const PROJECTION: Parameter = optional("projection", Kind::OneOf(&["BASIC", "FULL"]));
const LIST: &[Parameter] = &[
    optional("includeChildOrgunits", Kind::Boolean),
    with_default("maxResults", Kind::PageSize, "100"),
    optional(
        "orderBy",
        Kind::OneOf(&[
            "annotatedLocation",
            "annotatedUser",
            "lastSync",
            "notes",
            "serialNumber",
            "status",
        ]),
    ),
    optional("orgUnitPath", Kind::Text),
    optional("pageToken", Kind::Text),
    PROJECTION,
    optional("query", Kind::Text),
    optional("sortOrder", Kind::OneOf(&["ASCENDING", "DESCENDING"])),
];
const COUNT: &[Parameter] = &[
    optional("filter", Kind::Text),
    optional("includeChildOrgunits", Kind::Boolean),
    optional("orgUnitPath", Kind::Text),
];
const MOVE: &[Parameter] = &[Parameter {
    name: "orgUnitPath",
    kind: Kind::Text,
    required: true,
    default: None,
}];
const ORG_UNITS_LIST: &[Parameter] = &[
    with_default("orgUnitPath", Kind::Text, ""),
    optional("type", Kind::OneOf(&["all", "children", "allIncludingParent"])),
];
const USER: &[Parameter] = &[
    optional("customFieldMask", Kind::Text),
    with_default("projection", Kind::OneOf(&["basic", "custom", "full"]), "basic"),
    with_default(
        "viewType",
        Kind::OneOf(&["admin_view", "domain_public"]),
        "admin_view",
    ),
];

fn row(
    verb: &'static str,
    path: impl Into<String>,
    query: &'static [Parameter],
    request: Option<&'static str>,
    response: Option<&'static str>,
) -> Row {
    Row {
        verb,
        path: path.into(),
        query,
        request,
        response,
    }
}

fn of(method: ApiMethod) -> Row {
    let device = Some("ChromeOsDevice");
    let org_unit = Some("OrgUnit");
    match method {
        ApiMethod::DevicesList => row("GET", DEVICES, LIST, None, Some("ChromeOsDevices")),
        ApiMethod::DevicesGet => row("GET", DEVICE, &[PROJECTION], None, device),
        ApiMethod::DevicesPatch => row("PATCH", DEVICE, &[PROJECTION], device, device),
        ApiMethod::DevicesUpdate => row("PUT", DEVICE, &[PROJECTION], device, device),
        ApiMethod::DevicesMove => row(
            "POST",
            format!("{DEVICES}/moveDevicesToOu"),
            MOVE,
            Some("ChromeOsMoveDevicesToOu"),
            None,
        ),
        ApiMethod::DevicesAction => row(
            "POST",
            format!("{DEVICES}/{{resourceId}}/action"),
            &[],
            Some("ChromeOsDeviceAction"),
            None,
        ),
        ApiMethod::IssueCommand => row(
            "POST",
            format!("{DEVICE}:issueCommand"),
            &[],
            Some("DirectoryChromeosdevicesIssueCommandRequest"),
            Some("DirectoryChromeosdevicesIssueCommandResponse"),
        ),
        ApiMethod::CommandsGet => row(
            "GET",
            format!("{DEVICE}/commands/{{commandId}}"),
            &[],
            None,
            Some("DirectoryChromeosdevicesCommand"),
        ),
        ApiMethod::BatchChangeStatus => row(
            "POST",
            format!("{DEVICES}:batchChangeStatus"),
            &[],
            Some("BatchChangeChromeOsDeviceStatusRequest"),
            Some("BatchChangeChromeOsDeviceStatusResponse"),
        ),
        ApiMethod::CountDevices => row(
            "GET",
            format!("{DEVICES}:countChromeOsDevices"),
            COUNT,
            None,
            Some("CountChromeOsDevicesResponse"),
        ),
        ApiMethod::OrgUnitsList => row("GET", ORG_UNITS, ORG_UNITS_LIST, None, Some("OrgUnits")),
        ApiMethod::OrgUnitsGet => row("GET", ORG_UNIT, &[], None, org_unit),
        ApiMethod::OrgUnitsInsert => row("POST", ORG_UNITS, &[], org_unit, org_unit),
        ApiMethod::OrgUnitsUpdate => row("PUT", ORG_UNIT, &[], org_unit, org_unit),
        ApiMethod::OrgUnitsPatch => row("PATCH", ORG_UNIT, &[], org_unit, org_unit),
        ApiMethod::OrgUnitsDelete => row("DELETE", ORG_UNIT, &[], None, None),
        ApiMethod::UsersGet => row(
            "GET",
            "admin/directory/v1/users/{userKey}",
            USER,
            None,
            Some("User"),
        ),
        ApiMethod::CustomersGet => row(
            "GET",
            "admin/directory/v1/customers/{customerKey}",
            &[],
            None,
            Some("Customer"),
        ),
    }
}

/// The description of one method.
pub(super) fn describe(method: ApiMethod) -> Value {
    let row = of(method);
    let mut parameters = Map::new();
    let mut order = path_parameters(&row.path);
    for name in &order {
        let mut parameter = json!({"type": "string", "location": "path", "required": true});
        if *name == "commandId" {
            parameter["format"] = json!("int64");
        }
        parameters.insert((*name).to_owned(), parameter);
    }
    for parameter in row.query {
        parameters.insert(parameter.name.to_owned(), describe_parameter(parameter));
        if parameter.required {
            order.push(parameter.name);
        }
    }
    let mut description = json!({
        "id": method.id(),
        "httpMethod": row.verb,
        "path": row.path,
        "flatPath": row.path.replace("{+", "{"),
        "parameterOrder": order,
        "parameters": parameters,
        "scopes": method.scopes(),
    });
    if let Some(schema) = row.request {
        description["request"] = json!({ "$ref": schema });
    }
    if let Some(schema) = row.response {
        description["response"] = json!({ "$ref": schema });
    }
    description
}

fn describe_parameter(parameter: &Parameter) -> Value {
    let mut description = match parameter.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::PageSize => json!({"type": "integer", "format": "int32", "minimum": "1"}),
        Kind::OneOf(words) => json!({"type": "string", "enum": words, "enumDescriptions": words}),
    };
    description["location"] = json!("query");
    if parameter.required {
        description["required"] = json!(true);
    }
    if let Some(default) = parameter.default {
        description["default"] = json!(default);
    }
    description
}

/// The names in braces, in their order.
fn path_parameters(path: &str) -> Vec<&str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .map(|name| name.trim_start_matches('+'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::route;

    #[test]
    fn the_server_finds_every_method_at_the_address_that_the_document_names() {
        for method in ApiMethod::ALL {
            let row = of(method);
            let mut path = format!("/{}", row.path);
            for name in path_parameters(&row.path) {
                path = path
                    .replace(&format!("{{{name}}}"), "value")
                    .replace(&format!("{{+{name}}}"), "value");
            }
            let found = route::resolve(&row.verb.parse().unwrap(), &path).map(|route| route.method);
            assert_eq!(found, Ok(method), "{} {path}", row.verb);
        }
    }

    #[test]
    fn parameters_of_the_path_come_first_and_are_required() {
        let description = describe(ApiMethod::CommandsGet);
        assert_eq!(
            description["parameterOrder"],
            json!(["customerId", "deviceId", "commandId"])
        );
        assert_eq!(description["parameters"]["commandId"]["location"], "path");
        assert_eq!(
            describe(ApiMethod::DevicesMove)["parameters"]["orgUnitPath"]["required"],
            true
        );
    }
}
