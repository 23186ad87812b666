# GNU make. `make` alone lists what there is.

.DEFAULT_GOAL := help
# The steps share cargo's target folder and two cores are soon busy: one after the other, also with -j.
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# Settings of `make demo`; empty leaves the demo's own default.
ONCE ?=
DEVICES ?=
SEED ?=
# Arguments that `make bench` passes on.
BENCH ?=
# How many random histories `make prove` lives.
HISTORIES ?= 100000

cache := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/chrome-enterprise-operator

.PHONY: help
help: ## List the targets
	@echo 'Chrome Enterprise operator: make TARGET'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1  \2/p' $(MAKEFILE_LIST)

.PHONY: prepare
prepare: ## Check that Rust, Go and Python are there
	@scripts/prepare.sh rust go python

.PHONY: build
build: ## Build all programs (debug)
	@scripts/prepare.sh rust
	@echo 'Building all programs; the first time takes some minutes.'
	cargo build --workspace --locked

.PHONY: demo
demo: ## See it work: real API server, simulated Google, 1,200 devices [ONCE=1 DEVICES=n SEED=n]
	@scripts/prepare.sh rust go
	@echo 'Building all programs; the first time takes some minutes.'
	@cargo build --workspace --locked --bin demo --bin devcluster --bin chrome-enterprise-operator --bin kubectl-chromeos
	@scripts/assets.sh >/dev/null
	@exec "$$(scripts/program.sh debug demo)" $(if $(filter-out 0 no false,$(ONCE)),--once) $(if $(DEVICES),--devices=$(DEVICES)) $(if $(SEED),--seed=$(SEED))

.PHONY: test
test: ## Run everything that has to pass: formatting, lints, Rust tests, Python client
	@scripts/test.sh

.PHONY: prove
prove: ## Prove at length, for hours, that actions are done at most once [HISTORIES=n SEED=n]
	@HISTORIES=$(HISTORIES) SEED=$(SEED) scripts/prove.sh

.PHONY: check
check: ## Formatting, lints and dependency rules; no cluster needed
	@scripts/check.sh

.PHONY: generate
generate: ## Write crds/, docs/reference.md and docs/kubectl-chromeos.md from the types and the help texts
	@cargo build --workspace --locked --bin chrome-enterprise-operator --bin kubectl-chromeos
	"$$(scripts/program.sh debug chrome-enterprise-operator)" generate --root .
	"$$(scripts/program.sh debug kubectl-chromeos)" generate --root .

.PHONY: bench
bench: ## Measure the claims with release builds [BENCH='arguments']
	@scripts/prepare.sh rust go
	@echo 'Building release programs; the first time takes some minutes.'
	cargo build --release --workspace --locked --bin bench --bin chrome-enterprise-operator
	"$$(scripts/program.sh release bench)" $(BENCH)

.PHONY: assets
assets: build ## Find or build etcd, kube-apiserver and kube-controller-manager, and print their folder
	@scripts/assets.sh --with kube-controller-manager

.PHONY: clean-cache
clean-cache: ## Remove the Kubernetes programs, tools and the Python environment that were built here
	rm -rf -- '$(cache)' .cache
