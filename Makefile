# SPDX-License-Identifier: Apache-2.0
# Every target works from a clean clone; `make help` lists them. The build itself is CMake's (CMakePresets.json).

.DEFAULT_GOAL := build
.PHONY: build setup test test-long bench lint format fuzz figures gas demo demo-build devnet clean help

# Tests run side by side: one more than two cores have room for, as those with a chain wait for its blocks.
TEST_JOBS ?= 3
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 30
# Fuzz targets that run side by side.
FUZZ_JOBS ?= 2
# The preset that builds the fuzzers.
FUZZ_PRESET ?= fuzz
# Arguments for every micro-benchmark, e.g. BENCH_ARGS=--benchmark_filter=Ntt
BENCH_ARGS ?=

CTEST = ctest --no-tests=error -j $(TEST_JOBS)

build: setup ## The optimised binary, build/release/avow (what `make` alone does)
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release

setup: ## Install the Debian packages that are missing (root or sudo)
	@tools/setup.sh build

test: build ## Set-up, build, every test, those of the contracts among them
	@tools/setup.sh chain
	@$(CTEST) --preset release

test-long: lint build ## Lint, every test at full size and with sanitizers, ten minutes of each fuzzer
	@tools/setup.sh fuzz chain
	AVOW_LONG=1 $(CTEST) --preset release
	tools/contracts.sh test-long
	tools/network_test.sh
	rm -rf build/readme && tools/readme_test.sh build/readme
	@for preset in asan-ubsan tsan; do \
	  cmake --preset $$preset --log-level=WARNING >/dev/null && cmake --build --preset $$preset && $(CTEST) --preset $$preset || exit 1; \
	done
	FUZZ_SECONDS=600 FUZZ_JOBS=$(FUZZ_JOBS) tools/fuzz.sh

bench: setup ## Micro-benchmarks (BENCH_ARGS=--benchmark_filter=...)
	@cmake --preset bench --log-level=WARNING >/dev/null
	@cmake --build --preset bench
	@for bench in build/bench/*_bench; do echo "== $${bench##*/}"; $$bench $(BENCH_ARGS) || exit 1; done

lint: setup ## Layout, source rules, clang-tidy; every finding is an error
	@tools/setup.sh lint chain
	@tools/check_format.sh
	@tools/check_sources.sh
	@tools/contracts.sh lint
	@cmake --preset tidy --log-level=WARNING >/dev/null
	@cmake --build --preset tidy
	@echo "lint: no findings"

format: ## Lay out every source file
	@tools/setup.sh lint chain
	@tools/check_format.sh --fix
	@tools/contracts.sh format

fuzz: setup ## Run every fuzz target for FUZZ_SECONDS (default 30)
	@tools/setup.sh fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_JOBS=$(FUZZ_JOBS) FUZZ_PRESET=$(FUZZ_PRESET) tools/fuzz.sh

figures: build ## Measure every figure the project claims: must, aim, measured
	@build/release/avow figures

gas: build ## Gas of every transaction, on a local chain with real proofs
	@tools/setup.sh chain
	@tools/gas.sh

# What the demo runs and no more: tests are not built, and a later `make test` goes on from here.
demo-build: setup
	@tools/setup.sh chain
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release --target avow avow_cheats

demo: demo-build ## A chain, a provider, a question asked, proven, verified on the chain and paid; three cheats refused
	@tools/demo.sh demo

devnet: demo-build ## The same chain and provider, kept up for going on by hand
	@tools/demo.sh devnet

clean: ## Remove everything that was built
	@rm -rf build

help: ## This list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20
