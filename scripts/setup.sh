#!/usr/bin/env bash
# Brings a machine to where Lathe builds. Looks at what is really there and does only what is
# missing, so a second run takes half a second and an interrupted one goes on where it stopped.
#
#   scripts/setup.sh [build] [test] [peers] [fuzz]
#     build   Debian packages, Rust, the crates of the bridge, the torch wheel (default)
#     test    what only the tests need besides
#     peers   the Python programs that results are compared with (6 GB)
#     fuzz    the compiler that the fuzzers need
#
#   CUDA=1          the torch wheel with the libraries for a GPU (about 5 GB)
#   TORCH_DIR=DIR   another libtorch, the folder with include/ and lib/: no wheel is installed
#   LATHE_BRIDGE=F  a prebuilt liblathe_bridge.a: no Rust is needed
#   PEERS=DIR       another virtual environment that has the peers
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .deps

say() { printf 'set-up: %s\n' "$*" >&2; }

# stop WHAT [COMMAND]: ends the set-up, naming what is missing and the command that brings it.
stop() {
  printf '\nset-up stopped: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'Install it with:\n\n    %s\n\nthen run the same command again.\n' "$2" >&2
  exit 1
}

# logged NAME COMMAND...: runs it quietly; shows the end of its output if it fails.
logged() {
  local log=".deps/$1.log"
  shift
  "$@" >"$log" 2>&1 && return
  printf -- '--- the end of %s\n' "$log" >&2
  tail -n 15 "$log" >&2
  return 1
}

at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

source scripts/setup_debian.sh
source scripts/setup_rust.sh
source scripts/setup_python.sh

if [ $# = 0 ]; then set -- build; fi
exec 9>.deps/lock
flock -n 9 || { say "waiting for another set-up in this folder"; flock 9; }
for part in "$@"; do
  case $part in
    build)
      debian_packages scripts/packages.txt
      [ -n "${LATHE_BRIDGE:-}" ] || { rust_compiler; rust_crates; }
      if [ -n "${TORCH_DIR:-}" ]; then torch_given; else torch_wheel; fi
      ;;
    fuzz) debian_packages scripts/packages-fuzz.txt ;;
    test)
      debian_packages_if_possible scripts/packages-test.txt
      [ -n "${LATHE_BRIDGE:-}" ] || rust_format
      ;;
    peers) [ -n "${PEERS:-}" ] || peers_environment ;;
    *) stop "expected build, test, peers or fuzz, found \"$part\"" ;;
  esac
done
