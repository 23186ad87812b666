#!/usr/bin/env bash
# Checks that the tools which the Makefile needs are there: scripts/prepare.sh [rust] [go] [python]
# It installs nothing and changes nothing; what is missing is named, all of it at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

oldest_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
oldest_go=1.26
oldest_python=3.9

problems=()

# older HAVE WANTED: whether the version HAVE comes before WANTED.
older() {
    [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

check_rust() {
    local version
    if ! command -v cargo >/dev/null; then
        problems+=("cargo is not on PATH. Install Rust $oldest_rust or newer: https://rustup.rs")
        return
    fi
    # With rustup this also installs the tool chain of rust-toolchain.toml, so it may take a while.
    if ! version=$(rustc --version | cut -d' ' -f2) || [ -z "$version" ]; then
        problems+=("rustc does not run. Install Rust $oldest_rust or newer: https://rustup.rs")
    elif older "$version" "$oldest_rust"; then
        problems+=("Rust $version is too old. Install $oldest_rust or newer: rustup toolchain install $oldest_rust")
    else
        echo "Rust $version"
    fi
    command -v cc >/dev/null || problems+=("there is no C compiler (cc), which Rust links with. Install gcc or clang.")
}

check_go() {
    local version
    if ! command -v go >/dev/null; then
        problems+=("go is not on PATH. Install Go $oldest_go or newer: https://go.dev/doc/install")
        return
    fi
    version=$(go env GOVERSION)
    version=${version#go}
    version=${version%% *}
    if older "$version" "$oldest_go"; then
        problems+=("Go $version is too old. Install $oldest_go or newer: https://go.dev/doc/install")
    else
        echo "Go $version"
    fi
}

check_python() {
    local version
    if ! version=$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null); then
        problems+=("python3 is not on PATH. Install Python $oldest_python or newer.")
    elif older "$version" "$oldest_python"; then
        problems+=("Python $version is too old. Install $oldest_python or newer.")
    elif ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
        problems+=("python3 cannot make virtual environments. Install its venv module (Debian: apt-get install python3-venv).")
    else
        echo "Python $version with venv"
    fi
}

for tool in "${@:-rust}"; do
    case $tool in
        rust) check_rust ;;
        go) check_go ;;
        python) check_python ;;
        *)
            echo "prepare: unknown tool $tool" >&2
            exit 2
            ;;
    esac
done

if [ "${#problems[@]}" -gt 0 ]; then
    echo "Something is missing on this machine:" >&2
    printf '  - %s\n' "${problems[@]}" >&2
    exit 1
fi
