# What a person and CI call. Every target does its own set-up; `make` alone lists them.

STATE ?= $(or $(HEARTGUARD_STATE),.heartguard)
HEARTGUARD = .build/release/heartguard
export HEARTGUARD_STATE := $(abspath $(STATE))

# A command of the cluster needs a build, and says so where there is none.
RUN = @[ -x $(HEARTGUARD) ] || { echo 'HeartGuard was not built here yet; make up does all of it.' >&2; exit 1; }; $(HEARTGUARD)

.DEFAULT_GOAL := help
.PHONY: help setup build up down status logs restart load test soak fuzz generate check-generated lint clean-state images bench-indexes bench-gateway bench-certificates bench-rpc bench-postgres bench-redis bench-vectors bench-services bench-loss bench-memories bench-churn bench-records bench-series compose-up compose-down

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages, Python test clients
	@Scripts/setup

build: setup ## build the services and the heartguard command
	@Scripts/build release

up: build ## start the cluster, load the sample data, show it working
	@$(HEARTGUARD) up

down: ## stop the cluster; what it keeps stays
	@if [ -x $(HEARTGUARD) ]; then $(HEARTGUARD) down; else echo 'Nothing was built here, so nothing runs.'; fi

status: ## say what runs, where and since when
	$(RUN) status

logs: ## show the logs; SERVICE=users for one, FOLLOW=1 to go on
	$(RUN) logs $(SERVICE) $(if $(FOLLOW),--follow)

restart: ## stop and start again
	@$(MAKE) --no-print-directory down
	@$(MAKE) --no-print-directory up

load: ## load the sample data into the running cluster
	$(RUN) load

test: ## run every test, in a cluster of its own; PARTS="swift contract" for some
	@Scripts/test $(PARTS)

soak: setup ## a million reads of users who share a pool, and a million rows through a batch to a slow database: minutes
	@Scripts/soak $(READS) $(ROWS)

fuzz: ## look for inputs that break the RPC runtime; TARGET=session|server|framing|heads|contracts|fhir, SECONDS=60 each
	@Scripts/fuzz $(or $(TARGET),all) $(or $(SECONDS),60)

generate: setup ## make the committed code in Libraries/CContracts and Libraries/Contracts from proto/
	@Scripts/generate

check-generated: setup ## prove that the committed code is what proto/ makes
	@Scripts/check-generated

lint: setup ## lint proto/ and refuse breaking changes
	@Scripts/lint-proto

clean-state: down ## throw away the private databases, keys and logs; asks nothing
	$(RUN) clean-state

bench-indexes: setup ## show each of the nine indexes used by EXPLAIN at a million rows; ROWS=20000 for a first look
	@Scripts/bench-indexes $(or $(ROWS),1000000)

bench-gateway: build ## measure what the Gateway adds to a read; needs Debian's nghttp2-client
	@python3 Benchmarks/gateway.py

bench-certificates: build ## measure how long a certificate of a replaced authority is still accepted
	@.heartguard/venv/bin/python Benchmarks/certificates.py

bench-services: build ## measure six calls of an app beside the same in Python; ARGS=--quick for a first look
	@Scripts/setup-bench services
	@.heartguard/venv/bin/python Benchmarks/services.py $(ARGS)

bench-loss: build ## measure what callers notice while a Redis or Vectors is silent; ARGS=--quick for a first look
	@Scripts/setup-bench services
	@.heartguard/venv/bin/python Benchmarks/loss.py $(ARGS)

bench-rpc: setup ## measure a call beside its limit and other runtimes; ARGS=--quick for a first look
	@Scripts/setup-bench
	@.heartguard/venv/bin/python Benchmarks/rpc.py $(ARGS)

bench-postgres: setup ## measure the database client beside pgbench, psql and asyncpg; ARGS=--quick for a first look
	@Scripts/setup-bench postgres
	@.heartguard/venv/bin/python Benchmarks/postgres.py $(ARGS)

bench-redis: setup ## measure the Redis client, cache, limiter and LZ4 beside redis-benchmark, redis-py and lz4; ARGS=--quick for a first look
	@Scripts/setup-bench redis
	@.heartguard/venv/bin/python Benchmarks/redis.py $(ARGS)

bench-vectors: setup ## measure the vector index, and the service, beside hnswlib, faiss, usearch, chromadb and pgvector; ARGS=--quick for a first look, ARGS="--base FILE --queries FILE" for vectors of your own
	@Scripts/setup-bench vectors
	@.heartguard/venv/bin/python Benchmarks/vectors.py $(ARGS)

bench-memories: build ## measure what the memories of 10,000 people cost Vectors; ARGS="--people 1000" for a first look
	@.heartguard/venv/bin/python Benchmarks/memories.py $(ARGS)

bench-churn: build ## watch what Vectors takes for an hour while collections are made, filled, searched and dropped; ARGS="--minutes 5" for a first look
	@.heartguard/venv/bin/python Benchmarks/churn.py $(ARGS)

bench-records: build ## measure exports, restoring, verifying the audit log and searching providers at a million rows; ARGS="--count 20000" for a first look
	@.heartguard/venv/bin/python Benchmarks/records.py $(ARGS)

bench-series: build ## measure a device's million samples in, out, by buckets and as plots, beside COPY and GROUP BY; ARGS="--count 20000 --rounds 1" for a first look
	@.heartguard/venv/bin/python Benchmarks/series.py $(ARGS)

images: build ## lay out the files that the container image is made of
	@Scripts/images

compose-up: images ## run the same cluster in containers
	@docker compose up --build --detach --wait

compose-down: ## stop the containers and delete their volumes
	@docker compose down --volumes
