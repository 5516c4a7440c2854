#!/usr/bin/env bash
# fuzz.sh BUILD [WORD]: builds the fuzzers of tests/fuzz below BUILD and runs each for FUZZ_SECONDS
# (60), starting from its corpus. What one finds is left in BUILD/fuzz/found. WORD: only the targets
# with it in their name.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$1/fuzz/found"
build=$(realpath "$1")/fuzz

cargo=$root/.deps/bin/cargo
[ -x "$cargo" ] || cargo=cargo
# Coverage of the bridge too, by the names that LLVM's passes have.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
host=$("$cargo" -vV | sed -n 's/^host: //p')
RUSTFLAGS=${flags//$'\n'/ } "$cargo" build --release --locked --quiet --target "$host" \
  --manifest-path "$root/rust/Cargo.toml" --target-dir "$build/rust"

torch=${TORCH_DIR:-$(echo "$root"/.deps/torch/lib/python3*/site-packages/torch)}
clang=$(command -v clang++ || command -v clang++-14)
cmake -G Ninja -S "$root/tests/fuzz" -B "$build" -DCMAKE_CXX_COMPILER="$clang" \
  -DLATHE_BRIDGE="$build/rust/$host/release/liblathe_bridge.a" -DFMT_INCLUDE="$torch/include" >/dev/null
cmake --build "$build" -j "${JOBS:-$(nproc)}"

[ ! -d /dev/shm ] || export TMPDIR=/dev/shm  # inputs go through files
export ASAN_OPTIONS=quarantine_size_mb=32    # what is freed counts against the limit of memory
failed=()
for corpus in "$root"/tests/fuzz/corpus/*"${2:-}"*; do
  target=$(basename "$corpus")
  echo "--- $target"
  mkdir -p "$build/corpus/$target"
  "$build/fuzz_$target" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=1 -rss_limit_mb=512 -max_len=16384 \
    -artifact_prefix="$build/found/$target-" -print_final_stats=1 -verbosity=0 \
    "$build/corpus/$target" "$corpus" || failed+=("$target")
done
echo "found something in ${#failed[@]} targets ${failed[*]}"
[ ${#failed[@]} = 0 ]
