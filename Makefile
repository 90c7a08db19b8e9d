# Every target works from a fresh clone. The virtual environment lives in .venv of the checkout.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
BIN := .venv/bin
# Bytecode is compiled at installation, and Python may write it later: otherwise each process compiles for seconds.
export PYTHONDONTWRITEBYTECODE :=
UV := VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip
# With another Python: make setup PYTHON=python3.13
export PYTHON ?=
MAKE_VENV := deploy/local/python.sh -m venv
SEGMENTS := 1000000
JARS := .dragoman/kafka/libs/complete
# Processes that `make test` uses; each starts servers of its own. Given servers are shared, so the tests take turns.
JOBS ?= $(if $(KAFKA_BOOTSTRAP_SERVERS),0,3)
PACKAGES := schemas connectors stream_apps inference_workers producers deploy
EXTRAS := local,ctranslate2,keda,tracing,dev

# In the order of docs/performance.md.
BENCHES := cached fat singles bulk latency http idle

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
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: .venv/.dev $(JARS)  ## Everything that demo and test need (Python packages, JDK, Kafka's jars)

demo: .venv/.demo  ## Translate a real document through real Kafka, Valkey and ClickHouse; ends in .dragoman/demo.json
	$(BIN)/dragoman demo $(ARGS)

up: .venv/.demo  ## Start the one-machine stack in the background (stop it with make down)
	$(BIN)/dragoman up --detach $(ARGS)

down:  ## Stop it
	$(BIN)/dragoman down

test: .venv/.dev $(JARS)  ## All tests, on the real local stack (JOBS=3, ARGS=tests/e2e)
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

chaos: .venv/.dev $(JARS)  ## Kill everything again and again; prove that nothing is lost or doubled (docs/chaos.md)
	$(BIN)/python -m tests.chaos --kills $(KILLS) --requests $(REQUESTS) --seed $(SEED) $(if $(PACE),--pace $(PACE)) --control "$(CONTROL)" $(if $(RECOVERY),--recovery $(RECOVERY)) $(ARGS)

test-slow: .venv/.dev $(JARS)  ## The tests that take minutes: zombies, outages, state loss, stopping, rolling restarts
	$(BIN)/python -m pytest -m slow $(ARGS)

test-unit: .venv/.dev  ## The tests that need no server; seconds
	$(BIN)/python -m pytest tests/unit tests/property $(ARGS)

coverage: .venv/.dev $(JARS)  ## Line and branch coverage of the tests; measuring it doubles what most of them take
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term $(ARGS)

test-transformers: .venv-transformers/.ready  ## The engine tests that need torch, in an environment of their own (5 GB)
	.venv-transformers/bin/python -m pytest --timeout 600 tests/contract -k transformers $(ARGS)  # torch: a slow import

profile: .venv/.dev  ## Run the tests of ARGS under cProfile and print where the time goes
	@mkdir -p .dragoman
	$(BIN)/python -m cProfile -o .dragoman/test.profile -m pytest $(ARGS)
	$(BIN)/python -c "import pstats; pstats.Stats('.dragoman/test.profile').sort_stats('cumulative').print_stats(30)"

bench: .venv/.dev $(JARS)  ## Every benchmark of the spine, each with its rival; 15 minutes (docs/performance.md)
	@missed=; for name in $(BENCHES); do $(MAKE) --no-print-directory "bench-$$name" || missed="$$missed $$name"; done; \
	$(BIN)/python -m tests.bench.report; \
	if [ "$$missed" ]; then echo "below their goals:$$missed" >&2; exit 1; fi

bench-cached: .venv/.dev $(JARS)  ## Remembered one-sentence requests, Kafka to Kafka (ARGS="--registry URL")
	$(BIN)/python -m tests.bench.cached $(ARGS)

bench-singles: .venv/.dev $(JARS)  ## New single sentences against the bare engine
	$(BIN)/python -m tests.bench.singles $(ARGS)

bench-bulk: .venv/.dev $(JARS)  ## A long document against the bare engine
	$(BIN)/python -m tests.bench.bulk $(ARGS)

bench-document: .venv/.dev $(JARS)  ## A Word file of 15,000 words, upload to download, against the bare engine
	$(BIN)/python -m tests.bench.document $(ARGS)

bench-fat: .venv/.dev $(JARS)  ## Requests of a thousand sentences with an engine that takes no time
	$(BIN)/python -m tests.bench.fat $(ARGS)

