#!/usr/bin/env bash
# Continued pretraining on a new domain: perplexity there and on general text, and cloze questions, before and after.
#
# usage: domain.sh MODEL DOMAIN GENERAL_TRAIN GENERAL_TEST LATHE OUT [METHOD ...]
#   DOMAIN   folder and name of what scripts/domain.py wrote, such as data/book
#   GENERAL  JSONL with text: a part is mixed in (one row in five), the other is measured
#   METHOD   full, last4; by default both
set -euo pipefail
model=$1 domain=$2 general_train=$3 general_test=$4 lathe=$5 out=$6
shift 6
mkdir -p "$out"
train=$(ls "$domain".train.*) test=$(ls "$domain".test.*) name=$(basename "$domain")

measure() { # LABEL MODEL
  local text=$out/$name.$1
  [ -s "$text.txt" ] && return
  for data in "$test" "$general_test"; do
    "$lathe" eval --model "$2" "$data" --max_length 512 --dtype bfloat16 --json >"$text.$(basename "$data").json"
  done
  "$lathe" eval --model "$2" --cloze "$domain.cloze.jsonl" --dtype bfloat16 --json >"$text.cloze.json"
  python3 - "$1" "$text.$(basename "$test").json" "$text.$(basename "$general_test").json" "$text.cloze.json" >"$text.txt" <<'END'
import json, sys
new, general, cloze = (json.load(open(path)) for path in sys.argv[2:5])
print(f"{sys.argv[1]}: perplexity {new['perplexity']:.3f} on the new domain, {general['perplexity']:.3f} on general text; "
      f"{round(cloze['accuracy'] * cloze['questions'])} of {cloze['questions']} questions right")
END
  cat "$text.txt"
}

measure before "$model"
for method in "${@:-full last4}"; do
  for each in $method; do
    trainable='[all]' rate=5e-5
    [ "$each" = last4 ] && trainable='[last_layers(4), model.norm.weight]' rate=2e-4
    cat >"$out/$name.$each.yaml" <<R
model: $model
train_data: [{path: $train, weight: 0.8}, {path: $general_train, weight: 0.2}]
trainable: $trainable
max_length: 512
packing: true
per_device_train_batch_size: 4
num_train_epochs: 2
learning_rate: $rate
lr_scheduler_type: cosine
warmup_ratio: 0.1
logging_steps: 5
eval_steps: 0
save_steps: 0
sample_tokens: 0
seed: 1
output_dir: $out/run.$name.$each
cache_dir: $out/cache
R
    [ -d "$out/run.$name.$each/model" ] || "$lathe" train "$out/$name.$each.yaml" >"$out/$name.$each.log" 2>&1
    measure "$each" "$out/run.$name.$each/model"
  done
done
