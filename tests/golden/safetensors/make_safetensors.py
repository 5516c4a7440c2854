"""Writes the golden files of this folder with the reference implementation.

    python make_safetensors.py        # versions used: see versions.json

all_dtypes.safetensors   one tensor of each type that the package can write
shapes.safetensors       ranks 0 to 5, empty tensors, names and metadata beyond ASCII
sharded/                 a model in shards with their index, as huggingface_hub splits it
Byte i of tensor t holds (37 * t + 11 * i) mod 251, for booleans mod 2; t counts in order of names.
"""

import ctypes
import json
import pathlib
import platform

import huggingface_hub
import safetensors
import torch
from huggingface_hub import save_torch_state_dict

here = pathlib.Path(__file__).parent

DTYPES = {  # by the names the package takes: bits of an element
    "bool": 8, "uint8": 8, "int8": 8, "float8_e5m2": 8, "float8_e4m3fn": 8, "float8_e8m0fnu": 8,
    "float8_e4m3fnuz": 8, "float8_e5m2fnuz": 8, "int16": 16, "uint16": 16, "float16": 16,
    "bfloat16": 16, "int32": 32, "uint32": 32, "float32": 32, "complex64": 64, "float64": 64,
    "int64": 64, "uint64": 64,
}  # fmt: skip


def content(t, size, boolean=False):
    return bytes((37 * t + 11 * i) % (2 if boolean else 251) for i in range(size))


def write(name, tensors, metadata):
    """tensors: {name: (dtype, shape)}"""
    specs, keep = {}, []
    for t, key in enumerate(sorted(tensors)):
        dtype, shape = tensors[key]
        size = DTYPES[dtype] // 8
        for n in shape:
            size *= n
        buffer = ctypes.create_string_buffer(content(t, size, dtype == "bool"), max(size, 1))
        keep.append(buffer)
        specs[key] = safetensors.TensorSpec(
            dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffer), data_len=size
        )
    (here / name).write_bytes(safetensors.serialize(specs, metadata))


def main():
    write("all_dtypes.safetensors", {f"t.{d}": (d, [2, 3]) for d in DTYPES}, {"format": "pt"})
    shapes = [[], [1], [7], [0], [3, 0, 2], [2, 3], [2, 1, 3], [1, 2, 1, 2], [2, 1, 2, 1, 2]]
    tensors = {f"s{i}": ("int8" if i % 2 else "float32", s) for i, s in enumerate(shapes)}
    tensors["größe \"x\"\\\n\u0001 重み"] = ("bfloat16", [3])
    write("shapes.safetensors", tensors, {"näme \t\"q\"": "wert\u001f 値 🎵"})
    state = {}
    sizes = {"b.weight": (4, 4), "a.weight": (8, 8), "c.weight": (2, 3), "d.bias": (5,)}
    for t, name in enumerate(sorted(sizes)):
        count = 2 * torch.Size(sizes[name]).numel()
        raw = torch.frombuffer(bytearray(content(t, count)), dtype=torch.bfloat16)
        state[name] = raw.reshape(sizes[name])
    state = {name: state[name] for name in sizes}
    (here / "sharded").mkdir(exist_ok=True)
    save_torch_state_dict(state, here / "sharded", filename_pattern="model{suffix}.safetensors",
                          max_shard_size=50)  # fmt: skip
    versions = {
        "python": platform.python_version(), "safetensors": safetensors.__version__,
        "huggingface_hub": huggingface_hub.__version__, "torch": torch.__version__,
    }  # fmt: skip
    (here / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")


main()
