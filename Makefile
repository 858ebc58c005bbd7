# Every target sets up what it needs in .venv; nothing is installed anywhere else.
.DEFAULT_GOAL := help
.PHONY: help demo test test-matrix test-servers soak soak-transport lint types unit generate clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Run a small app against a loopback provider and print what its calls cost and lose
	@$(BIN)/llm-observer demo

test: lint types unit ## Run everything that CI runs: lint, types, tests with coverage

unit: $(VENV)/.dev $(VENV)/second-prices.json ## Run the tests with coverage
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal --cov --cov-report=term

test-matrix: $(VENV)/.dev ## Run the tests with the oldest and the latest of each major of the SDKs, beside peers and frameworks; ONLY=... names some
	@$(BIN)/python tests/matrix/run.py $(ONLY)

test-servers: $(VENV)/.dev ## Run the tests under gunicorn, uWSGI and Celery, which are installed for it
	@$(PIP) install --group servers
	@$(BIN)/python -m pytest tests/integration/test_servers.py

soak-transport: $(VENV)/.dev ## Send a million spans to an endpoint, at full speed and with 30 % faults; SPANS=... for another number
	@$(BIN)/python benchmarks/transport.py $(SPANS)

lint: $(VENV)/.dev ## Check format, lint, and that the events' schema keeps its promises
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python schema/check_compat.py schema/published/telemetry_event_v1.0.json schema/telemetry_event_v1.json

types: $(VENV)/.dev ## Check types
	@$(BIN)/pyright --warnings

soak: $(VENV)/.dev ## Make 100,000 calls from threads and tasks: memory flat, one span and one event each (minutes)
	@$(BIN)/python benchmarks/soak.py

generate: $(VENV)/.dev ## Write again what is generated from semconv/
	@$(BIN)/python semconv/generate.py

clean: ## Remove the virtual environment and what the tools left
	rm -rf $(VENV) .venv-matrix .coverage* .pytest_cache .ruff_cache .hypothesis build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "llm-observer needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV) && $(PYTHON) -m pip --quiet install --target $(VENV)-bootstrap virtualenv && \
	  PYTHONPATH=$(VENV)-bootstrap $(PYTHON) -m virtualenv --quiet $(VENV); }
	@$(PIP) install --upgrade 'pip>=25.1'

$(VENV)/.demo: $(BIN)/python pyproject.toml
	@echo "installing llm-observer and the SDKs ..."
	@$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@echo "installing the tools that check it ..."
	@$(PIP) install --group dev
	@touch $@

# 40 MB are fetched for one file. Where that fails, the tests that need it are skipped and say so.
$(VENV)/second-prices.json: $(VENV)/.dev benchmarks/price_second_opinion.py
	@echo "fetching a second price list to compare with ..."
	@$(BIN)/python benchmarks/price_second_opinion.py --fetch $@ || echo "it cannot be had: the comparison is left out"