bench-latency: .venv/.dev $(JARS)  ## One critical sentence each 250 ms: idle, by HTTP, and while standard work waits
	$(BIN)/python -m tests.bench.latency $(ARGS)

bench-http: .venv/.dev $(JARS)  ## 1, 8 and 32 HTTP clients against a bare FastAPI application
	$(BIN)/python -m tests.bench.http $(ARGS)

bench-door: .venv/.dev $(JARS)  ## Accepted POSTs a second, by caller, beside a bare FastAPI handler that produces to Kafka
	$(BIN)/python -m tests.bench.door $(ARGS)

bench-connections: .venv/.dev $(JARS)  ## Ten thousand connections to one HTTP process, a thousand of them event streams
	$(BIN)/python -m tests.bench.connections $(ARGS)

bench-report: .venv/.dev  ## Fill docs/performance.md with what the benchmarks wrote
	$(BIN)/python -m tests.bench.report

bench-rolling: .venv/.dev $(JARS)  ## Answer times while workers and assemblers are restarted one after the other
	$(BIN)/python -m pytest -q -s -m slow tests/e2e/test_rolling_restart.py $(ARGS)

bench-memory: .venv/.dev $(JARS)  ## Queue SEGMENTS (1000000) before a slow worker; fails where the memory of a process follows the backlog
	$(BIN)/python -m tests.bench.memory --segments $(SEGMENTS) $(ARGS)

bench-text: .venv/.dev  ## Microseconds to cut a sentence, beside the library alone, and to keep what must not change in it
	$(BIN)/python -m tests.bench.text

bench-tracing: .venv/.dev $(JARS)  ## What spans cost: microseconds of each, and of a request; ARGS=--stack measures whole stacks, off, on, off
	$(BIN)/python -m tests.bench.tracing $(ARGS)

bench-sink: .venv/.dev  ## Rows a second of the sink against a bare insert of the same records into the same tables
	$(BIN)/python -m tests.bench.sink $(ARGS)

bench-books: .venv/.dev $(JARS)  ## Seconds until a result is in the books, and whether words agree
	$(BIN)/python -m tests.bench.books $(ARGS)

bench-dashboard: .venv/.dev  ## Seconds of each page of the dashboard on ten million usage events (ARGS="--keep FOLDER")
	$(BIN)/python -m tests.bench.dashboard $(ARGS)

bench-fidelity: .venv/.dev  ## What comes back whole, by kind of text, beside the bare engine; 5 minutes (docs/fidelity.md)
	$(BIN)/python -m tests.bench.fidelity $(ARGS)

bench-codes: .venv/.dev  ## Bold words and links amid sentences: kept, in the right place, and the prose around them (decision 45)
	$(BIN)/python -m tests.bench.codes $(ARGS)

bench-hand: .venv/.dev  ## What comes back whole of texts by another hand, through the real path (docs/fidelity.md)
	$(BIN)/python -m tests.bench.other_hand $(ARGS)

bench-prose: .venv/.dev  ## Wrapped prose (README files, e-mails) against the same on one line: sentences kept, lines too wide
	$(BIN)/python -m tests.bench.prose

bench-idle: .venv/.dev $(JARS)  ## What the whole stack costs at rest (ms of processor per second, by process), and single requests after it
	$(BIN)/python -m tests.bench.idle $(ARGS)

test-page: .venv/.dev  ## The page in a real browser (chromium), with screenshots in .dragoman/page
	@tests/page/prepare.sh
	$(BIN)/python -m pytest tests/page/browser_*.py $(ARGS)

test-dashboard: .venv/.dev  ## The dashboard in a real browser (chromium), with screenshots in .dragoman/dashboard
	@tests/page/prepare.sh
	$(BIN)/python -m pytest --timeout 600 tests/dashboard/browser_*.py $(ARGS)

test-openapi: .venv/.dev  ## Ask everything that the OpenAPI document describes, in thousands of ways (schemathesis; ARGS="-n 200")
	$(BIN)/python -m tests.openapi --phases examples,coverage,fuzzing,stateful --generation-database none $(ARGS)

test-vector: .venv/.dev  ## Vector's own check of deploy/vector; needs the program vector
	@command -v vector > /dev/null || { echo "vector is missing: https://vector.dev/docs/setup/installation" >&2; exit 1; }
	cd deploy/vector && vector validate --no-environment logs.yaml to_clickhouse.yaml to_elasticsearch.yaml
	cd deploy/vector && vector test logs.yaml tests.yaml

