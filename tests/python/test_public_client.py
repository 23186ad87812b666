"""google-api-python-client reads the fleet and meets refusals as its documentation says."""

import pytest
from googleapiclient.errors import HttpError

from clients import credentials, directory, without_waiting
from conftest import DEVICES_READ_ONLY, FLEET, USERS


def walk(service, **parameters):
    """All pages of a device list, the way every sample of the library does it."""
    devices = service.chromeosdevices()
    request = devices.list(**parameters)
    pages = []
    while request is not None:
        page = request.execute()
        pages.append(page.get("chromeosdevices", []))
        request = devices.list_next(request, page)
    return pages


def refusal(request, **options):
    with pytest.raises(HttpError) as caught:
        without_waiting(request).execute(**options)
    return caught.value


def test_a_walk_over_all_pages_finds_every_device_once(simulator):
    service = directory(simulator)
    pages = walk(service, customerId="my_customer", maxResults=200, projection="FULL")
    assert [len(page) for page in pages] == [200, 200, 50]
    ids = [device["deviceId"] for page in pages for device in page]
    assert len(set(ids)) == FLEET
    by_id = walk(service, customerId=simulator.customer_id, maxResults=200)
    assert sorted(ids) == sorted(device["deviceId"] for page in by_id for device in page)


def test_a_page_has_a_hundred_devices_if_nothing_is_asked_for(simulator):
    page = directory(simulator).chromeosdevices().list(customerId="my_customer").execute()
    assert page["kind"] == "admin#directory#chromeosdevices"
    assert len(page["chromeosdevices"]) == 100
    assert page["chromeosdevices"][0]["kind"] == "admin#directory#chromeosdevice"


def test_a_mask_without_the_page_token_ends_the_walk_silently(simulator):
    service = directory(simulator)
    whole = walk(service, customerId="my_customer", maxResults=200, fields="nextPageToken,chromeosdevices(deviceId)")
    assert [len(page) for page in whole] == [200, 200, 50]
    assert set(whole[0][0]) == {"deviceId"}
    assert len(walk(service, customerId="my_customer", maxResults=200, fields="chromeosdevices(deviceId)")) == 1


def test_the_count_agrees_with_the_walk(simulator):
    chromeos = directory(simulator).customer().devices().chromeos()
    assert chromeos.countChromeOsDevices(customerId="my_customer").execute() == {"count": str(FLEET)}


def test_org_units_contain_the_devices(simulator):
    service = directory(simulator)
    units = service.orgunits().list(customerId="my_customer", type="all").execute()["organizationUnits"]
    assert all(unit["orgUnitId"].startswith("id:") for unit in units)
    top = next(unit for unit in units if unit["parentOrgUnitPath"] == "/")
    inside = walk(service, customerId="my_customer", orgUnitPath=top["orgUnitPath"], includeChildOrgunits=True)
    count = service.customer().devices().chromeos().countChromeOsDevices(
        customerId="my_customer", orgUnitPath=top["orgUnitPath"], includeChildOrgunits=True
    )
    found = [device for page in inside for device in page]
    assert count.execute()["count"] == str(len(found))
    assert found and all(device["orgUnitPath"].startswith(top["orgUnitPath"]) for device in found)
    paths = {unit["orgUnitPath"]: unit["orgUnitId"] for unit in units}
    for device in found:
        assert "id:" + device["orgUnitId"] == paths[device["orgUnitPath"]]


def test_an_org_unit_is_read_by_path_and_by_id(simulator):
    units = directory(simulator).orgunits()
    listed = units.list(customerId="my_customer", type="all").execute()["organizationUnits"]
    deepest = max(listed, key=lambda unit: unit["orgUnitPath"].count("/"))
    assert deepest["orgUnitPath"].count("/") > 1
    by_path = units.get(customerId="my_customer", orgUnitPath=deepest["orgUnitPath"].lstrip("/")).execute()
    by_id = units.get(customerId="my_customer", orgUnitPath=deepest["orgUnitId"]).execute()
    assert by_path == by_id and by_path["orgUnitId"] == deepest["orgUnitId"]
    missing = refusal(units.get(customerId="my_customer", orgUnitPath="No such unit"))
    assert (missing.resp.status, missing.reason) == (404, "Org unit not found")


def test_the_administrator_reads_itself(simulator):
    user = directory(simulator).users().get(userKey=simulator.admin).execute()
    assert (user["primaryEmail"], user["isAdmin"], user["suspended"]) == (simulator.admin, True, False)
    assert user["customerId"] == simulator.customer_id
    missing = refusal(directory(simulator).users().get(userKey="nobody@school.example"))
    assert (missing.resp.status, missing.reason) == (404, "Resource Not Found: userKey")


def test_one_device_is_the_same_alone_as_in_the_list(simulator):
    devices = directory(simulator).chromeosdevices()
    listed = devices.list(customerId="my_customer", maxResults=1, projection="FULL").execute()["chromeosdevices"][0]
    alone = devices.get(customerId="my_customer", deviceId=listed["deviceId"], projection="FULL").execute()
    assert alone["serialNumber"] == listed["serialNumber"] and alone["model"] == listed["model"]


