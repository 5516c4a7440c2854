"""Writes the golden data of tests/train/golden_test.cpp: 20 steps of pretraining a small Llama with
transformers and torch.optim.AdamW, in float64 and in float32.

usage: python make_pretrain.py OUT_DIR     (versions used: see versions.json beside the data)

In float64 everything is: transformers rounds RMSNorm, softmax and loss to float32 whatever the dtype, so
the norm is replaced by the same formula without that rounding, attention is SDPA, and the loss is taken
from the logits here. Each step has two micro-batches with different numbers of targets; the loss is the sum
over both by the number of targets in both.
"""
import json
import math
import sys

import safetensors
import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, get_cosine_schedule_with_warmup
from transformers.models.llama import modeling_llama

STEPS, MICRO, ROWS, LENGTH, VOCAB = 20, 2, 3, 24, 96
OUT = sys.argv[1]

config = LlamaConfig(
    vocab_size=VOCAB, hidden_size=32, intermediate_size=56, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5,
    rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, initializer_range=0.1,
    attention_bias=True, tie_word_embeddings=False, bos_token_id=None, eos_token_id=0,
    attn_implementation="sdpa")


def exact_norm(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def loss_sum(model, ids, labels):
    logits = model(input_ids=ids).logits[:, :-1].reshape(-1, VOCAB)
    return torch.nn.functional.cross_entropy(logits, labels[:, 1:].reshape(-1), ignore_index=-100, reduction="sum")


def train(initial, ids, labels, dtype):
    model = LlamaForCausalLM(config).to(dtype)
    model.load_state_dict({k: v.to(dtype) for k, v in initial.items()})
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        lr=3e-3, betas=(0.9, 0.95), eps=1e-8)
    schedule = get_cosine_schedule_with_warmup(optimizer, 3, STEPS)
    losses, norms = [], []
    for step in range(STEPS):
        targets = (labels[step][:, :, 1:] != -100).sum()
        total = 0.0
        for m in range(MICRO):
            loss = loss_sum(model, ids[step, m], labels[step, m]) / targets
            loss.backward()
            total += loss.item()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        losses.append(total)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return losses, norms, {k: v.detach().clone() for k, v in model.state_dict().items()}


torch.manual_seed(0)
torch.set_num_threads(1)
initial = {k: v.clone() for k, v in LlamaForCausalLM(config).float().state_dict().items()}
for name, tensor in initial.items():  # biases and norms start at constants: make them matter
    if tensor.dim() == 1:
        tensor += 0.1 * torch.randn_like(tensor)
# A sequence with something to learn: each token follows from the one before, with some noise.
ids = torch.randint(VOCAB, (STEPS, MICRO, ROWS, LENGTH))
for t in range(1, LENGTH):
    keep = torch.rand(STEPS, MICRO, ROWS) < 0.7
    ids[..., t] = torch.where(keep, (ids[..., t - 1] * 5 + 7) % VOCAB, ids[..., t])
labels = ids.clone()
labels[:, 1, :, :9] = -100
labels[:, 0, 2, -5:] = -100

single = train(initial, ids, labels, torch.float32)
modeling_llama.LlamaRMSNorm.forward = exact_norm
double = train(initial, ids, labels, torch.float64)

save_file({f"initial.{k}": v for k, v in initial.items()} | {"ids": ids.to(torch.int32), "labels": labels.to(torch.int32)},
          f"{OUT}/inputs.safetensors")
save_file({f"float64.{k}": v for k, v in double[2].items()} | {f"float32.{k}": v for k, v in single[2].items()},
          f"{OUT}/weights.safetensors")
json.dump({"config": config.to_dict(), "float64": {"loss": double[0], "grad_norm": double[1]},
           "float32": {"loss": single[0], "grad_norm": single[1]}}, open(f"{OUT}/curves.json", "w"), indent=1)
json.dump({"torch": torch.__version__, "transformers": transformers.__version__, "safetensors": safetensors.__version__},
          open(f"{OUT}/versions.json", "w"))
assert all(math.isfinite(x) for x in double[0]), "diverged"
