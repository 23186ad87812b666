"""google-auth signs in: delegation, refusals of the token endpoint, consent, keyless, self-signed tokens."""

import base64
import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import google.auth.jwt
import google.oauth2.credentials
import google_auth_httplib2
import httplib2
import pytest
from google.auth import compute_engine
from google.auth.compute_engine import _metadata
from google.auth.exceptions import RefreshError
from google.oauth2 import id_token, service_account
from googleapiclient.errors import HttpError

from clients import credentials, directory, http
from conftest import ALL_SCOPES, DEVICES, DEVICES_READ_ONLY, USERS


def transport():
    return google_auth_httplib2.Request(httplib2.Http(timeout=30))


def refused(signed_in):
    """`error` and `error_description` of the token endpoint."""
    with pytest.raises(RefreshError) as caught:
        signed_in.refresh(transport())
    body = caught.value.args[1]
    return body["error"], body["error_description"]


def test_a_delegated_account_acts_for_the_administrator(simulator):
    signed_in = credentials(simulator)
    signed_in.refresh(transport())
    assert signed_in.valid and signed_in.token.startswith("ya29.sim-")
    log = simulator.control("GET", "/auth/token-requests")[-1]
    assert log["accounts"] == [simulator.key_file()["client_email"], simulator.admin]
    assert set(log["scopes"].split()) == set(ALL_SCOPES)


def test_what_the_token_endpoint_refuses_by_itself(fresh):
    group = "https://www.googleapis.com/auth/admin.directory.group"
    assert refused(credentials(fresh, subject="nobody@school.example")) == ("invalid_grant", "Invalid email or User ID")
    assert refused(credentials(fresh, subject="nobody")) == ("invalid_grant", "Not a valid email")
    assert refused(credentials(fresh, ["https://www.googleapis.com/auth/nonsense"]))[0] == "invalid_scope"
    assert refused(credentials(fresh, [DEVICES, group]))[0] == "unauthorized_client"

    fresh.control("PATCH", "/auth/switches", {"clockSkewSeconds": 7200})
    error, text = refused(credentials(fresh))
    assert error == "invalid_grant" and "reasonable timeframe" in text
    fresh.control("PATCH", "/auth/switches", {"clockSkewSeconds": 0})

    key = fresh.key_file()
    path = f"/auth/service-accounts/{key['client_email']}/keys/{key['private_key_id']}"
    fresh.control("PATCH", path, {"enabled": False})
    assert refused(credentials(fresh)) == ("invalid_grant", "Invalid JWT Signature.")
    fresh.control("PATCH", path, {"enabled": True})

    user = f"/tenants/{fresh.customer_id}/users/{fresh.admin}"
    fresh.control("PATCH", user, {"suspended": True})
    assert refused(credentials(fresh))[0] == "invalid_grant"
    fresh.control("PATCH", user, {"suspended": False})
    credentials(fresh).refresh(transport())


def test_every_refusal_that_can_be_asked_for_reaches_the_client(simulator):
    for kind in simulator.control("GET", "/auth/token-faults/kinds"):
        simulator.control("POST", "/auth/token-faults", {"kind": kind["kind"]})
        if kind["error"] not in ("internal_failure", "server_error"):
            assert refused(credentials(simulator)) == (kind["error"], kind["description"])
        simulator.control("DELETE", "/auth/token-faults")


def test_the_client_retries_a_failing_token_endpoint(simulator):
    simulator.control("POST", "/auth/token-faults", {"kind": "serverError", "times": 1})
    signed_in = credentials(simulator)
    signed_in.refresh(transport())
    assert signed_in.valid
    assert [entry["status"] for entry in simulator.control("GET", "/auth/token-requests")[-2:]] == [503, 200]


def test_a_revoked_token_is_replaced_in_the_middle_of_a_walk(fresh):
    devices = directory(fresh).chromeosdevices()
    request = devices.list(customerId="my_customer", maxResults=5)
    page = request.execute()
    fresh.control("POST", "/auth/tokens/revoke", {})
    following = devices.list_next(request, page).execute()
    assert len(following["chromeosdevices"]) == 5


