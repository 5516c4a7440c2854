"""Classifiers of every family: a random ...ForSequenceClassification that transformers writes gives the same probabilities
in Lathe within 1e-4, for texts of several lengths in one batch.

usage: python classifiers.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import pathlib
import subprocess
import sys

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

lathe, folder = f"{sys.argv[1]}/lathe", pathlib.Path.cwd()
root = pathlib.Path(__file__).parents[2]
TEXTS = ["a short text", "b", "a longer text about nothing in particular", "a short text"]
KINDS = {"single_label_classification": ["bad", "fair", "good"], "multi_label_classification": ["x", "y"], "regression": ["LABEL_0"]}

pathlib.Path("words.txt").write_text("a short text b longer about nothing in particular " * 20)
subprocess.run([lathe, "tokenizer", "words.txt", "--vocab-size", "300", "--out", "tokenizer"],
               check=True, capture_output=True)
tokenizer = AutoTokenizer.from_pretrained("tokenizer")
worst = {}
for golden in sorted(p for p in (root / "tests/golden/families").iterdir() if p.is_dir()):
    for kind, names in KINDS.items():
        config = AutoConfig.from_pretrained(golden, id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)},
                                            problem_type=kind, pad_token_id=0, vocab_size=len(tokenizer))
        torch.manual_seed(1)
        model = AutoModelForSequenceClassification.from_config(config).eval()
        out = folder / f"{golden.name}.{kind}"
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
        ours = [json.loads(line) for line in subprocess.run(
            [lathe, "classify", "--model", out, "--dtype", "float32", "--json"], input="\n".join(TEXTS), text=True,
            check=True, capture_output=True).stdout.splitlines()]
        with torch.no_grad():  # each text alone, so that nothing depends on how padding is found
            logits = torch.cat([model(torch.tensor([tokenizer(t)["input_ids"]])).logits for t in TEXTS])
        theirs = {"single_label_classification": logits.softmax(1), "multi_label_classification": logits.sigmoid(),
                  "regression": logits}[kind]
        for row, expected in zip(ours, theirs):
            found = [row["value"]] if kind == "regression" else [row["probabilities"][n] for n in names]
            difference = max(abs(a - b) for a, b in zip(found, expected.tolist()))
            worst[golden.name] = max(worst.get(golden.name, 0), difference)
    print(f"{golden.name}: largest difference {worst[golden.name]:.1e}", flush=True)
sys.exit(max(worst.values()) > 1e-4)
