//! Which method a request asks for: paths of the Directory API, with custom verbs behind a colon and slashes
//! inside the paths of organisational units.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::api::methods::ApiMethod;

/// The prefix of every path of the API.
pub(crate) const PREFIX: &str = "/admin/directory/v1/";

/// A method with the parameters of its path, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) method: ApiMethod,
    /// `my_customer` or `C0…`; the user or customer key of `users.get` and `customers.get`.
    pub(crate) owner: String,
    /// Device id or organisational unit, where the method has one.
    pub(crate) resource: String,
    /// Command id, where the method has one.
    pub(crate) command: String,
}

/// Why a request has no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// No method has this path.
    UnknownPath,
    /// The path exists, but not with this HTTP method.
    WrongVerb,
}

/// Finds the method of a request. `path` is the whole path as it came, still percent-encoded.
pub(crate) fn resolve(verb: &Method, path: &str) -> Result<Route, NoRoute> {
    let rest = path.strip_prefix(PREFIX).ok_or(NoRoute::UnknownPath)?;
    let segments: Vec<String> = rest.split('/').map(decode).collect::<Result<_, _>>()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["users", key] => route(verb, &[(Method::GET, ApiMethod::UsersGet)], key, "", ""),
        ["customers", key] => route(verb, &[(Method::GET, ApiMethod::CustomersGet)], key, "", ""),
        ["customer", customer, "orgunits"] => {
            let verbs = [
                (Method::GET, ApiMethod::OrgUnitsList),
                (Method::POST, ApiMethod::OrgUnitsInsert),
            ];
            route(verb, &verbs, customer, "", "")
        }
        ["customer", customer, "orgunits", path @ ..] => {
            let verbs = [
                (Method::GET, ApiMethod::OrgUnitsGet),
                (Method::PUT, ApiMethod::OrgUnitsUpdate),
                (Method::PATCH, ApiMethod::OrgUnitsPatch),
                (Method::DELETE, ApiMethod::OrgUnitsDelete),
            ];
            route(verb, &verbs, customer, &path.join("/"), "")
        }
        ["customer", customer, "devices", rest @ ..] => devices(verb, customer, rest),
        _ => Err(NoRoute::UnknownPath),
    }
}

fn devices(verb: &Method, customer: &str, rest: &[&str]) -> Result<Route, NoRoute> {
    let post = |method| [(Method::POST, method)];
    match rest {
        ["chromeos"] => route(verb, &[(Method::GET, ApiMethod::DevicesList)], customer, "", ""),
        ["chromeos:countChromeOsDevices"] => {
            route(verb, &[(Method::GET, ApiMethod::CountDevices)], customer, "", "")
        }
        ["chromeos:batchChangeStatus"] => route(verb, &post(ApiMethod::BatchChangeStatus), customer, "", ""),
        ["chromeos", "moveDevicesToOu"] => route(verb, &post(ApiMethod::DevicesMove), customer, "", ""),
        ["chromeos", device, "action"] => route(verb, &post(ApiMethod::DevicesAction), customer, device, ""),
        ["chromeos", device, "commands", command] => route(
            verb,
            &[(Method::GET, ApiMethod::CommandsGet)],
            customer,
            device,
            command,
        ),
        ["chromeos", device] => {
            if let Some(device) = device.strip_suffix(":issueCommand") {
                return route(verb, &post(ApiMethod::IssueCommand), customer, device, "");
            }
            let verbs = [
                (Method::GET, ApiMethod::DevicesGet),
                (Method::PATCH, ApiMethod::DevicesPatch),
                (Method::PUT, ApiMethod::DevicesUpdate),
            ];
            route(verb, &verbs, customer, device, "")
        }
        _ => Err(NoRoute::UnknownPath),
    }
}

fn route(
    verb: &Method,
    verbs: &[(Method, ApiMethod)],
    owner: &str,
    resource: &str,
    command: &str,
) -> Result<Route, NoRoute> {
    let (_, method) = verbs
        .iter()
        .find(|(candidate, _)| candidate == verb)
        .ok_or(NoRoute::WrongVerb)?;
    if owner.is_empty() {
        return Err(NoRoute::UnknownPath);
    }
    Ok(Route {
        method: *method,
        owner: owner.to_owned(),
        resource: resource.to_owned(),
        command: command.to_owned(),
    })
}