def test_a_service_account_without_subject_needs_its_own_role(fresh):
    alone = service_account.Credentials.from_service_account_file(fresh.key_path, scopes=[DEVICES_READ_ONLY])
    devices = directory(fresh, alone).chromeosdevices()
    with pytest.raises(HttpError) as caught:
        devices.list(customerId=fresh.customer_id).execute()
    assert caught.value.resp.status == 403
    path = f"/auth/service-accounts/{fresh.key_file()['client_email']}/admin-role"
    fresh.control("PUT", path, {"customerId": fresh.customer_id, "privileges": {"chromeDevices": True}})
    assert len(devices.list(customerId=fresh.customer_id).execute()["chromeosdevices"]) == 12


def test_a_self_signed_token_needs_no_exchange(fresh):
    path = f"/auth/service-accounts/{fresh.key_file()['client_email']}/admin-role"
    fresh.control("PUT", path, {"customerId": fresh.customer_id, "privileges": {"chromeDevices": True}})
    signed = google.auth.jwt.Credentials.from_service_account_file(
        fresh.key_path, audience="https://admin.googleapis.com/"
    )
    before = len(fresh.control("GET", "/auth/token-requests"))
    page = directory(fresh, signed).chromeosdevices().list(customerId=fresh.customer_id).execute()
    assert len(page["chromeosdevices"]) == 12
    assert len(fresh.control("GET", "/auth/token-requests")) == before


def test_keyless_signing_through_the_metadata_server(fresh, monkeypatch):
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", fresh.url.removeprefix("http://"))
    workload = compute_engine.Credentials()
    key = fresh.key_file()
    now = int(time.time())
    claims = {
        "iss": key["client_email"], "sub": fresh.admin, "scope": DEVICES, "iat": now, "exp": now + 3600,
        "aud": "https://oauth2.googleapis.com/token",
    }
    answer, body = http(workload).request(
        f"{fresh.url}/v1/projects/-/serviceAccounts/{urllib.parse.quote(key['client_email'])}:signJwt",
        method="POST",
        body=json.dumps({"payload": json.dumps(claims)}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status == 200, body
    token = exchange(
        fresh, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=json.loads(body)["signedJwt"]
    )
    signed_in = google.oauth2.credentials.Credentials(token["access_token"])
    assert len(directory(fresh, signed_in).chromeosdevices().list(customerId="my_customer").execute()["chromeosdevices"]) == 12


def exchange(simulator, **form):
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{simulator.url}/token", data=data, timeout=30) as answer:
        return json.loads(answer.read())


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def consent(simulator, app, scopes):
    """What a browser does: opens the page and is sent back. Returns code and verifier."""
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = urllib.parse.urlencode({
        "client_id": app["client_id"], "redirect_uri": "http://localhost:9/", "response_type": "code",
        "scope": " ".join(scopes), "access_type": "offline", "prompt": "consent", "state": "s",
        "code_challenge": challenge, "code_challenge_method": "S256",
    })
    try:
        urllib.request.build_opener(NoRedirect).open(f"{app['auth_uri']}?{query}", timeout=30)
    except urllib.error.HTTPError as error:
        assert error.code == 302
        back = urllib.parse.parse_qs(urllib.parse.urlparse(error.headers["location"]).query)
        assert back["state"] == ["s"]
        return back["code"][0], verifier
    raise AssertionError("the consent page sent nobody back")


def test_consent_refresh_identity_and_revocation(fresh):
    app = json.loads(fresh.client_path.read_text())["installed"]
    code, verifier = consent(fresh, app, ["openid", "email", DEVICES, USERS])
    tokens = exchange(
        fresh, grant_type="authorization_code", code=code, code_verifier=verifier, client_id=app["client_id"],
        client_secret=app["client_secret"], redirect_uri="http://localhost:9/",
    )
    signed_in = google.oauth2.credentials.Credentials(
        None, refresh_token=tokens["refresh_token"], token_uri=app["token_uri"], client_id=app["client_id"],
        client_secret=app["client_secret"],
    )
    page = directory(fresh, signed_in).chromeosdevices().list(customerId="my_customer").execute()
    assert len(page["chromeosdevices"]) == 12

    claims = id_token.verify_token(
        signed_in.id_token, transport(), audience=app["client_id"], certs_url=fresh.url + "/oauth2/v1/certs"
    )
    assert (claims["email"], claims["iss"]) == (fresh.admin, "https://accounts.google.com")

    urllib.request.urlopen(f"{fresh.url}/revoke", data=f"token={tokens['refresh_token']}".encode(), timeout=30)
    assert refused(signed_in) == ("invalid_grant", "Token has been expired or revoked.")
