"""Writes golden.json: what transformers makes of tokenizers that Lathe trained.

    python tests/golden/tokenizer/make_tokenizer.py build/lathe

Trains one tokenizer of each kind on the lines of lines.py into the folders beside this file, loads
them with transformers, and notes the ids of each line, and the text of these ids where it differs
from the line. versions.json says which versions did it.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import tokenizers
import transformers
from lines import make_lines

HERE = pathlib.Path(__file__).parent
TRAINED_ON = 4000
ENCODED = 250
KINDS = {
    "gpt4": ["--vocab-size=900"],
    "gpt2": ["--vocab-size=500", "--pre-tokenizer=gpt2", "--normalization=nfc", "--add-bos",
             "--add-eos"],
    "unigram": ["--vocab-size=1500", "--model=unigram", "--limit-alphabet=700"],
    "wordpiece": ["--vocab-size=1200", "--model=wordpiece", "--lowercase",
                  "--limit-alphabet=400"],
    "characters": ["--vocab-size=700", "--pre-tokenizer=none", "--limit-alphabet=500"],
}  # fmt: skip


def train(lathe, lines, options, out):
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder, "lines.jsonl")
        text = "".join(json.dumps({"text": line}) + "\n" for line in lines)
        data.write_text(text, encoding="utf-8")
        subprocess.run([lathe, "tokenizer", "--data", data, "--out", out, "--overwrite",
                        *options], check=True)  # fmt: skip


def main():
    lines = make_lines(ENCODED, seed=7)
    golden = {"lines": lines, "tokenizers": {}}
    for kind, options in KINDS.items():
        train(sys.argv[1], make_lines(TRAINED_ON), options, HERE / kind)
        tokenizer = transformers.AutoTokenizer.from_pretrained(HERE / kind)
        ids = [tokenizer.encode(line) for line in lines]
        decoded = [tokenizer.decode(line, skip_special_tokens=True) for line in ids]
        changed = {i: d for i, (d, line) in enumerate(zip(decoded, lines)) if d != line}
        golden["tokenizers"][kind] = {"ids": ids, "decoded": changed}
    text = json.dumps(golden, separators=(",", ":"))
    (HERE / "golden.json").write_text(text.replace('],"', '],\n"') + "\n", encoding="utf-8")
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    (HERE / "versions.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
