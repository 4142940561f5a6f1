# Every target sets up what it needs on a fresh Debian or Ubuntu; the second run finds it there and starts at once.
#
#   make demo [PORT=5000]   a demonstration school, with printed sign-in links
#   make test [ARGS=...]    everything; the closing lines list what did not run and why
#   make check              ruff, ruff format, mypy (strict on the pure parts)
#   make bench              the speeds we promise; exit code 1 when one is missed
#   make lock               resolve the lock files again
#   make screenshots        the pictures of the README, taken from a demonstration

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: help demo test check bench lock screenshots

PORT ?= 5000
ARGS ?=
PYTHON_IN := .venv/bin/python
PIP := $(PYTHON_IN) -m pip --quiet --disable-pip-version-check
# everything by its hash, what builds a source package too (one dependency has no wheel)
INSTALL := $(PIP) install --require-hashes --no-build-isolation --use-pep517
LOCK := $(PYTHON_IN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# the modules that do no I/O (docs/decisions/0001-record.md); mypy is strict on these
PURE := socialgov/models.py socialgov/lifecycle.py socialgov/permissions.py socialgov/rules

help:
	@sed -n 's/^#   //p' Makefile

demo: .venv/.for-demo
	@exec $(PYTHON_IN) -m socialgov demo --port $(PORT)

test: .venv/.for-tests
	@.ci/system-packages chromium node
	@.ci/install-peers
	@$(PYTHON_IN) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.for-tests
	@$(PYTHON_IN) -m ruff check .
	@$(PYTHON_IN) -m ruff format --check .
	@$(PYTHON_IN) -m mypy --follow-imports=silent $(PURE)

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
