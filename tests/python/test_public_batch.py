"""Batches and the discovery document with google-api-python-client."""

import json
import pathlib
import urllib.request

import googleapiclient.discovery_cache
import pytest

from clients import discovered


def batch_of(service, device_ids):
    """Sends one batch of reads and returns what each call got, in the order of the answers."""
    answers = []

    def collect(request_id, response, exception):
        answers.append((request_id, response, exception))

    batch = service.new_batch_http_request(callback=collect)
    for device_id in device_ids:
        request = service.chromeosdevices().get(customerId="my_customer", deviceId=device_id, fields="deviceId")
        # A long id of one's own is what makes the library fold the Content-ID over two lines.
        batch.add(request, request_id=f"device {device_id} with a name that is long enough to be folded")
    batch.execute()
    return answers


def some_ids(service, count):
    page = service.chromeosdevices().list(customerId="my_customer", maxResults=count).execute()
    return [device["deviceId"] for device in page["chromeosdevices"]]


def test_every_call_of_a_batch_has_its_own_answer(simulator):
    service = discovered(simulator)
    ids = some_ids(service, 50)
    ids.insert(10, "no-such-device")
    answers = batch_of(service, ids)
    assert len(answers) == 51
    for device_id, (request_id, response, exception) in zip(ids, answers):
        assert device_id in request_id
        if device_id == "no-such-device":
            assert exception.resp.status == 404
        else:
            assert exception is None and response == {"deviceId": device_id}


def test_answers_in_another_order_find_their_calls(fresh):
    fresh.control("PATCH", "/batch", {"shuffle": True})
    service = discovered(fresh)
    ids = some_ids(service, 12)
    for request_id, response, exception in batch_of(service, ids):
        assert exception is None and response["deviceId"] in request_id


def test_calls_with_a_dead_token_are_sent_again_with_a_new_one(fresh):
    service = discovered(fresh)
    ids = some_ids(service, 5)
    fresh.control("POST", "/auth/tokens/revoke", {})
    answers = batch_of(service, ids)
    assert [response for _, response, _ in answers] == [{"deviceId": device_id} for device_id in ids]


def methods(resources):
    """All methods of a discovery document by their id."""
    found = {}
    for resource in resources.values():
        for method in resource.get("methods", {}).values():
            found[method["id"]] = method
        found.update(methods(resource.get("resources", {})))
    return found


@pytest.fixture(scope="module")
def documents(shared):
    """The simulator's document and the one that Google publishes with the library."""
    with urllib.request.urlopen(shared.url + "/$discovery/rest?version=directory_v1", timeout=30) as answer:
        own = json.loads(answer.read())
    folder = pathlib.Path(googleapiclient.discovery_cache.__file__).parent / "documents"
    return own, json.loads((folder / "admin.directory_v1.json").read_text())


def test_every_method_of_the_document_is_described_as_google_describes_it(documents):
    own, google = (methods(document["resources"]) for document in documents)
    assert len(own) == 18
    for name, method in own.items():
        expected = google[name]
        for part in ("httpMethod", "path", "parameterOrder"):
            assert method[part] == expected[part], (name, part)
        assert sorted(method["scopes"]) == sorted(expected["scopes"]), name
        assert method.get("request") == expected.get("request"), name
        assert method.get("response") == expected.get("response"), name
        assert set(method["parameters"]) == set(expected.get("parameters", {})), name
        for parameter, described in method["parameters"].items():
            for part in ("type", "format", "location", "required", "enum", "default"):
                assert described.get(part) == expected["parameters"][parameter].get(part), (name, parameter, part)


def test_the_fields_of_the_document_are_google_s(documents):
    own, google = (document["schemas"] for document in documents)
    compared = 0
    for name, schema in own.items():
        if name not in google:
            continue  # Google leaves the types inside of a device without a name
        compared += 1
        for field, described in schema["properties"].items():
            expected = google[name]["properties"].get(field)
            assert expected is not None, (name, field)
            if "type" in described and described["type"] != "array":
                assert described["type"] == expected.get("type"), (name, field)
                assert described.get("format") == expected.get("format"), (name, field)
    assert compared >= 15
