# Two commands do everything: `make demo` shows the main job on real input, `make test` proves it.
# `make check` is what CI runs.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
SELECT ?= -m "not applies and not long"
WORKERS := -n 4 # on two cores, too: most tests wait most of the time (tests/conftest.py says which process has which)

.PHONY: demo demo-aws test test-again test-busy test-aws soak check lint types layers bench checkov picture lock clean

demo: $(VENV)/.installed
	$(BIN)/crossfade demo

# The same on AWS, as tests/rig models it: two minutes, without Docker or Terraform, and no account is asked.
demo-aws: $(VENV)/.installed
	$(BIN)/python -m tests.rig.demo

test: $(VENV)/.installed
	$(BIN)/python -m pytest $(SELECT) $(WORKERS)

# The same while two other processes keep two cores busy: no test may depend on how fast the machine is.
test-busy: $(VENV)/.installed
	@sh -c 'while :; do :; done' & one=$$!; sh -c 'while :; do :; done' & two=$$!; \
	trap "kill $$one $$two" EXIT INT TERM; $(MAKE) test

# Deploys, rollbacks, kills and stops under load for so long: nothing may be lost, left or grown. Prints its figures.
MINUTES ?= 10
soak: $(VENV)/.installed
	SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest -q -s tests/soak

# Whole environments made on MiniStack, an AWS on this machine, and taken away, and whole ways of a team from Terraform to
# a rollback: half an hour, mostly the provider's own waiting. CI has not so long, and does without the whole ways.
test-aws:
	$(MAKE) test SELECT="-m applies"

# Both kinds of test at once, because one waits while the other works. What failed beside thousands of others gets a
# second look, alone: a fault fails twice. What passes then is a fault of the test, and named.
check: lint types layers
	$(MAKE) test SELECT='-m "not walks"' || $(MAKE) test-again

test-again: $(VENV)/.installed
	failed=$$($(BIN)/python -m tests.failed) && printf '%s\n' "$$failed" | xargs -d '\n' timeout 900 $(BIN)/python -m pytest -v --maxfail 3
	@echo "check: the tests above failed beside the others and passed alone: each still depends on how fast the machine is"

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

layers: $(VENV)/.installed
	$(BIN)/lint-imports

# All of what docs/benchmarks.md says, measured again: more than an hour on a machine that does nothing else. Each part is
# kept as soon as it is there; `make bench ARGS=deploy` measures one again, and `ARGS=--quick` is a look. nginx, HAProxy,
# wrk and valgrind are used when they are installed.
bench: $(VENV)/.installed-bench
	@for tool in nginx haproxy wrk valgrind; do PATH="$$PATH:/usr/sbin" command -v $$tool >/dev/null || echo "bench: $$tool is not installed, goes without"; done
	$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/.installed-bench: $(VENV)/.installed benchmarks/requirements.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r benchmarks/requirements.lock
	touch $@

# Every version is pinned with its hash; crossfade itself is installed editable on top.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Another checker, which tests hold beside our rules: in an environment of its own, for it wants other versions than we do.
checkov: tests/checkov/.venv/.installed

tests/checkov/.venv/.installed: tests/checkov/requirements.txt
	$(PYTHON) -m venv tests/checkov/.venv
	tests/checkov/.venv/bin/python -m pip install --quiet -r tests/checkov/requirements.txt
	touch $@

# The README's pictures of the demo and of the dashboard, from real runs.
picture: $(VENV)/.installed
	$(BIN)/python docs/images/record.py
	PYTHONPATH=. $(BIN)/python docs/images/page.py

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# Renew the lock from the lower bounds in pyproject.toml (needs uv).
lock:
	uv pip compile $(LOCK) --extra dev pyproject.toml -o requirements.lock
	uv pip compile $(LOCK) --extra bench -c requirements.lock pyproject.toml -o benchmarks/requirements.lock

clean:
	rm -rf $(VENV) build dist
