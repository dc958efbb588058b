# The commands of the project. `make demo` and `make test` are the two that a fresh machine needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CACHE := .cache
VENV := $(CACHE)/venv
TOOLS := $(CACHE)/tools
GLUE_MODEL := $(CACHE)/glue-service-2.json
DATAZONE_MODEL := $(CACHE)/datazone-service-2.json
PROVIDER := $(CACHE)/provider
MODELS := ISINGLASS_GLUE_MODEL=$(abspath $(GLUE_MODEL)) ISINGLASS_DATAZONE_MODEL=$(abspath $(DATAZONE_MODEL))
# Flags of `make demo`, such as DEMO_FLAGS="--port 0 --data DIR".
DEMO_FLAGS ?=
export CARGO_TERM_COLOR ?= auto

.PHONY: help demo test check deploy bench golden tools node postgresql

help: ## Lists the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

tools:
	@command -v cargo >/dev/null || { echo "cargo is missing: install a Rust toolchain (rust-toolchain.toml says which)"; exit 1; }
	@command -v python3 >/dev/null || { echo "python3 is missing: install Python 3"; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: install gcc or clang"; exit 1; }

node:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "node or npm is missing: install Node.js 20 or later"; exit 1; }

# The tests start a server of their own; Debian's packages bring it.
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get install --yes --quiet --no-install-recommends postgresql >/dev/null; } || \
	  { command -v sudo >/dev/null && sudo apt-get install --yes --quiet --no-install-recommends postgresql >/dev/null; } || \
	  { echo "PostgreSQL is missing: apt-get install postgresql"; exit 1; }

demo: tools ## Serves a simulated AWS account, crawled, on http://127.0.0.1:7070; needs no AWS account and no network
	cargo run --locked --quiet --package cli --bin isinglass -- demo $(DEMO_FLAGS)

test: check postgresql $(VENV) $(GLUE_MODEL) $(DATAZONE_MODEL) $(PROVIDER)/node_modules ## Runs everything that a submission must pass
	cargo build --workspace --bins --locked
	$(MAKE) --no-print-directory deploy
	$(MODELS) ISINGLASS_PYTHON=$(abspath $(VENV))/bin/python ISINGLASS_OIDC_PROVIDER=$(abspath $(PROVIDER)) cargo test --workspace --locked

check: tools $(TOOLS)/bin/cargo-deny ## Format, lints, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(TOOLS)/bin/cargo-deny --all-features check --hide-inclusion-graph bans licenses sources

deploy: $(VENV) ## Checks the recipes of deploy/: hardening, the rendered chart, and flags and settings against the built program
	$(VENV)/bin/python deploy/check.py $(addprefix --program ,$(wildcard target/debug/isinglass-runtime))

bench: tools postgresql $(VENV) ## Measures the program beside a boto3 loop, and the databases beside each other; SIZES="10000 100000 1000000" chooses catalogs
	cargo build --release --locked --package cli --package sim --bins
	cargo build --release --locked --package store --example ingest
	$(VENV)/bin/python scripts/bench.py $(SIZES)

golden: tools $(VENV) $(GLUE_MODEL) $(DATAZONE_MODEL) ## Writes the golden files anew: look at the diff
	UPDATE_EXPECT=1 $(MODELS) cargo test --package connector --package model --locked

$(VENV): scripts/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement scripts/requirements.txt
	touch $(VENV)

# The identity provider that single sign-on is tested against; none of its packages runs anything when it is installed.
$(PROVIDER)/node_modules: crates/e2e/provider/package.json crates/e2e/provider/package-lock.json | node
	mkdir -p $(PROVIDER)
	cp $^ $(PROVIDER)/
	npm ci --prefix $(PROVIDER) --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

$(CACHE)/%-service-2.json: $(VENV)
	$(VENV)/bin/python -c "import botocore, gzip, pathlib; found = sorted((pathlib.Path(botocore.__file__).parent / 'data/$*').glob('*/service-2.json*'))[-1]; data = found.read_bytes(); pathlib.Path('$@').write_bytes(gzip.decompress(data) if found.suffix == '.gz' else data)"

$(TOOLS)/bin/cargo-deny:
	cargo install cargo-deny --locked --version 0.20.2 --root $(TOOLS)
