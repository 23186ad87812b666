"""google-api-python-client changes devices and sends commands, and the witness tells what really happened."""

import json

import pytest
from googleapiclient.errors import HttpError

from clients import directory, discovered, without_waiting

ACTION = "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_"


def refusal(request):
    with pytest.raises(HttpError) as caught:
        without_waiting(request).execute()
    return caught.value


def laptops(simulator):
    """Ids of active devices with user sessions that are online."""
    listed = simulator.control("GET", f"/tenants/{simulator.customer_id}/devices")["devices"]
    return [
        device["deviceId"]
        for device in listed
        if device["status"] == "ACTIVE" and device["online"] and device["mode"] == "userSession"
    ]


def witness(simulator, device):
    rows = simulator.control("GET", f"/witness?customer={simulator.customer_id}&device={device}")["devices"]
    return rows[0] if rows else None


def change_status(service, devices, action, **more):
    body = {"deviceIds": devices, "changeChromeOsDeviceStatusAction": ACTION + action, **more}
    chromeos = service.customer().devices().chromeos()
    answer = chromeos.batchChangeStatus(customerId="my_customer", body=body).execute()
    return {row["deviceId"]: row for row in answer["changeChromeOsDeviceStatusResults"]}


def test_rows_of_a_change_of_state_succeed_and_fail(fresh):
    service = directory(fresh)
    first, second = laptops(fresh)[:2]
    rows = change_status(service, [first], "DISABLE")
    assert rows == {first: {"deviceId": first, "response": {}}}
    rows = change_status(service, [first, second, "no-such-device"], "DISABLE")
    assert rows[second]["response"] == {}
    assert rows[first]["error"] == {"code": 9, "message": "Illegal device state transition.", "details": []}
    assert rows["no-such-device"]["error"]["code"] == 5
    get = service.chromeosdevices().get
    assert get(customerId="my_customer", deviceId=first).execute()["status"] == "DISABLED"
    rows = change_status(service, [first], "DEPROVISION", deprovisionReason="DEPROVISION_REASON_UPGRADE_TRANSFER")
    assert rows[first]["response"] == {}
    released = get(customerId="my_customer", deviceId=first).execute()
    assert released["deprovisionReason"] == "deprovisionReasonUpgradeTransfer"
    assert witness(fresh, first)["api"]["deprovisions"] == 1
    without_reason = {"deviceIds": [second], "changeChromeOsDeviceStatusAction": ACTION + "DEPROVISION"}
    chromeos = service.customer().devices().chromeos()
    error = refusal(chromeos.batchChangeStatus(customerId="my_customer", body=without_reason))
    assert error.resp.status == 400


def test_the_old_action_is_refused_with_412(fresh):
    devices = directory(fresh).chromeosdevices()
    device = laptops(fresh)[0]
    disable = devices.action(customerId="my_customer", resourceId=device, body={"action": "disable"})
    assert disable.execute() == b""
    error = refusal(devices.action(customerId="my_customer", resourceId=device, body={"action": "disable"}))
    assert (error.resp.status, error.reason) == (412, "Illegal device state transition.")
    assert error.error_details[0]["reason"] == "conditionNotMet"
    assert witness(fresh, device)["api"]["disables"] == 1


