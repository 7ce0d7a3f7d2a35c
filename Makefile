# Everything one does in a checkout. Needs Python 3.11 or newer with its venv module; no root, no server, no Docker.
# Paths are relative throughout, so the checkout may lie below a folder with spaces in its name.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The system's own python3 when it is new enough (its venv module is the likeliest to be complete), else the newest other.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	&& echo "$$python" && break; done)
VENV := .venv/bin
# Twice quiet: errors are shown, warnings about the machine's own pip configuration are not.
INSTALL := $(VENV)/python -m pip -qq --disable-pip-version-check --no-input install --root-user-action=ignore

# A virtual environment doesn't survive being moved: its stamp holds the place it was made in.
$(shell [ "$$(cat .venv/.locked 2>/dev/null)" = "$$(pwd)" ] || rm -f .venv/.locked)

.PHONY: help demo test lint format types imports check lock wheel bench soak clean

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'
	@echo '  ARGS="…" is passed on by demo, test, bench and soak.'

demo: .venv/.installed ## the whole product on generated exports, with a Postgres of its own
	@$(VENV)/qbwatch demo $(ARGS)

# All of them run in two processes, file by file; what is named by ARGS in one.
test: .venv/.installed ## run the tests: make test ARGS="tests/unit -k money"
	@$(VENV)/python -m pytest $(or $(ARGS),-n 2 --dist loadfile --no-loadscope-reorder --durations=15)

lint: .venv/.installed ## look for mistakes and untidy layout
	@$(VENV)/python -m ruff check .
	@$(VENV)/python -m ruff format --check .
	@$(VENV)/python -m sqlfluff lint --disable-progress-bar dbt/models dbt/tests

format: .venv/.installed ## lay the code out, and mend what can be mended without a person
	@$(VENV)/python -m ruff check --fix .
	@$(VENV)/python -m ruff format .

types: .venv/.installed ## check the types
	@$(VENV)/python -m mypy

imports: .venv/.installed ## check that modules import in one direction only
	@$(VENV)/lint-imports --no-logo

check: lint types imports test ## all of these checks

bench: .venv/.installed ## measure, when there are benchmarks
	@if ls tests/bench/test_*.py >/dev/null 2>&1; then $(VENV)/python -m pytest -s tests/bench $(ARGS); \
	else echo "no benchmarks yet"; fi

soak: .venv/.installed ## two simulated years with faults at random: half an hour
	@QBWATCH_SOAK_MONTHS=$${QBWATCH_SOAK_MONTHS:-24} $(VENV)/python -m pytest -s tests/chaos/soak $(ARGS)

wheel: .venv/.installed ## build dist/qbwatch-….whl
	@rm -rf dist
	@$(VENV)/python -m hatchling build --target wheel

lock: ## resolve the dependencies anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv (pip install uv)" >&2; exit 1; }
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
		--no-strip-extras --extra embedded --extra dev pyproject.toml -o requirements.lock

clean: ## remove everything that was made here, the virtual environment too
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dbt/target dbt/logs
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.locked: requirements.lock
	@[ -n "$(PYTHON)" ] || { echo "qbwatch needs Python 3.11 to 3.14 with its venv module" \
		"(Debian, Ubuntu: apt-get install python3-venv); or say make PYTHON=/path/to/python3" >&2; exit 1; }
	@began=$$(date +%s); printf 'Installing the locked dependencies into .venv, once … '; \
	"$(PYTHON)" -m venv --clear .venv && $(INSTALL) --require-hashes -r requirements.lock \
	&& echo "done in $$(($$(date +%s) - began)) s"
	@pwd > $@

.venv/.installed: .venv/.locked pyproject.toml
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@
