# Needs Python 3.11 or 3.12 and nothing else: uv is fetched into .tools if it is not on the PATH.
PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' 2>/dev/null && echo $$python && break; done)
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
BIN := .venv/bin
LOCK := requirements/dev.txt
WORKERS ?= 3

.PHONY: demo serve test coverage screenshots soak bench lint format docs lock clean

demo: .venv/ready  ## A real login against a throw-away database, then /docs
	$(BIN)/watchword demo $(DEMO_ARGS)

test: .venv/ready  ## The whole suite, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope $(ARGS)

coverage: .venv/ready  ## The same, and which lines no test ran; a quarter slower
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --skip-covered --show-missing | tail -n 25

screenshots: .venv/ready  ## Every page, light and dark, on a phone and on a desk, into screenshots/
	WATCHWORD_TEST_SCREENSHOTS=screenshots $(BIN)/python -m pytest -q tests/browser/test_pages.py -k every_page

soak: .venv/ready  ## The long forms: 200 kills on each database, any order of sessions at length
	WATCHWORD_TEST_KILLS=200 $(BIN)/python -m pytest -s -q tests/faults/test_kills.py
	WATCHWORD_TEST_EXAMPLES=150 $(BIN)/python -m pytest -q tests/http/test_session_machine.py

bench: .venv/ready .venv-bench/ready  ## Beside what a user would pick instead, as ratios
	$(BIN)/python -m bench all $(ARGS)

lint: .venv/ready  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/ready  ## Rewrite in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/ready  ## Write the generated pages anew
	$(BIN)/python -m watchword.cli.reference

lock:  ## Pin what pyproject.toml asks for
	$(UV) pip compile pyproject.toml --all-extras --group dev --group build --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --quiet --upgrade --output-file $(LOCK)

	$(UV) pip compile --group pyproject.toml:bench --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --quiet --upgrade --output-file requirements/bench.txt

clean:
	rm -rf .venv .venv-bench .tools

.venv-bench/ready: requirements/bench.txt .venv/ready
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-bench
	$(UV) pip sync --quiet --require-hashes --python .venv-bench requirements/bench.txt
	@touch $@

.tools/bin/uv:
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/ready: $(LOCK) pyproject.toml $(if $(filter .tools/bin/uv,$(UV)),.tools/bin/uv)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --require-hashes --python .venv $(LOCK)
	$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv -e .
	@touch $@
