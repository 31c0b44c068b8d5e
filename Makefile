# `make help` lists the targets. Each makes what it needs, in a virtual environment of its own; a second run does only what changed.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Which interpreter: PYTHON=/path/to/python picks one, else the first CPython from 3.10 on is taken.
PYTHON ?= $(shell scripts/find-python)
VENV ?= .venv
# More requirements for VENV, such as an exact Pydantic.
PINS ?=
# More arguments for pytest, such as ARGS='-k query'.
ARGS ?=
# Cargo features of the extension, all unless said: FEATURES=python,aws leaves out the embedded engine of `Client.local()`.
FEATURES ?=

PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
STAMPS := $(VENV)/.stamps
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find src -name '*.rs')
# The part that knows no Python, with every transport, on the dependencies that are built for the extension anyway.
RUST_FEATURES := --no-default-features --features aws,embedded,reference,python-dependencies
# What maturin tells PyO3, so that clippy and the extension share one build of it.
EXTENSION_FEATURES = $(if $(FEATURES),--no-default-features --features $(FEATURES))
PYO3_ENV = PYO3_PYTHON=$(abspath $(VENV))/bin/python PYO3_BUILD_EXTENSION_MODULE=1

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: quickstart
quickstart: $(STAMPS)/extension ## Build the extension and run examples/airports.py
	$(VENV)/bin/python examples/airports.py

.PHONY: build
build: $(STAMPS)/extension ## Build the extension, optimised, into python/oxidyn/

.PHONY: test
test: test-rust test-python ## Run all tests, Rust and Python

.PHONY: test-rust
test-rust: $(STAMPS)/extension ## Run the Rust tests
	$(PYO3_ENV) cargo test --release $(RUST_FEATURES)

.PHONY: test-python
test-python: $(STAMPS)/test $(STAMPS)/extension ## Run the Python tests
	$(VENV)/bin/python -m pytest -n 2 $(ARGS)

.PHONY: test-all
test-all: test-rust ## Run the Python tests on every interpreter found, and on the oldest supported Pydantic
	scripts/find-python --all | while read -r minor path; do \
		$(MAKE) test-python PYTHON="$$path" VENV=".venv-$$minor" </dev/null; \
	done
	$(MAKE) test-oldest

# Pydantic 2.11.0 has wheels up to CPython 3.13.
.PHONY: test-oldest
test-oldest: ## Run the Python tests on Pydantic 2.11.0
	path=$$(scripts/find-python --to 3.13); \
	$(MAKE) test-python PYTHON="$$path" VENV=.venv-oldest PINS='pydantic==2.11.0'

# The debug build overwrites the optimised one beside the Python package, so the stamp goes first.
.PHONY: test-debug
test-debug: $(STAMPS)/test ## Run all tests on a debug build, with overflow checks and debug assertions
	rm -f $(STAMPS)/extension
	$(PYO3_ENV) cargo test $(RUST_FEATURES)
	PIP_QUIET=1 VIRTUAL_ENV=$(abspath $(VENV)) $(VENV)/bin/maturin develop --profile dev
	$(VENV)/bin/python -m pytest -n 2 $(ARGS)

# libFuzzer comes with atheris; rustc counts branches for it without a nightly. atheris has wheels for these interpreters.
SECONDS ?= 600
COVERAGE = -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-,level=4 inline-8bit-counters pc-table trace-compares)

.PHONY: fuzz
fuzz: ## Feed hostile bytes to the decoders for SECONDS=600, guided by coverage
	path=$$(scripts/find-python --from 3.11 --to 3.13); \
	$(MAKE) run-fuzz VENV=.venv-fuzz PYTHON="$$path" SECONDS=$(SECONDS)

.PHONY: run-fuzz
run-fuzz: $(STAMPS)/fuzz
	$(PYO3_ENV) cargo rustc --release --lib --crate-type cdylib --target-dir target/fuzz -- $(COVERAGE)
	rm -rf target/fuzz/python
	mkdir -p target/fuzz/python
	cp -r python/oxidyn target/fuzz/python/
	rm -f target/fuzz/python/oxidyn/_core.*.so
	cp target/fuzz/release/liboxidyn.so target/fuzz/python/oxidyn/_core.so
	LD_PRELOAD=$$(ls $(VENV)/lib/python*/site-packages/ubsan_with_fuzzer.so) PYTHONPATH=target/fuzz/python \
		$(VENV)/bin/python -m tests.codec.fuzz -max_total_time=$(SECONDS) -max_len=6000 -timeout=10 target/fuzz/corpus

