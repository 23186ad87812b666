#!/bin/sh
# Runs the public Python clients of Google against the built simulator.
#
#   tests/python/run.sh [arguments of pytest]
#
# SIMULATOR_PROGRAM names the program (default: target/debug/google-admin-simulator; build it with
# `cargo build -p google-admin-simulator`). The first run makes a virtual environment in .cache/python; it is made
# anew when requirements.txt changes.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
environment="$root/.cache/python"
python=${PYTHON:-python3}

if ! command -v "$python" >/dev/null 2>&1; then
    echo "error: $python was not found; install Python 3.9 or newer with its venv module, or set PYTHON" >&2
    exit 1
fi

wanted=$({ cat "$here/requirements.txt"; "$python" -c 'import sys; print(sys.version)'; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$environment/.requirements-hash" 2>/dev/null || true)" != "$wanted" ]; then
    rm -rf "$environment"
    mkdir -p "$root/.cache"
    if ! "$python" -m venv "$environment"; then
        echo "error: no virtual environment could be made; on Debian install the package python3-venv" >&2
        exit 1
    fi
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --requirement "$here/requirements.txt"
    printf '%s\n' "$wanted" >"$environment/.requirements-hash"
fi

cd "$here"
exec "$environment/bin/python" -m pytest --quiet --color=no -p no:cacheprovider "$@" </dev/null
