# Every target works from a fresh clone. The virtual environment lives in .venv of the checkout.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
BIN := .venv/bin
# Bytecode is made at once: without it, where Python may not write any, each process compiles for seconds at its start.
UV := VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip
SEGMENTS := 1000000
PACKAGES := schemas connectors stream_apps inference_workers producers deploy
EXTRAS := local,ctranslate2,keda,dev

# Every target that is explained is a command, not a file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

# What `make chaos` does (docs/chaos.md).
KILLS ?= 60
REQUESTS ?= 1200
SEED ?= 1
CONTROL ?=
RECOVERY ?=
PACE ?=

help:  ## Print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: .venv/.dev  ## Everything that demo and test need (Python packages, JDK, Kafka's jars)

demo: .venv/.demo  ## Translate a real document through real Kafka, Valkey and ClickHouse; ends in .dragoman/demo.json
	$(BIN)/dragoman demo $(ARGS)

up: .venv/.demo  ## Start the one-machine stack in the background (stop it with make down)
	$(BIN)/dragoman up --detach $(ARGS)

down:  ## Stop it
	$(BIN)/dragoman down

test: .venv/.dev  ## All tests, on the real local stack; prints line and branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

chaos: .venv/.dev  ## Kill everything again and again; prove that nothing is lost or doubled (docs/chaos.md)
	$(BIN)/python -m tests.chaos --kills $(KILLS) --requests $(REQUESTS) --seed $(SEED) $(if $(PACE),--pace $(PACE)) --control "$(CONTROL)" $(if $(RECOVERY),--recovery $(RECOVERY)) $(ARGS)

test-slow: .venv/.dev  ## The tests that take minutes: zombies, outages, state loss, stopping, rolling restarts
	$(BIN)/python -m pytest -m slow $(ARGS)

test-unit: .venv/.dev  ## The tests that need no server; seconds
	$(BIN)/python -m pytest tests/unit tests/property $(ARGS)

test-transformers: .venv/.dev  ## The engine tests that need torch (5 GB more)
	$(UV) install -q -r requirements/transformers.lock
	$(BIN)/python -m pytest tests/contract -k transformers $(ARGS)

bench-rolling: .venv/.dev  ## Answer times while workers and assemblers are restarted one after the other
	$(BIN)/python -m pytest -q -s -m slow tests/e2e/test_rolling_restart.py $(ARGS)

bench-memory: .venv/.dev  ## Queue SEGMENTS (1000000) before a slow worker; fails where the memory of a process follows the backlog
	$(BIN)/python -m tests.bench.memory --segments $(SEGMENTS) $(ARGS)

test-regions: .venv/.dev  ## Two regions, MirrorMaker 2 between them, one of them lost; 3 minutes
	$(BIN)/python -m pytest tests/regions/second_region.py $(ARGS)

recovery: .venv/.dev  ## Kill each kind of process and the broker once; prints the seconds until an answer
	$(BIN)/python -m tests.bench.recovery $(ARGS)

poison: .venv/.dev  ## Spoiled records on every topic, sound ones between them (RECORDS=10000 a topic, SEED=1)
	$(BIN)/python -m tests.fuzz --records $(or $(RECORDS),10000) --seed $(or $(SEED),1)

check: lint types imports  ## What the build checks besides the tests

lint: .venv/.dev  ## Style and format; shell scripts too
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/shellcheck .ci/run $(shell git ls-files '*.sh')

types: .venv/.dev  ## mypy --strict
	$(BIN)/mypy

imports: .venv/.dev  ## Imports flow one way
	$(BIN)/lint-imports

format: .venv/.dev  ## Rewrite the files in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

locks: .venv/.uv  ## Resolve the dependencies anew
	$(UV) compile pyproject.toml --extra local --universal --generate-hashes --no-emit-index-url -q -U -o requirements/demo.lock
	$(UV) compile pyproject.toml $(foreach e,$(subst $(comma), ,$(EXTRAS)),--extra $(e)) --universal --generate-hashes --no-emit-index-url -q -U -o requirements/dev.lock
	$(UV) compile pyproject.toml $(foreach e,$(subst $(comma), ,$(EXTRAS)),--extra $(e)) --extra transformers --extra documents --universal --generate-hashes --no-emit-index-url -q -U -o requirements/transformers.lock

keda-proto: .venv/.dev  ## Make the gRPC code of KEDA's contract anew
	$(UV) install -q grpcio-tools==1.85.1
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. deploy/autoscaler/keda/externalscaler.proto

reference: .venv/.dev  ## Make the pages that come from the code anew: topics, settings, metrics
	$(BIN)/dragoman topics list --markdown > docs/topics.md
	$(BIN)/dragoman reference configuration > docs/reference/configuration.md
	$(BIN)/dragoman reference metrics > docs/reference/metrics.md

release-schemas:  ## Freeze the Avro schemas as the next released version
	@next=v$$(( $$(ls schemas/avro/released | wc -l) + 1 )); mkdir schemas/avro/released/$$next; cp schemas/avro/*.avsc schemas/avro/released/$$next/; echo "released $$next"

clean:  ## Remove the environment and all data of the local stack
	-$(BIN)/dragoman down
	rm -rf .venv .dragoman

comma := ,

.venv/.uv:
	@deploy/local/prepare.sh
	python3 -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.demo: .venv/.uv requirements/demo.lock pyproject.toml
	$(UV) install -q --compile-bytecode --require-hashes -r requirements/demo.lock
	$(UV) install -q --no-deps -e .
	$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@

.venv/.dev: .venv/.uv requirements/dev.lock pyproject.toml
	$(UV) install -q --compile-bytecode --require-hashes -r requirements/dev.lock
	$(UV) install -q --no-deps -e .
	$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@ .venv/.demo
