# Two commands are enough: `make demo` and `make test`. Each installs what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARCHIVED := $(VENV)/.archived

# Empty counts as not set. Without stored bytecode, each process would compile the project again: two seconds of a
# processor for a service, of which the demo starts twenty and the tests hundreds.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test tests compiled lint bench schemas metrics screenshots lock clean

demo: compiled $(ARCHIVED)  ## run the whole system here; ARGS="--for 20s --json" for a measured run
	@exec $(BIN)/python -m anpr.local.tether TERM $(BIN)/anpr demo $(ARGS)

# Four files run at the same time, the longest first: tests wait for servers and browsers most of their time, so that
# two keep two processors half busy. With REDIS_URL all tests share one Redis, and every test replaces the watchlist in
# it: then the files run one after the other.
LONGEST := tests/e2e/ tests/web/ tests/faults/ tests/integration/matcher/
TESTS := $(LONGEST) $(filter-out $(addsuffix %,$(LONGEST)),$(sort $(dir $(wildcard tests/*/*/test_*.py))))
WORKERS := $(if $(REDIS_URL),1,4)

# The linter runs beside the compiler and the tests. All run to their end, and a failure of any fails the target.
test: $(STAMP)  ## lint, strict types and every test, on a real Kafka and a real Valkey
ifdef ARGS
	@$(MAKE) --no-print-directory lint compiled $(ARCHIVED)
	$(BIN)/pytest $(ARGS)
else
	@$(MAKE) --no-print-directory --jobs=2 --keep-going lint tests
endif

tests: compiled $(ARCHIVED)
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

# A second where the code has not changed. Without it, each process would compile matching for itself.
compiled: $(STAMP)
	@echo "compiling matching for this machine (up to a minute)" >&2
	@$(BIN)/anpr compile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: compiled  ## measure the headline figures on an idle machine (ten to fifteen minutes) and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks.headline

schemas: $(STAMP)  ## write docs/schemas again after you have added a field to a contract
	$(BIN)/python -m anpr.contracts.schemas docs/schemas

metrics: $(STAMP)  ## write docs/metrics.md again after you have added or changed a metric
	$(BIN)/python -m anpr.runtime.metrics > docs/metrics.md

screenshots: $(STAMP)  ## take the pictures of the console again (needs Chromium; two minutes)
	$(BIN)/python -m tests.support.screenshots docs/pictures

lock:  ## pin the newest versions that pyproject.toml allows (needs uv)
	uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes --upgrade \
	    --no-header pyproject.toml -o requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed; choose it with make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	    || { echo "this Python cannot make a virtual environment: install its venv package (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "installing the packages pinned in requirements.lock (about a minute the first time)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# Services that start side by side would all compile the same. pip would compile on one processor, and tests too.
	@$(BIN)/python -m compileall -qq -j 0 -x /tests/ $(VENV)/lib || true  # a package may hold a template
	@$(BIN)/python -m compileall -q src simulators
	@$(BIN)/python -m anpr.local.govuk_frontend > /dev/null || echo "continuing without it: the console shows plain pages" >&2
	@touch $@

# By itself, so that it is prepared while matching is compiled.
$(ARCHIVED): $(STAMP)
	@$(BIN)/python -m anpr.local.class_archive > /dev/null || echo "continuing without it: a local Kafka takes longer to start" >&2
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
