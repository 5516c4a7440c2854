"""Compares Lathe's tokenizers with transformers on 10,000 varied lines.

    python scripts/interop/tokenizer.py build

Lathe trains one tokenizer of each kind; transformers loads it and must give the same ids for each
line, and the same text for these ids, with and without special tokens. Trained on one thread and
on three, the files must be the same. Needs transformers.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/golden/tokenizer"))

from lines import make_lines  # noqa: E402
from make_tokenizer import KINDS, train  # noqa: E402

MORE_KINDS = {
    "whitespace": ["--vocab-size=2000", "--pre-tokenizer=whitespace", "--lowercase"],
    "bytes": ["--vocab-size=2000", "--pre-tokenizer=bytes", "--max-token-length=16"],
    "regex": ["--vocab-size=1000", "--pre-tokenizer=regex", r"--pattern=\p{L}+|\s|[^\s\p{L}]"],
    "unigram-none": ["--vocab-size=3000", "--model=unigram", "--pre-tokenizer=none",
                     "--no-byte-fallback", "--limit-alphabet=600", "--add-eos"],
    "wordpiece-eos": ["--vocab-size=4000", "--model=wordpiece", "--eos-token=[SEP]", "--add-eos",
                      "--limit-alphabet=600", "--special-tokens", "[UNK]", "[SEP]"],
}  # fmt: skip


def encode_with_lathe(build, tokenizer, lines):
    with tempfile.TemporaryDirectory() as folder:
        source, result = pathlib.Path(folder, "lines.json"), pathlib.Path(folder, "out.json")
        source.write_text(json.dumps(lines), encoding="utf-8")
        environment = dict(os.environ, LATHE_TOKENIZER=str(tokenizer), LATHE_LINES=str(source),
                           LATHE_RESULT=str(result))  # fmt: skip
        program = [build / "tests/test_text", "--gtest_filter=TokenizerInterop.*"]
        subprocess.run(program, check=True, env=environment, stdout=subprocess.DEVNULL)
        return json.loads(result.read_text(encoding="utf-8"))


def compare(name, directory, build, lines):
    import transformers

    lathe = encode_with_lathe(build, directory, lines)
    peer = transformers.AutoTokenizer.from_pretrained(directory)
    different = 0
    for i, line in enumerate(lines):
        ids = peer.encode(line)
        wanted = (ids, peer.decode(ids, skip_special_tokens=False),
                  peer.decode(ids, skip_special_tokens=True))  # fmt: skip
        found = (lathe["ids"][i], lathe["all"][i], lathe["text"][i])
        if wanted != found:
            different += 1
            if different <= 3:
                print(f"  {line!r}\n  transformers {wanted}\n  lathe        {found}")
    for role in ("bos", "eos", "pad", "unk"):
        wanted = getattr(peer, f"{role}_token_id")
        if lathe[role] != wanted:
            different += 1
            print(f"  {role}: transformers {wanted}, lathe {lathe[role]}")
    if lathe["size"] != len(peer):
        different += 1
        print(f"  size: transformers {len(peer)}, lathe {lathe['size']}")
    round_trips = sum(line == text for line, text in zip(lines, lathe["text"]))
    print(f"{name}: {len(lines)} lines, {different} differences, {round_trips} lines come back")
    return different


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    lines = make_lines(10_000)
    differences = 0
    for name, options in {**KINDS, **MORE_KINDS}.items():
        first, second = pathlib.Path(name), pathlib.Path(name + "-again")
        for threads, out in ((1, first), (3, second)):
            os.environ["RAYON_NUM_THREADS"] = str(threads)
            train(build / "lathe", lines[:6000], options, out)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            if (first / file).read_bytes() != (second / file).read_bytes():
                differences += 1
                print(f"{name}: {file} depends on the number of threads")
        differences += compare(name, first, build, lines)
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
