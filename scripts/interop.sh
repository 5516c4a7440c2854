#!/usr/bin/env bash
# interop.sh BUILD [WORD]: runs the comparisons with other programs, scripts/interop/*.py, with the
# Python of the peers' environment. Each gets the build folder as its one argument and an empty
# folder to work in, and fails by its exit status. WORD: only those with it in their name.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath "$1")
python=$(realpath -s "${PEERS:-$root/.deps/peers}")/bin/python
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

passed=0 failed=()
for script in "$root"/scripts/interop/*"${2:-}"*.py; do
  name=$(basename "$script" .py)
  [ -e "$script" ] || { echo "no comparison in scripts/interop is named like \"${2:-}\"" >&2; exit 1; }
  echo "--- $name"
  mkdir "$scratch/$name"
  if (cd "$scratch/$name" && "$python" "$script" "$build"); then
    passed=$((passed + 1))
  else
    failed+=("$name")
  fi
  rm -rf "${scratch:?}/$name"
done
echo "$passed passed, ${#failed[@]} failed ${failed[*]}"
[ ${#failed[@]} = 0 ]
