#!/usr/bin/env bash
# What a commit must pass and needs no cluster for: see `make check`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
job_name='make check'
. scripts/steps.sh

step 'Tool chains' scripts/prepare.sh rust
step 'Formatting' cargo fmt --all --check
step 'Lints' cargo clippy --workspace --all-targets --locked -- --deny warnings
if [ -x scripts/check-deny.sh ]; then
    step 'Dependencies' scripts/check-deny.sh
fi
