#!/usr/bin/env bash
# Continued pretraining on a new domain: perplexity there and on other text, and cloze questions, before and after.
#
# usage: [EPOCHS=2] domain.sh MODEL DOMAIN GENERAL_TRAIN GENERAL_TEST OTHER_TEST LATHE OUT [METHOD ...]
#   DOMAIN   folder and name of what scripts/domain.py wrote, such as data/book
#   GENERAL  JSONL with text: a part is mixed in (one row in five), the other is measured
#   OTHER    JSONL with text of a kind that is in neither
#   METHOD   full, last4, lora; by default all
set -euo pipefail
model=$1 domain=$2 general_train=$3 general_test=$4 other_test=$5 lathe=$6 out=$7
shift 7
mkdir -p "$out"
train=$(ls "$domain".train.*) test=$(ls "$domain".test.*) name=$(basename "$domain")

measure() { # LABEL MODEL...
  local text=$out/$name.$1 label=$1
  shift
  [ -s "$text.txt" ] && return
  "$lathe" eval --model "$@" "$test" --max_length 512 --dtype bfloat16 --json >"$text.new.json"
  "$lathe" eval --model "$@" "$general_test" --max_length 512 --dtype bfloat16 --json >"$text.general.json"
  "$lathe" eval --model "$@" "$other_test" --max_length 512 --dtype bfloat16 --json >"$text.other.json"
  "$lathe" eval --model "$@" --cloze "$domain.cloze.jsonl" --dtype bfloat16 --json >"$text.cloze.json"
  python3 - "$label" "$text" >"$text.txt" <<'END'
import json, sys
new, general, other, cloze = (json.load(open(f"{sys.argv[2]}.{part}.json")) for part in ("new", "general", "other", "cloze"))
print(f"{sys.argv[1]}: perplexity {new['perplexity']:.3f} on the new domain, {general['perplexity']:.3f} on text of the kind that "
      f"is mixed in, {other['perplexity']:.3f} on other text; "
      f"{round(cloze['accuracy'] * cloze['questions'])} of {cloze['questions']} questions right")
END
  cat "$text.txt"
}

measure before "$model"
for method in "${@:-full last4 lora}"; do
  for each in $method; do
    trained='trainable: [all]' rate=5e-5
    [ "$each" = last4 ] && trained='trainable: [last_layers(4), model.norm.weight]' rate=2e-4
    [ "$each" = lora ] && trained='adapter: {peft_type: LORA, r: 16, lora_alpha: 32}' rate=5e-4
    cat >"$out/$name.$each.yaml" <<R
model: $model
train_data: [{path: $train, weight: 0.8}, {path: $general_train, weight: 0.2}]
$trained
max_length: 512
packing: true
per_device_train_batch_size: 4
num_train_epochs: ${EPOCHS:-2}
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
    run=$out/run.$name.$each
    [ -d "$run/model" ] || [ -d "$run/adapter" ] || "$lathe" train "$out/$name.$each.yaml" >"$out/$name.$each.log" 2>&1
    if [ -d "$run/adapter" ]; then
      measure "$each" "$model" --adapter "$run/adapter"
    else
      measure "$each" "$run/model"
    fi
  done
done
