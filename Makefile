# The commands of this project. Everything lives in .venv and ./data; nothing is installed outside, except by
# `system-deps`, which installs Debian packages.

PREPARE := scripts/python.sh scripts/prepare.py
PYTHON_IN_VENV := .venv/bin/python

.PHONY: help run wheel sbom site import up down logs link backup restore test test-fast test-repeat stack-test check format texts system-deps screenshots bench soak lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## Start the product in the foreground: a simulated gateway unless WPPCONNECT_URL is set, exporter, page
	@$(PREPARE) run
	@exec .venv/bin/wppconnect-ops run

wheel: ## Build the wheel and the source distribution into dist/
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) -m hatchling build

sbom: ## Write what is installed, with versions and licences: dist/*.cdx.json (CycloneDX), docs/licences.md
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) scripts/sbom.py
	@$(PYTHON_IN_VENV) scripts/sbom.py --licences

site: ## Build the documentation as a site of static files: build/docs/site
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) scripts/site.py

import: ## Say what an older panel's files mean and what of it is wrong: FROM=its folder; WRITE=1 writes .env
	@$(PREPARE) run
	@.venv/bin/wppconnect-ops import $(FROM) $(if $(WRITE),--write)

up: ## Start everything on Docker Compose beside or with a gateway (DEMO=1: a simulated one)
	@scripts/python.sh -m cli.stack up $(if $(DEMO),--demo)

down: ## End and remove the containers; volumes stay
	@scripts/python.sh -m cli.stack down

logs: ## Follow what the containers say
	@scripts/python.sh -m cli.stack logs

link: ## Print the one-time link for the first sign-in
	@scripts/python.sh -m cli.stack link

backup: ## Write the whole installation into one file: TO=, RECIPIENT=age1..., PASSPHRASE_FILE=, PROMETHEUS=1
	@scripts/python.sh -m cli.stack backup $(if $(TO),--to $(TO)) $(if $(RECIPIENT),--recipient $(RECIPIENT)) \
		$(if $(PASSPHRASE_FILE),--passphrase-file $(PASSPHRASE_FILE)) $(if $(PROMETHEUS),--prometheus)

restore: ## Restore a backup: FROM=, IDENTITY_FILE=, PASSPHRASE_FILE=, OVERWRITE=1
	@scripts/python.sh -m cli.stack restore $(FROM) $(if $(IDENTITY_FILE),--identity-file $(IDENTITY_FILE)) \
		$(if $(PASSPHRASE_FILE),--passphrase-file $(PASSPHRASE_FILE)) $(if $(OVERWRITE),--overwrite)

test: ## Run the checks and the whole suite, all parts whatever fails; installs missing Debian packages where it may
	@scripts/system_deps.sh --where-allowed
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) scripts/run_tests.py

test-fast: ## Run the checks, the unit tests and those of the code's own rules (two minutes)
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) scripts/run_tests.py --fast

test-repeat: ## Repeat tests in random order, and count failures by test: TIMES=10 BESIDE=0 (busy loops) TESTS=tests
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) scripts/repeat_tests.py --times $(or $(TIMES),10) --beside $(or $(BESIDE),0) -- $(TESTS)

stack-test: ## Build the image and run the whole stack on a real Docker Engine (part of `make test`)
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) -m pytest tests/stack

check: ## Lint, formatting, types
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) -m ruff check .
	@$(PYTHON_IN_VENV) -m ruff format --check .
	@$(PYTHON_IN_VENV) -m mypy

format: ## Format the code and mend what the linter can
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) -m ruff check --fix .
	@$(PYTHON_IN_VENV) -m ruff format .

texts: ## Bring translations and tables of settings up to date with the code
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) scripts/texts.py
	@$(PYTHON_IN_VENV) scripts/tables.py

system-deps: ## Install the Debian packages that some tests want (root)
	@scripts/system_deps.sh

screenshots: ## Take the README's pictures, and those of every story, at both widths, light and dark (needs Chromium)
	@$(PREPARE) test
	@OPS_TEST_PICTURES=1 $(PYTHON_IN_VENV) scripts/screenshots.py
	@OPS_TEST_PICTURES=1 $(PYTHON_IN_VENV) -m pytest --numprocesses 2 --dist loadfile tests/browser -k story

bench: ## Measure page and processes: starts, clicks, tabs, long lists, events, take-over, floods, 10,000 sessions (Linux, needs Chromium and nginx)
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) scripts/bench.py

soak: ## Run 300 sessions under faults, with tabs, a scraper and syncs (MINUTES=30); print what grew and what got lost
	@$(PREPARE) test
	@$(PYTHON_IN_VENV) -m scripts.soak --minutes $(or $(MINUTES),30)

lock: ## Write the lock files anew (needs uv)
	@scripts/lock.sh

clean: ## Remove .venv and caches; ./data stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
