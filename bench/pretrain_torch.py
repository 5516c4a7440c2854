"""Tokens/s of a pretraining step of transformers' model under PyTorch: forward, backward, clipping and fused
AdamW; the median over the steps after the second.

usage: python pretrain_torch.py MODEL_DIR autocast|bf16 [--compile]
autocast: float32 weights, bfloat16 products. bf16: everything in bfloat16.
Environment: DEVICE (cpu), ROWS (4), LENGTH (512), STEPS (8). Without model.safetensors the weights are random.
"""
import os
import statistics
import sys
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM

ROWS, LENGTH, STEPS = (int(os.environ.get(k, d)) for k, d in (("ROWS", 4), ("LENGTH", 512), ("STEPS", 8)))
DEVICE = os.environ.get("DEVICE", "cpu")
folder, precision = sys.argv[1:3]
torch.manual_seed(0)
dtype = torch.bfloat16 if precision == "bf16" else torch.float32
if os.path.exists(os.path.join(folder, "model.safetensors")):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
else:
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=dtype)
model.to(DEVICE).train()
model.config.use_cache = False
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
ids = torch.randint(5, model.config.vocab_size, (ROWS, LENGTH), device=DEVICE)


def forward():
    return model(input_ids=ids, labels=ids).loss


if "--compile" in sys.argv:
    forward = torch.compile(forward)
times = []
for _ in range(STEPS):
    begin = time.perf_counter()
    with torch.autocast(DEVICE, torch.bfloat16, enabled=precision == "autocast"):
        loss = forward()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if DEVICE != "cpu":
        torch.cuda.synchronize()
    times.append(time.perf_counter() - begin)
print(round(ROWS * LENGTH / statistics.median(times[2:]), 1))
