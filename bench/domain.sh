#!/usr/bin/env bash
# Continued pretraining on a new domain: perplexity there and on other text, and cloze questions, before and after.
#
# usage: [EPOCHS=2] [SEED=1] domain.sh MODEL DOMAIN GENERAL_TRAIN GENERAL_TEST OTHER_TEST LATHE OUT [METHOD ...]
#   DOMAIN   folder and name of what scripts/domain.py wrote, such as data/book
#   GENERAL  JSONL with text: a part is mixed in (one row in five), the other is measured
#   OTHER    JSONL with text of a kind that is in neither
#   METHOD   full, lastN (so many layers), lora; by default full, last4, lora
set -euo pipefail
model=$1 domain=$2 general_train=$3 general_test=$4 other_test=$5 lathe=$6 out=$7
shift 7
mkdir -p "$out"
seed=${SEED:-1}
train=$(ls "$domain".train.*) test=$(ls "$domain".test.*) name=$(basename "$domain")
if [ $# = 0 ]; then set -- full last4 lora; fi

for method in "$@"; do
  case $method in
    full) trained='trainable: [all]' rate=5e-5 ;;
    last*) trained="trainable: [last_layers(${method#last}), model.norm.weight]" rate=2e-4 ;;
    lora) trained='adapter: {peft_type: LORA, r: 16, lora_alpha: 32}' rate=5e-4 ;;
    *)
      echo "expected full, lastN or lora, found $method" >&2
      exit 1
      ;;
  esac
  run=$name.$method.$seed
  cat >"$out/$run.yaml" <<R
model: $model
train_data: [{path: $train, weight: 0.8}, {path: $general_train, weight: 0.2}]
valid_data: [{path: $test, name: new}, {path: $general_test, name: general}, {path: $other_test, name: other}]
cloze_data: [$domain.cloze.jsonl]
$trained
add_bos_token: true
max_length: 512
packing: true
per_device_train_batch_size: 4
num_train_epochs: ${EPOCHS:-2}
learning_rate: $rate
lr_scheduler_type: cosine
warmup_ratio: 0.1
logging_steps: 5
eval_on_start: true
eval_steps: 0
save_steps: 0
sample_tokens: 0
seed: $seed
output_dir: $out/run.$run
cache_dir: $out/cache
R
  log=$out/$run.log start=$SECONDS
  "$lathe" train "$out/$run.yaml" >"$log" 2>&1 || { tail -n 5 "$log" >&2 && exit 1; }
  echo "$name, $method, seed $seed, $((SECONDS - start)) s"
  sed -n '/^  .* step 0 /,/^done/p' "$log"
done
