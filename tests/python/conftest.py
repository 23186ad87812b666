"""Starts the built simulator and signs in to it with Google's own libraries."""

import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

import pytest

# httplib2 and urllib would otherwise ask a proxy for the loopback address.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SIMULATOR_PROGRAM", ROOT / "target/debug/google-admin-simulator"))
DEVICES = "https://www.googleapis.com/auth/admin.directory.device.chromeos"
DEVICES_READ_ONLY = DEVICES + ".readonly"
ORG_UNITS = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly"
USERS = "https://www.googleapis.com/auth/admin.directory.user.readonly"
ALL_SCOPES = [DEVICES, ORG_UNITS, USERS]
FLEET = 450


class Simulator:
    """A running program with its credential files and its control API."""

    def __init__(self, folder, devices=FLEET):
        self.folder = folder
        self.admin = "admin@school.example"
        self.process = subprocess.Popen(
            [
                PROGRAM, "serve", "--listen", "127.0.0.1:0", "--devices", str(devices), "--seed", "7",
                "--credentials-dir", folder,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.welcome = ""
        for line in self.process.stdout:
            self.welcome += line
            if "Stop with Ctrl-C" in line:
                break
        found = re.search(r"listens at (http://[0-9.:]+)", self.welcome)
        assert found, f"the simulator did not start: {self.welcome!r}"
        self.url = found.group(1)
        self.key_path = folder / "service-account.json"
        self.client_path = folder / "client_secret.json"
        self.customer_id = self.control("GET", "/tenants")["tenants"][0]["customerId"]

    def key_file(self):
        return json.loads(self.key_path.read_text())

    def control(self, verb, path, body=None):
        """A call of the control API; raises for a refusal."""
        request = urllib.request.Request(
            f"{self.url}/sim/v1{path}",
            method=verb,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{verb} {path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else None

    def stop(self):
        self.process.terminate()
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
        assert code == 0, f"the simulator ended with code {code}"


def pytest_sessionstart(session):
    if not PROGRAM.exists():
        pytest.exit(f"{PROGRAM} is missing; build it with: cargo build -p google-admin-simulator", returncode=1)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One simulator for tests that change nothing but faults."""
    simulator = Simulator(tmp_path_factory.mktemp("credentials"))
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(shared):
    """The shared simulator without faults."""
    shared.control("DELETE", "/faults")
    shared.control("DELETE", "/quota")
    shared.control("DELETE", "/auth/token-faults")
    yield shared


@pytest.fixture
def fresh(tmp_path):
    """A simulator of its own, for tests that change delegation, keys or accounts."""
    simulator = Simulator(tmp_path, devices=12)
    yield simulator
    simulator.stop()
