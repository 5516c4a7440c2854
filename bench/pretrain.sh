#!/usr/bin/env bash
# A pretraining step of SmolLM2-135M, 4 x 512 tokens in bfloat16, beside PyTorch: one after the other, on an
# otherwise idle machine.
#
#   bench/pretrain.sh MODEL_DIR PEERS [build/lathe]
#
# MODEL_DIR: the model as a Hugging Face directory. PEERS: a virtual environment with torch and
# transformers. Prints tokens/s (median over steps after the second) and the largest resident memory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$(realpath "$1") python=$(realpath -s "$2")/bin/python lathe=$(realpath "${3:-build/lathe}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat "$here"/../lathe/*/*.cpp "$here"/../lathe/*/*.h >"$scratch/text.txt"
steps=8

row() { printf '%-34s %8s tokens/s  %6s MB\n' "$1" "$2" "$3"; }

lathe_row() {
  cat >"$scratch/recipe.yaml" <<RECIPE
model: $model
train_data: [$scratch/text.txt]
max_length: 512
per_device_train_batch_size: 4
max_steps: $steps
logging_steps: 1
learning_rate: 1e-5
save_steps: 0
sample_tokens: 0
cache_dir: $scratch/cache
output_dir: $scratch/run
RECIPE
  /usr/bin/time -f %M -o "$scratch/memory" "$lathe" train "$scratch/recipe.yaml" --overwrite 2>"$scratch/log"
  rate=$("$python" -c "
import json, statistics, sys
lines = [json.loads(l) for l in open('$scratch/run/metrics.jsonl')]
print(round(statistics.median(l['tokens_per_second'] for l in lines[2:] if 'loss' in l), 1))")
  row "lathe, float32 weights" "$rate" $(($(tail -n 1 "$scratch/memory") / 1024))
}

peer_row() {  # NAME PRECISION [--compile]
  /usr/bin/time -f %M -o "$scratch/memory" "$python" "$here/pretrain_torch.py" "$model" "${@:2}" >"$scratch/out" 2>"$scratch/log"
  row "$1" "$(cat "$scratch/out")" $(($(tail -n 1 "$scratch/memory") / 1024))
}

lathe_row
peer_row "torch compile, float32 weights" autocast --compile
peer_row "torch compile, bfloat16 weights" bf16 --compile
peer_row "torch eager, float32 weights" autocast
peer_row "torch eager, bfloat16 weights" bf16
lathe_row
