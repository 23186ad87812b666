#!/usr/bin/env bash
# Prints the path of a program of this workspace: scripts/program.sh [debug|release] NAME
# Running the built file, and not `cargo run -p`, keeps cargo from building the dependencies once more with the
# features of that one package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
echo "$target/$1/$2"
