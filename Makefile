# Every target sets up what it needs on a fresh Debian or Ubuntu; the second run finds it there and starts at once.
#
#   make demo [PORT=5000]   a demonstration school, with printed sign-in links
#   make test [ARGS=...]    everything; the closing lines list what did not run and why
#   make conformance        every adapter, with a dead line at every point there is (about four minutes)
#   make check              ruff, ruff format, mypy (strict on the pure parts), bandit
#   make scan               wapiti, signed in as each role, on a school served on this machine (about five minutes)
#   make asvs               docs/asvs.md, from the tests' own marks
#   make bench              the speeds we promise; exit code 1 when one is missed
#   make lock               resolve the lock files again
#   make screenshots        the pictures of the README, taken from a demonstration

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: help demo test conformance check scan asvs bench lock screenshots

PORT ?= 5000
ARGS ?=
PYTHON_IN := .venv/bin/python
PIP := $(PYTHON_IN) -m pip --quiet --disable-pip-version-check
# everything by its hash, what builds a source package too (one dependency has no wheel)
INSTALL := $(PIP) install --require-hashes --no-build-isolation --use-pep517
# one worker more than cores: tests wait for browsers, servers and other processes as often as for the processor
PYTEST = $(PYTHON_IN) -m pytest -n $$($(PYTHON_IN) -c "import os; print(1 + (os.cpu_count() or 1))")
LOCK := $(PYTHON_IN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# the modules that do no I/O (docs/decisions/0001-record.md); mypy is strict on these
PURE := socialgov/models socialgov/lifecycle.py socialgov/permissions.py socialgov/planning.py socialgov/prices.py socialgov/rules

help:
	@sed -n 's/^#   //p' Makefile

demo: .venv/.for-demo
	@exec $(PYTHON_IN) -m socialgov demo --port $(PORT)

test: .venv/.for-tests
	@.ci/system-packages chromium node
	@.ci/install-peers
	@$(PYTEST) --dist loadfile --no-loadscope-reorder $(ARGS)

conformance: .venv/.for-tests
	@.ci/system-packages node
	@.ci/install-peers
	@SOCIALGOV_EVERY_CUT=1 $(PYTEST) $(ARGS) tests/conformance

check: .venv/.for-tests
	@$(PYTHON_IN) -m ruff check .
	@$(PYTHON_IN) -m ruff format --check .
	@$(PYTHON_IN) -m mypy --follow-imports=silent $(PURE)
	@$(PYTHON_IN) -m bandit --quiet --configfile pyproject.toml --recursive socialgov

scan: .venv/.for-tests .venv-wapiti/.installed
	@PYTHONPATH=tests/web $(PYTHON_IN) tests/scan.py .venv-wapiti/bin/wapiti

asvs: .venv/.for-tests
	@$(PYTHON_IN) tests/project/asvs.py

bench: .venv/.for-tests
	@$(PYTHON_IN) -m bench

screenshots: .venv/.for-tests
	@.ci/system-packages chromium
	@$(PYTHON_IN) docs/take_screenshots.py

# where a mirror must be used, uv takes it from UV_DEFAULT_INDEX; it is written to no file
lock: .venv/.for-tests
	@$(LOCK) pyproject.toml --output-file requirements.lock
	@$(LOCK) --group build --output-file requirements-build.lock
	@$(LOCK) pyproject.toml --group dev --output-file requirements-dev.lock
	@$(LOCK) --group wapiti --output-file requirements-wapiti.lock
	@$(LOCK) --group mastodon --output-file requirements-mastodon.lock

.venv/bin/python:
	@.ci/make-venv .venv

.venv/.for-demo: requirements.lock requirements-build.lock pyproject.toml | .venv/bin/python
	@echo "Installing what socialgov needs into .venv …"
	@$(INSTALL) -r requirements-build.lock
	@$(INSTALL) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.for-tests: requirements-dev.lock requirements-build.lock pyproject.toml | .venv/bin/python
	@echo "Installing what the tests need into .venv …"
	@$(INSTALL) -r requirements-build.lock
	@$(INSTALL) -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch .venv/.for-demo $@

# the web scanner needs other versions of what the product is built on, so it never shares an environment with it
.venv-wapiti/.installed: requirements-wapiti.lock
	@echo "Installing the web scanner into .venv-wapiti …"
	@.ci/make-venv .venv-wapiti
	@.venv-wapiti/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements-wapiti.lock
	@touch $@
