#!/usr/bin/env bash
# tidy.sh BUILD [WORD]: clippy over the bridge, clang-tidy over our other sources, each by itself and
# two at a time, with the settings of the build. WORD: only the files with it in their path, such as
# lathe/io.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$1 word=${2:-}
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) ||
  { echo "clang-tidy is missing; install it with: sudo apt-get install clang-tidy-14" >&2; exit 1; }
if [[ rust/src == *"$word"* ]]; then
  cargo=.deps/bin/cargo
  [ -x "$cargo" ] || cargo=cargo
  "$cargo" clippy --release --all-targets --locked --quiet --manifest-path rust/Cargo.toml \
    --target-dir "$build/rust" -- -D warnings
fi
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT

# The build compiles several files at a time; here is a command for each.
mapfile -t settings < <(sed -n 's/^\(TORCH_DIR\|LATHE_BRIDGE\|LATHE_CUDA\):[A-Z]*=\(.*\)$/-D\1=\2/p' "$build/CMakeCache.txt")
cmake -G Ninja -S . -B "$build/tidy" -DCMAKE_UNITY_BUILD=OFF "${settings[@]}" >/dev/null

# clang reads no precompiled header of GCC: out with it, and with the compiler cache in front.
python3 - "$build/tidy" "$database" "$PWD" "$word" <<'EOF'
import json, pathlib, re, sys

build, database, root, word = sys.argv[1:]
entries = []
for entry in json.loads(pathlib.Path(build, "compile_commands.json").read_text()):
    name = str(pathlib.Path(entry["file"]).resolve())
    if not re.match(re.escape(root) + r"/(lathe|cli|tests|bench)/", name) or word not in name:
        continue
    command = re.sub(r" -fpch-preprocess| -Winvalid-pch| -fopenmp\b| -include \S*cmake_pch\S*", "", entry["command"])
    entry["command"] = re.sub(r"^.*?(?=\S*(?:c\+\+|g\+\+)\S* -)", "", command)
    entries.append(entry)
pathlib.Path(database, "compile_commands.json").write_text(json.dumps(entries))
files = sorted({entry["file"] for entry in entries})
pathlib.Path(database, "files").write_text("".join(name + "\n" for name in files))
print(f"clang-tidy of {len(files)} files")
EOF
xargs -a "$database/files" -d '\n' -r -P 2 -n 1 "$tidy" --quiet -p "$database" \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument \
  2> >(grep -vE "^[0-9]+ warnings? generated" >&2)
