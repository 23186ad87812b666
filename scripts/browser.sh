#!/usr/bin/env bash
# Finds a Chromium for the tests of what a person sees, and prints its path: scripts/browser.sh
# Where there is none, root on Debian or Ubuntu gets it from the distribution's packages, with a font, so that
# screenshots have text. Anyone else is told what to install.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The names and their order are the same in testing/src/browser/program.rs.
find_browser() {
    local name
    if [ -n "${CHROMIUM:-}" ]; then
        if ! command -v -- "$CHROMIUM"; then
            echo "browser: CHROMIUM is $CHROMIUM, which is not a program. Set it to the path of a Chromium, or unset it." >&2
            exit 1
        fi
        return
    fi
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name"; then
            return
        fi
    done
    return 1
}

# install PACKAGE...: quietly, since what apt prints matters only when it fails.
install() {
    local log
    log=$(mktemp)
    if ! { apt-get update && apt-get install --yes --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f -- "$log"
        echo "browser: apt-get could not install $*; its last lines are above." >&2
        exit 1
    fi
    rm -f -- "$log"
}

if find_browser; then
    exit
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "browser: there is no Chromium. Install it (Debian: apt-get install chromium fonts-dejavu-core)," >&2
    echo "or set CHROMIUM to the path of one." >&2
    exit 1
fi
echo "Installing Chromium from the distribution's packages." >&2
export DEBIAN_FRONTEND=noninteractive
install chromium fonts-dejavu-core
if ! find_browser; then
    echo "browser: the package chromium is installed, but no program chromium is on PATH." >&2
    exit 1
fi
