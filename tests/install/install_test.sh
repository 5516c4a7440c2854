#!/usr/bin/env bash
# install_test.sh BUILD SOURCE: installs into a folder, moves it, checks that nothing in it leads
# outside, and builds and runs examples/library against it.
set -euo pipefail
build=$1 source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/moved/lathe

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# loads_from_tree PROGRAM: every library of PROGRAM is of the tree or of the C and C++ run time.
loads_from_tree() {
  local library path
  while read -r library path; do
    case $library in
      linux-vdso.so.* | /lib*/ld-linux* | libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libutil.so.* | \
        libpthread.so.* | libstdc++.so.* | libgcc_s.so.*) continue ;;
    esac
    case $(realpath -m "${path:-missing}") in
      "$tree"/lib/lathe/*) ;;
      *) fail "$1 loads $library from ${path:-nowhere}, not from the installed tree" ;;
    esac
  done < <(ldd "$1" | awk '{ print $1, ($2 == "=>" && $3 != "not") ? $3 : "" }')
}

cmake --install "$build" --prefix "$scratch/first" >"$scratch/log" || fail "$(cat "$scratch/log")"
mkdir "$scratch/moved"
mv "$scratch/first" "$tree"

if grep -rE "(^|[\" ;=])($scratch/first|$source|$build)/" "$tree/lib/cmake"; then fail "these files name where the tree was made"; fi
if [ -e "$build/lathe" ]; then
  [ -x "$tree/bin/lathe" ] || fail "no bin/lathe in the tree"
  if readelf -d "$tree/bin/lathe" | grep -E 'R(UN)?PATH' | grep -vF "[\$ORIGIN/../lib/lathe]"; then
    fail "bin/lathe looks for libraries outside the tree"
  fi
  loads_from_tree "$tree/bin/lathe"
  (cd / && env -i "$tree/bin/lathe" --help >/dev/null) || fail "the moved bin/lathe --help"
fi

cmake -G Ninja -S "$source/examples/library" -B "$scratch/example" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$tree" >"$scratch/log" || fail "$(cat "$scratch/log")"
cmake --build "$scratch/example"
loads_from_tree "$scratch/example/example"
(cd "$scratch" && "$scratch/example/example") || fail "the program built against the tree"
printf 'the tree has %s, of them headers of libtorch %s\n' "$(du -sh "$tree" | cut -f 1)" \
  "$(du -sh "$tree/lib/lathe/include" | cut -f 1)"
