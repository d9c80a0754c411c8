# `make demo` and `make test` need Python 3.11 or later, git and make, and set up the rest themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)
EDITABLE := -e '.[all,dev]' $(foreach p,$(filter plugins/%,$(PROJECTS)),-e $(dir $(p)))

# Numeric libraries that each start a thread per core slow each other down under a test run.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-slow soak bench lint install clean

install: $(STAMP)

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

demo: $(STAMP)
	rm -rf build/demo
	$(BIN)/crmkit demo telecom build/demo --customers 3000 --seed 1

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# One worker a core; a module's tests stay together, since they share what its fixtures made.
test: lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

soak: $(STAMP)
	$(BIN)/python -m pytest -m soak

bench: $(STAMP)
	$(BIN)/python -m compileall -q crmkit plugins benchmarks
	$(BIN)/python -m benchmarks

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
