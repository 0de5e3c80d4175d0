# Two commands matter: `make demo` and `make test`. Everything they need they install into .venv.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# Byte code is made when a module is first used; making it for everything beforehand doubles the time of an install.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile -c constraints.txt
# Workers for the tests: a third of the time a worker waits for a service, a kernel or a browser, so one more than cores.
WORKERS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))

.PHONY: help setup dev demo test test-slow fuzz mutants lab looks pictures bench bench-large bench-hard bench-results format clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Debian ships Python without venv; as root it is one package away.
.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "icx needs Python 3.11 or newer, and none is here. Next: apt-get install python3 python3-venv, then the same command"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "icx needs Python 3.11 or newer; $(PYTHON) is older. Next: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install -y python3-venv >/dev/null; } || { echo "This Python has no venv. Next: apt-get install python3-venv, then the same command"; exit 2; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv

.venv/.ready: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing icx into .venv (once; about a minute)"
	@$(INSTALL) -e .
	@touch $@

.venv/.ready-dev: .venv/.ready
	@echo "Installing what the tests need into .venv (once)"
	@$(INSTALL) -e '.[dev,spark]'
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
	@HYPOTHESIS_PROFILE=search $(BIN)/pytest -m slow

fuzz: dev  ## anything at all as answers, rules, files and command lines, for a long time
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest tests/fuzz -q -n $(WORKERS) --dist load

mutants: dev  ## the code of consent, plans and the ledger, changed a word at a time: which change no test notices
	@$(BIN)/python tests/mutants/run.py

# Notebooks are clicked in a copy, so that the checkout stays as it is; what is there already stays too.
lab: setup  ## JupyterLab with the notebooks, on a simulated account
	@mkdir -p lab/notebooks && cp -n notebooks/*.ipynb lab/notebooks/
	@cd lab/notebooks && ../../$(BIN)/jupyter-lab $(if $(filter 0,$(shell id -u)),--allow-root) 01-connect.ipynb

looks: dev  ## everything icx shows as pictures in build/looks: accounts, themes, widths (LOOKS="quick names plan")
	@$(BIN)/python tests/browser/looks.py build/looks $(LOOKS)

pictures: dev  ## the README's pictures, from real objects
	@$(BIN)/python tests/browser/pictures.py docs

# Data sets are made once into build/bench (S2 takes 5 GB there, and 14 GB of memory).
bench: dev  ## what the speed targets ask, at 1M contacts and 10M events; minutes (BENCH="profile checks", or rows "1 3")
	@cd tests && ../$(BIN)/python -m benchmarks S1 $(BENCH)

bench-large: dev  ## the same at 10M contacts and 100M events
	@cd tests && ../$(BIN)/python -m benchmarks S2 $(BENCH)

bench-hard: dev  ## the same where links are each person's own, one contact has a million events, 50,000 messages, 200 custom fields
	@cd tests && ../$(BIN)/python -m benchmarks hard $(BENCH)

bench-results: dev  ## write tests/benchmarks/RESULTS.md from what was measured last
	@cd tests && ../$(BIN)/python -m benchmarks --results

format: dev  ## rewrite the code in the house format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:  ## remove what was made
	rm -rf .venv demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache
