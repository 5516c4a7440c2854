"""Compares Lathe's safetensors reader and writer with the reference implementation, both ways.

    python scripts/interop/safetensors_format.py build [rounds]

1. Random files written by the `safetensors` package: Lathe reads them and writes them anew; each
   must come back byte for byte, and the package must read the same tensors from it.
2. Mutants of their headers: whatever Lathe accepts, the package must accept too, with the same
   tensors. What only the package accepts is counted by Lathe's reason.
Needs the package safetensors.
"""

import collections
import ctypes
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import safetensors

DTYPES = {
    "bool": 1, "uint8": 1, "int8": 1, "float8_e5m2": 1, "float8_e4m3fn": 1, "int16": 2,
    "uint16": 2, "float16": 2, "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4,
    "complex64": 8, "float64": 8, "int64": 8, "uint64": 8,
}  # fmt: skip
TOKENS = ["{", "}", "[", "]", ",", ":", '"', "0", "-1", "1e1", "1.0", "-0", "null", "true", " ",
          "18446744073709551615", "18446744073709551616", "9223372036854775807", '"U8"', '"F4"',
          '"dtype":', '"x":1,', '"shape":[0],', '"__metadata__":{},', "\\u0000", "\\ud800",
          "\0", "\ufeff", "\t"]  # fmt: skip


def random_file(rng):
    names = ["".join(rng.choice('aZ.0_"\\\n\t\x7fé重🎵') for _ in range(rng.randint(0, 12)))
             for _ in range(rng.randint(0, 12))]  # fmt: skip
    specs, keep = {}, []
    for name in set(names) - {"__metadata__"}:
        dtype = rng.choice(list(DTYPES))
        shape = [rng.randint(0, 5) for _ in range(rng.randint(0, 4))]
        size = DTYPES[dtype]
        for n in shape:
            size *= n
        buffer = ctypes.create_string_buffer(rng.randbytes(size), max(size, 1))
        keep.append(buffer)
        specs[name] = safetensors.TensorSpec(
            dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffer), data_len=size
        )
    # One entry at most: the package writes several in random order.
    metadata = rng.choice([None, {"format": "pt"}, {"k\x01": "v é\n"}])
    return safetensors.serialize(specs, metadata)


def mutant(rng, file):
    length = int.from_bytes(file[:8], "little")
    header, data = file[8 : 8 + length].decode(), file[8 + length :]
    for _ in range(rng.randint(1, 2)):
        at, size = rng.randint(0, len(header)), rng.randint(0, 30)
        kind = rng.randrange(5)
        if kind == 0:
            header = header[:at] + header[at + size :]
        elif kind == 1:
            header = header[:at] + header[at : at + size] + header[at:]
        elif kind == 2:
            header = header[:at] + rng.choice(TOKENS) + header[at:]
        elif kind == 3:
            header = header[:at] + rng.choice(TOKENS) + header[at + size :]
        else:
            digits = [i for i, c in enumerate(header) if c.isdigit()]
            if digits:
                i = rng.choice(digits)
                header = header[:i] + rng.choice("0123456789") + header[i + 1 :]
    encoded = header.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(8, "little") + encoded + data


def read(content):
    """What the package reads, or None."""
    try:
        return sorted((n, t["dtype"], tuple(t["shape"]), bytes(t["data"]))
                      for n, t in safetensors.deserialize(content))  # fmt: skip
    except safetensors.SafetensorError:
        return None


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve() / "tests/test_io")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "in").mkdir()
        files = {}
        for i in range(rounds):
            whole = random_file(rng)
            files[f"whole-{i}"] = whole
            files[f"mutant-{i}"] = mutant(rng, whole)
        for key, content in files.items():
            (folder / "in" / key).write_bytes(content)
        subprocess.run([program, "--gtest_filter=SafetensorsInterop.*", "--gtest_brief=1"],
                       env={**os.environ, "LATHE_INTEROP": name}, check=True)  # fmt: skip
        verdicts = json.loads((folder / "verdicts.json").read_text())
        count, stricter = collections.Counter(), collections.Counter()
        for key, content in files.items():
            theirs = read(content)
            ours = verdicts[key] == "accepted"
            if ours:
                written = (folder / "out" / key).read_bytes()
                assert theirs is not None, f"only Lathe accepts {content!r}"
                assert read(written) == theirs, f"read otherwise: {content!r}"
            if key.startswith("whole"):
                assert ours and written == content, f"{verdicts[key]}: {content!r}"
            elif ours or theirs is None:
                count["accepted by both" if ours else "refused by both"] += 1
            else:
                count["accepted by the package alone"] += 1
                reason = verdicts[key].split(": ", 1)[1]
                stricter["".join(c for c in reason if not c.isdigit())[-40:]] += 1
    print(f"safetensors {safetensors.__version__}: {rounds} files read and written byte for byte")
    print(f"{rounds} mutants:", dict(count))
    for reason, times in stricter.most_common(12):
        print(f"  {times:4} x ...{reason}")


main()
