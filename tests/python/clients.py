"""Google's client libraries, pointed at the simulator and otherwise used as their documentation says."""

import google_auth_httplib2
import httplib2
from google.oauth2 import service_account
from googleapiclient.discovery import build

from conftest import ALL_SCOPES


def credentials(simulator, scopes=ALL_SCOPES, subject=None):
    """A service account that acts for an administrator."""
    made = service_account.Credentials.from_service_account_file(simulator.key_path, scopes=scopes)
    return made.with_subject(subject or simulator.admin)


def directory(simulator, signed_in=None, **options):
    """The Directory API from the document that the library brings along; only the address is another one."""
    return build(
        "admin",
        "directory_v1",
        credentials=signed_in or credentials(simulator),
        client_options={"api_endpoint": simulator.url},
        static_discovery=True,
        **options,
    )


def discovered(simulator, signed_in=None):
    """The Directory API from the simulator's own discovery document. Only so do batches go to the simulator."""
    return build(
        "admin",
        "directory_v1",
        credentials=signed_in or credentials(simulator),
        discoveryServiceUrl=simulator.url + "/$discovery/rest?version=directory_v1",
        static_discovery=False,
        cache_discovery=False,
    )


def http(signed_in):
    return google_auth_httplib2.AuthorizedHttp(signed_in, http=httplib2.Http(timeout=30))


def without_waiting(request):
    """The library waits between retries with this attribute of the request."""
    request._sleep = lambda seconds: None
    return request
