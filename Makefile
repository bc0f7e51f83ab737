# Each target has one line of help: `make` prints them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MINUTES ?= 30
IDEA   ?= examples/ideas/bee_hive_log.txt

# Compiled modules are kept: every process that a target starts would compile ours anew, a fifth of a second each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check quality up worker flower bench bench-peers soak capacity docs dist env lock clean
help: ## Show the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## Set everything up and carry an example idea to shipped/ (IDEA=file for your own)
	@echo "==> zts-submit $(IDEA)"
	@$(BIN)/zts-submit $(IDEA)

# Files in their order: those with few and long tests come first, and the many short ones fill what is left at the end.
test: $(VENV)/ready-dev ## Set everything up and run all tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: $(VENV)/ready-dev ## Check format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

quality: $(VENV)/ready-dev ## Judge thirty ideas offline, build every project, run its tests and start it
	QUALITY=all $(BIN)/python -m pytest -n 3 tests/quality

up: $(VENV)/ready ## Run the embedded stack (Redis and workers) in the foreground
	$(BIN)/zts up

worker: $(VENV)/ready ## Start one more worker on the Redis of REDIS_URL
	$(BIN)/celery -A zts_worker worker --loglevel info

flower: $(VENV)/ready ## Show the tasks in a browser on port 5555
	@$(BIN)/python -c 'import flower' 2>/dev/null || $(BIN)/python -m pip install --quiet -e '.[flower]'
	$(BIN)/celery -A zts_worker flower

bench: $(VENV)/ready-dev ## Measure this machine: start-up, steps per second, the language
	$(BIN)/python -m benchmarks

bench-peers: $(VENV)/ready-dev ## Compare with other engines on this machine (about 20 minutes; needs PostgreSQL)
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || $(BIN)/python -m pip install --quiet -e '.[bench]'
	$(BIN)/python -m benchmarks.peers --json peers.json --chart docs/pictures/peers.svg

soak: $(VENV)/ready-dev ## Break everything for MINUTES=30 under load, then check every promise
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

capacity: $(VENV)/ready-dev ## 70 % of peak for MINUTES=30 with a worker killed every minute; draws latencies
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || $(BIN)/python -m pip install --quiet -e '.[bench]'
	$(BIN)/python -m benchmarks.soak --capacity --minutes $(MINUTES) --plot docs/pictures/capacity.svg

env: ## Make .env for docker-compose.yml, with random passwords (ALERT_WEBHOOK=https://... is told of alerts)
	@$(PYTHON) deploy/compose/make_env.py

lock: $(VENV)/ready-dev ## Write deploy/requirements.lock anew: what the image is built from
	$(BIN)/uv pip compile pyproject.toml --extra graph --extra metrics --extra flower --extra models --extra tracing --extra artifacts --extra encryption \
	  --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --output-file deploy/requirements.lock

docs: $(VENV)/ready-dev ## Build the documentation's site into build/site, with strict links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

dist: $(VENV)/ready-dev ## Build wheel and sdist, and run the main job from the wheel in an empty environment
	rm -rf dist && $(BIN)/python -m build --outdir dist .
	$(BIN)/python -m pytest -q tests/release

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/python-ok:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ZeroToShip needs Python 3.11 or newer and found $$($(PYTHON) --version 2>&1): make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "==> creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python cannot create a virtual environment: on Debian or Ubuntu, apt-get install python3-venv"; exit 2; }
	@touch $@

$(VENV)/ready: $(VENV)/python-ok pyproject.toml
	@echo "==> installing ZeroToShip into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready pyproject.toml
	@echo "==> installing the tools for tests and checks"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
