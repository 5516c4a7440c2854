#!/usr/bin/env bash
# Adapters beside PEFT, and eight of them in one batch: one after the other, on an otherwise idle machine.
#
#   bench/adapters.sh MODEL_DIR PEERS [build/lathe]
#
# MODEL_DIR: SmolLM2-135M as a Hugging Face directory. PEERS: a virtual environment with torch, transformers and peft.
# First a training step of LoRA (r 16 at all linear layers), rows of random text without padding: tokens/s, the median of
# the steps after the second, and the largest resident memory. Then 64 tokens for each of eight prompts: with one adapter
# for all, and with eight different ones.
#
#   ROWS=4 LENGTH=512 STEPS=8   what is measured
#   PART=train|batch            one of the two alone
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$(realpath "$1") python=$(realpath -s "$2")/bin/python lathe=$(realpath "${3:-build/lathe}")
rows=${ROWS:-4} length=${LENGTH:-512} steps=${STEPS:-8}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat "$here"/../lathe/*/*.cpp "$here"/../lathe/*/*.h >"$scratch/text.txt"

measured() { /usr/bin/time -f %M -o "$scratch/time" "$@"; memory=$(($(tail -n 1 "$scratch/time") / 1024)); }
row() { printf '%-36s %8s tokens/s  %6s MB\n' "$1" "$2" "$memory"; }

train() { # NAME ADAPTER STEPS
  cat >"$scratch/recipe.yaml" <<RECIPE
model: $model
adapter: $2
train_data: [$scratch/text.txt]
max_length: $length
per_device_train_batch_size: $rows
max_steps: $3
logging_steps: 1
learning_rate: 1e-4
save_steps: 0
sample_tokens: 0
cache_dir: $scratch/cache
output_dir: $scratch/$1
RECIPE
  measured "$lathe" train "$scratch/recipe.yaml" --overwrite 2>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
}
speed() { sed -n 's/.*"tokens_per_second":\([0-9.]*\).*/\1/p' "$scratch/$1/metrics.jsonl" | tail -n +3 | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

if [ "${PART:-train}" = train ]; then
  echo "LoRA, r 16 at all linear layers, $rows x $length tokens a step"
  for kind in "lora:{peft_type: LORA, r: 16, lora_alpha: 32}" "dora:{peft_type: LORA, r: 16, lora_alpha: 32, use_dora: true}"; do
    train "${kind%%:*}" "${kind#*:}" "$steps"
    row "Lathe, ${kind%%:*}" "$(speed "${kind%%:*}")"
  done
  for case in lora-autocast lora-bf16; do
    for compile in "" --compile; do
      measured "$python" "$here/adapters_torch.py" "$model" $case --rows "$rows" --length "$length" --steps "$steps" $compile \
        >"$scratch/peer" 2>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
      row "PEFT, $case $compile" "$(cat "$scratch/peer")"
    done
  done
fi
[ "${PART:-batch}" = batch ] || exit 0

echo "64 tokens for each of eight prompts, bfloat16 and greedy: seconds, the best of three, loading included"
rows=1 length=64
for i in 1 2 3 4 5 6 7 8; do train "a$i" '{peft_type: LORA, r: 8}' 1; done
i=0
for about in sea mountain city forest river desert island winter; do
  i=$((i + 1))
  prompt="A very long story about the $about, in twelve chapters.\\n\\nChapter 1. It was early in the morning when"
  echo "{\"prompt\": \"$prompt\", \"adapter\": \"a$i\"}" >>"$scratch/eight.jsonl"
  echo "{\"prompt\": \"$prompt\"}" >>"$scratch/one.jsonl"
  named+=(--adapter "{path: $scratch/a$i/adapter, name: a$i}")
done
best() { # ARGUMENTS
  for new in 64 1; do
    for _ in 1 2 3; do
      /usr/bin/time -f %e -o "$scratch/time" "$lathe" generate --model "$model" --temperature 0 --json --max_new_tokens $new "$@" \
        >"$scratch/out"
      cat "$scratch/time"
      # A text that ends early would count as one of full length.
      [ "$(grep -o "\"tokens\":$new[,}]" "$scratch/out" | wc -l)" = 8 ] || { echo "a text ended early" >&2; exit 1; }
    done | sort -n | head -n 1
  done | paste -sd' ' | awk '{ printf "%s s, %s s of them until the first token: %.1f tokens/s\n", $1, $2, 8 * 63 / ($1 - $2) }'
}
echo "none:            $(best --prompts "$scratch/one.jsonl")"
echo "one for all:     $(best --adapter "$scratch/a1/adapter" --prompts "$scratch/one.jsonl")"
echo "eight different: $(best "${named[@]}" --prompts "$scratch/eight.jsonl")"
