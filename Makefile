# Needs Python 3.11 or newer, git and make. Everything else is installed into .venv from hashed locks.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

PYTHON ?= python3
EVENTS ?= 20000
SEED   ?= 7
JOBS   ?= 2

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

# Two checks at a time, each one's output in one piece where make can do that (4.0 and newer).
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# For tools that are talkative when all is well.
quiet = { out=$$($(1) 2>&1) || { echo "$$out"; exit 1; }; }

.PHONY: help demo test check check-types check-style check-layers check-sql check-spelling check-house
.PHONY: bench up down lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: $(BIN)/counterfoil ## a seeded day of a marketplace on the whole stack (EVENTS=20000 SEED=7)
	@$(BIN)/counterfoil demo --events $(EVENTS) --seed $(SEED)

# In the order of tests/conftest.py: xdist's own begins with the files that have the most tests, and ends with the longest.
test: $(BIN)/counterfoil ## every test, on a real Kafka and a real PostgreSQL for each job (JOBS=2 ARGS="-k name")
	@$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(BIN)/counterfoil ## style, types, layers, purity, SQL, spelling
	@$(MAKE) --jobs 2 $(SYNC) --keep-going check-types check-style check-layers check-sql check-spelling check-house

check-types:
	@echo "types" && $(BIN)/mypy --no-error-summary

check-style:
	@echo "style" && $(BIN)/ruff check --quiet && $(BIN)/ruff format --check --quiet

check-layers:
	@echo "layers" && $(call quiet,$(BIN)/lint-imports --no-cache)

check-sql:
	@echo "SQL" && $(call quiet,git ls-files -z '*.sql' | xargs -0 $(BIN)/sqlfluff lint --disable-progress-bar)

check-spelling:
	@echo "spelling" && git ls-files -z | xargs -0 $(BIN)/codespell

check-house: # purity, file length, deployment files; and that each check above can fail
	@echo "the rules of the house" && $(BIN)/pytest -q tests/architecture

bench: $(BIN)/counterfoil ## payments per second and latency, against pgbench on the same server
	@$(BIN)/counterfoil bench payments
	@$(BIN)/counterfoil bench latency

up: $(BIN)/counterfoil ## start the embedded PostgreSQL and Kafka
	@$(BIN)/counterfoil up

down: $(BIN)/counterfoil ## stop them; their data stays
	@$(BIN)/counterfoil down

# The lock is all that decides what is installed, so its stamp reruns only when the lock changes.
.venv/lock.stamp: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "counterfoil needs Python 3.11 or newer: make PYTHON=python3.12")'
	@echo "installing $$(grep -c '^[a-z]' requirements/dev.txt) locked packages into .venv"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# Editable and without build isolation: the build backend comes from the lock, like everything else.
$(BIN)/counterfoil: .venv/lock.stamp pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

COMPILE := UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links

lock: .venv/lock.stamp ## write requirements/*.txt from pyproject.toml (UPGRADE=--upgrade for newer versions)
	@$(COMPILE) $(UPGRADE) pyproject.toml --output-file requirements/run.txt
	@$(COMPILE) $(UPGRADE) pyproject.toml --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	@$(COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt

clean: ## stop the stack and remove what make built; the stack's data stays in .counterfoil
	@if [ -x $(BIN)/counterfoil ]; then $(BIN)/counterfoil down; fi
	@rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
