"""Writes the golden files of this folder with ggml's gguf package.

    python make_gguf.py        # versions used: see versions.json

blocks.safetensors   for each format: `NAME.blocks` bytes and `NAME.numbers`, to which the package
                     decodes them; `numbers` and `NAME.encoded`, to which it encodes them
types.gguf           a value of each metadata type, tensors of several formats and ranks
version2.gguf        the same with the version number 2, whose layout is that of 3
"""

import json
import pathlib
import platform

import gguf
import numpy as np
import safetensors
from gguf import GGMLQuantizationType as Format
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(5)

DECODED = {  # offsets of the half-precision scales in a block
    "F16": [0], "BF16": [], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "IQ4_NL": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}  # fmt: skip
ENCODED = ["F16", "BF16", "Q4_0", "Q5_0", "Q8_0"]
# Zero, subnormal, one, the largest, negative; and what random bits give.
SCALES = np.array([0, 0x8000, 1, 0x83FF, 0x0400, 0x3C00, 0x7BFF, 0xFBFF, 0x2E66, 0xA3D7], np.uint16)


def random_blocks(name):
    """Any bytes, with scales that are finite."""
    size = gguf.GGML_QUANT_SIZES[Format[name]][1]
    count = max(3, 384 // size)
    blocks = rng.integers(0, 256, (count, size), np.uint8)
    for i, offset in enumerate(DECODED[name]):
        scales = np.roll(SCALES, i)[np.arange(count) % len(SCALES)]
        blocks[:, offset : offset + 2] = scales.view(np.uint8).reshape(count, 2)
    if name == "BF16":
        blocks[:, 1] &= 0xBF
    return blocks


def numbers_to_encode():
    """Rows of 32: ordinary ones, then those in which rounding and limits decide."""
    rows = rng.normal(0, 0.05, (24, 32))
    rows[1] *= 1000
    rows[2] *= 1e-5
    rows[3] *= 1e-8
    rows[4] = 0
    rows[5] = -0.0
    rows[6] = np.arange(32) - 16
    rows[7] = np.arange(32) / 2 - 8
    rows[8] = np.linspace(-127, 127, 32)
    rows[9, 3:] = 0
    rows[10] = 0.7
    rows[11, :2] = [1, -1]
    rows[12, :2] = [-1, 1]
    rows[13] = np.where(np.arange(32) % 2, 8, -8)
    rows[14] = 65504 * np.where(np.arange(32) % 3, 1, -1)
    rows[15] = np.ldexp(1 + np.arange(32) / 2**11, -14)
    rows[16] = np.ldexp(1 + np.arange(32) / 2**5, -24)
    rows[17, 0] = 6.1e-5
    rows[18] = np.round(rows[18] * 127) + 0.5
    return rows.astype(np.float32)


def write_blocks():
    tensors = {}
    for name in DECODED:
        blocks = random_blocks(name)
        tensors[f"{name}.blocks"] = blocks
        tensors[f"{name}.numbers"] = dequantize(blocks, Format[name]).astype(np.float32)
    numbers = numbers_to_encode()
    tensors["numbers"] = numbers
    for name in ENCODED:
        encoded = np.ascontiguousarray(quantize(numbers, Format[name]))
        tensors[f"{name}.encoded"] = encoded.view(np.uint8).reshape(len(numbers), -1)
    save_file(tensors, here / "blocks.safetensors")


def write_files():
    writer = gguf.GGUFWriter(here / "types.gguf", "llama")
    writer.add_string("general.name", "Ein schöner Name")
    for bits in (8, 16, 32, 64):
        getattr(writer, f"add_uint{bits}")(f"u{bits}", 2**bits - 1)
        getattr(writer, f"add_int{bits}")(f"i{bits}", -(2 ** (bits - 1)))
    writer.add_float32("f32", 0.1)
    writer.add_float64("f64", 0.1)
    writer.add_bool("yes", True)
    writer.add_bool("no", False)
    writer.add_array("ints", [1, -2, 3])
    writer.add_array("floats", [0.5, -1.5])
    writer.add_array("bools", [True, False, True])
    writer.add_array("strings", ["", "a", "héllo\n", "x" * 300])
    # In an order that is not that of the names.
    matrix = (np.arange(2 * 3 * 64, dtype=np.float32) / 64).reshape(2, 3, 64)
    writer.add_tensor("z.weight", matrix)
    writer.add_tensor("half", matrix[0].astype(np.float16))
    writer.add_tensor("brain", quantize(matrix, Format.BF16), raw_dtype=Format.BF16)
    writer.add_tensor("a.q8", quantize(matrix, Format.Q8_0), raw_dtype=Format.Q8_0)
    writer.add_tensor("b.q4", quantize(matrix[1], Format.Q4_0), raw_dtype=Format.Q4_0)
    writer.add_tensor("count", np.array([7], np.int32))
    writer.add_tensor("vector", np.array([1, 2, 3, 4, 5], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    content = bytearray((here / "types.gguf").read_bytes())
    content[4] = 2
    (here / "version2.gguf").write_bytes(content)


write_blocks()
write_files()
versions = {
    "python": platform.python_version(),
    "gguf": "0.19.0",
    "numpy": np.__version__,
    "safetensors": safetensors.__version__,
}
(here / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")
