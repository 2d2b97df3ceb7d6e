# What a person types. Every target works from a clean clone; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup proto lint test faults demo bench quality lock clean
SHELL := /bin/bash

BIN := .venv/bin
PATHS := services shared tests scripts benchmarks
# hnswlib ships no wheel; without this it compiles for this machine's CPU alone.
export HNSWLIB_NO_NATIVE := 1

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## make .venv from the hashed locks, fetch Kafka's jars and the demo's data set (once)
	@scripts/setup.sh

proto: setup ## regenerate shared/loopwright/api from protos/, unless they break the recorded contracts
	@$(BIN)/python scripts/generate_protos.py

lint: setup ## ruff, mypy strict, buf, import contracts, freshness of generated files
	@scripts/lint.sh $(wildcard $(PATHS))

test: setup ## every test, the ones on a real Kafka and Redis included (ARGS="-k word" narrows)
	@scripts/test.sh $(ARGS)

faults: setup ## the mesh while its parts die: one table (TABLE=docs/faults.md writes it, ARGS="-k kafka" narrows)
	@LOOPWRIGHT_FAULTS_WHOLE=1 LOOPWRIGHT_FAULTS_RATE=20 LOOPWRIGHT_FAULTS_TABLE=$(TABLE) $(BIN)/python -m pytest tests/faults -m faults $(ARGS)

demo: setup ## the whole loop on one machine: start, import, train, serve, retrain, explain, stop (ARGS=--keep)
	@$(BIN)/loopwright demo $(ARGS)

bench: setup ## what the mesh costs beside its floors, written to benchmarks/RESULTS.md (ARGS="serving hop append rates")
	@$(BIN)/python -m benchmarks $(ARGS)

quality: setup ## quality of every source and stage on the per-user temporal split
	@$(BIN)/python -m benchmarks.quality $(ARGS)

lock: setup ## compile pyproject.toml into requirements/*.txt again (ARGS=--upgrade for newer versions)
	@UV=$(BIN)/uv scripts/compile_requirements.sh $(ARGS)

clean: ## remove the environment, the caches and what tools left behind
	@rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
