# `make help` lists what there is. Nothing here needs more than rustup, a C and C++ compiler, Python 3 and Go; the real
# brokers of `make test` need a JDK with Maven and openssl besides.

CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR

STEPS := $(patsubst tests/steps/%,%,$(filter-out %.sh,$(wildcard tests/steps/*)))

.DEFAULT_GOAL := help
.PHONY: help demo test sim bench header wheel clean $(STEPS:%=test-%)

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "One step of the tests alone: make test-STEP. In the order of make test:"
	@tests/run --list | sed 's/^/  /'

demo: ## build the library; C, C++, Python and Go programs produce a file to the embedded cluster and read it back
	@examples/demo

test: ## every test there is, real Apache Kafka brokers included
	@tests/run

$(STEPS:%=test-%): test-%:
	@tests/run $*

SEEDS ?= 10000
sim: ## the simulator over SEEDS seeds (10000)
	@OTTLA_SIM_SEEDS=$(SEEDS) tests/steps/sim

bench: ## ottla and librdkafka side by side on this machine, against a broker that discards
	@benches/run

header: ## write include/ottla.h anew from src/capi, and what the bindings take from it
	OTTLA_UPDATE_HEADER=1 cargo test --quiet --test header
	python3 bindings/generate.py

wheel: ## Python wheels for this platform and for musl, and a source distribution, into dist/; each is tried
	@tests/bindings/wheel

clean: ## remove what builds and tests left in this folder
	cargo clean
	rm -rf build dist bindings/python/build bindings/python/*.egg-info bindings/go/lib/*/libottla.a bindings/go/lib/*/stamp.h