def test_an_unknown_device_is_named(simulator):
    error = refusal(directory(simulator).chromeosdevices().get(customerId="my_customer", deviceId="no-such-device"))
    assert (error.resp.status, error.reason) == (404, "Resource Not Found: no-such-device")
    assert error.error_details[0]["reason"] == "notFound"


def test_a_page_that_is_too_large_is_told_the_range(simulator):
    error = refusal(directory(simulator).chromeosdevices().list(customerId="my_customer", maxResults=500))
    assert error.resp.status == 400
    assert error.reason == "Invalid value '500'. Values must be within the range: [1, 200]"
    assert error.error_details[0]["location"] == "maxResults"


def test_a_read_only_scope_does_not_write(simulator):
    devices = directory(simulator, credentials(simulator, [DEVICES_READ_ONLY])).chromeosdevices()
    device = devices.list(customerId="my_customer", maxResults=1).execute()["chromeosdevices"][0]["deviceId"]
    error = refusal(devices.patch(customerId="my_customer", deviceId=device, body={"notes": "x"}))
    assert (error.resp.status, error.reason) == (403, "Request had insufficient authentication scopes.")
    assert "insufficient_scope" in error.resp["www-authenticate"]


def test_a_scope_for_something_else_does_not_list(simulator):
    devices = directory(simulator, credentials(simulator, [USERS])).chromeosdevices()
    assert refusal(devices.list(customerId="my_customer")).resp.status == 403


def test_somebody_without_an_admin_role_is_refused(simulator):
    teacher = credentials(simulator, [DEVICES_READ_ONLY], "teacher@school.example")
    error = refusal(directory(simulator, teacher).chromeosdevices().list(customerId="my_customer"))
    assert (error.resp.status, error.reason) == (403, "Not Authorized to access this resource/api")


@pytest.mark.parametrize(
    "fault, status",
    [
        ({"kind": "tooManyRequests"}, 429),
        ({"kind": "forbidden", "reason": "userRateLimitExceeded"}, 403),
        ({"kind": "forbidden", "reason": "rateLimitExceeded"}, 403),
        ({"kind": "internal"}, 500),
        ({"kind": "badGateway"}, 502),
        ({"kind": "unavailable"}, 503),
        ({"kind": "gatewayTimeout"}, 504),
    ],
)
def test_the_client_retries_what_passes(simulator, fault, status):
    devices = directory(simulator).chromeosdevices()
    simulator.control("POST", "/faults", {"fault": fault, "match": {"path": "/devices/chromeos"}, "count": 2})
    error = refusal(devices.list(customerId="my_customer"))
    assert error.resp.status == status
    page = without_waiting(devices.list(customerId="my_customer")).execute(num_retries=1)
    assert len(page["chromeosdevices"]) == 100


@pytest.mark.parametrize(
    "fault, status, reason",
    [
        ({"kind": "conditionNotMet"}, 412, "Illegal device state transition."),
        ({"kind": "forbidden", "reason": "quotaExceeded"}, 403, None),
        ({"kind": "notFound"}, 404, None),
    ],
)
def test_the_client_does_not_retry_what_stays(simulator, fault, status, reason):
    devices = directory(simulator).chromeosdevices()
    simulator.control("POST", "/faults", {"fault": fault, "match": {"path": "/devices/chromeos"}, "count": 1})
    error = refusal(devices.list(customerId="my_customer"), num_retries=3)
    assert error.resp.status == status
    assert reason is None or error.reason == reason
    assert devices.list(customerId="my_customer").execute()["chromeosdevices"]


def test_the_quota_ends_and_comes_back(simulator):
    devices = directory(simulator).chromeosdevices()
    simulator.control("PATCH", "/quota", {"queriesPerMinute": 3})
    errors = []
    for _ in range(6):
        try:
            devices.list(customerId="my_customer", maxResults=1).execute()
        except HttpError as error:
            errors.append(error)
    assert errors and all(error.resp.status == 403 for error in errors)
    assert "Queries per minute per user" in errors[0].reason
    simulator.control("POST", "/clock", {"advanceSeconds": 61})
    assert devices.list(customerId="my_customer", maxResults=1).execute()["chromeosdevices"]


def test_a_long_address_goes_as_a_post_that_means_get(simulator):
    devices = directory(simulator).chromeosdevices()
    fields = "chromeosdevices(" + ",".join(["deviceId"] * 300) + ")"
    request = devices.list(customerId="my_customer", maxResults=3, fields=fields)
    assert len(request.uri) > 2048
    assert len(request.execute()["chromeosdevices"]) == 3


def test_a_walk_that_takes_longer_than_an_hour_is_cut(simulator):
    devices = directory(simulator).chromeosdevices()
    first = devices.list(customerId="my_customer")
    page = first.execute()
    simulator.control("POST", "/clock", {"advanceSeconds": 3700})
    error = refusal(devices.list_next(first, page))
    assert (error.resp.status, error.reason) == (503, "Service unavailable. Please try again")