fn decode(segment: &str) -> Result<String, NoRoute> {
    percent_decode_str(segment)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| NoRoute::UnknownPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[(&str, &str, ApiMethod, &str)]) {
        for (verb, path, method, resource) in rows {
            let found = resolve(&verb.parse().unwrap(), &format!("{PREFIX}{path}"));
            assert_eq!(
                found.as_ref().map(|route| route.method),
                Ok(*method),
                "{verb} {path}"
            );
            assert_eq!(
                found.map(|route| route.resource),
                Ok((*resource).to_owned()),
                "{verb} {path}"
            );
        }
    }

    #[test]
    fn every_method_of_devices_has_its_path() {
        use ApiMethod as M;
        check(&[
            ("GET", "customer/my_customer/devices/chromeos", M::DevicesList, ""),
            ("GET", "customer/C0a/devices/chromeos/id-1", M::DevicesGet, "id-1"),
            (
                "PATCH",
                "customer/C0a/devices/chromeos/id-1",
                M::DevicesPatch,
                "id-1",
            ),
            (
                "PUT",
                "customer/C0a/devices/chromeos/id-1",
                M::DevicesUpdate,
                "id-1",
            ),
            (
                "POST",
                "customer/C0a/devices/chromeos/moveDevicesToOu",
                M::DevicesMove,
                "",
            ),
            (
                "POST",
                "customer/C0a/devices/chromeos/id-1/action",
                M::DevicesAction,
                "id-1",
            ),
            (
                "POST",
                "customer/C0a/devices/chromeos/id-1:issueCommand",
                M::IssueCommand,
                "id-1",
            ),
            (
                "POST",
                "customer/C0a/devices/chromeos/id-1%3AissueCommand",
                M::IssueCommand,
                "id-1",
            ),
            (
                "GET",
                "customer/C0a/devices/chromeos/id-1/commands/77",
                M::CommandsGet,
                "id-1",
            ),
            (
                "POST",
                "customer/C0a/devices/chromeos:batchChangeStatus",
                M::BatchChangeStatus,
                "",
            ),
            (
                "GET",
                "customer/C0a/devices/chromeos%3AcountChromeOsDevices",
                M::CountDevices,
                "",
            ),
        ]);
    }

    #[test]
    fn every_method_of_units_and_people_has_its_path() {
        use ApiMethod as M;
        check(&[
            ("GET", "customer/C0a/orgunits", M::OrgUnitsList, ""),
            (
                "GET",
                "customer/C0a/orgunits/Students/Grade%209",
                M::OrgUnitsGet,
                "Students/Grade 9",
            ),
            (
                "GET",
                "customer/C0a/orgunits/Students%2FGrade%209",
                M::OrgUnitsGet,
                "Students/Grade 9",
            ),
            (
                "GET",
                "customer/C0a/orgunits/id%3A03ph8a2z",
                M::OrgUnitsGet,
                "id:03ph8a2z",
            ),
            (
                "GET",
                "customer/C0a/orgunits/id:03ph8a2z",
                M::OrgUnitsGet,
                "id:03ph8a2z",
            ),
            ("POST", "customer/C0a/orgunits", M::OrgUnitsInsert, ""),
            (
                "DELETE",
                "customer/C0a/orgunits/Staff",
                M::OrgUnitsDelete,
                "Staff",
            ),
            ("GET", "users/admin%40school.example", M::UsersGet, ""),
            ("GET", "customers/my_customer", M::CustomersGet, ""),
        ]);
    }

    #[test]
    fn what_is_no_method_is_refused() {
        let resolve = |verb: Method, path: &str| resolve(&verb, path);
        assert_eq!(
            resolve(Method::GET, "/admin/directory/v1/nothing"),
            Err(NoRoute::UnknownPath)
        );
        assert_eq!(
            resolve(Method::GET, "/admin/directory/v1/users/"),
            Err(NoRoute::UnknownPath)
        );
        assert_eq!(resolve(Method::GET, "/elsewhere"), Err(NoRoute::UnknownPath));
        assert_eq!(
            resolve(Method::GET, "/admin/directory/v1/users/%ff"),
            Err(NoRoute::UnknownPath)
        );
        assert_eq!(
            resolve(
                Method::DELETE,
                "/admin/directory/v1/customer/C0a/devices/chromeos/id-1"
            ),
            Err(NoRoute::WrongVerb)
        );
    }
}