# Bounded in count, so that it ends on any machine: an hour's work of a busy service.
OPERATIONS ?= 200000
IN_FLIGHT ?= 200

.PHONY: soak
soak: $(STAMPS)/test $(STAMPS)/extension ## Run OPERATIONS=200000 at IN_FLIGHT=200 on a server that fails every tenth request
	$(VENV)/bin/python -m tests.faults.soak --operations $(OPERATIONS) --in-flight $(IN_FLIGHT)

# The peers live in an environment of their own (pyproject.toml says why); pydynox needs CPython 3.11.
.PHONY: bench
bench: ## Measure the codec and the calls beside their peers
	path=$$(scripts/find-python --from 3.11); \
	$(MAKE) run-bench VENV=.venv-bench PYTHON="$$path"

.PHONY: run-bench
run-bench: $(STAMPS)/bench $(STAMPS)/extension
	$(VENV)/bin/python -m tests.bench $(ARGS)

.PHONY: lint
lint: $(STAMPS)/lint $(STAMPS)/extension ## Check formatting, clippy (also of the Rust tests alone, and without the embedded engine), ruff, mypy, pyright and the extension's stub
	cargo fmt --check
	$(PYO3_ENV) cargo clippy --release --all-targets -- -D warnings
	$(PYO3_ENV) cargo clippy --release --lib --tests $(RUST_FEATURES) -- -D warnings
	$(PYO3_ENV) cargo clippy --release --lib --no-default-features --features python,aws -- -D warnings
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(VENV)/bin/pyright --pythonpath $(VENV)/bin/python
	$(VENV)/bin/python -m mypy.stubtest oxidyn._core

.PHONY: format
format: $(STAMPS)/lint ## Format the sources and apply ruff's safe fixes
	cargo fmt
	$(VENV)/bin/ruff check --fix-only
	$(VENV)/bin/ruff format

.PHONY: docs
docs: $(STAMPS)/docs ## Build the documentation into site/, strictly
	rm -rf site
	$(VENV)/bin/zensical build --strict --clean

# What the embedded engine does not use of SQLite: full-text search, R-trees, JSON, statistics, loaded extensions.
SQLITE_FLAGS := -DSQLITE_OMIT_JSON -DSQLITE_OMIT_LOAD_EXTENSION -USQLITE_SOUNDEX \
	$(addprefix -USQLITE_ENABLE_,DBSTAT_VTAB FTS3 FTS3_PARENTHESIS FTS5 LOAD_EXTENSION RTREE STAT4)

.PHONY: wheel
wheel: $(STAMPS)/quickstart ## Build a wheel with the slow, small profile into dist/
	LIBSQLITE3_FLAGS="$(SQLITE_FLAGS)" $(VENV)/bin/maturin build --profile wheel $(EXTENSION_FEATURES) --interpreter $(VENV)/bin/python --out dist

.PHONY: wheel-parts
wheel-parts: $(STAMPS)/venv ## Print what a wheel's bytes are, by dependency
	LIBSQLITE3_FLAGS="$(SQLITE_FLAGS)" $(PYO3_ENV) cargo build --profile wheel --lib $(EXTENSION_FEATURES) --config profile.wheel.strip=false
	scripts/wheel-parts target/wheel/liboxidyn.so

.PHONY: clean
clean: ## Remove every build product and virtual environment
	rm -rf target site dist .cache .venv .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f python/oxidyn/_core.*.so python/oxidyn/_core.*.pyd
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv:
	[[ -n "$(PYTHON)" ]]
	"$(PYTHON)" -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1'
	mkdir -p $(@D)
	touch $@

# One stamp for each dependency group of pyproject.toml.
$(STAMPS)/quickstart $(STAMPS)/test $(STAMPS)/lint $(STAMPS)/docs $(STAMPS)/bench $(STAMPS)/fuzz: $(STAMPS)/%: pyproject.toml | $(STAMPS)/venv
	$(PIP) --group $* 'pydantic>=2.11' $(PINS)
	touch $@

# `develop` is an editable install, so changes of Python files need no build.
$(STAMPS)/extension: $(SOURCES) | $(STAMPS)/quickstart
	PIP_QUIET=1 VIRTUAL_ENV=$(abspath $(VENV)) $(VENV)/bin/maturin develop --release $(EXTENSION_FEATURES)
	touch $@