def test_a_command_is_issued_and_followed_to_its_end(fresh):
    chromeos = directory(fresh).customer().devices().chromeos()
    device = laptops(fresh)[0]
    body = {"commandType": "REBOOT", "payload": json.dumps({"user_session_delay_seconds": 5})}
    command = chromeos.issueCommand(customerId="my_customer", deviceId=device, body=body).execute()["commandId"]
    follow = chromeos.commands().get(customerId="my_customer", deviceId=device, commandId=command)
    issued = follow.execute()
    assert (issued["commandId"], issued["type"], issued["payload"]) == (command, "REBOOT", body["payload"])
    assert "commandResult" not in issued
    again = refusal(chromeos.issueCommand(customerId="my_customer", deviceId=device, body=body))
    assert (again.resp.status, "still pending" in again.reason) == (400, True)
    fresh.control("POST", "/clock", {"advanceSeconds": 60})
    ended = follow.execute()
    assert (ended["state"], ended["commandResult"]["result"]) == ("EXECUTED_BY_CLIENT", "SUCCESS")
    row = witness(fresh, device)
    assert (row["acceptedCommands"], row["api"]["reboots"]) == ({"REBOOT": 1}, 1)
    assert row["events"][0]["by"] == fresh.admin
    unsuitable = chromeos.issueCommand(
        customerId="my_customer", deviceId=device, body={"commandType": "TAKE_A_SCREENSHOT"}
    )
    assert "kiosk" in refusal(unsuitable).reason
    unknown = refusal(chromeos.commands().get(customerId="my_customer", deviceId=device, commandId="77"))
    assert unknown.resp.status == 404


def test_a_lost_answer_does_not_mean_that_nothing_happened(fresh):
    chromeos = directory(fresh).customer().devices().chromeos()
    device = laptops(fresh)[0]
    only = {"api": "admin.customer.devices.chromeos.issueCommand", "devices": [device]}
    fresh.control("POST", "/faults", {"match": only, "fault": {"kind": "unavailable"}, "effect": "now", "count": 1})
    issue = chromeos.issueCommand(customerId="my_customer", deviceId=device, body={"commandType": "WIPE_USERS"})
    assert refusal(issue).resp.status == 503
    fresh.control("POST", "/clock", {"advanceSeconds": 60})
    assert witness(fresh, device)["api"]["userWipes"] == 1


def test_devices_move_to_another_unit(fresh):
    service = directory(fresh)
    devices = laptops(fresh)
    unit = service.orgunits().list(customerId="my_customer", type="children").execute()["organizationUnits"][0]
    move = service.chromeosdevices().moveDevicesToOu(
        customerId="my_customer", orgUnitPath=unit["orgUnitPath"], body={"deviceIds": devices}
    )
    assert move.execute() == b""
    found = service.chromeosdevices().list(customerId="my_customer", orgUnitPath=unit["orgUnitPath"]).execute()
    assert set(devices) <= {device["deviceId"] for device in found["chromeosdevices"]}
    too_many = service.chromeosdevices().moveDevicesToOu(
        customerId="my_customer", orgUnitPath=unit["orgUnitPath"], body={"deviceIds": devices * 51}
    )
    assert refusal(too_many).resp.status == 400


def test_fields_are_edited_and_cleared(fresh):
    devices = directory(fresh).chromeosdevices()
    device = laptops(fresh)[0]
    before = devices.get(customerId="my_customer", deviceId=device).execute()
    body = {"notes": "From Python", "annotatedLocation": "", "annotatedAssetId": "A-1"}
    patched = devices.patch(customerId="my_customer", deviceId=device, body=body).execute()
    after = devices.get(customerId="my_customer", deviceId=device).execute()
    assert patched["notes"] == after["notes"] == "From Python"
    assert "annotatedLocation" not in after and after["annotatedAssetId"] == "A-1"
    assert after["serialNumber"] == before["serialNumber"] and after["etag"] != before["etag"]
    too_long = refusal(devices.patch(customerId="my_customer", deviceId=device, body={"notes": "x" * 501}))
    assert too_long.resp.status == 400


def test_writes_travel_in_a_batch(fresh):
    service = discovered(fresh)
    chosen = laptops(fresh)[:3]
    answers = {}

    def collect(request_id, response, exception):
        answers[request_id] = (response, exception)

    batch = service.new_batch_http_request(callback=collect)
    for device in chosen:
        edit = service.chromeosdevices().patch(customerId="my_customer", deviceId=device, body={"notes": device})
        batch.add(edit, request_id=device)
    batch.execute()
    assert {device: response["notes"] for device, (response, _) in answers.items()} == {d: d for d in chosen}
