#!/usr/bin/env bash
# The long proofs about actions: see `make prove`. HISTORIES is how many random histories are lived, SEED where their
# seeds begin.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TERM_PROGRESS_WHEN=never
export HISTORIES=${HISTORIES:-100000} SEED=${SEED:-1000}
job_name='make prove'
. scripts/steps.sh

step 'Tool chains' scripts/prepare.sh rust go
step 'Build' cargo test --workspace --locked --no-run
step 'Kubernetes programs' scripts/assets.sh --with kube-controller-manager
step 'Every moment, order and answer' cargo test --locked --test actions -- --ignored --nocapture kill_points::
step 'The protocol with two mishaps' cargo test --locked --lib -- --ignored --nocapture controllers::action::model::
step "$HISTORIES histories" cargo test --locked --test actions -- --ignored --nocapture histories::
