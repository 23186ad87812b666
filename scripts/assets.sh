#!/usr/bin/env bash
# Finds or builds (once, for minutes) the programs of a Kubernetes control plane that demo and tests run, and prints
# their folder: scripts/assets.sh [--with PROGRAM]. Needs a workspace that is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

"$(scripts/program.sh debug devcluster)" assets "$@"
