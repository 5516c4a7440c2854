# Lathe: set-up, build, tests and the demo. `make help` lists what there is.
#
#   BUILD=build          the build folder
#   CUDA=1               links the GPU libraries; --device cuda then works
#   TORCH_DIR=DIR        another libtorch (the folder with include/ and lib/), 2.11 or newer
#   LATHE_BRIDGE=FILE    a prebuilt liblathe_bridge.a; no Rust is needed then
#   PREFIX=/usr/local    where `make install` puts the tree
#   PEERS=DIR            a virtual environment that has the peers, for `make interop`
#   JOBS=N, CMAKE_ARGS=… parallel jobs; further arguments for cmake
#   TESTS=REGEX          only the tests with such names
#   FUZZ_SECONDS=60      how long `make fuzz` takes for each reader

BUILD ?= build
CUDA ?= 0
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
export CUDA TORCH_DIR LATHE_BRIDGE PEERS

SETUP_PARTS = build
NINJA := cmake --build $(BUILD) -j $(JOBS)
SETTINGS := $(CURDIR) cuda=$(CUDA) torch=$(TORCH_DIR) bridge=$(LATHE_BRIDGE) $(CMAKE_ARGS)

.DEFAULT_GOAL := binary
.PHONY: binary all demo test install interop fuzz bench tidy clean help setup configure
.NOTPARALLEL:

binary: configure  ## build the program build/lathe (what plain `make` does)
	$(NINJA) --target lathe_cli

all: configure  ## build everything: program, library, tests, benchmarks
	$(NINJA)

demo: binary  ## train a model of folk tunes from nothing and let it compose
	demo/run.sh $(BUILD)/lathe

test: SETUP_PARTS = build test
test: all  ## run every test
	OMP_WAIT_POLICY=passive ctest --test-dir $(BUILD) -j 2 --timeout 600 --output-on-failure --no-tests=error $(if $(TESTS),-R '$(TESTS)')

install: configure  ## install program and library below PREFIX, a tree that may be moved
	$(NINJA) --target lathe_cli lathe
	cmake --install $(BUILD) --prefix '$(PREFIX)'

interop: SETUP_PARTS = build peers
interop: all  ## compare with the Python programs of the field (needs 6 GB)
	scripts/interop.sh $(BUILD) $(TESTS)

fuzz: SETUP_PARTS = build fuzz
fuzz: setup  ## fuzz each reader of files for FUZZ_SECONDS (60)
	scripts/fuzz.sh $(BUILD) $(TESTS)

bench: all  ## run the benchmarks
	@set -e; for program in $(BUILD)/bench/bench_*; do "$$program"; done

tidy: SETUP_PARTS = build test
tidy: all  ## static analysis with clippy and clang-tidy
	scripts/tidy.sh $(BUILD) $(TESTS)

clean:  ## remove the build folder; what set-up installed stays in .deps/
	rm -rf '$(BUILD)'

help:  ## this list
	@sed -n 's/^#   /  /p' Makefile
	@echo
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1\t/p' Makefile | expand -t 18

setup:
	@scripts/setup.sh $(SETUP_PARTS)

# Configures when there is no build folder yet or the settings differ from those it was made with;
# a change of the CMake files is noticed by the build itself.
configure: setup
	@if [ ! -f '$(BUILD)/build.ninja' ] || [ "$$(cat '$(BUILD)/settings' 2>/dev/null)" != '$(SETTINGS)' ]; then \
	  cmake -G Ninja -S . -B '$(BUILD)' -DLATHE_CUDA=$(if $(filter 1,$(CUDA)),ON,OFF) \
	    -DTORCH_DIR='$(TORCH_DIR)' -DLATHE_BRIDGE='$(LATHE_BRIDGE)' $(CMAKE_ARGS) && \
	  echo '$(SETTINGS)' >'$(BUILD)/settings'; fi
