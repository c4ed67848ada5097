# Every target installs what it needs into .venv first; PYTHON= chooses the interpreter.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -p tests.startup
# tests that lesson 4-5 has its learners write are left beside the lesson by an earlier run
LESSONS := --nbval notebooks --ignore-glob='notebooks/*/test_*.py'
COMPOSE := docker compose -f docker-compose.yml -f tests/compose/docker-compose.test.yml
HOST ?= 127.0.0.1
WORKERS ?= 5

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: install ## start the course in JupyterLab (PORT=8899, BROWSER=0, HOST=0.0.0.0)
	@$(BIN)/celerylab lab --host $(HOST) $(if $(PORT),--port $(PORT)) $(if $(filter 0,$(BROWSER)),--no-browser)

doctor: install ## check the installation, and say how to mend what is wrong
	@$(BIN)/celerylab doctor

test: test-lab test-stack ## run every test, notebooks included (WORKERS=5 at a time)

test-lab: install-test ## run the tests that need no containers
	$(PYTEST) -n $(WORKERS) --ignore=tests/compose tests $(LESSONS) $(ARGS)

test-stack: install-test ## run the tests of the containers, where a Docker engine runs
	$(PYTEST) -rs tests/compose

test-compose: ## run all notebooks in the jupyter container, against the worker container
	$(COMPOSE) up --build --wait && $(COMPOSE) exec -T jupyter python -m pytest -p tests.startup --noconftest -p no:hypothesispytest --nbval-sanitize-with=tests/compose/sanitize.cfg $(LESSONS) $(ARGS)

test-matrix: install-test ## run all notebooks with Celery 5.5, 5.6, 5.7, Valkey and Redis 8 (REDIS=/path/to/redis-server)
	@$(BIN)/python -m tests.notebooks.matrix $(if $(REDIS),--redis $(REDIS)) --workers $(WORKERS) $(ONLY)

lint: install-test ## check code and notebooks with ruff, types with mypy
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

notebooks: install-test ## run all notebooks again, keep their outputs, normalise them (ONLY=1_2)
	$(BIN)/python -m tests.notebooks.refresh $(ONLY)

reference: install-test ## write notebooks/toolbox.md, the page of the toolbox, from the docstrings
	$(BIN)/python -m tests.notebooks.toolbox_page

screenshots: install-test ## take the README's pictures anew, where Chromium is
	$(BIN)/python -m tests.browser.screenshots

bench: install-test ## measure what the project promises, both sides in one run (ONLY="start memory")
	$(BIN)/python -m bench $(ONLY)

lock: install-test ## pin all dependencies anew in requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --all-extras --custom-compile-command "make lock" $(LOCKARGS) pyproject.toml -o requirements.lock

install:
	@$(PYTHON) install.py

install-test:
	@$(PYTHON) install.py test

.PHONY: help lab doctor test test-lab test-stack test-compose test-matrix lint notebooks reference screenshots bench lock install install-test
.DEFAULT_GOAL := help
