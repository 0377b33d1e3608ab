# Luxtronik Logger: everything a person runs. `make demo` and `make test` set up what they need.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
PAGE := web/dist/.built
PAGE_DEPS := web/node_modules/.installed
PAGE_SOURCE := $(wildcard web/*.ts web/*.json) web/index.html $(shell find web/src web/public -type f)
# npm in web/, with the machine's Node.js or one from PyPI; without a network it gives up soon.
NPM := cd web && PY='$(abspath $(VENV))/bin/python' npm_config_fetch_retries=1 npm_config_fetch_retry_mintimeout=1000 \
  npm_config_update_notifier=false ./npm.sh --no-audit --no-fund --loglevel=error

# What some tests drive beside Python: a browser, and the programs of docs/analysis.md. As Debian names them.
TEST_TOOLS := chromium libreoffice-calc-nogui r-base-core r-cran-readr r-cran-jsonlite r-cran-haven r-cran-data.table
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

# Files of the tests: in memory, where its folder has 2 GB left and the machine too. Worked out when a test asks.
IN_MEMORY := /dev/shm
NEEDED_MB := 2000
TEST_FOLDER = $(or $(shell test -w $(IN_MEMORY) && \
  { df -Pm $(IN_MEMORY); awk '/^MemAvailable:/ { print "- - -", $$2 / 1024 }' /proc/meminfo; } | \
  awk 'NR > 1 && $$4 < $(NEEDED_MB) { little = 1 } END { if (NR == 3 && !little) print "$(IN_MEMORY)" }'),/tmp)

# How coverage follows the tests: from Python 3.12 on it can nearly for free.
COVERAGE_CORE ?= $(shell $(PY) -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")')

VERSION := $(shell sed -n 's/^VERSION = "\(.*\)"$$/\1/p' pipeline/__init__.py)
TAG ?= v$(VERSION)

# Where it is set, each of the hundreds of processes that the tests start would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

CHECK_SCHEMA := $(PY) -m check_jsonschema --quiet --builtin-schema

.PHONY: help setup page page-if-possible page-test demo run test test-tools lint lock bench chaos chaos-mutants fuzz release-check docker docker-test clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

setup: $(STAMP) page-if-possible ## make the virtual environment, install what the logger needs, build its page
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

LOCK = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-strip-extras \
  --custom-compile-command 'make lock' $(ARGS)

lock: $(DEV_STAMP) ## pin all that the *.in files need, with hashes; newer versions: ARGS=--upgrade
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	@$(LOCK) web/requirements.in -o web/requirements.txt

page: $(PAGE) ## build the page into web/dist

$(PAGE_DEPS): web/package.json web/package-lock.json | $(STAMP)
	@echo "installing what the page is made of into web/node_modules ..."
	@$(NPM) ci >/dev/null
	@touch $@

$(PAGE): $(PAGE_SOURCE) $(PAGE_DEPS)
	@echo "building the page into web/dist ..."
	@$(NPM) run build --silent -- --logLevel warn
	@touch $@

page-if-possible:
	@$(MAKE) --no-print-directory --silent page || \
	  echo "the page was not built, see above; all else works without it. To build it later: make page" >&2

page-test: $(PAGE_DEPS) ## test the page's logic
	@$(NPM) test --silent -- $(ARGS)

demo: $(STAMP) page-if-possible ## a simulated pump and the whole service, in data-demo/
	@$(PY) -m pipeline demo $(ARGS)

run: $(STAMP) page-if-possible ## the real thing: LUX_HOST=192.168.1.20 make run
	@$(PY) -m pipeline run

test: $(DEV_STAMP) page-if-possible ## all tests, one process a core, with coverage; one after the other: ARGS=-n0
	@if test -e $(PAGE_DEPS); then $(MAKE) --no-print-directory --silent page-test ARGS=; fi
	@TMPDIR="$${TMPDIR:-$(TEST_FOLDER)}" COVERAGE_CORE=$(COVERAGE_CORE) $(PY) -m pytest -n auto --dist worksteal --cov --cov-report=term $(ARGS)

test-tools: ## install what some tests drive beside Python, on Debian: a browser, R, LibreOffice
	@dpkg-query --show $(TEST_TOOLS) >/dev/null 2>&1 || { $(AS_ROOT) apt-get update -qq && \
	  $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(TEST_TOOLS) >/dev/null; }

lint: $(DEV_STAMP) page-if-possible ## format, lint, types, and the forms of workflows and compose file
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(CHECK_SCHEMA) vendor.github-workflows .github/workflows/*.yml
	@$(CHECK_SCHEMA) vendor.dependabot .github/dependabot.yml
	@$(CHECK_SCHEMA) vendor.compose-spec compose.yaml
	@if test -e $(PAGE_DEPS); then $(NPM) run check --silent; fi

bench: $(DEV_STAMP) ## measure what docs/performance.md states
	@$(PY) -m tests.bench $(ARGS)

chaos: $(DEV_STAMP) ## attack the logger and count what is lost: ROUNDS=200
	@$(PY) -m tests.chaos --rounds $(or $(ROUNDS),200) $(ARGS)

chaos-mutants: $(DEV_STAMP) ## break the code on purpose and show that a test catches each break
	@$(PY) -m tests.mutants $(ARGS)

fuzz: $(DEV_STAMP) ## damaged logs for the decoder of the controller's own log: MUTATIONS=100000
	@$(PY) -m tests.fuzz_processlog --mutations $(or $(MUTATIONS),100000) $(ARGS)

release-check: ## see that TAG is the version of the program, and that the changelog has it
	@test '$(TAG)' = 'v$(VERSION)' || { echo "the tag is $(TAG), but pipeline/__init__.py says $(VERSION)" >&2; exit 1; }
	@grep -q '^## \[$(VERSION)\]' CHANGELOG.md || { echo "CHANGELOG.md has no heading [$(VERSION)]" >&2; exit 1; }

docker: ## build the image luxtronik-logger
	@docker build --network host --tag luxtronik-logger .

docker-test: $(DEV_STAMP) ## build the image, run it and attack it; with a week in minutes: ARGS=--long
	@$(PY) -m tests.container $(ARGS)

clean: ## remove what setup and tests made (data stays)
	rm -rf $(VENV) .chaos .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache web/dist web/node_modules
