"""Writes the golden file of this folder with bitsandbytes, on the CPU.

    python make_nf4.py        # versions used: see versions.json

nf4.safetensors   `values`: the 16 of NF4; `dynamic`: the 256 of the codes of magnitudes; and of
                  two matrices `NAME.numbers`, bfloat16, what NF4 with double quantisation makes of
                  them: `.codes`, `.scales`, `.steps`, `.offset`, and `.decoded` in float32
"""

import json
import pathlib
import platform

import bitsandbytes
import torch
from bitsandbytes import functional
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
torch.manual_seed(3)

# Blocks of very different sizes, one of zeros; more than 256 blocks, so that there are two steps;
# and rows that begin within a block, with a last block that is not whole.
large = torch.randn(70, 256) * torch.exp(torch.randn(70, 256 // 64).repeat_interleave(64, 1)) * 0.02
large[5, 64:128] = 0
uneven = torch.randn(7, 45) * 0.05

tensors = {
    "values": functional.get_4bit_type("nf4", device="cpu"),
    "dynamic": functional.create_dynamic_map(),
}
for name, numbers in {"large": large, "uneven": uneven}.items():
    numbers = numbers.to(torch.bfloat16)
    # Scaled in float32, as on a GPU, whatever the dtype of the numbers.
    codes, state = functional.quantize_4bit(
        numbers.float(), blocksize=64, quant_type="nf4", compress_statistics=True
    )
    tensors |= {
        f"{name}.numbers": numbers,
        f"{name}.codes": codes.flatten(),
        f"{name}.scales": state.absmax,
        f"{name}.steps": state.state2.absmax,
        f"{name}.offset": state.offset.reshape(1),
        f"{name}.decoded": functional.dequantize_4bit(codes, state).reshape(numbers.shape),
    }
save_file({k: v.contiguous() for k, v in tensors.items()}, here / "nf4.safetensors")
versions = {
    "python": platform.python_version(),
    "bitsandbytes": bitsandbytes.__version__,
    "torch": torch.__version__.split("+")[0],
}
(here / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")
