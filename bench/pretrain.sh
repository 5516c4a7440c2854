#!/usr/bin/env bash
# A pretraining step of SmolLM2-135M in bfloat16 beside PyTorch: one after the other, on an otherwise
# idle machine.
#
#   bench/pretrain.sh MODEL_DIR PEERS [build/lathe]
#
# MODEL_DIR: the model as a Hugging Face directory; without model.safetensors the weights are random.
# PEERS: a virtual environment with torch and transformers. Prints tokens/s (median over steps after
# the second) and the largest resident memory, on a GPU that of the GPU.
#
#   DEVICE=cpu ROWS=4 LENGTH=512 STEPS=8   what is measured
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$(realpath "$1") python=$(realpath -s "$2")/bin/python lathe=$(realpath "${3:-build/lathe}")
export DEVICE=${DEVICE:-cpu} ROWS=${ROWS:-4} LENGTH=${LENGTH:-512} STEPS=${STEPS:-8}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat "$here"/../lathe/*/*.cpp "$here"/../lathe/*/*.h >"$scratch/text.txt"

row() { printf '%-34s %8s tokens/s  %6s MB\n' "$1" "$2" "$3"; }

# Runs a command and leaves its largest memory, in MB, in $scratch/memory.
measured() {
  if [ "$DEVICE" = cpu ]; then
    /usr/bin/time -f %M -o "$scratch/time" "$@" && echo $(($(tail -n 1 "$scratch/time") / 1024)) >"$scratch/memory"
    return
  fi
  nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 100 >"$scratch/samples" &
  local sampler=$!
  "$@" || { kill $sampler; return 1; }
  kill $sampler
  sort -n "$scratch/samples" | tail -n 1 >"$scratch/memory"
}

lathe_row() {
  local from=$model
  if [ ! -e "$model/model.safetensors" ]; then
    from=$("$python" -c "
import json
c = json.load(open('$model/config.json'))
keys = ['model_type', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads',
        'num_key_value_heads', 'rms_norm_eps', 'tie_word_embeddings', 'max_position_embeddings']
print(json.dumps({k: c[k] for k in keys}))")
  fi
  cat >"$scratch/recipe.yaml" <<RECIPE
model: $from
tokenizer: $model
train_data: [$scratch/text.txt]
max_length: $LENGTH
per_device_train_batch_size: $ROWS
max_steps: $STEPS
logging_steps: 1
learning_rate: 1e-5
save_steps: 0
sample_tokens: 0
device: $DEVICE
cache_dir: $scratch/cache
output_dir: $scratch/run
RECIPE
  measured "$lathe" train "$scratch/recipe.yaml" --overwrite 2>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
  rate=$("$python" -c "
import json, statistics, sys
lines = [json.loads(l) for l in open('$scratch/run/metrics.jsonl')]
print(round(statistics.median(l['tokens_per_second'] for l in lines[2:] if 'loss' in l), 1))")
  row "lathe, float32 weights" "$rate" "$(cat "$scratch/memory")"
}

peer_row() {  # NAME PRECISION [--compile]
  measured "$python" "$here/pretrain_torch.py" "$model" "${@:2}" >"$scratch/out" 2>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
  row "$1" "$(cat "$scratch/out")" "$(cat "$scratch/memory")"
}

lathe_row
peer_row "torch compile, float32 weights" autocast --compile
peer_row "torch compile, bfloat16 weights" bf16 --compile
peer_row "torch eager, float32 weights" autocast
peer_row "torch eager, bfloat16 weights" bf16
lathe_row
