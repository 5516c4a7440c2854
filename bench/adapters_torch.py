"""A training step of LoRA by PEFT without a trainer around it: prints the median tokens/s after the second step.

usage: python adapters_torch.py MODEL_DIR lora-autocast|lora-bf16 [--rows N] [--length N] [--steps N] [--compile]
A step is forward, backward, gradient clipping and fused AdamW on random tokens; the base is float32 under autocast, or
bfloat16 itself.
"""
import argparse
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("case", choices=["lora-autocast", "lora-bf16"])
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--compile", action="store_true")
given = parser.parse_args()

bf16 = given.case == "lora-bf16"
model = AutoModelForCausalLM.from_pretrained(given.model, dtype=torch.bfloat16 if bf16 else torch.float32)
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
model.train()
model.config.use_cache = False
weights = [w for w in model.parameters() if w.requires_grad]
optimizer = torch.optim.AdamW(weights, lr=1e-4, fused=True)
forward = torch.compile(lambda ids: model(input_ids=ids, labels=ids).loss) if given.compile else (
    lambda ids: model(input_ids=ids, labels=ids).loss)
speeds = []
for _ in range(given.steps):
    ids = torch.randint(5, model.config.vocab_size, (given.rows, given.length))
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=not bf16):
        loss = forward(ids)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    speeds.append(ids.numel() / (time.perf_counter() - start))
print(f"{statistics.median(speeds[2:]):.1f}")
