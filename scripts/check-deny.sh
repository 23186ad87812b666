#!/usr/bin/env bash
# Checks the dependencies against deny.toml: licences, banned crates, sources, and known vulnerabilities.
#
# cargo-deny is built once, pinned, into .cache/tools. The vulnerabilities come from the RustSec database, which is
# fetched from GitHub; where that cannot be reached the check says so and the rest still counts.
# REQUIRE_ADVISORIES=1 makes that a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=0.20.2
tools=$PWD/.cache/tools
program=$tools/bin/cargo-deny

if [ "$("$program" --version 2>/dev/null)" != "cargo-deny $version" ]; then
    echo "Building cargo-deny $version once, into .cache/tools; this takes some minutes."
    # Unoptimised: it runs for seconds. From elsewhere, so that this project's settings do not apply to it.
    (cd / && CARGO_TARGET_DIR=$tools/build cargo install --quiet --locked --debug --force --root "$tools" "cargo-deny@$version")
    rm -rf -- "$tools/build"
fi

"$program" --workspace --locked check bans licenses sources

if fetched=$(timeout 120 "$program" --workspace --locked fetch db 2>&1); then
    "$program" --workspace --locked check --disable-fetch advisories
else
    echo "NOT CHECKED: known vulnerabilities. The RustSec advisory database cannot be fetched from here:"
    tail -n 3 <<<"$fetched" | sed 's/^/    /'
    if [ "${REQUIRE_ADVISORIES:-}" = 1 ]; then
        exit 1
    fi
fi
