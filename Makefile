# Two commands matter: `make demo` and `make test`. Everything they need they install into .venv.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Workers for the tests; more than the cores only makes them wait for each other.
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: help setup dev demo test test-slow lab bench format clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Debian ships Python without venv; as root it is one package away.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "icx needs Python 3.11 or newer; $(PYTHON) is older. Next: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install -y python3-venv >/dev/null; } || { echo "This Python has no venv. Next: apt-get install python3-venv, then the same command"; exit 2; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv

.venv/.ready: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing icx into .venv (once; about a minute)"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

.venv/.ready-dev: .venv/.ready
	@echo "Installing what the tests need into .venv (once)"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

setup: .venv/.ready  ## make .venv with everything a user needs
	@true

dev: .venv/.ready-dev  ## the same, and what the tests need
	@true

demo: setup  ## the whole road on a simulated account on this machine
	@$(BIN)/icx demo

test: dev  ## the whole gate: format, lint, types, floors, tests
	@PATH="$(CURDIR)/$(BIN):$$PATH" WORKERS=$(WORKERS) bash tests/gate.sh

test-slow: dev  ## scale and long random runs
	@$(BIN)/pytest -m slow

lab: setup  ## JupyterLab on the simulated account
	@$(BIN)/icx sandbox-lab 2>/dev/null || $(BIN)/jupyter lab notebooks

bench: dev  ## ratios that matter, measured in one run
	@$(BIN)/pytest tests/benchmarks --benchmark-only -q

format: dev  ## rewrite the code in the house format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:  ## remove what was made
	rm -rf .venv demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache
