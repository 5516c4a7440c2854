#!/usr/bin/env bash
# Fetches 12,762 folk tunes in ABC notation into .deps/demo/corpus: four folders of the package
# music21, from PyPI. They are not part of Lathe: old tunes, transcribed by many; those of the Essen
# collection may be used for non-commercial purposes only (license.txt in its folder).
# A second run finds them there and does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

version=10.5.0
sha256=9924eff5fbf58490e67cbf3b78a58ba53040e77c281930d354af32a747e94606
folders=(essenFolksong ryansMammoth oneills1850 airdsAirs)
place=.deps/demo
wheel=$place/music21-$version-py3-none-any.whl

[ "$(cat $place/corpus/complete 2>/dev/null)" != "$sha256 ${folders[*]}" ] || exit 0
mkdir -p $place

is_whole() { [ -e "$wheel" ] && sha256sum "$wheel" | grep -q "^$sha256 "; }

# A python that has pip: any does, the wheel is only unpacked.
python_with_pip() {
  local python
  for python in .deps/torch/bin/python python3 $place/pip/bin/python; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  python3 -m venv $place/pip >/dev/null && echo $place/pip/bin/python
}

if ! is_whole; then
  echo "fetching the tunes: music21 $version, 20 MB, into $place"
  rm -f "$wheel"
  python=$(python_with_pip) || {
    echo "demo: python3 cannot make a virtual environment; install it: sudo apt-get install -y python3-venv" >&2
    exit 1
  }
  "$python" -m pip download -q --no-input --disable-pip-version-check --no-deps \
    --only-binary=:all: --python-version 3.12 --dest $place "music21==$version" || {
    echo "demo: music21 $version could not be downloaded (no network?); put its wheel at $wheel" >&2
    exit 1
  }
  is_whole || {
    echo "demo: $wheel: expected sha256 $sha256, found $(sha256sum "$wheel" | cut -d' ' -f1); delete it and run again" >&2
    exit 1
  }
fi

rm -rf $place/corpus $place/corpus.new
python3 - "$wheel" $place/corpus.new "${folders[@]}" <<'END'
import pathlib, sys, zipfile
wheel, out, folders = sys.argv[1], pathlib.Path(sys.argv[2]), set(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        parts = name.split("/")
        if parts[:2] == ["music21", "corpus"] and len(parts) == 4 and parts[2] in folders:
            path = out / parts[2] / parts[3]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
END
echo "$sha256 ${folders[*]}" >$place/corpus.new/complete
mv $place/corpus.new $place/corpus