test-vrl: .venv-vrl/.ready  ## Compile the program of deploy/vector and run its tests, on the runtime of Vector's language alone
	.venv-vrl/bin/python -m tests.vector.program

test-regions: .venv/.dev $(JARS)  ## Two regions, MirrorMaker 2 between them, one of them lost; 3 minutes
	$(BIN)/python -m pytest tests/regions/second_region.py $(ARGS)

recovery: .venv/.dev $(JARS)  ## Kill each kind of process and the broker once; prints the seconds until an answer
	$(BIN)/python -m tests.bench.recovery $(ARGS)

poison: .venv/.dev $(JARS)  ## Malformed records on every topic, valid ones between them (RECORDS=10000 a topic, SEED=1)
	$(BIN)/python -m tests.fuzz --records $(or $(RECORDS),10000) --seed $(or $(SEED),1)

fuzz-formats: .venv/.dev  ## Damaged files of every format through the sandbox (FILES=10000, SEED=1; docs/documents.md)
	$(BIN)/python -m tests.fuzz.damaged_documents --files $(or $(FILES),10000) --seed $(or $(SEED),1)

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
	$(UV) compile pyproject.toml --extra local --extra tracing --universal --generate-hashes --no-emit-index-url -q -U -o requirements/demo.lock
	$(UV) compile pyproject.toml $(foreach e,$(subst $(comma), ,$(EXTRAS)),--extra $(e)) --universal --generate-hashes --no-emit-index-url -q -U -o requirements/dev.lock
	$(UV) compile pyproject.toml $(foreach e,$(subst $(comma), ,$(EXTRAS)),--extra $(e)) --extra transformers -c requirements/dev.lock --universal --generate-hashes --no-emit-index-url -q -U -o requirements/transformers.lock
	$(UV) compile requirements/vrl.in --universal --generate-hashes --no-emit-index-url -q -U -o requirements/vrl.lock

keda-proto: .venv/.dev  ## Make the gRPC code of KEDA's contract anew
	$(UV) install -q grpcio-tools==1.85.1
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. deploy/autoscaler/keda/externalscaler.proto

reference: .venv/.dev  ## Make what comes from the code anew: topics, settings, metrics, OpenAPI, AsyncAPI
	$(BIN)/dragoman topics list --markdown > docs/topics.md
	$(BIN)/dragoman reference configuration > docs/reference/configuration.md
	$(BIN)/dragoman reference metrics > docs/reference/metrics.md
	$(BIN)/dragoman reference openapi > docs/reference/openapi.json
	$(BIN)/dragoman reference asyncapi > docs/reference/asyncapi.json

dashboards: .venv/.dev  ## Write Grafana's dashboards anew (deploy/grafana)
	$(BIN)/python -m deploy.grafana.render

release-schemas:  ## Freeze the Avro schemas as the next released version
	@next=v$$(( $$(ls schemas/avro/released | wc -l) + 1 )); mkdir schemas/avro/released/$$next; cp schemas/avro/*.avsc schemas/avro/released/$$next/; echo "released $$next"

clean:  ## Remove the environment and all data of the local stack
	-$(BIN)/dragoman down
	rm -rf .venv .venv-transformers .venv-vrl .dragoman

comma := ,

.venv/.uv:
	@deploy/local/prepare.sh
	$(MAKE_VENV) .venv
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

# The test processes would otherwise fetch them at the same time.
$(JARS): deploy/local/kafka/pom.xml | .venv/.dev
	$(BIN)/python -c "from pathlib import Path; from deploy.local.kafka_broker import fetch_jars; fetch_jars(Path('$(@D)'))"

.venv-transformers/.ready: .venv/.uv requirements/transformers.lock pyproject.toml
	$(MAKE_VENV) .venv-transformers
	VIRTUAL_ENV=$(CURDIR)/.venv-transformers $(BIN)/uv pip install -q --require-hashes -r requirements/transformers.lock
	VIRTUAL_ENV=$(CURDIR)/.venv-transformers $(BIN)/uv pip install -q --no-deps -e .
	@touch $@

.venv-vrl/.ready: .venv/.uv requirements/vrl.lock
	$(MAKE_VENV) .venv-vrl
	VIRTUAL_ENV=$(CURDIR)/.venv-vrl $(BIN)/uv pip install -q --require-hashes -r requirements/vrl.lock
	@touch $@
