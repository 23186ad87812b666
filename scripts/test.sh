#!/usr/bin/env bash
# Everything that has to pass: see `make test`. Cheap steps come first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Plain output, for a log as well as for a terminal.
export CARGO_TERM_PROGRESS_WHEN=never
job_name='make test'
. scripts/steps.sh

step 'Tool chains' scripts/prepare.sh rust go python
step 'Formatting' cargo fmt --all --check
step 'Lints' cargo clippy --workspace --all-targets --locked -- --deny warnings
step 'Build' cargo build --workspace --locked
step 'Kubernetes programs' scripts/assets.sh --with kube-controller-manager --with kubectl
step 'Browser' scripts/browser.sh
step 'Rust tests' cargo test --workspace --locked
step 'Python client' tests/python/run.sh
