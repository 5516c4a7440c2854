"""Trains a small model of folk tunes or text with Lathe, loads it with transformers and compares the
validation loss in float32: within 1e-4.

usage: python trained_model.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import pathlib
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

lathe, folder = f"{sys.argv[1]}/lathe", pathlib.Path.cwd()
source = pathlib.Path(__file__).resolve().parents[2]
LENGTH = 128


def run(*command):
    return subprocess.run([lathe, *map(str, command)], check=True, capture_output=True, text=True).stdout


texts = sorted(source.glob("lathe/**/*.cpp"))
documents = [t.read_text() for t in texts]
train, valid = documents[: len(documents) * 9 // 10], documents[len(documents) * 9 // 10:]
for name, part in (("train", train), ("valid", valid)):
    (folder / f"{name}.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in part))
run("tokenizer", folder / "train.jsonl", "--vocab-size", 600, "--out", folder / "tokenizer")
(folder / "recipe.yaml").write_text(f"""
model: {{hidden_size: 64, intermediate_size: 160, num_hidden_layers: 3, num_attention_heads: 4, num_key_value_heads: 2,
  max_position_embeddings: {LENGTH}, tie_word_embeddings: true, rope_parameters: {{rope_type: llama3, rope_theta: 10000,
  factor: 4, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64}}}}
tokenizer: {folder}/tokenizer
train_data: [{folder}/train.jsonl]
max_length: {LENGTH}
per_device_train_batch_size: 8
max_steps: 60
learning_rate: 3e-3
cache_dir: {folder}/cache
output_dir: {folder}/run
""")
run("train", folder / "recipe.yaml")
ours = json.loads(run("eval", "--model", folder / "run/model", "--data", folder / "valid.jsonl", "--json",
                      "--max_length", LENGTH, "--cache_dir", folder / "cache"))

tokenizer = AutoTokenizer.from_pretrained(folder / "run/model")
model = AutoModelForCausalLM.from_pretrained(folder / "run/model", dtype=torch.float32).eval()
total, count = 0.0, 0
with torch.no_grad():
    for text in valid:
        ids = tokenizer(text)["input_ids"] + [tokenizer.eos_token_id]
        for begin in range(0, len(ids) - 1, LENGTH - 1):  # each part begins with the last token before it
            part = torch.tensor([ids[begin: begin + LENGTH]])
            logits = model(input_ids=part).logits[0, :-1]
            total += torch.nn.functional.cross_entropy(logits, part[0, 1:], reduction="sum").item()
            count += part.shape[1] - 1
theirs = total / count
print(f"validation loss: lathe {ours['loss']:.6f}, transformers {theirs:.6f}; tokens {ours['tokens']:.0f}, {count}")
assert ours["tokens"] == count, "not the same targets"
assert abs(ours["loss"] - theirs) <= 1e-4, "losses differ"
