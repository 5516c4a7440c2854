"""Tokens/s of a pretraining step of transformers' model under PyTorch: forward, backward, clipping and fused
AdamW on 4 rows of 512 tokens; the median over the steps after the second.

usage: python pretrain_torch.py MODEL_DIR autocast|bf16 [--compile]
autocast: float32 weights, bfloat16 products. bf16: everything in bfloat16.
"""
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

ROWS, LENGTH, STEPS = 4, 512, 8
folder, precision = sys.argv[1:3]
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
model.train()
model.config.use_cache = False
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
ids = torch.randint(5, model.config.vocab_size, (ROWS, LENGTH))


def forward():
    return model(input_ids=ids, labels=ids).loss


if "--compile" in sys.argv:
    forward = torch.compile(forward)
times = []
for _ in range(STEPS):
    begin = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "autocast"):
        loss = forward()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    times.append(time.perf_counter() - begin)
print(round(ROWS * LENGTH / statistics.median(times[2:]), 1))
