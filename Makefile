# Luxtronik Logger: everything a person runs. `make demo` and `make test` set up what they need.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: help setup demo run test lint bench chaos chaos-mutants clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

setup: $(STAMP) ## make the virtual environment and install what the logger needs
	@echo "set up in $(VENV)"

$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.13 setup" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian, Ubuntu and Raspberry Pi OS: sudo apt install python3-venv" >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing the requirements into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@touch $(STAMP)

$(DEV_STAMP): $(STAMP) requirements-dev.txt
	@echo "installing what tests and checks need into $(VENV) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $(DEV_STAMP)

demo: $(STAMP) ## a simulated pump and the whole service, in data-demo/
	@$(PY) -m pipeline demo $(ARGS)

run: $(STAMP) ## the real thing: LUX_HOST=192.168.1.20 make run
	@$(PY) -m pipeline run

test: $(DEV_STAMP) ## all tests, one process a core, with coverage; one after the other: ARGS=-n0
	@$(PY) -m pytest -n auto --dist worksteal --cov --cov-report=term $(ARGS)

lint: $(DEV_STAMP) ## format, lint and types
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

bench: $(DEV_STAMP) ## measure what docs/performance.md states
	@$(PY) -m tests.bench $(ARGS)

chaos: $(DEV_STAMP) ## attack the logger and count what is lost: ROUNDS=200
	@$(PY) -m tests.chaos --rounds $(or $(ROUNDS),200) $(ARGS)

chaos-mutants: $(DEV_STAMP) ## break the code on purpose and show that a test catches each break
	@$(PY) -m tests.mutants $(ARGS)

clean: ## remove what setup and tests made (data stays)
	rm -rf $(VENV) .chaos .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
