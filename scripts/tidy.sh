#!/usr/bin/env bash
# tidy.sh BUILD [WORD]: clippy over the bridge, clang-tidy over our other sources by the commands
# the build used, two at a time. WORD: only what is compiled together with a file that has it in its
# path, such as lathe/io.
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

# clang reads no precompiled header of GCC: out with it, and with the compiler cache in front.
python3 - "$build" "$database" "$PWD" "$word" <<'EOF'
import json, pathlib, re, sys

build, database, root, word = sys.argv[1:]
root = re.escape(root) + r"/(?:lathe|cli|tests|bench)/"


def sources(file):
    """What of ours is compiled there: the file itself, or those that it includes as one."""
    one = [str(file.resolve())] if file.parent.name != "Unity" else re.findall(r'#include "(.*)"', file.read_text())
    return [name for name in one if re.match(root, name)]


entries = []
for entry in json.loads(pathlib.Path(build, "compile_commands.json").read_text()):
    if not any(word in name for name in sources(pathlib.Path(entry["file"]))):
        continue
    command = re.sub(r" -fpch-preprocess| -Winvalid-pch| -fopenmp(?!-)| -include \S*cmake_pch\S*", "", entry["command"])
    entry["command"] = re.sub(r"^.*?(?=\S*(?:c\+\+|g\+\+)\S* -)", "", command)
    entries.append(entry)
pathlib.Path(database, "compile_commands.json").write_text(json.dumps(entries))
files = sorted({entry["file"] for entry in entries})
pathlib.Path(database, "files").write_text("".join(name + "\n" for name in files))
print(f"clang-tidy of {len(files)} units")
EOF
xargs -a "$database/files" -d '\n' -r -P 2 -n 1 "$tidy" --quiet -p "$database" \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument \
  2> >(grep -vE "^[0-9]+ warnings? generated" >&2)
