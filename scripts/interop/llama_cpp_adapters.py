"""llama.cpp takes the LoRA adapters that Lathe writes as GGUF: on a real model its loss is that of `lathe eval --adapter`
within 0.1 %, and far from the model's own.

usage: python llama_cpp_adapters.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import pathlib
import sys

from support.llama_cpp import TEXT, LlamaCpp
from support.real_models import TEXTS, fetch, lathe_runner

lathe = lathe_runner(sys.argv[1])
KINDS = {
    "lora": {"r": 8, "target_modules": ["q_proj", "v_proj"]},
    "rslora": {"r": 4, "use_rslora": True},
    "pissa": {"r": 4, "init_lora_weights": "pissa", "target_modules": ["k_proj", "down_proj"]},
}

source = fetch("SmolLM2-135M-Instruct, Q4_1")
lathe("convert", source, "base", "--dtype", "float32")
lathe("convert", "base", "base.gguf", "--quant", "F32")
pathlib.Path("texts.txt").write_text("\n\n".join(TEXTS) * 4)
server = LlamaCpp("base.gguf")
ids = [1, *server.tokens(TEXT)]
plain = server.loss(ids)
for kind, settings in KINDS.items():
    pathlib.Path("recipe.yaml").write_text(json.dumps({
        "model": "base", "adapter": {"peft_type": "LORA", **settings}, "train_data": ["texts.txt"], "max_length": 128,
        "per_device_train_batch_size": 2, "max_steps": 12, "learning_rate": 2e-3, "sample_tokens": 0, "output_dir": kind}))
    lathe("train", "recipe.yaml")
    lathe("convert", "base", f"{kind}.gguf", "--adapter", f"{kind}/adapter")
    found = json.loads(lathe("eval", "--model", "base", "--adapter", f"{kind}/adapter", "--dtype", "float32", "--text", TEXT,
                             "--json"))
    expected = LlamaCpp("base.gguf", f"{kind}.gguf").loss(ids[: int(found["tokens"]) + 1])
    off = found["loss"] / expected - 1
    print(f"{kind}: loss {found['loss']:.5f} in Lathe, {expected:.5f} in llama.cpp ({100 * off:+.4f} %), {plain:.5f} without it",
          flush=True)
    assert abs(off) < 1e-3 and abs(expected / plain - 1) > 1e-2
