#!/usr/bin/env bash
# The demo: folk tunes in ABC notation, a tokenizer and a model trained from nothing on them, 50 new
# tunes, each checked, the best drawn and written as MIDI.
#
#   demo/run.sh [build/lathe]
#
# Everything goes to demo/out. A step that finished with the same inputs is not repeated; an
# interrupted training goes on where it stopped. Remove demo/out to start anew.
set -euo pipefail
lathe=$(realpath "${1:-$(dirname "$0")/../build/lathe}")
cd "$(dirname "$0")/.."

out=demo/out
count=50
folders=(.deps/demo/corpus/{essenFolksong,ryansMammoth,oneills1850,airdsAirs})
mkdir -p $out/steps

# step NAME INPUT... -- COMMAND...: runs a command unless it finished before with the same inputs.
# The command sees in $unfinished whether it was only begun with them.
step() {
  local name=$1 inputs=() key unfinished=
  shift
  while [ "$1" != -- ]; do
    inputs+=("$1")
    shift
  done
  shift
  key=$({
    cat "${inputs[@]}"
    declare -f "$1" || true
    echo "$@"
  } | sha256sum)
  if [ "$(cat "$out/steps/$name" 2>/dev/null)" = "$key" ]; then return; fi
  echo "== $name"
  if [ "$(cat "$out/steps/$name.begun" 2>/dev/null)" = "$key" ]; then unfinished=1; fi
  rm -f "$out/steps/$name"
  echo "$key" >"$out/steps/$name.begun"
  "$@"
  mv "$out/steps/$name.begun" "$out/steps/$name"
}

prepare() { python3 -B demo/prepare.py $out/data "${folders[@]}"; }

# Tokens are made of the signs of one beat: a note with its length, or several that often go together.
tokenizer() {
  "$lathe" tokenizer --data $out/data/train.jsonl --out $out/tokenizer --vocab_size 512 \
    --pre_tokenizer regex --pattern ' ?[^ \n]+|\n| ' \
    --bos_token '<|endoftext|>' --eos_token '<|endoftext|>' --add_bos
}

train() {
  local begin=$SECONDS options=(--overwrite)
  if [ -n "$unfinished" ]; then options=(); fi
  "$lathe" train demo/tunes.yaml "${options[@]}"
  echo $((SECONDS - begin)) >$out/seconds
}

evaluate() { "$lathe" eval --model $out/run/model --data $out/data/valid.jsonl --json >$out/eval.json; }

# What xz needs for the validation tunes when it has seen the training tunes.
compress() {
  local alone both
  alone=$(xz -9 -c $out/data/train.txt | wc -c)
  both=$(cat $out/data/train.txt $out/data/valid.txt | xz -9 -c | wc -c)
  awk -v bytes=$((both - alone)) -v text="$(wc -c <$out/data/valid.txt)" \
    'BEGIN { printf "%.4f\n", 8 * bytes / text }' >$out/xz
}

compose() {
  "$lathe" generate --model $out/run/model --prompt $'X:1\n' --num_return_sequences $count \
    --max_new_tokens 480 --temperature 0.8 --top_p 0.95 --seed 1 --json >$out/tunes.json
}

check() {
  python3 -B demo/score.py --train $out/data/train.jsonl --out $out/scores.json $out/tunes.json >$out/table
}

show() {
  python3 -B demo/report.py --metrics $out/run/metrics.jsonl --scores $out/scores.json \
    --eval $out/eval.json --counts $out/data/counts.json --xz "$(cat $out/xz)" \
    --seconds "$(cat $out/seconds)" --out $out >$out/curve.txt
}

demo/fetch.sh
library=(demo/{notation,bars}.py)
step prepare demo/{prepare,rewrite}.py "${library[@]}" .deps/demo/corpus/complete -- prepare
step tokenizer $out/data/train.jsonl -- tokenizer
step train demo/tunes.yaml $out/tokenizer/tokenizer.json $out/data/{train,valid}.jsonl -- train
step evaluate $out/run/model/model.safetensors $out/data/valid.jsonl -- evaluate
step compress $out/data/{train,valid}.txt -- compress
step compose $out/run/model/model.safetensors -- compose
step check demo/score.py "${library[@]}" $out/tunes.json $out/data/train.jsonl -- check
step show demo/{report,curve}.py $out/{scores,eval,data/counts}.json $out/{xz,seconds} \
  $out/run/metrics.jsonl -- show

cat $out/curve.txt
echo
cat $out/table
cat <<END

  the page      $out/index.html
  the tunes     $out/all.abc, the best in $out/best.abc
  drawn         $out/score_N.svg ($(find $out -name 'score_*.svg' | wc -l) tunes)
  to listen to  $out/tune_N.mid
  the model     $out/run/model   ($lathe generate --model $out/run/model --prompt \$'X:1\nT:')
END
