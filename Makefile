# The commands of the tree. Each does the set-up it needs; nothing has to be installed by hand but a Rust toolchain,
# make and a C compiler. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
RUN_DIR ?= run
FUZZ_SECONDS ?= 60
FUZZ_RUNS ?=
WAY ?= as-written
SUITE ?=
SHOW ?=

.PHONY: help setup serve demo test soak bench conformance coverage lint fuzz clean

help: ## This list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Installs what is missing: SoftHSM, rsyslog, the ext4 tools, and the Python environment of the client tests.
	@scripts/setup

serve: ## Sets up ./run (tokens, ceremony, PKI, demo tenants) and serves until stopped.
	@scripts/setup-softhsm
	@scripts/setup-openssl
	@cargo build --release --bin kms-server --bin kmsctl --bin witness --bin esxi-sim --bin console --bin xtask
	@RUN_DIR=$(RUN_DIR) exec target/release/xtask serve

demo: ## The main job end to end in a temporary folder; exit 0 only if every claim was checked.
	@scripts/setup-softhsm
	@scripts/setup-openssl
	@scripts/build-tested
	@exec target/debug/xtask demo

test: ## Every test: unit, contract, system, real clients; conformance where KMIP_CONFORMANCE_DIR names its data.
	@scripts/setup
	@scripts/test

soak: ## Every counted test at its full count (tests/counts.toml), or those of SUITE="sequences locate" (SHOW=1: as they go); hours allowed.
	@scripts/setup
	@CLAVIS_COUNTS=soak SUITE="$(SUITE)" SHOW="$(SHOW)" scripts/test

bench: ## The benchmark as ratios against PyKMIP in the same run: a table and bench/results/latest.json.
	@scripts/setup
	@scripts/bench

conformance: ## The OASIS cases under KMIP_CONFORMANCE_DIR by WAY (as-written, https-ttlv, https-xml, https-json).
	@scripts/setup-softhsm
	@scripts/setup-openssl
	@scripts/build-tested
	@target/debug/conformance --way $(WAY)

coverage: ## Writes docs/kmip-coverage.md from a running node and the OASIS cases.
	@scripts/setup-softhsm
	@scripts/setup-openssl
	@scripts/build-tested
	@target/debug/coverage

lint: ## Format, clippy, dependencies, house rules.
	@scripts/setup-openssl
	@scripts/lint

fuzz: ## Fuzzes each decoder for FUZZ_SECONDS, or with FUZZ_RUNS inputs if that is set.
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_RUNS=$(FUZZ_RUNS) scripts/fuzz

clean: ## Forgets the demo node under ./run. Keys included.
	@rm -rf $(RUN_DIR)
