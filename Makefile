# `make demo` and `make test` need Python 3.11 or later, git and make, and set up the rest themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)
EDITABLE := -e '.[all]' $(foreach p,$(filter plugins/%,$(PROJECTS)),-e $(dir $(p)))

# Numeric libraries that each start a thread per core slow each other down under a test run.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-slow soak bench cluster-demo lint install clean

install: $(DEV)

# Without build isolation the five projects share one setuptools, of the version in the constraints.
# pip compiles what it installs; the editable packages are compiled here, because a first start that
# also compiles takes three times as long.
$(STAMP): $(PROJECTS) constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crmkit needs Python 3.11+; try make PYTHON=python3.12")'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --compile -c constraints.txt $(EDITABLE)
	$(BIN)/python -m compileall -q crmkit plugins
	touch $@

# Half a gigabyte of pyspark is among what the tests need and the demo does not.
$(DEV): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --compile -c constraints.txt -e '.[dev]'
	touch $@

demo: $(STAMP)
	rm -rf build/demo
	$(BIN)/crmkit demo telecom build/demo --customers 3000 --seed 1

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# One worker a core; a module's tests stay together, since they share what its fixtures made.
# A worker that dies ends the run: with a new one in its place xdist waits for ever.
test: lint
	$(BIN)/python -m pytest --numprocesses auto --max-worker-restart 0 --dist loadfile

test-slow: $(DEV)
	$(BIN)/python -m pytest -m slow --numprocesses auto --max-worker-restart 0 --dist loadfile --timeout 1200

# All of it, or one part: make soak PART=tests/soak/test_mutants.py
soak: $(DEV)
	$(BIN)/python -m pytest -m soak --timeout 9000 $(PART)

bench: $(DEV)
	$(BIN)/python -m compileall -q crmkit plugins benchmarks
	$(BIN)/python -m benchmarks

# Five reports on a Spark master and two workers of this machine, against DuckDB; needs Java.
cluster-demo: $(DEV)
	$(BIN)/python -m benchmarks.cluster_demo build/cluster-demo

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
